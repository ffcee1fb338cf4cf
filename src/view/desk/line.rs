//! The line: where a comment stands between *published* and *rejected*, drawn, with a sentence beside it. Each of its three parts is drawn
//! as wide whatever the thresholds are: what counts is which part it is in, and how near the next.

use crate::decision::{Band, Decision, Verdict};

/// The drawing's width, and where the held part begins and ends.
pub const WIDTH: f64 = 320.0;
pub const HELD: (f64, f64) = (118.0, 214.0);

/// One comment's place on the line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub x: i64,
    pub label: &'static str,
    pub caption: &'static str,
}

impl Line {
    /// None without a score.
    pub fn of(decision: &Decision) -> Option<Self> {
        let x = place(decision)?;
        if let Some((label, caption)) = by_rule(decision) {
            return Some(Self { x: rounded(x), label, caption });
        }
        let held = (x - HELD.0) / (HELD.1 - HELD.0);
        let is_held_by_rule = decision.is_held_by_rule();
        let (label, caption) = match held {
            h if h < 0.0 => ("By its score: published", "By its score alone it would be published."),
            h if h > 1.0 => ("By its score: rejected", "By its score alone it would be rejected."),
            h if h < 0.35 => ("Held: between the two lines, nearer to published than to rejected", "Nearer to published than to rejected."),
            h if h > 0.65 => ("Held: between the two lines, nearer to rejected than to published", "Nearer to rejected than to published."),
            _ => ("Held: between the two lines, in the middle", "In the middle: it might be either."),
        };
        let is_outside = !(0.0..=1.0).contains(&held);
        let caption = match (decision.verdict, is_held_by_rule && is_outside) {
            (Verdict::Hold, true) if held < 0.0 => "By its score alone it would be published; a rule holds it.",
            (Verdict::Hold, true) => "By its score alone it would be rejected; a rule holds it.",
            _ => caption,
        };
        let caption = if decision.band == Band::RulesOnly { "Only rules judged it." } else { caption };
        Some(Self { x: rounded(x), label, caption })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a place within the drawing")]
fn rounded(x: f64) -> i64 {
    x.round() as i64
}

/// What a rule decided stands where it stands whatever its score is: the line shows only what that would have been.
fn by_rule(decision: &Decision) -> Option<(&'static str, &'static str)> {
    match decision.verdict {
        Verdict::Publish if decision.is_by_rule() => {
            Some(("Published by a rule; the mark is its score", "A rule published it; its score had no say."))
        }
        Verdict::Reject if decision.is_by_rule() => {
            Some(("Rejected by a rule; the mark is its score", "A rule rejected it; its score had no say."))
        }
        Verdict::Publish | Verdict::Reject | Verdict::Hold => None,
    }
}

/// Where on the drawing a score stands, in `0.0..=WIDTH`.
pub fn place(decision: &Decision) -> Option<f64> {
    let score = decision.score?;
    let (publish, reject) = (decision.policy.publish_max, decision.policy.reject_min);
    // Between the lines by log-odds, as evidence adds up; a line at 0 or 1 has none, and stands where hardly anything does.
    let logit = |p: f64| {
        let p = p.clamp(1e-4, 1.0 - 1e-4);
        (p / (1.0 - p)).ln()
    };
    let share = |value: f64, from: f64, to: f64| if to > from { ((value - from) / (to - from)).clamp(0.0, 1.0) } else { 0.5 };
    Some(if score <= publish && publish > 0.0 {
        (HELD.0 - 6.0) * share(score, 0.0, publish)
    } else if score >= reject && reject < 1.0 {
        HELD.1 + 6.0 + (WIDTH - HELD.1 - 6.0) * share(score, reject, 1.0)
    } else {
        HELD.0 + (HELD.1 - HELD.0) * share(logit(score), logit(publish), logit(reject))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Effect;
    use crate::view::samples;

    #[test]
    fn a_comment_stands_in_the_part_of_its_score() {
        for (log_odds, from, to) in
            [(-6.0, 0.0, 112.0), (-2.5, 118.0, 150.0), (0.8, 150.0, 182.0), (3.8, 182.0, 214.0), (6.0, 220.0, 320.0)]
        {
            let x = place(&samples::decision(Some(log_odds), &[], &[])).unwrap();
            assert!((from..=to).contains(&x), "{log_odds}: {x}");
        }
        assert_eq!(Line::of(&samples::decision(None, &[], &[])), None);
    }

    #[test]
    fn the_sentence_says_who_decided() {
        for (log_odds, effect, caption) in [
            (0.8, None, "In the middle: it might be either."),
            (0.8, Some(Effect::Hold), "In the middle: it might be either."),
            (0.8, Some(Effect::Reject), "A rule rejected it; its score had no say."),
            (0.8, Some(Effect::Trust), "A rule published it; its score had no say."),
            (6.0, Some(Effect::Reject), "A rule rejected it; its score had no say."),
            (-6.0, None, "By its score alone it would be published."),
            (-6.0, Some(Effect::Hold), "By its score alone it would be published; a rule holds it."),
        ] {
            let findings: Vec<_> = effect.into_iter().map(|effect| ("x", effect, "x", 0.0)).collect();
            assert_eq!(Line::of(&samples::decision(Some(log_odds), &findings, &[])).unwrap().caption, caption);
        }
    }
}
