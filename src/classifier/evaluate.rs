//! Evaluation: how good scores were, given what people said. Pure measures over (logit, label); splitting is the caller's, and what error
//! a site allows is `budget`'s. A logit that is no number counts as 0: it says nothing, and must not look better than that.

use super::Label;
use crate::decision::{Verdict, logistic};
use serde::{Deserialize, Serialize};

/// The shares of ham wrongly called spam at which recall is stated: a blog can bear 0.1 %, and papers report up to 1 %.
pub const FALSE_POSITIVE_RATES: [f64; 3] = [0.001, 0.005, 0.01];

/// Bins of equal width of the calibration error, as in the paper that made it usual (Guo et al. 2017).
const BINS: usize = 15;

/// A probability given to what then happened is not taken as less than this, so that one certain mistake does not make the loss infinite.
const PROBABILITY_MIN: f64 = 1e-15;

/// Measures of a set of out-of-sample scores, all in `0.0..=1.0` but the log loss, which is in nats, and MCC, in `-1.0..=1.0`.
/// "At one half" means: called spam from a probability of one half on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// At one half.
    pub accuracy: f64,
    /// Share of spam caught, at one half; 0 without spam.
    pub recall: f64,
    /// Share of ham blocked, at one half; 0 without ham.
    pub false_positive_rate: f64,
    /// Matthews correlation coefficient at one half: fair to classes of unlike size; 0 where a class or an answer is missing.
    pub mcc: f64,
    /// Probability that a spam scores above a ham, ties half (Hanley and McNeil 1982); 0.5 where a class is missing.
    pub auc: f64,
    /// Share of spam caught by the best threshold that blocks at most each of [`FALSE_POSITIVE_RATES`] of ham. Comments of one score stand
    /// on one side of a threshold together.
    pub recall_at: [f64; 3],
    pub log_loss: f64,
    /// Mean squared distance of the probability from what it was (Brier 1950).
    pub brier: f64,
    /// Expected calibration error: the mean distance, over 15 bins of equal width of the probability of spam and weighted by what is in
    /// them, between a bin's mean probability and its share of spam.
    pub ece: f64,
}

/// Measures over (logit of spam, label). All zero but the AUC for no scores.
pub fn measure(scored: &[(f64, Label)]) -> Measures {
    let scored = ranked(scored);
    let n = float(scored.len().max(1));
    let probabilities = || scored.iter().map(|(logit, label)| (logistic(*logit), spam(*label)));
    let at_half = Confusion::of(&scored);
    Measures {
        accuracy: (at_half.caught + at_half.passed) / n,
        recall: ratio(at_half.caught, at_half.caught + at_half.missed),
        false_positive_rate: ratio(at_half.blocked, at_half.blocked + at_half.passed),
        mcc: at_half.mcc(),
        auc: auc(scored.iter().map(|(logit, label)| (*logit, *label, 1.0))),
        recall_at: FALSE_POSITIVE_RATES.map(|rate| recall_at(&scored, rate)),
        log_loss: scored.iter().map(|(logit, label)| surprise(*logit, *label)).sum::<f64>() / n,
        brier: probabilities().map(|(probability, spam)| (probability - spam).powi(2)).sum::<f64>() / n,
        ece: calibration_error(probabilities()) / n,
    }
}

/// How many comments got which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub published: usize,
    pub held: usize,
    pub rejected: usize,
}

impl Tally {
    pub fn comments(self) -> usize {
        self.published + self.held + self.rejected
    }
}

impl Extend<Verdict> for Tally {
    fn extend<I: IntoIterator<Item = Verdict>>(&mut self, verdicts: I) {
        for verdict in verdicts {
            match verdict {
                Verdict::Publish => self.published += 1,
                Verdict::Hold => self.held += 1,
                Verdict::Reject => self.rejected += 1,
            }
        }
    }
}

impl FromIterator<Verdict> for Tally {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut tally = Self::default();
        tally.extend(verdicts);
        tally
    }
}

