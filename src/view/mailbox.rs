//! The pages where a moderator turns mails off and on, and says that they arrive. Showing one changes nothing; its buttons post to the same
//! path.

use super::{rendered, safe};
use crate::clock::Timestamp;
use askama::Template;

/// `/u/TOKEN`: everything it shows.
#[derive(Debug, Clone, Copy)]
pub struct MailboxPage<'a> {
    pub moderator_name: &'a str,
    /// The names of the sites that the mails are about.
    pub site_names: &'a [&'a str],
    /// The path that forms post to.
    pub path: &'a str,
    /// Since when the mails are off; none while they are on.
    pub paused_at: Option<Timestamp>,
    /// Without this moderator nobody would get the mails of some site.
    pub is_last: bool,
    pub nonce: &'a str,
    pub notice: Option<MailboxNotice>,
}

/// What a button did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxNotice {
    Paused,
    Resumed,
    /// The page was open too long.
    TooOld,
}

impl MailboxPage<'_> {
    pub fn render(&self) -> String {
        rendered(&Page {
            moderator: safe::header_text(self.moderator_name),
            sites: self.site_names.iter().map(|name| safe::header_text(name)).collect::<Vec<_>>().join(", "),
            path: self.path,
            since: self.paused_at.map(|at| format!("{} UTC", at.day_and_hour())),
            is_last: self.is_last,
            nonce: self.nonce,
            say: self.notice.map(MailboxNotice::words),
        })
    }
}

impl MailboxNotice {
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Paused => ("good", "Noted.", "Comments go on waiting; nothing is decided by that."),
            Self::Resumed => ("good", "Noted.", "What waits comes with the next one."),
            Self::TooOld => ("warn", "This page was open too long.", "Nothing changed. Here it is anew."),
        }
    }
}

/// `/confirm/TOKEN`: whether a test mail arrived.
#[derive(Debug, Clone, Copy)]
pub struct ConfirmPage<'a> {
    pub moderator_name: &'a str,
    pub address: &'a str,
    /// The path that the form posts to.
    pub path: &'a str,
    pub nonce: &'a str,
    pub notice: Option<ConfirmNotice>,
    /// Where mails are turned on, while they are off.
    pub resume_path: Option<&'a str>,
}

/// What the button did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmNotice {
    Confirmed,
    /// The page was open too long.
    TooOld,
}

impl ConfirmPage<'_> {
    pub fn render(&self) -> String {
        rendered(&Confirm {
            moderator: safe::header_text(self.moderator_name),
            address: safe::mask_email(self.address, "…"),
            path: self.path,
            nonce: self.nonce,
            is_confirmed: self.notice == Some(ConfirmNotice::Confirmed),
            is_too_old: self.notice == Some(ConfirmNotice::TooOld),
            resume_path: self.resume_path,
        })
    }
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct Confirm<'a> {
    moderator: String,
    address: String,
    path: &'a str,
    nonce: &'a str,
    is_confirmed: bool,
    is_too_old: bool,
    resume_path: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct Page<'a> {
    moderator: String,
    sites: String,
    path: &'a str,
    since: Option<String>,
    is_last: bool,
    nonce: &'a str,
    say: Option<(&'static str, &'static str, &'static str)>,
}
