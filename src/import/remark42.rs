//! Remark42's backup: a line about the site, then a comment a line, as JSON. What is in it was published or deleted; spam was never kept.

use super::{Broken, Found, Reason, Skipped, Take, field, lines};
use crate::comment::Submission;
use crate::decision::Ruling;
use serde::Deserialize;
use std::io::BufRead;
use std::ops::ControlFlow;

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    text: String,
    /// As it was typed, before it became HTML.
    #[serde(default)]
    orig: String,
    #[serde(default)]
    user: User,
    #[serde(default)]
    locator: Locator,
    #[serde(default)]
    time: Option<String>,
    #[serde(default)]
    delete: bool,
    #[serde(default)]
    title: String,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default)]
    name: String,
}

#[derive(Default, Deserialize)]
struct Locator {
    #[serde(default)]
    url: String,
}

pub fn read(input: impl BufRead, take: &mut Take<'_>) -> Result<(), Broken> {
    lines::each(input, &mut |number, line| match line {
        // What the site's users and posts are.
        Ok(line) if number == 1 && line.starts_with(b"{\"version\"") => ControlFlow::Continue(()),
        line => take(number, line.and_then(comment)),
    })
}

fn comment(line: &[u8]) -> Result<Found, Skipped> {
    let text = std::str::from_utf8(line).map_err(|_| Skipped::because(Reason::NotUtf8))?;
    let line: Line = serde_json::from_str(text).map_err(Skipped::malformed)?;
    if line.delete {
        return Err(Skipped::because(Reason::Deleted));
    }
    let body = field(line.orig).or_else(|| field(line.text)).ok_or_else(|| Skipped::because(Reason::NoText))?;
    let submission = Submission {
        // Its addresses are hashes, which say nothing to us.
        name: field(line.user.name),
        body: Some(body),
        page_url: field(line.locator.url),
        page_title: field(line.title),
        submitted_at: line.time,
        ..Submission::default()
    };
    Ok(Found { source_id: Some(line.id), submission, ruling: Ruling::Publish, machine: None })
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::super::{Format, Options};

    #[test]
    fn comments_that_stand_are_ham() {
        let text = r#"{"version":1,"users":[],"posts":[]}
{"id":"a","text":"<p>hi</p>","orig":"hi","user":{"name":"Ana","ip":"0af1"},"locator":{"site":"s","url":"https://blog.example/how"},"time":"2020-01-31T08:15:00Z"}
{"id":"b","text":"","delete":true,"user":{"name":"Bob"}}
{"id":"c","text":""}
"#;
        assert_eq!(told(Format::Remark42, text, &Options::default()), ["2 publish Ana: hi", "3 deleted", "4 no_text"]);
    }
}
