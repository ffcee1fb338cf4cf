//! The decision: findings and score in, verdict out, with everything needed to explain it later. Pure arithmetic in one place.
//! People's rulings live here too, since a status is the last ruling, else the verdict; what is done about either is `flow`'s.

use crate::classifier::Score;
use crate::clock::Timestamp;
use crate::id::ModelId;
use crate::rules::{CAMPAIGN_LOG_ODDS_MAX, DISCARD, Effect, Finding, LOG_ODDS_MAX};

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

/// What somebody says who may not rule: a reader reports a comment, its author appeals. It asks people to look; it is no label and changes
/// no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Objection {
    Report,
    Appeal,
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
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
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

/// The odds of spam are at most twice, or half, what the line asks for: as much as one weak reason moves them.
const NEAR_LOG_ODDS: f64 = 0.7;

/// What has become known since the model was measured, as log-odds beside its score. It may take a comment to the moderators and never
/// past them: the bounds on what is published and rejected were measured without it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Recent {
    /// What the rulings since then change.
    pub rulings: f64,
    /// What the share of spam that comes in just now changes.
    pub incoming: f64,
}

/// Findings and score in, decision out. Without a score nothing is published that no rule vouches for.
pub fn decide(mut findings: Vec<Finding>, score: Option<Score>, recent: Recent, policy: Policy, mode: Mode, now: Timestamp) -> Decision {
    let facts = weight_of_facts(&findings);
    let log_odds = score.as_ref().map(|score| score.log_odds + facts);
    let probability = log_odds.map(logistic);
    let measured = verdict(&findings, probability, policy);
    let today = verdict(&findings, log_odds.map(|log_odds| logistic(log_odds + recent.rulings + recent.incoming)), policy);
    let verdict = if today == measured {
        measured
    } else {
        findings.extend(recent.findings(measured));
        Verdict::Hold
    };
    let by_score = !findings.iter().any(|finding| finding.effect == Effect::Reject);
    let is_known_spam = findings.iter().any(|finding| finding.code == DISCARD);
    Decision {
        verdict,
        discard: verdict == Verdict::Reject && by_score && (is_known_spam || probability.is_some_and(|p| p >= policy.discard_min)),
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

const RECENT_RULINGS: &str = "recent_rulings";
const INCOMING_SPAM: &str = "incoming_spam";

/// What findings add to the model's log-odds, within the bounds of their sorts. What holds a comment for recent news is no part of it.
pub fn weight_of_facts(findings: &[Finding]) -> f64 {
    let (mut nudges, mut campaign) = (0.0, 0.0);
    for finding in findings.iter().filter(|finding| ![RECENT_RULINGS, INCOMING_SPAM].contains(&finding.code.as_str())) {
        *(if finding.is_of_campaign() { &mut campaign } else { &mut nudges }) += finding.log_odds;
    }
    f64::clamp(nudges, -LOG_ODDS_MAX, LOG_ODDS_MAX) + f64::clamp(campaign, -CAMPAIGN_LOG_ODDS_MAX, CAMPAIGN_LOG_ODDS_MAX)
}

impl Recent {
    /// What a decision has on record of it: all that moved its verdict, and nothing where it moved none.
    pub fn of(decision: &Decision) -> Self {
        let on_record = |code: &str| decision.findings.iter().filter(|finding| finding.code == code).map(|finding| finding.log_odds).sum();
        Self { rulings: on_record(RECENT_RULINGS), incoming: on_record(INCOMING_SPAM) }
    }

    /// Why what was measured to be published or rejected is held: whatever moved the score that way. What was held is held anyway.
    fn findings(self, measured: Verdict) -> impl Iterator<Item = Finding> {
        let towards_spam = self.rulings + self.incoming > 0.0;
        let incoming = if towards_spam { "much spam comes in just now" } else { "little spam comes in just now" };
        let parts = [(RECENT_RULINGS, "recent rulings disagree", self.rulings), (INCOMING_SPAM, incoming, self.incoming)];
        let tells = move |log_odds: f64| measured != Verdict::Hold && log_odds != 0.0 && (log_odds > 0.0) == towards_spam;
        parts.into_iter().filter(move |(_, _, log_odds)| tells(*log_odds)).map(|(code, text, log_odds)| Finding {
            code: code.to_owned(),
            effect: Effect::Hold,
            text: text.to_owned(),
            log_odds,
            entries: Vec::new(),
        })
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
    /// The same without rejecting by the score: no logit is beyond 30, so no probability is 1.
    #[must_use]
    pub fn without_rejecting(self) -> Self {
        Self { reject_min: 1.0, discard_min: 1.0, ..self }
    }

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
    /// Findings of rules alone, without those that tell of recent news.
    fn lasting(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| ![RECENT_RULINGS, INCOMING_SPAM].contains(&finding.code.as_str()))
    }

    /// What the past said of the comment, as it counted beside the model's logit.
    pub fn facts_log_odds(&self) -> f64 {
        self.lasting().map(|finding| finding.log_odds).sum::<f64>().clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX)
    }

    /// Whether a rule decided it, so that no threshold had a say.
    pub fn is_by_rule(&self) -> bool {
        self.findings.iter().any(|finding| matches!(finding.effect, Effect::Reject | Effect::Trust))
    }

    /// Whether a rule keeps it from being published without a person.
    pub fn is_held_by_rule(&self) -> bool {
        self.lasting().any(|finding| finding.effect == Effect::Hold)
    }

    /// Whether the score published or rejected it: no rule vouched for it or rejected it, and no person is asked.
    pub fn is_by_score(&self) -> bool {
        self.verdict != Verdict::Hold && self.score.is_some() && !self.is_by_rule()
    }

    /// Whether a little less of a score, or more, would have put before people what its score published or rejected.
    pub fn is_near_the_line(&self) -> bool {
        let line = match self.verdict {
            Verdict::Publish => self.policy.publish_max,
            Verdict::Reject => self.policy.reject_min,
            Verdict::Hold => return false,
        };
        let logit = |p: f64| (p / (1.0 - p)).ln();
        self.is_by_score() && self.score.is_some_and(|score| (logit(score) - logit(line)).abs() <= NEAR_LOG_ODDS)
    }

    /// The verdict, and `discard` for one that need not even be kept.
    pub fn word(&self) -> &'static str {
        if self.discard { "discard" } else { self.verdict.as_str() }
    }

    /// Where the comment stands by the verdict alone. A site that only observes changes nothing: all stands published.
    pub fn status(&self) -> Status {
        match (self.mode, self.verdict) {
            (Mode::Observe, _) | (Mode::Enforce, Verdict::Publish) => Status::Published,
            (Mode::Enforce, Verdict::Hold) => Status::Held,
            (Mode::Enforce, Verdict::Reject) => Status::Rejected,
        }
    }
}