/// What became of spam and of ham: the three ways of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreeWay {
    pub spam: Tally,
    pub ham: Tally,
}

impl FromIterator<(Verdict, Label)> for ThreeWay {
    fn from_iter<I: IntoIterator<Item = (Verdict, Label)>>(judged: I) -> Self {
        let mut outcome = Self::default();
        for (verdict, label) in judged {
            match label {
                Label::Spam => outcome.spam.extend([verdict]),
                Label::Ham => outcome.ham.extend([verdict]),
            }
        }
        outcome
    }
}

/// How much more one set of scores has than another, with the interval of the bootstrap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
}

/// Two ways to score the same comments, compared: the second less the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// Above 0 the second is better.
    pub auc: Difference,
    /// In nats; below 0 the second is better.
    pub log_loss: Difference,
}

/// Resamples of a comparison: the ends of a 95 % interval lie at the 25th and the 975th of them.
pub const RESAMPLES: usize = 1000;

/// Compares two scorings of the same comments by the paired bootstrap: comments are drawn with replacement, and each draw counts for both
/// scorings, so that what makes a comment hard for both cancels out (Efron and Tibshirani 1993; percentile interval).
///
/// `scored` is (first logit, second logit, label); `level` the interval's coverage, such as 0.95; `draw` gives uniform numbers in
/// `0.0..1.0`, [`RESAMPLES`] for each comment. All zero for no comments.
pub fn compare(scored: &[(f64, f64, Label)], level: f64, draw: impl FnMut() -> f64) -> Comparison {
    let places: Vec<usize> = (0..scored.len()).collect();
    compare_in_units(scored, &places, level, draw)
}

/// As [`compare`], where comments of one unit are drawn together: copies of a text are not so many things known. `units` numbers the unit of
/// each comment from 0 without gaps; `draw` gives [`RESAMPLES`] numbers for each unit.
pub fn compare_in_units(scored: &[(f64, f64, Label)], units: &[usize], level: f64, mut draw: impl FnMut() -> f64) -> Comparison {
    let first = Scoring::of(scored.iter().map(|(first, _, label)| (*first, *label)));
    let second = Scoring::of(scored.iter().map(|(_, second, label)| (*second, *label)));
    let gain = |weights: &[f64]| (second.auc(weights) - first.auc(weights), second.log_loss(weights) - first.log_loss(weights));
    let all = gain(&vec![1.0; scored.len()]);
    let mut drawn = vec![0.0; units.iter().max().map_or(0, |last| last + 1)];
    let (aucs, losses) = (0..RESAMPLES)
        .map(|_| {
            resample(&mut drawn, &mut draw);
            gain(&units.iter().map(|unit| drawn.get(*unit).copied().unwrap_or_default()).collect::<Vec<_>>())
        })
        .unzip();
    Comparison { auc: difference(all.0, aucs, level), log_loss: difference(all.1, losses, level) }
}

/// One scoring of a set, ranked once so that each resample is a sweep.
struct Scoring {
    /// Logit, label and place in the set, by logit.
    ranked: Vec<(f64, Label, usize)>,
    /// Nats, by place in the set.
    losses: Vec<f64>,
}

impl Scoring {
    fn of(scored: impl Iterator<Item = (f64, Label)> + Clone) -> Self {
        let losses = scored.clone().map(|(logit, label)| surprise(number(logit), label)).collect();
        let mut ranked: Vec<_> = scored.zip(0..).map(|((logit, label), place)| (number(logit), label, place)).collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self { ranked, losses }
    }

    fn auc(&self, weights: &[f64]) -> f64 {
        auc(self.ranked.iter().map(|(logit, label, place)| (*logit, *label, weights.get(*place).copied().unwrap_or_default())))
    }

    fn log_loss(&self, weights: &[f64]) -> f64 {
        let loss: f64 = self.losses.iter().zip(weights).map(|(loss, weight)| loss * weight).sum();
        ratio(loss, weights.iter().sum())
    }
}

