//! The decision: findings and score in, verdict out, with everything needed to explain it later. Pure arithmetic in one place.
//! People's rulings live here too, since a status is the last ruling, else the verdict; what is done about either is `flow`'s.

use crate::classifier::Score;
use crate::clock::Timestamp;
use crate::id::ModelId;
use crate::rules::{Effect, Finding, LOG_ODDS_MAX};

/// What the machine says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    Publish,
    Hold,
    Reject,
}

/// What a person says. `Remove` is no label: heated, off topic or unwanted is not spam.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ruling {
    Publish,
    Spam,
    Remove,
}

/// Where a comment stands. Derived, never set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Queued,
    Published,
    Held,
    Rejected,
}

/// The score in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Band {
    LikelyFine,
    Unsure,
    LikelySpam,
    RulesOnly,
}

/// Whether verdicts are carried out, or only recorded beside what the site has today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Observe,
    Enforce,
}

/// Thresholds on the probability of spam, ascending, each in `0.0..=1.0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// At most this: published.
    pub publish_max: f64,
    /// At least this: rejected.
    pub reject_min: f64,
    /// At least this: rejected and fit to be dropped unseen.
    pub discard_min: f64,
}

/// The full why of one verdict. Append-only: a recheck makes another.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub verdict: Verdict,
    pub discard: bool,
    pub band: Band,
    /// Probability of spam with the facts weighed in; none without a model.
    pub score: Option<f64>,
    pub model: Option<ModelId>,
    pub findings: Vec<Finding>,
    /// The classifier's strongest contributions, readable.
    pub evidence: Vec<crate::classifier::Contribution>,
    pub policy: Policy,
    pub mode: Mode,
    pub decided_at: Timestamp,
}

/// Findings and score in, decision out. Without a score nothing is published that no rule vouches for.
pub fn decide(findings: Vec<Finding>, score: Option<Score>, policy: Policy, mode: Mode, now: Timestamp) -> Decision {
    let facts: f64 = findings.iter().map(|finding| finding.log_odds).sum();
    let probability = score.as_ref().map(|score| logistic(score.log_odds + facts.clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX)));
    let verdict = verdict(&findings, probability, policy);
    let by_score = !findings.iter().any(|finding| finding.effect == Effect::Reject);
    Decision {
        verdict,
        discard: verdict == Verdict::Reject && by_score && probability.is_some_and(|p| p >= policy.discard_min),
        band: Band::of(probability),
        score: probability,
        model: score.as_ref().map(|score| score.model.clone()),
        evidence: score.map(|score| score.evidence).unwrap_or_default(),
        findings,
        policy,
        mode,
        decided_at: now,
    }
}

fn verdict(findings: &[Finding], probability: Option<f64>, policy: Policy) -> Verdict {
    let any = |effect| findings.iter().any(|finding| finding.effect == effect);
    if any(Effect::Reject) {
        return Verdict::Reject;
    }
    if any(Effect::Trust) {
        return Verdict::Publish;
    }
    match probability {
        None => Verdict::Hold,
        Some(p) => match policy.verdict(p) {
            Verdict::Publish if any(Effect::Hold) => Verdict::Hold,
            verdict @ (Verdict::Publish | Verdict::Hold | Verdict::Reject) => verdict,
        },
    }
}

impl Policy {
    /// What a probability alone would get.
    pub fn verdict(self, probability: f64) -> Verdict {
        if probability >= self.reject_min {
            Verdict::Reject
        } else if probability <= self.publish_max {
            Verdict::Publish
        } else {
            Verdict::Hold
        }
    }
}

/// 1 / (1 + e^-x), the inverse of the logit.
pub fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

impl Decision {
    /// Where the comment stands by the verdict alone. A site that only observes changes nothing: all stands published.
    pub fn status(&self) -> Status {
        match (self.mode, self.verdict) {
            (Mode::Observe, _) | (Mode::Enforce, Verdict::Publish) => Status::Published,
            (Mode::Enforce, Verdict::Hold) => Status::Held,
            (Mode::Enforce, Verdict::Reject) => Status::Rejected,
        }
    }
}

