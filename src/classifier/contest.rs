//! The contest: a challenger against the champion, the model at work, on the same comments that neither learnt from. Pure: what is held
//! out, and how it is scored, is `flow::contest`'s; here stands the test and what follows from it.
//!
//! The test is a paired bootstrap of the difference in log loss, a text and its copies drawn as one (Efron and Tibshirani, "An Introduction to the
//! Bootstrap", 1993; for whole clusters: Field and Welsh, "Bootstrapping clustered data", 2007). Log loss, because thresholds are put on
//! probabilities: it is a proper score (Gneiting and Raftery, 2007), least for the true ones, where the area under the curve does not see a
//! model that has become too sure. Every comment counts in it; McNemar's test on decisions (1947) hears only of those that change sides, here
//! about one in twenty. And resampled rather than by a t-test, since losses are anything but normal.

use super::Label;
use super::evaluate::{Difference, ThreeWay, compare_in_units, measure};
use crate::decision::{Policy, logistic};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Held-out comments of each class that a test takes. With fewer its interval is as wide as all that can be won.
pub const EACH_MIN: usize = 20;

/// The interval's coverage: one in twenty on either side.
const LEVEL: f64 = 0.9;

/// In nats. A difference that the test cannot tell from nothing is borne up to here: what was tested learnt from fewer labels than the challenger
/// that will judge, and more labels help nearly always. Another key of the hashing alone moves the log loss by .002.
pub const MARGIN: f64 = 0.005;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole interval lies below nothing: the challenger's loss is less.
    Better,
    /// The test cannot tell them apart, and the challenger is not worse by more than the margin.
    Alike,
    /// The whole interval lies above nothing, or the challenger is worse by more than the margin.
    Worse,
    /// There was nothing, or too little, that both had not learnt from.
    Untested,
}

impl Outcome {
    /// Whether the challenger takes over unless somebody says otherwise. Untested it does: a site without labels enough for a test is a young one,
    /// where more labels help most, and keeping it with the starter until it can prove itself would keep it from proving anything.
    pub fn promotes(self) -> bool {
        match self {
            Self::Better | Self::Alike | Self::Untested => true,
            Self::Worse => false,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Alike => "alike",
            Self::Worse => "worse",
            Self::Untested => "untested",
        }
    }
}

/// What becomes of a model once it is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promote {
    /// It judges unless the contest says that it is worse.
    IfBetter,
    /// It scores beside the one that judges, without effect.
    Shadow,
    /// It is put on the shelf and nothing else.
    Never,
    /// It judges, whatever the contest says.
    Force,
}

impl Promote {
    pub const ALL: [Self; 4] = [Self::IfBetter, Self::Shadow, Self::Never, Self::Force];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::IfBetter => "if-better",
            Self::Shadow => "shadow",
            Self::Never => "never",
            Self::Force => "force",
        }
    }

    /// Where a model goes; none: it met no champion.
    pub fn place(self, outcome: Option<Outcome>) -> Place {
        match (self, outcome.is_none_or(Outcome::promotes)) {
            (Self::Force, _) | (Self::IfBetter, true) => Place::AtWork,
            (Self::Never, _) | (Self::IfBetter, false) => Place::Shelf,
            (Self::Shadow, _) => Place::Shadow,
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|promote| promote.as_str() == word)
    }
}

/// Where a trained model went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It judges.
    AtWork,
    Shadow,
    /// On the shelf alone.
    Shelf,
}

/// How a challenger did, as its card keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contest {
    /// The champion's id.
    pub champion: String,
    pub outcome: Outcome,
    /// Comments held out, by class.
    pub spam: usize,
    pub ham: usize,
    /// None where they were too few.
    pub test: Option<Test>,
}

/// The test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Texts among the comments, copies counted once.
    pub texts: usize,
    /// When the first and the last of them came.
    pub since: String,
    pub until: String,
    pub champion: Side,
    pub challenger: Side,
    /// Challenger less champion, in nats; below nothing the challenger is better.
    pub log_loss: Interval,
    /// The same; above nothing the challenger is better.
    pub auc: Interval,
    /// Comments that one side alone calls rightly, at one half.
    pub only_champion_right: usize,
    pub only_challenger_right: usize,
}

