//! Flips: a decision on record and the one that would be made instead, with what makes the difference.

use super::safe::plain;
use super::terminal::{Sheet, Tone};
use super::{Ruled, excerpt};
use crate::comment::Comment;
use crate::decision::{Decision, Policy};
use crate::rules::Finding;

/// Characters of the comment: a line.
const EXCERPT_CHARS_MAX: usize = 70;

/// Probabilities that round to the same are no change to a person.
const SCORE_STEP: f64 = 0.0005;

/// One comment of which another decision would be made.
#[derive(Debug, Clone, Copy)]
pub struct FlipView<'a> {
    pub comment: &'a Comment,
    pub before: &'a Decision,
    pub after: &'a Decision,
    pub ruled: Option<Ruled<'a>>,
}

impl FlipView<'_> {
    /// Three lines and an empty one.
    pub fn write(&self, sheet: &mut Sheet) {
        let Self { comment, before, after, ruled } = self;
        let ink = sheet.ink;
        let flip = format!("{} → {}", before.word(), after.word());
        let ruled = ruled.map(|ruled| format!("   ruled {}", ruled.ruling.as_str())).unwrap_or_default();
        let came = format!("{} {}", comment.received_at.date(), comment.received_at.hour());
        let left = ink.dye(Tone::Strong, &flip) + &ruled;
        sheet.ends(&left, &ink.dye(Tone::Faint, &came));
        sheet.line(ink.dye(Tone::Faint, &format!("  {}  {}", comment.id, comment.site)));
        sheet.words("  ", &plain(&changes(before, after).join("; ")));
        let excerpt = excerpt::short(&comment.body, EXCERPT_CHARS_MAX).dotted("…", plain);
        sheet.quote(&super::terminal::cut(&excerpt, EXCERPT_CHARS_MAX));
    }
}

/// What differs between two decisions of one comment, for people: findings, the score, the thresholds that it crosses.
pub fn changes(before: &Decision, after: &Decision) -> Vec<String> {
    let has = |decision: &Decision, finding: &Finding| {
        decision.findings.iter().any(|other| (&other.code, other.effect, &other.text) == (&finding.code, finding.effect, &finding.text))
    };
    let came = after.findings.iter().filter(|finding| !has(before, finding)).map(|finding| told("new", finding));
    let went = before.findings.iter().filter(|finding| !has(after, finding)).map(|finding| told("no longer", finding));
    let mut changes: Vec<String> = came.chain(went).collect();
    match (before.score, after.score) {
        (Some(old), Some(new)) if (old - new).abs() >= SCORE_STEP => {
            changes.push(format!("score {} → {}", probability(old), probability(new)));
        }
        (None, Some(new)) => changes.push(format!("score {}, none before", probability(new))),
        (Some(old), None) => changes.push(format!("no score, {} before", probability(old))),
        (Some(_) | None, _) => {}
    }
    changes.extend(after.score.into_iter().flat_map(|score| crossed(score, before.policy, after.policy)));
    changes
}

fn told(how: &str, finding: &Finding) -> String {
    format!("{how}: {} ({}, {})", finding.text, finding.code, finding.effect.as_str())
}

/// Thresholds that moved over a score.
fn crossed(score: f64, before: Policy, after: Policy) -> impl Iterator<Item = String> {
    let thresholds = [
        ("publish_max", before.publish_max, after.publish_max, score <= before.publish_max, score <= after.publish_max),
        ("reject_min", before.reject_min, after.reject_min, score >= before.reject_min, score >= after.reject_min),
        ("discard_min", before.discard_min, after.discard_min, score >= before.discard_min, score >= after.discard_min),
    ];
    let moved = thresholds.into_iter().filter(|(.., before, after)| before != after);
    moved.map(move |(name, old, new, ..)| format!("{name} {} → {}, the score is {}", threshold(old), threshold(new), probability(score)))
}

/// `.884`; never a bare 0 or 1, which no score is.
pub fn probability(p: f64) -> String {
    let text = format!("{p:.3}");
    match text.as_str() {
        "0.000" => "under .001".to_owned(),
        "1.000" => "over .999".to_owned(),
        text => text.trim_start_matches('0').to_owned(),
    }
}

/// `.45`, with all the digits that the settings have.
pub fn threshold(probability: f64) -> String {
    let text = probability.to_string();
    text.strip_prefix('0').filter(|rest| !rest.is_empty()).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::terminal::Ink;
    use super::super::{Ruled, samples};
    use super::*;
    use crate::decision::Ruling;
    use crate::rules::Effect;

    #[test]
    fn a_flip_says_what_makes_the_difference() {
        let before = samples::decision(Some(-3.5), &[], &[]);
        let same = changes(&before, &before);
        assert_eq!(same, [""; 0]);
        let held = samples::decision(Some(-3.5), &[("first_link", Effect::Hold, "first comment of this author, with a link", 0.0)], &[]);
        assert_eq!(changes(&before, &held), ["new: first comment of this author, with a link (first_link, hold)"]);
        assert_eq!(changes(&held, &before), ["no longer: first comment of this author, with a link (first_link, hold)"]);
        let stricter = Decision { policy: Policy { publish_max: 0.01, ..before.policy }, ..before.clone() };
        assert_eq!(changes(&before, &stricter), ["publish_max .05 → .01, the score is .029"]);
        let other = samples::decision(Some(9.0), &[], &[]);
        assert_eq!(changes(&before, &other), ["score .029 → over .999"]);
        assert_eq!(changes(&before, &samples::decision(None, &[], &[])), ["no score, .029 before"]);
    }

    #[test]
    fn a_flip_is_harmless_on_the_terminal() {
        let comment = samples::comment("x", "a@b.example", "t", "A\x1b[2J \u{202e}word\nhttps://a.example שלום", 5);
        let (before, after) = (samples::decision(Some(-3.5), &[], &[]), samples::decision(Some(9.0), &[], &[]));
        let ruled = Some(Ruled { ruling: Ruling::Publish, by: "Ana", at: samples::now() });
        let mut sheet = Sheet::new(Ink::Plain);
        FlipView { comment: &comment, before: &before, after: &after, ruled }.write(&mut sheet);
        insta::assert_snapshot!(sheet.finish().replace(&comment.id.to_string(), "ID"));
    }
}