/// How often each unit is in a sample of as many as there are, drawn with replacement.
fn resample(weights: &mut [f64], mut draw: impl FnMut() -> f64) {
    weights.fill(0.0);
    let n = float(weights.len());
    for _ in 0..weights.len() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is a place")]
        let place = (draw() * n) as usize;
        if let Some(weight) = weights.get_mut(place) {
            *weight += 1.0;
        }
    }
}

fn difference(estimate: f64, mut resampled: Vec<f64>, level: f64) -> Difference {
    resampled.sort_by(f64::total_cmp);
    let tail = (1.0 - level.clamp(0.0, 1.0)) / 2.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is a place")]
    let cut = (float(resampled.len()) * tail) as usize;
    let low = resampled.get(cut).copied().unwrap_or(estimate);
    let high = resampled.iter().rev().nth(cut).copied().unwrap_or(estimate);
    Difference { estimate, low, high }
}

/// Who was called what, from a probability of one half on.
#[derive(Default)]
struct Confusion {
    caught: f64,
    missed: f64,
    blocked: f64,
    passed: f64,
}

impl Confusion {
    fn of(scored: &[(f64, Label)]) -> Self {
        let mut confusion = Self::default();
        for (logit, label) in scored {
            let cell = match (label, *logit >= 0.0) {
                (Label::Spam, true) => &mut confusion.caught,
                (Label::Spam, false) => &mut confusion.missed,
                (Label::Ham, true) => &mut confusion.blocked,
                (Label::Ham, false) => &mut confusion.passed,
            };
            *cell += 1.0;
        }
        confusion
    }

    fn mcc(&self) -> f64 {
        let Self { caught, missed, blocked, passed } = self;
        let margins = (caught + missed) * (blocked + passed) * (caught + blocked) * (missed + passed);
        ratio(caught * passed - missed * blocked, margins.sqrt())
    }
}

/// Area under the curve of (logit, label, weight) in ascending order of logits.
fn auc(ranked: impl Iterator<Item = (f64, Label, f64)>) -> f64 {
    let (mut spam, mut ham, mut wins) = (0.0, 0.0, 0.0);
    let (mut here, mut spam_here, mut ham_here) = (f64::NAN, 0.0, 0.0);
    for (logit, label, weight) in ranked {
        if logit.total_cmp(&here).is_ne() {
            wins += spam_here * (ham + ham_here / 2.0);
            spam += spam_here;
            ham += ham_here;
            (here, spam_here, ham_here) = (logit, 0.0, 0.0);
        }
        match label {
            Label::Spam => spam_here += weight,
            Label::Ham => ham_here += weight,
        }
    }
    wins += spam_here * (ham + ham_here / 2.0);
    let pairs = (spam + spam_here) * (ham + ham_here);
    if pairs > 0.0 { wins / pairs } else { 0.5 }
}

/// The most spam that a threshold catches while it blocks at most `rate` of ham. `ranked` ascends.
fn recall_at(ranked: &[(f64, Label)], rate: f64) -> f64 {
    let spam = ranked.iter().filter(|(_, label)| *label == Label::Spam).count();
    let blocked_max = float(ranked.len() - spam) * rate + 1e-9;
    let (mut caught, mut blocked, mut best) = (0, 0, 0);
    for ties in ranked.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()).rev() {
        let spam_here = ties.iter().filter(|(_, label)| *label == Label::Spam).count();
        caught += spam_here;
        blocked += ties.len() - spam_here;
        if float(blocked) > blocked_max {
            break;
        }
        best = caught;
    }
    ratio(float(best), float(spam))
}

/// The sum, over bins of equal width, of how far the probabilities add up beside the spam that was there.
fn calibration_error(probabilities: impl Iterator<Item = (f64, f64)>) -> f64 {
    let mut gaps = [0.0; BINS];
    for (probability, spam) in probabilities {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small number")]
        let bin = (probability * float(BINS)) as usize;
        if let Some(gap) = gaps.get_mut(bin.min(BINS - 1)) {
            *gap += probability - spam;
        }
    }
    gaps.iter().map(|gap| gap.abs()).sum()
}