/// What one side made of the comments; verdicts by the same thresholds for both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Side {
    pub log_loss: f64,
    pub auc: f64,
    /// Share of spam caught where .5 % of the ham is blocked.
    pub recall: f64,
    pub verdicts: ThreeWay,
}

/// A difference with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
}

/// A comment that was held out.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    pub champion: f64,
    pub challenger: f64,
    pub label: Label,
    /// The same for a text and its copies.
    pub text: u64,
    /// RFC 3339.
    pub came: String,
}

impl Contest {
    /// Nothing that both had not learnt from.
    pub fn untested(champion: &str) -> Self {
        Self { champion: champion.to_owned(), outcome: Outcome::Untested, spam: 0, ham: 0, test: None }
    }

    /// Tests. `held_out` is in order of time; `draw` gives uniform numbers in `0.0..1.0`, [`super::evaluate::RESAMPLES`] for each text.
    pub fn of(champion: &str, held_out: &[HeldOut], policy: Policy, draw: impl FnMut() -> f64) -> Self {
        let labelled = |label| held_out.iter().filter(|one| one.label == label).count();
        let (spam, ham) = (labelled(Label::Spam), labelled(Label::Ham));
        let contest = Self { spam, ham, ..Self::untested(champion) };
        if spam.min(ham) < EACH_MIN {
            return contest;
        }
        let (units, texts) = units(held_out);
        let scored: Vec<(f64, f64, Label)> = held_out.iter().map(|one| (one.champion, one.challenger, one.label)).collect();
        let compared = compare_in_units(&scored, &units, LEVEL, draw);
        let is_right = |logit: f64, label: Label| (logit >= 0.0) == (label == Label::Spam);
        let right = |champion, challenger| {
            let both = |one: &&HeldOut| (is_right(one.champion, one.label), is_right(one.challenger, one.label)) == (champion, challenger);
            held_out.iter().filter(both).count()
        };
        let came = |one: Option<&HeldOut>| one.map(|one| one.came.clone()).unwrap_or_default();
        let test = Test {
            texts,
            since: came(held_out.first()),
            until: came(held_out.last()),
            champion: Side::of(held_out.iter().map(|one| (one.champion, one.label)), policy),
            challenger: Side::of(held_out.iter().map(|one| (one.challenger, one.label)), policy),
            log_loss: compared.log_loss.into(),
            auc: compared.auc.into(),
            only_champion_right: right(true, false),
            only_challenger_right: right(false, true),
        };
        Self { outcome: outcome(compared.log_loss), test: Some(test), ..contest }
    }
}

fn outcome(Difference { estimate, low, high }: Difference) -> Outcome {
    if high < 0.0 {
        Outcome::Better
    } else if low > 0.0 || estimate > MARGIN {
        Outcome::Worse
    } else {
        Outcome::Alike
    }
}

/// The number of each comment's text, from 0 in the order in which they come, and how many there are.
fn units(held_out: &[HeldOut]) -> (Vec<usize>, usize) {
    let mut known: HashMap<u64, usize> = HashMap::new();
    let mut number = |text: u64| {
        let next = known.len();
        *known.entry(text).or_insert(next)
    };
    let units = held_out.iter().map(|one| number(one.text)).collect();
    (units, known.len())
}

impl Side {
    fn of(scored: impl Iterator<Item = (f64, Label)> + Clone, policy: Policy) -> Self {
        let measures = measure(&scored.clone().collect::<Vec<_>>());
        let verdicts = scored.map(|(logit, label)| (policy.verdict(logistic(logit)), label)).collect();
        let recall = measures.recall_at.get(AT_HALF_A_PERCENT).copied().unwrap_or_default();
        Self { log_loss: rounded(measures.log_loss), auc: rounded(measures.auc), recall: rounded(recall), verdicts }
    }
}

/// Where .5 % stands in [`super::evaluate::FALSE_POSITIVE_RATES`].
const AT_HALF_A_PERCENT: usize = 1;

impl From<Difference> for Interval {
    fn from(Difference { estimate, low, high }: Difference) -> Self {
        Self { estimate: rounded(estimate), low: rounded(low), high: rounded(high) }
    }
}