impl Decision {
    /// Where a comment stands whose text changed since a person ruled on it. No machine publishes what a person rejected, and what a person
    /// published it may at most hold for one to look again.
    pub fn status_after_edit(&self, ruled: Option<Ruling>) -> Status {
        match (ruled, self.status()) {
            (None | Some(Ruling::Publish), Status::Published) => Status::Published,
            (Some(Ruling::Publish), Status::Queued | Status::Held | Status::Rejected) => Status::Held,
            (None, status @ (Status::Queued | Status::Held | Status::Rejected)) => status,
            (Some(Ruling::Spam | Ruling::Remove), _) => Status::Rejected,
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

impl Objection {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Appeal => "appeal",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Report, Self::Appeal].into_iter().find(|objection| objection.as_str() == word)
    }

    /// Whether it says that a comment should not stand as it does: readers see what is published, and an author misses what is rejected.
    pub fn is_against(self, status: Status) -> bool {
        matches!((self, status), (Self::Report, Status::Published) | (Self::Appeal, Status::Rejected))
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
    use proptest::prelude::*;

    const POLICY: Policy = Policy { publish_max: 0.1, reject_min: 0.9, discard_min: 0.99 };

    fn finding(effect: Effect, log_odds: f64) -> Finding {
        Finding { code: "x".into(), effect, text: "x".into(), log_odds, entries: Vec::new() }
    }

    fn decided(findings: Vec<Finding>, log_odds: Option<f64>) -> Decision {
        let score = log_odds.map(|log_odds| Score { log_odds, model: ModelId::new("m"), evidence: Vec::new() });
        decide(findings, score, Recent::default(), POLICY, Mode::Enforce, Timestamp::from_ms(0))
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
    fn what_people_said_of_the_same_text_weighs_within_a_bound_of_its_own() {
        let of = |code: &str, log_odds| Finding { code: code.into(), ..finding(Effect::Hold, log_odds) };
        let score = |findings| decided(findings, Some(0.0)).score;
        assert_eq!(score(vec![of("ruled_text:spam", 4.0)]), Some(logistic(4.0)));
        assert_eq!(score(vec![of("ruled_text:spam", 4.0), of("campaign:text", 3.0), finding(Effect::Evidence, 9.0)]), Some(logistic(6.0)));
        assert_eq!(score(vec![of("ruled_text:publish", -3.0), finding(Effect::Evidence, -9.0)]), Some(logistic(-5.0)));
        check(vec![of("ruled_text:spam", 4.0)], Some(-9.0), Verdict::Hold, false);
        check(vec![of("ruled_text:spam", 4.0)], Some(-1.0), Verdict::Reject, false);
        check(vec![of("ruled_text:spam_again", 4.0)], Some(-1.0), Verdict::Reject, true);
        check(vec![of("ruled_text:spam_again", 4.0)], Some(-9.0), Verdict::Hold, false);
    }

    #[test]
    fn near_the_line_is_what_one_weak_reason_would_have_put_before_people() {
        let near = |findings, log_odds| decided(findings, Some(log_odds)).is_near_the_line();
        // The lines are at -2.2 and 2.2.
        for (log_odds, is_near) in
            [(-4.0, false), (-2.8, true), (-2.1, false), (0.0, false), (2.1, false), (2.3, true), (2.8, true), (3.0, false)]
        {
            assert_eq!(near(vec![], log_odds), is_near, "{log_odds}");
        }
        assert!(!near(vec![finding(Effect::Reject, 0.0)], 2.3) && !near(vec![finding(Effect::Trust, 0.0)], -2.3), "no score decided it");
        assert!(!decided(vec![finding(Effect::Reject, 0.0)], None).is_near_the_line());
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
            let decision = decide(vec![], Some(score), Recent::default(), POLICY, Mode::Observe, Timestamp::from_ms(0));
            assert_eq!(decision.status(), Status::Published);
        }
    }

    fn lately(findings: Vec<Finding>, log_odds: f64, rulings: f64, incoming: f64) -> Decision {
        let score = Score { log_odds, model: ModelId::new("m"), evidence: Vec::new() };
        decide(findings, Some(score), Recent { rulings, incoming }, POLICY, Mode::Enforce, Timestamp::from_ms(0))
    }

    #[test]
    fn what_is_held_for_recent_news_says_so() {
        let check = |log_odds, rulings, incoming, expected: &[&str]| {
            let decision = lately(vec![], log_odds, rulings, incoming);
            let codes: Vec<&str> = decision.findings.iter().map(|finding| finding.code.as_str()).collect();
            assert_eq!((decision.verdict, decision.discard, codes.as_slice()), (Verdict::Hold, false, expected));
            assert_eq!(decision.score, Some(logistic(log_odds)), "the score on record is the measured one");
        };
        check(-3.0, 4.0, 0.0, &["recent_rulings"]);
        check(-3.0, -0.1, 2.0, &["incoming_spam"]);
        check(-3.0, 9.0, 2.0, &["recent_rulings", "incoming_spam"]);
        check(9.0, -9.0, 0.0, &["recent_rulings"]);
        check(0.0, 9.0, 2.0, &[]);
    }

    proptest! {
        #[test]
        fn facts_move_the_score_within_the_bounds_of_their_sorts(
            log_odds in -12.0..12.0_f64, nudges in proptest::collection::vec(-9.0..9.0_f64, 0..4), words in proptest::collection::vec(-9.0..9.0_f64, 0..4),
        ) {
            let of_campaign = words.iter().map(|w| Finding { code: "campaign:text".into(), ..finding(Effect::Hold, *w) });
            let findings: Vec<Finding> = nudges.iter().map(|n| finding(Effect::Evidence, *n)).chain(of_campaign).collect();
            let moved = nudges.iter().sum::<f64>().clamp(-2.0, 2.0) + words.iter().sum::<f64>().clamp(-4.0, 4.0);
            let score = decided(findings, Some(log_odds)).score.unwrap();
            prop_assert!((score - logistic(log_odds + moved)).abs() < 1e-9);
        }

        #[test]
        fn recent_news_only_ever_hold_and_never_touch_what_rules_decide(
            log_odds in -12.0..12.0_f64, rulings in -12.0..12.0_f64, incoming in -2.0..2.0_f64, rule in 0..5_usize,
        ) {
            let effects = [None, Some(Effect::Reject), Some(Effect::Hold), Some(Effect::Evidence), Some(Effect::Trust)];
            let findings: Vec<Finding> = effects[rule].map(|effect| finding(effect, 0.5)).into_iter().collect();
            let again = findings.clone();
            let (before, after) = (lately(findings.clone(), log_odds, 0.0, 0.0), lately(findings, log_odds, rulings, incoming));
            prop_assert!(after.verdict == before.verdict || after.verdict == Verdict::Hold);
            prop_assert!(!after.discard || before.discard);
            prop_assert_eq!(after.score, before.score);
            let recorded = Recent::of(&after);
            prop_assert_eq!(lately(again, log_odds, recorded.rulings, recorded.incoming), after.clone());
            if matches!(effects[rule], Some(Effect::Reject | Effect::Trust)) {
                prop_assert_eq!(after, before);
            }
        }
    }
}