pub(super) fn surprise(logit: f64, label: Label) -> f64 {
    let probability = match label {
        Label::Spam => logistic(logit),
        Label::Ham => logistic(-logit),
    };
    -probability.max(PROBABILITY_MIN).ln()
}

pub(super) fn ranked(scored: &[(f64, Label)]) -> Vec<(f64, Label)> {
    let mut ranked: Vec<_> = scored.iter().map(|(logit, label)| (number(*logit), *label)).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    ranked
}

/// Also makes one zero of the two, which compare as unlike in the total order.
pub(super) fn number(logit: f64) -> f64 {
    if logit.is_nan() || logit == 0.0 { 0.0 } else { logit }
}

fn spam(label: Label) -> f64 {
    match label {
        Label::Spam => 1.0,
        Label::Ham => 0.0,
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of comments are far below 2^52")]
pub(super) fn float(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::Label::{Ham, Spam};
    use super::*;
    use crate::dice::Dice;

    #[track_caller]
    fn check(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
    }

    #[test]
    fn measures_match_hand_counts() {
        let perfect = measure(&[(-2.0, Ham), (-1.0, Ham), (1.0, Spam), (2.0, Spam)]);
        assert_eq!((perfect.accuracy, perfect.auc, perfect.mcc, perfect.recall_at), (1.0, 1.0, 1.0, [1.0; 3]));
        let mixed = measure(&[(0.0, Spam), (0.0, Ham), (1.0, Ham), (2.0, Spam)]);
        assert_eq!((mixed.accuracy, mixed.auc), (0.5, 0.625));
        check(measure(&[(0.0, Ham)]).log_loss, std::f64::consts::LN_2);
    }

    /// 6 spam of which 4 are caught, 10 ham of which 1 is blocked.
    #[test]
    fn the_table_of_confusion_is_read_right() {
        let scored: Vec<_> = [(1.0, Spam, 4), (-1.0, Spam, 2), (1.0, Ham, 1), (-1.0, Ham, 9)]
            .into_iter()
            .flat_map(|(logit, label, times)| vec![(logit, label); times])
            .collect();
        let measures = measure(&scored);
        check(measures.accuracy, 13.0 / 16.0);
        check(measures.recall, 4.0 / 6.0);
        check(measures.false_positive_rate, 0.1);
        check(measures.mcc, (4.0 * 9.0 - 2.0 * 1.0) / (6.0_f64 * 10.0 * 5.0 * 11.0).sqrt());
    }

    /// 200 ham, the highest of them at 5, 4 and 3; spam above, between and tied with ham.
    #[test]
    fn recall_at_a_rate_moves_ties_together() {
        let mut scored = vec![(-9.0, Ham); 197];
        scored.extend([(5.0, Ham), (4.0, Ham), (3.0, Ham), (6.0, Spam), (5.0, Spam), (4.5, Spam), (3.0, Spam)]);
        let check_all = |scored: &[(f64, Label)], expected: [f64; 3]| {
            measure(scored).recall_at.iter().zip(expected).for_each(|(recall, expected)| check(*recall, expected));
        };
        check_all(&scored, [0.25, 0.75, 0.75]);
        check_all(&[(0.0, Spam), (-0.0, Ham)], [0.0; 3]);
    }

    #[test]
    fn calibration_is_the_distance_of_what_was_said_from_what_was() {
        // A quarter of spam at a probability of one quarter is calibrated; at one half it is a quarter off.
        let quarter = (1.0_f64 / 3.0).ln();
        let calibrated = measure(&[(quarter, Spam), (quarter, Ham), (quarter, Ham), (quarter, Ham)]);
        check(calibrated.ece, 0.0);
        check(calibrated.brier, (0.75_f64.powi(2) + 3.0 * 0.25_f64.powi(2)) / 4.0);
        check(measure(&[(0.0, Spam), (0.0, Ham), (0.0, Ham), (0.0, Ham)]).ece, 0.25);
        // Certain and wrong: as far off as can be, in the last bin as in the first.
        check(measure(&[(50.0, Ham), (-50.0, Spam)]).ece, 1.0);
    }

    #[test]
    fn measures_are_numbers_whatever_comes() {
        for scored in [vec![], vec![(f64::NAN, Ham)], vec![(f64::INFINITY, Ham), (f64::NEG_INFINITY, Spam)], vec![(1.0, Spam)]] {
            let measures = measure(&scored);
            let all = [measures.accuracy, measures.recall, measures.false_positive_rate, measures.mcc, measures.auc, measures.log_loss];
            let rest = [measures.brier, measures.ece];
            assert!(all.iter().chain(&rest).chain(&measures.recall_at).all(|value| value.is_finite()), "{scored:?}: {measures:?}");
        }
        check(measure(&[]).auc, 0.5);
    }

    #[test]
    fn three_ways_of_each_class() {
        use Verdict::{Hold, Publish, Reject};
        let outcome: ThreeWay =
            [(Publish, Ham), (Reject, Ham), (Hold, Spam), (Reject, Spam), (Reject, Spam), (Hold, Spam)].into_iter().collect();
        assert_eq!(outcome.ham, Tally { published: 1, held: 0, rejected: 1 });
        assert_eq!(outcome.spam, Tally { published: 0, held: 2, rejected: 2 });
        assert_eq!(outcome.spam.comments(), 4);
    }

    /// Scores with a normal-like noise of the given size around -1 for ham and 1 for spam.
    fn noisy(dice: &Dice, noise: f64, label: Label) -> f64 {
        let normal: f64 = (0..12).map(|_| dice.unit()).sum::<f64>() - 6.0;
        2.0 * spam(label) - 1.0 + noise * normal
    }

    #[test]
    fn a_comparison_finds_the_better_and_no_difference_where_none_is() {
        let dice = Dice::seeded(5);
        let label = |place: usize| if place.is_multiple_of(2) { Spam } else { Ham };
        let scored: Vec<_> = (0..400).map(label).map(|label| (noisy(&dice, 2.0, label), noisy(&dice, 0.7, label), label)).collect();
        let better = compare(&scored, 0.95, || dice.unit());
        assert!(better.auc.low > 0.0 && better.log_loss.high < 0.0, "{better:?}");
        assert!(better.auc.low < better.auc.estimate && better.auc.estimate < better.auc.high, "{better:?}");
        let same: Vec<_> = scored.iter().map(|(first, _, label)| (*first, *first, *label)).collect();
        let none = Difference { estimate: 0.0, low: 0.0, high: 0.0 };
        assert_eq!(compare(&same, 0.95, || dice.unit()), Comparison { auc: none, log_loss: none });
        assert_eq!(compare(&[], 0.95, || dice.unit()), Comparison { auc: none, log_loss: none });
    }

    /// Two scorers of the same quality: the interval leaves zero out about once in twenty.
    #[test]
    fn the_interval_of_a_comparison_covers() {
        let dice = Dice::seeded(6);
        let mut state = 1_u64;
        let mut draw = || {
            // A multiplicative generator (Knuth's MMIX constants) is chance enough for resampling, and quicker than dice.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 32).unwrap()) / (f64::from(u32::MAX) + 1.0)
        };
        let label = |place: usize| if place.is_multiple_of(2) { Spam } else { Ham };
        let missed = (0..100).filter(|_| {
            let scored: Vec<_> = (0..100).map(label).map(|label| (noisy(&dice, 1.0, label), noisy(&dice, 1.0, label), label)).collect();
            let comparison = compare(&scored, 0.95, &mut draw);
            comparison.auc.low > 0.0 || comparison.auc.high < 0.0
        });
        let missed = missed.count();
        assert!(missed <= 12, "{missed} of 100 intervals miss");
    }
}