/// To four places, as a card keeps figures.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    const POLICY: Policy = Policy { publish_max: 0.3, reject_min: 0.9, discard_min: 0.99 };

    /// So many of each class, scored on the right side by so much; every fifth text stands twice.
    fn held_out(n: u64, champion: f64, challenger: f64) -> Vec<HeldOut> {
        let dice = Dice::seeded(1);
        let one = |text: u64, label: Label| {
            let (right, noise) = (if label == Label::Spam { 1.0 } else { -1.0 }, 2.0 * dice.unit() - 1.0);
            HeldOut { champion: right * champion + noise, challenger: right * challenger + noise, label, text, came: format!("day {text}") }
        };
        (0..n).flat_map(|text| [one(2 * (text - text % 5 / 4), Label::Spam), one(2 * text + 1, Label::Ham)]).collect()
    }

    fn check(n: u64, champion: f64, challenger: f64, expected: Outcome, promotes: bool) {
        let dice = Dice::seeded(2);
        let contest = Contest::of("before", &held_out(n, champion, challenger), POLICY, || dice.unit());
        assert_eq!((contest.outcome, contest.outcome.promotes()), (expected, promotes), "{contest:?}");
        assert_eq!((contest.spam, contest.test.is_some()), (usize::try_from(n).unwrap(), expected != Outcome::Untested));
    }

    #[test]
    fn the_better_one_judges_and_what_cannot_be_told_apart_is_borne() {
        check(50, 2.0, 3.0, Outcome::Better, true);
        check(50, 2.0, 2.0, Outcome::Alike, true);
        check(50, 2.0, 1.99, Outcome::Worse, false);
        check(50, 3.0, 2.0, Outcome::Worse, false);
        check(19, 3.0, 0.0, Outcome::Untested, true);
        check(0, 3.0, 0.0, Outcome::Untested, true);
    }

    #[test]
    fn who_trains_may_overrule_the_contest() {
        let place = |promote: &str, outcome| Promote::parse(promote).unwrap().place(outcome);
        assert_eq!((place("if-better", Some(Outcome::Worse)), place("if-better", None)), (Place::Shelf, Place::AtWork));
        assert_eq!((place("force", Some(Outcome::Worse)), place("never", Some(Outcome::Better))), (Place::AtWork, Place::Shelf));
        assert_eq!((place("shadow", Some(Outcome::Better)), Promote::parse("always")), (Place::Shadow, None));
    }

    #[test]
    fn a_challenger_that_is_only_surer_is_no_better() {
        let mut sure = held_out(100, 1.2, 1.2);
        sure.iter_mut().for_each(|one| one.challenger *= 20.0);
        let dice = Dice::seeded(3);
        let contest = Contest::of("before", &sure, POLICY, || dice.unit());
        let test = contest.test.unwrap();
        assert_eq!((test.champion.auc, test.champion.auc), (test.challenger.auc, 1.0));
        // Never wrong, it is better for it; half of the comments wrong, it is worse.
        sure.iter_mut().step_by(4).for_each(|one| (one.champion, one.challenger) = (-one.champion, -one.challenger));
        assert_eq!((contest.outcome, Contest::of("before", &sure, POLICY, || dice.unit()).outcome), (Outcome::Better, Outcome::Worse));
    }

    #[test]
    fn copies_widen_the_interval_as_one_text_would() {
        let width = |held_out: &[HeldOut]| {
            let dice = Dice::seeded(4);
            let test = Contest::of("before", held_out, POLICY, || dice.unit()).test.unwrap();
            (test.texts, test.log_loss.high - test.log_loss.low)
        };
        let once: Vec<HeldOut> = held_out(40, 1.0, 1.5).into_iter().zip(0..).map(|(one, text)| HeldOut { text, ..one }).collect();
        let often: Vec<HeldOut> = once.iter().flat_map(|one| vec![one.clone(); 9]).collect();
        let ((texts, narrow), (same, wide)) = (width(&once), width(&often));
        assert!(texts == 80 && same == 80 && (wide - narrow).abs() < 0.1 * narrow, "{narrow} {wide}");
    }
}
