//! What WordPress says of a comment, in its exports and in its tables: its states are not all people's decisions.

use super::{Found, Reason, Skipped, field};
use crate::comment::Submission;
use crate::decision::Ruling;

/// One comment by the names of WordPress's columns.
#[derive(Debug, Default)]
pub struct Row {
    pub id: String,
    pub page_url: Option<String>,
    pub page_title: Option<String>,
    pub author: String,
    pub email: String,
    pub url: String,
    pub ip: String,
    pub date_gmt: String,
    pub content: String,
    pub agent: String,
    pub approved: String,
    pub kind: String,
    pub said: Said,
}

/// What Akismet's plugin noted beside a comment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// Whether a person called it spam.
    pub person: Option<bool>,
    /// Whether Akismet did.
    pub machine: Option<bool>,
}

impl Said {
    /// Takes one line of `commentmeta` in.
    pub fn note(&mut self, key: &str, value: &str) {
        let is_spam = || match value.trim() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        match key {
            "akismet_user_result" => self.person = is_spam(),
            "akismet_result" => self.machine = is_spam(),
            // Serialised by PHP, one row an event; the later row is the later event.
            "akismet_history" if value.contains("\"report-spam\"") => self.person = Some(true),
            "akismet_history" if value.contains("\"report-ham\"") => self.person = Some(false),
            _ => {}
        }
    }
}

impl Row {
    /// `source` tells this blog's ids from those of others.
    pub fn found(self, source: &str) -> Result<Found, Skipped> {
        let body = field(self.content).ok_or_else(|| Skipped::because(Reason::NoText))?;
        let ruling = match (self.approved.trim(), self.said.person) {
            ("1" | "approve" | "approved", _) => Ruling::Publish,
            ("spam", Some(true)) => Ruling::Spam,
            ("spam", _) => return Err(Skipped::because(Reason::ByMachine)),
            ("trash" | "post-trashed", _) => return Err(Skipped::because(Reason::Deleted)),
            ("0" | "hold" | "", _) => return Err(Skipped::because(Reason::Undecided)),
            (other, _) => return Err(Skipped::malformed(format_args!("comment_approved is {other:?}"))),
        };
        let submission = Submission {
            name: field(self.author),
            email: field(self.email),
            url: field(self.url),
            ip: field(self.ip),
            user_agent: field(self.agent),
            body: Some(body),
            page_url: self.page_url,
            page_title: self.page_title,
            submitted_at: time(&self.date_gmt),
            kind: field(self.kind),
            ..Submission::default()
        };
        let machine = self.said.machine.map(|is_spam| if is_spam { "akismet: spam" } else { "akismet: ham" }.to_owned());
        Ok(Found { source_id: field(self.id).map(|id| format!("{source}{id}")), submission, ruling, machine })
    }
}

/// `2020-01-31 08:15:00` is in UTC; a blog that never knew has zeros.
fn time(text: &str) -> Option<String> {
    let (date, hour) = text.trim().split_once(' ')?;
    (!date.starts_with("0000")).then(|| format!("{date}T{hour}Z"))
}
