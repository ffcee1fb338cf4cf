//! One's own account: the password, the last acts, and the way out.

use super::{Around, Frame};
use crate::clock::Timestamp;
use crate::view::{rendered, safe, words};
use askama::Template;

/// `/desk/you`.
#[derive(Clone, Copy)]
pub struct AccountPage<'a> {
    pub frame: Frame<'a>,
    pub email: &'a str,
    pub role: &'a str,
    /// The names of the sites.
    pub sites: &'a [&'a str],
    pub say: AccountSay,
    /// The last acts, the newest first.
    pub acts: &'a [(Timestamp, &'a str)],
    pub now: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountSay {
    Nothing,
    PasswordSet,
    MailsOn,
    MailsOff,
    /// Shorter or longer than is taken.
    PasswordRefused {
        chars_min: usize,
    },
}

impl AccountPage<'_> {
    pub fn render(&self) -> String {
        let (class, say) = match self.say {
            AccountSay::Nothing => ("", String::new()),
            AccountSay::PasswordSet => ("good", "Your password is set. Every other browser was logged out.".to_owned()),
            AccountSay::MailsOn => ("good", "Your mails come again.".to_owned()),
            AccountSay::MailsOff => ("good", "Your mails are paused.".to_owned()),
            AccountSay::PasswordRefused { chars_min } => {
                ("bad", format!("That was not taken: a password has {chars_min} characters or more, and at most 1,024 bytes."))
            }
        };
        let acts = self.acts.iter().map(|(at, what)| (words::ago(*at, self.now), worded(what))).collect();
        rendered(&Account {
            around: self.frame.around(),
            email: safe::header_text(self.email),
            role: self.role,
            sites: self.sites.iter().map(|site| safe::header_text(site)).collect::<Vec<_>>().join(", "),
            class,
            say,
            acts,
        })
    }
}

/// An act as people say it.
fn worded(what: &str) -> String {
    let mut words = what.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

#[derive(Template)]
#[template(path = "desk_account.html")]
struct Account<'a> {
    around: Around,
    email: String,
    role: &'a str,
    sites: String,
    class: &'static str,
    say: String,
    acts: Vec<(String, String)>,
}
