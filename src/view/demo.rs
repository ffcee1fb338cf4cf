//! The demo blog: one article, its replies and a form, as a reader of any blog would see them. What the filter thought of a reply is
//! never said here: commenters would learn from it.

use super::safe::{self, Html};
use super::{rendered, words};
use askama::Template;

/// `/demo/`.
#[derive(Debug, Clone, Copy)]
pub struct DemoPage<'a> {
    /// Published replies, oldest first; they follow the three that every demo has.
    pub replies: &'a [Reply<'a>],
    pub outcome: Option<Outcome>,
    /// What to put into the form: what was typed when it was not taken, else nothing.
    pub form: FormValues<'a>,
    /// Where the moderator's mail lands: a directory of files, or a server's name.
    pub mail_place: &'a str,
}

/// One published reply. The address has no place here: it is never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    pub name: &'a str,
    /// `22 November, 15:00`.
    pub at: &'a str,
    pub body: &'a str,
}

/// What was typed into the form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormValues<'a> {
    pub name: &'a str,
    pub email: &'a str,
    pub url: &'a str,
    pub body: &'a str,
    /// When the form was first shown: one that is shown again is no new one.
    pub form_token: &'a str,
}

/// What became of the reply that was just sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Published,
    Held,
    Rejected,
    Missing(Field),
    InvalidEmail,
    TooLong,
    Unavailable,
}

/// The fields that a reply needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Name,
    Email,
    Body,
}

impl DemoPage<'_> {
    pub fn render(&self) -> String {
        let shown = |reply: &Reply<'_>| Shown { name: safe::kept(reply.name), at: safe::kept(reply.at), body: safe::published(reply.body) };
        let field = |name, label, kind, value| Input { name, label, kind, value: safe::kept(value), problem: self.problem_of(name) };
        rendered(&Demo {
            heading: words::count(self.replies.len() + SAMPLES, "reply", "replies"),
            replies: self.replies.iter().map(shown).collect(),
            say: self.outcome.map(Outcome::words),
            mail_place: safe::header_text(self.mail_place),
            name: field("name", "Name", "text", self.form.name),
            email: field("email", "Email", "email", self.form.email),
            url: safe::kept(self.form.url),
            form_token: safe::kept(self.form.form_token),
            body: field("body", "Comment", "", self.form.body),
        })
    }

    fn problem_of(&self, field: &'static str) -> &'static str {
        match (self.outcome, field) {
            (Some(Outcome::Missing(Field::Name)), "name") => "Please fill in your name.",
            (Some(Outcome::Missing(Field::Email)), "email") => "Please fill in your email address.",
            (Some(Outcome::InvalidEmail), "email") => "Please write an address like ana@example.org.",
            (Some(Outcome::Missing(Field::Body)), "body") => "Please write a comment.",
            (Some(Outcome::TooLong), "body") => "Please write less.",
            _ => "",
        }
    }
}

impl Outcome {
    /// The colour of the notice, and what it says: what happened, and what it means.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Published => ("good", "Thank you. Your reply is published."),
            Self::Held => ("", "Thank you. A person will read your reply before it appears."),
            Self::Rejected => ("", "Thank you. Your reply was not accepted."),
            Self::Missing(Field::Name) => ("bad", "Please fill in your name. Nothing was lost."),
            Self::Missing(Field::Email) => ("bad", "Please fill in your email address. Nothing was lost."),
            Self::Missing(Field::Body) => ("bad", "Please write a comment. Nothing was lost."),
            Self::InvalidEmail => ("bad", "That is no email address. Nothing was lost."),
            Self::TooLong => ("bad", "Your reply is too long. Nothing was lost."),
            Self::Unavailable => ("warn", "The comment service is busy. Nothing was lost; please try again."),
        }
    }
}

/// The replies that stand in the template.
const SAMPLES: usize = 3;

#[derive(Template)]
#[template(path = "demo.html")]
struct Demo {
    heading: String,
    replies: Vec<Shown>,
    say: Option<(&'static str, &'static str)>,
    mail_place: String,
    name: Input,
    email: Input,
    url: String,
    form_token: String,
    body: Input,
}

struct Shown {
    name: String,
    at: String,
    body: Html,
}

struct Input {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: String,
    /// Empty when there is none.
    problem: &'static str,
}