impl Band {
    /// Thirds in the odds that people can tell apart: below one in four, above three in four, and between.
    pub fn of(probability: Option<f64>) -> Self {
        match probability {
            None => Self::RulesOnly,
            Some(p) if p < 0.25 => Self::LikelyFine,
            Some(p) if p > 0.75 => Self::LikelySpam,
            Some(_) => Self::Unsure,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::LikelyFine => "likely_fine",
            Self::Unsure => "unsure",
            Self::LikelySpam => "likely_spam",
            Self::RulesOnly => "rules_only",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::LikelyFine, Self::Unsure, Self::LikelySpam, Self::RulesOnly].into_iter().find(|band| band.as_str() == word)
    }
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Hold => "hold",
            Self::Reject => "reject",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Publish, Self::Hold, Self::Reject].into_iter().find(|verdict| verdict.as_str() == word)
    }
}

impl Ruling {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Spam => "spam",
            Self::Remove => "remove",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Publish, Self::Spam, Self::Remove].into_iter().find(|ruling| ruling.as_str() == word)
    }

    pub fn status(self) -> Status {
        match self {
            Self::Publish => Status::Published,
            Self::Spam | Self::Remove => Status::Rejected,
        }
    }
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Published => "published",
            Self::Held => "held",
            Self::Rejected => "rejected",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Queued, Self::Published, Self::Held, Self::Rejected].into_iter().find(|status| status.as_str() == word)
    }
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Observe, Self::Enforce].into_iter().find(|mode| mode.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ModelId;

    const POLICY: Policy = Policy { publish_max: 0.1, reject_min: 0.9, discard_min: 0.99 };

    fn finding(effect: Effect, log_odds: f64) -> Finding {
        Finding { code: "x".into(), effect, text: "x".into(), log_odds }
    }

    fn decided(findings: Vec<Finding>, log_odds: Option<f64>) -> Decision {
        let score = log_odds.map(|log_odds| Score { log_odds, model: ModelId::new("m"), evidence: Vec::new() });
        decide(findings, score, POLICY, Mode::Enforce, Timestamp::from_ms(0))
    }

    fn check(findings: Vec<Finding>, log_odds: Option<f64>, verdict: Verdict, discard: bool) {
        let decision = decided(findings, log_odds);
        assert_eq!((decision.verdict, decision.discard), (verdict, discard));
    }

    #[test]
    fn the_score_decides_where_no_rule_does() {
        check(vec![], Some(-5.0), Verdict::Publish, false);
        check(vec![], Some(0.0), Verdict::Hold, false);
        check(vec![], Some(3.0), Verdict::Reject, false);
        check(vec![], Some(9.0), Verdict::Reject, true);
    }

    #[test]
    fn hard_effects_decide_and_hold_only_ever_holds() {
        check(vec![finding(Effect::Reject, 0.0)], Some(-9.0), Verdict::Reject, false);
        check(vec![finding(Effect::Reject, 0.0), finding(Effect::Trust, 0.0)], Some(9.0), Verdict::Reject, false);
        check(vec![finding(Effect::Trust, 0.0)], Some(9.0), Verdict::Publish, false);
        check(vec![finding(Effect::Hold, 0.0)], Some(-9.0), Verdict::Hold, false);
        check(vec![finding(Effect::Hold, 0.0)], Some(9.0), Verdict::Reject, true);
    }

    #[test]
    fn facts_nudge_within_their_bound() {
        assert_eq!(decided(vec![finding(Effect::Evidence, 50.0)], Some(-5.0)).score, Some(logistic(-3.0)));
        assert_eq!(decided(vec![finding(Effect::Evidence, -1.0)], Some(0.0)).score, Some(logistic(-1.0)));
    }

    #[test]
    fn without_a_model_nothing_is_published_unvouched() {
        check(vec![], None, Verdict::Hold, false);
        check(vec![finding(Effect::Trust, 0.0)], None, Verdict::Publish, false);
        check(vec![finding(Effect::Reject, 0.0)], None, Verdict::Reject, false);
        assert_eq!(decided(vec![], None).band, Band::RulesOnly);
    }

    #[test]
    fn a_site_that_observes_changes_nothing() {
        for log_odds in [-9.0, 0.0, 9.0] {
            let score = Score { log_odds, model: ModelId::new("m"), evidence: Vec::new() };
            let decision = decide(vec![], Some(score), POLICY, Mode::Observe, Timestamp::from_ms(0));
            assert_eq!(decision.status(), Status::Published);
        }
    }
}
