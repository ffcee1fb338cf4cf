//! JSONL: one object a line, as `hamlet export` writes it and as labelled corpora come (`flow::examples` reads these for a training without a
//! store).

use super::{Broken, Found, Options, Reason, Skipped, Take, field, lines, ruling_of};
use crate::classifier::Label;
use crate::comment::Submission;
use crate::decision::Ruling;
use serde::Deserialize;
use std::io::BufRead;

#[derive(Deserialize)]
struct Line {
    #[serde(default, alias = "body")]
    content: Option<String>,
    /// Numbers are ids, too.
    #[serde(default)]
    id: Option<serde_json::Value>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    ruling: Option<String>,
    #[serde(default, alias = "name")]
    author: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    ip: Option<String>,
    #[serde(default)]
    user_agent: Option<String>,
    #[serde(default)]
    date: Option<String>,
    #[serde(default, alias = "page_url")]
    group: Option<String>,
    #[serde(default)]
    page_title: Option<String>,
    #[serde(default)]
    kind: Option<String>,
}

pub fn read(input: impl BufRead, options: &Options, take: &mut Take<'_>) -> Result<(), Broken> {
    lines::each(input, &mut |number, line| take(number, line.and_then(|line| comment(line, options))))
}

fn comment(line: &[u8], options: &Options) -> Result<Found, Skipped> {
    let text = std::str::from_utf8(line).map_err(|_| Skipped::because(Reason::NotUtf8))?;
    let line: Line = serde_json::from_str(text).map_err(Skipped::malformed)?;
    let ruling = match (line.ruling.as_deref().and_then(Ruling::parse), line.label.as_deref()) {
        (Some(ruling), _) => ruling,
        (None, Some("spam")) => Ruling::Spam,
        (None, Some("ham")) => Ruling::Publish,
        (None, None) => ruling_of(options.label.ok_or_else(|| Skipped::because(Reason::Undecided))?),
        (None, Some(_)) => return Err(Skipped::because(Reason::Undecided)),
    };
    let source_id = match line.id {
        Some(serde_json::Value::String(id)) => field(id),
        Some(serde_json::Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    let body = line.content.and_then(field).ok_or_else(|| Skipped::because(Reason::NoText))?;
    let submission = Submission {
        name: line.author,
        email: line.email,
        url: line.url,
        ip: line.ip,
        user_agent: line.user_agent,
        body: Some(body),
        page_url: line.group,
        page_title: line.page_title,
        submitted_at: line.date,
        kind: line.kind,
        ..Submission::default()
    };
    Ok(Found { source_id, submission, ruling, machine: None })
}

/// What people call a label, in files that are no export of ours.
pub(super) fn label_of(word: &str) -> Option<Label> {
    match word.trim().to_ascii_lowercase().as_str() {
        "spam" | "1" | "true" | "yes" | "junk" => Some(Label::Spam),
        "ham" | "0" | "false" | "no" | "publish" | "published" | "approved" | "ok" | "not spam" => Some(Label::Ham),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::told;
    use super::super::{Format, Options};
    use crate::classifier::Label;

    #[test]
    fn lines_are_taken_by_what_a_person_decided() {
        let text = r#"{"id":"1","label":"spam","author":"Ana","content":"buy"}
{"id":2,"ruling":"remove","name":"Bob","body":"rude"}
{"label":"abuse","content":"x"}
{"content":"x"}
{"label":"ham","content":"  "}
no json
{"label":"ham","content":"thanks"}
"#;
        let expected =
            ["1 spam Ana: buy", "2 remove Bob: rude", "3 undecided", "4 undecided", "5 no_text", "6 malformed", "7 publish -: thanks"];
        assert_eq!(told(Format::Jsonl, text, &Options::default()), expected);
        let spam = Options { label: Some(Label::Spam), ..Options::default() };
        assert_eq!(told(Format::Jsonl, "{\"content\":\"x\"}", &spam), ["1 spam -: x"]);
    }
}
