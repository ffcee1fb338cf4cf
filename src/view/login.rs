//! Getting to the desk: the page that asks who is there, the page behind a one-time link, and the mail that brings it.

use super::{rendered, safe};
use askama::Template;
use std::time::Duration;

/// A mail with a one-time link.
#[derive(Debug, Clone)]
pub struct LoginMail {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl LoginMail {
    pub fn to(name: &str, url: &str, valid: Duration) -> Self {
        let (name, minutes) = (safe::header_text(name), valid.as_secs() / 60);
        Self {
            subject: "Log in to the Hamlet desk".to_owned(),
            text: rendered(&LoginText { name: &name, url, minutes }),
            html: rendered(&LoginHtml { name: &name, url, minutes }),
        }
    }
}

/// `/desk/login`: who is there?
#[derive(Debug, Clone, Copy)]
pub struct LoginPage<'a> {
    pub say: LoginSay,
    pub email: &'a str,
    /// Where to go once in: a path of the desk.
    pub next: &'a str,
}

/// What the page says over its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginSay {
    Nothing,
    /// Whether or not there is such a moderator.
    LinkSent,
    Wrong,
    TooMany,
    /// A ruling came without a session.
    SessionOver,
    LoggedOut,
    LinkUsed,
    RefusedOrigin,
    Unavailable,
}

/// `/desk/login/TOKEN`: opening it changes nothing, so that a mail scanner does not use it up.
#[derive(Debug, Clone, Copy)]
pub struct OneTimePage<'a> {
    pub path: &'a str,
}

impl LoginPage<'_> {
    pub fn render(&self) -> String {
        let (class, strong, rest) = self.say.words();
        rendered(&LoginTemplate { class, strong, rest, email: safe::kept(self.email), next: self.next })
    }
}

impl OneTimePage<'_> {
    pub fn render(&self) -> String {
        rendered(&OneTimeTemplate { path: self.path })
    }
}

impl LoginSay {
    /// Colour, what happened, what to do.
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Nothing => ("", "", ""),
            Self::LinkSent => (
                "good",
                "Look into your mail.",
                "If this is a moderator’s address, a link is on its way to it. It works once, within 15 minutes.",
            ),
            Self::Wrong => ("bad", "The address or the password is wrong.", "Leave the password empty to get a link by mail."),
            Self::TooMany => ("bad", "Too many tries.", "Nothing was looked at. Come back in a quarter of an hour."),
            Self::SessionOver => ("bad", "You were signed out.", "Your last ruling was not taken. Log in, then rule."),
            Self::LoggedOut => ("good", "You are logged out.", "The desk is closed in this browser."),
            Self::LinkUsed => ("bad", "This link does not work.", "It was used before, or its time is over. Ask for a new one."),
            Self::RefusedOrigin => ("bad", "This did not come from our own page.", "Nothing changed. Log in here."),
            Self::Unavailable => ("warn", "Nobody can be let in just now.", "Nothing changed. Try again in a minute."),
        }
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginTemplate<'a> {
    class: &'static str,
    strong: &'static str,
    rest: &'static str,
    email: String,
    next: &'a str,
}

#[derive(Template)]
#[template(path = "login_link.html")]
struct OneTimeTemplate<'a> {
    path: &'a str,
}

#[derive(Template)]
#[template(path = "login_mail.txt")]
struct LoginText<'a> {
    name: &'a str,
    url: &'a str,
    minutes: u64,
}

#[derive(Template)]
#[template(path = "login_mail.html")]
struct LoginHtml<'a> {
    name: &'a str,
    url: &'a str,
    minutes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_brings_a_link_and_says_what_it_does() {
        let mail = LoginMail::to("Ana\r\nBcc: x", "https://mod.example/desk/login/T0", Duration::from_mins(15));
        assert!(mail.text.contains("https://mod.example/desk/login/T0\n") && mail.text.contains("15 minutes"), "{}", mail.text);
        assert!(mail.text.lines().all(|line| line.chars().count() <= 78), "{}", mail.text);
        assert!(mail.html.contains("href=\"https://mod.example/desk/login/T0\"") && !mail.html.contains('\r'));
    }

    #[test]
    fn the_page_keeps_what_was_typed_as_text() {
        let page = LoginPage { say: LoginSay::Wrong, email: "\"><b>x", next: "/desk/" }.render();
        assert!(page.contains("value=\"&#34;&#62;&#60;b&#62;x\"") && page.contains("The address or the password is wrong."), "{page}");
    }
}
