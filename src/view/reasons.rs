//! Reasons: what speaks for spam and what for ham, in plain words, the strongest first. Made of a decision's findings and evidence;
//! the texts may quote the comment, so they are shown through `safe` like any of a stranger's words.

use super::excerpt::find;
use super::safe::Mark;
use crate::decision::Decision;
use crate::rules::{Effect, Finding};

/// What people look through at one glance.
pub const REASONS_MAX: usize = 5;

/// More marks than this and nothing stands out; ham gets its share.
const MARKS_MAX: usize = 5;
const SPAM_MARKS_MAX: usize = 3;

/// Longer than any pair of words or host that is worth finding; it bounds the search.
const NEEDLE_BYTES_MAX: usize = 128;

/// What a hard effect weighs beside log-odds: beyond any evidence that is merely strong.
const HARD: f64 = 9.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Slight,
    Some,
    Strong,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    pub text: String,
    pub weight: Weight,
    /// What to look for in the comment; none where the reason is not about certain words.
    pub needle: Option<String>,
    strength: f64,
}

/// Both sides of one decision, each strongest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reasons {
    pub spam: Vec<Reason>,
    pub ham: Vec<Reason>,
}

impl Reasons {
    pub fn of(decision: &Decision) -> Self {
        let evidence = decision.evidence.iter().map(|part| (part.log_odds, Reason::new(worded(&part.what), part.log_odds)));
        let findings = decision.findings.iter().map(|finding| (leaning(finding), Reason::new(finding.text.clone(), leaning(finding))));
        let (mut spam, mut ham) = (Vec::new(), Vec::new());
        for (log_odds, reason) in findings.chain(evidence) {
            if log_odds < 0.0 { ham.push(reason) } else { spam.push(reason) }
        }
        for side in [&mut spam, &mut ham] {
            side.sort_by(|a: &Reason, b: &Reason| b.strength.total_cmp(&a.strength));
            side.truncate(REASONS_MAX);
        }
        Self { spam, ham }
    }

    /// What to cut an excerpt around: spam first, since that is what a moderator must see.
    pub fn needles(&self) -> Vec<String> {
        self.spam.iter().chain(&self.ham).filter_map(|reason| reason.needle.clone()).collect()
    }

    /// The evidence found in a body. Notes are numbered over both sides; `item` keeps their ids apart on a page of many.
    pub fn marks(&self, body: &str, item: usize) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        for (index, reason) in self.spam.iter().chain(&self.ham).enumerate() {
            let is_spam = index < self.spam.len();
            let most = if is_spam { SPAM_MARKS_MAX } else { MARKS_MAX };
            let found = reason.needle.as_ref().and_then(|needle| find(body, needle));
            let Some(range) = found.filter(|_| marks.len() < most) else { continue };
            let class = match (is_spam, marks.is_empty()) {
                (true, true) => "top",
                (true, false) => "spam",
                (false, _) => "ham",
            };
            marks.push(Mark { range, number: index + 1, note: note_id(item, index + 1), class });
        }
        marks
    }
}

/// The id of a note on a page.
pub fn note_id(item: usize, number: usize) -> String {
    format!("n{item}-{number}")
}

impl Reason {
    fn new(text: String, log_odds: f64) -> Self {
        let strength = log_odds.abs();
        let weight = match strength {
            s if s < 0.7 => Weight::Slight,
            s if s < 1.8 => Weight::Some,
            _ => Weight::Strong,
        };
        let needle = needle(&text);
        Self { text, weight, needle, strength }
    }
}

impl Weight {
    pub fn word(self) -> &'static str {
        match self {
            Self::Slight => "slight",
            Self::Some => "some",
            Self::Strong => "strong",
        }
    }

    /// One, two or three bars.
    pub fn bars(self) -> u8 {
        match self {
            Self::Slight => 1,
            Self::Some => 2,
            Self::Strong => 3,
        }
    }
}

/// Which way a finding leans, in log-odds of spam; one that holds may speak against a rejection. What the classifier already weighs leans to spam a little: it was worth telling.
fn leaning(finding: &Finding) -> f64 {
    match finding.effect {
        Effect::Reject => HARD + 1.0,
        Effect::Hold if finding.log_odds < 0.0 => -HARD,
        Effect::Hold => HARD,
        Effect::Trust => -HARD,
        Effect::Evidence => finding.log_odds,
    }
}

/// `“cheap loans”` alone says too little: `the words “cheap loans”`.
fn worded(what: &str) -> String {
    match what.strip_prefix('“').and_then(|open| open.strip_suffix('”')) {
        Some(quoted) if quoted.contains('”') => what.to_owned(),
        Some(quoted) if quoted.contains(' ') => format!("the words {what}"),
        Some(_) => format!("the word {what}"),
        None => what.to_owned(),
    }
}

/// The words a reason quotes, or the host it names.
fn needle(text: &str) -> Option<String> {
    let quoted = text.split_once('“').and_then(|(_, open)| open.split_once('”')).map(|(quoted, _)| quoted.to_owned());
    let host =
        || text.strip_prefix("link to ").filter(|host| host.contains("[.]") && !host.contains(' ')).map(|host| host.replace("[.]", "."));
    quoted.or_else(host).filter(|needle| !needle.trim().is_empty() && needle.len() <= NEEDLE_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn reasons_stand_on_their_side_strongest_first() {
        let reasons = Reasons::of(&samples::jane().decision);
        let spam: Vec<_> = reasons.spam.iter().map(|reason| (reason.text.as_str(), reason.weight)).collect();
        assert_eq!(
            spam,
            [
                ("first comment of this author, with a link", Weight::Strong),
                ("link to cheap-loans[.]example", Weight::Strong),
                ("the words “mornings forever”", Weight::Some),
            ]
        );
        let ham: Vec<_> = reasons.ham.iter().map(|reason| (reason.text.as_str(), reason.weight)).collect();
        assert_eq!(ham, [("the word “grinder”", Weight::Some), ("the word “filter”", Weight::Slight)]);
        assert_eq!(reasons.needles(), ["cheap-loans.example", "mornings forever", "grinder", "filter"]);
    }

    #[test]
    fn marks_carry_the_numbers_of_their_notes() {
        let jane = samples::jane();
        let marks = Reasons::of(&jane.decision).marks(&jane.comment.body, 1);
        let marked: Vec<_> = marks.iter().map(|mark| (mark.number, mark.class, &jane.comment.body[mark.range.clone()])).collect();
        assert_eq!(
            marked,
            [(2, "top", "cheap-loans.example"), (3, "spam", "mornings forever"), (4, "ham", "grinder"), (5, "ham", "filter")]
        );
    }

    #[test]
    fn needles_are_what_is_quoted() {
        for (text, expected) in [
            ("begins with “hello”", Some("hello")),
            ("a link then “now”", Some("now")),
            ("link to a .ru address", None),
            ("link to a[.]b", Some("a.b")),
            ("3 links", None),
            ("“”", None),
        ] {
            assert_eq!(needle(text).as_deref(), expected, "{text}");
        }
    }
}
