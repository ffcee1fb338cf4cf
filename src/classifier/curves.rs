//! Curves: what a set of (logit, label) looks like when it is drawn. Every threshold, heaps of scores, what was said beside what came, and how
//! good the scores were week by week. Pure; single numbers are `evaluate`'s, drawing is `view`'s.

use super::Label;
use super::evaluate::{float, number, ranked, surprise};
use crate::budget::binomial::{lower_bound, upper_bound};
use crate::clock::Timestamp;
use crate::decision::logistic;

/// One threshold: how much is called spam from this logit on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    pub log_odds: f64,
    pub spam: usize,
    pub ham: usize,
}

/// Every threshold that tells scores apart, the strictest first: what ROC and precision-recall curves are made of. Comments of one score
/// stand on one side of a threshold together.
pub fn thresholds(scored: &[(f64, Label)]) -> Vec<Threshold> {
    let ranked = ranked(scored);
    let (mut spam, mut ham) = (0, 0);
    let ties = ranked.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()).rev();
    ties.filter_map(|ties| {
        let spam_here = ties.iter().filter(|(_, label)| *label == Label::Spam).count();
        spam += spam_here;
        ham += ties.len() - spam_here;
        ties.first().map(|(log_odds, _)| Threshold { log_odds: *log_odds, spam, ham })
    })
    .collect()
}

/// Comments whose logits lie between two ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heap {
    pub from: f64,
    pub to: f64,
    pub spam: usize,
    pub ham: usize,
    /// The mean probability of spam that was said of them.
    pub said: f64,
}

/// Logits beyond are drawn at the edge: .03 %, and 99.97 %.
pub const LOG_ODDS_SHOWN: f64 = 8.0;

/// Wide enough that a heap of a small set is no single comment, narrow enough to show a band's edges.
const HEAP_LOG_ODDS: f64 = 0.5;

/// Heaps of equal width in log-odds, the empty ones too; the outermost hold all beyond.
pub fn heaps(scored: &[(f64, Label)]) -> Vec<Heap> {
    heaped(scored, HEAP_LOG_ODDS)
}

fn heaped(scored: &[(f64, Label)], width: f64) -> Vec<Heap> {
    let count = place(2.0 * LOG_ODDS_SHOWN / width, usize::MAX);
    let mut heaps: Vec<Heap> = (0..count)
        .map(|at| float(at) * width - LOG_ODDS_SHOWN)
        .map(|from| Heap { from, to: from + width, spam: 0, ham: 0, said: 0.0 })
        .collect();
    for (log_odds, label) in scored {
        let log_odds = number(*log_odds);
        if let Some(heap) = heaps.get_mut(place((log_odds + LOG_ODDS_SHOWN) / width, count.saturating_sub(1))) {
            *(if *label == Label::Spam { &mut heap.spam } else { &mut heap.ham }) += 1;
            heap.said += logistic(log_odds);
        }
    }
    heaps.iter_mut().for_each(|heap| heap.said /= float((heap.spam + heap.ham).max(1)));
    heaps
}

/// What was said of some comments, and what they turned out to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept {
    /// Mean probability of spam.
    pub said: f64,
    pub spam: usize,
    pub comments: usize,
    /// Ends of the exact 90 % interval of the share of spam.
    pub low: f64,
    pub high: f64,
}

/// Wider than a heap: the interval of a share of ten comments says something, that of two does not.
const KEPT_LOG_ODDS: f64 = 1.6;

/// Half of what the interval leaves out.
const TAIL: f64 = 0.05;

/// Whether 5 % means 5 %: heaps of scores that hold anything, from surely ham to surely spam.
pub fn reliability(scored: &[(f64, Label)]) -> Vec<Kept> {
    let filled = heaped(scored, KEPT_LOG_ODDS).into_iter().filter(|heap| heap.spam + heap.ham > 0);
    filled
        .map(|Heap { spam, ham, said, .. }| {
            let comments = spam + ham;
            Kept { said, spam, comments, low: lower_bound(spam, comments, TAIL), high: upper_bound(spam, comments, TAIL) }
        })
        .collect()
}

/// How good scores were over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// Weeks that a period is long.
    pub weeks: u32,
    /// Those with any comment, in order.
    pub periods: Vec<Period>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Period {
    pub start: Timestamp,
    pub spam: usize,
    pub ham: usize,
    /// Mean, in nats.
    pub log_loss: f64,
    /// Ends of its 90 % interval, by the spread within the period; the mean itself for one comment.
    pub low: f64,
    pub high: f64,
}

/// More periods than this cannot be told apart in a picture.
const PERIODS_MAX: i64 = 26;

const WEEK_MS: i64 = 7 * 86_400_000;

/// 1970 began on a Thursday: four days on begins a week, on Monday.
const MONDAY_MS: i64 = 4 * 86_400_000;

/// Standard deviations on either side that hold 90 % of a normal distribution.
const DEVIATIONS: f64 = 1.645;

/// Week by week, or in steps of as many weeks as keep the picture readable; weeks begin on Monday, in UTC. None without two weeks.
pub fn drift(dated: &[(Timestamp, f64, Label)]) -> Option<Drift> {
    let week = |at: Timestamp| (at.ms() - MONDAY_MS).div_euclid(WEEK_MS);
    let first = dated.iter().map(|(at, ..)| week(*at)).min()?;
    let last = dated.iter().map(|(at, ..)| week(*at)).max()?;
    if first == last {
        return None;
    }
    let weeks = (last - first + 1).div_euclid(PERIODS_MAX) + i64::from((last - first + 1) % PERIODS_MAX != 0);
    let mut by_period: std::collections::BTreeMap<i64, Vec<(f64, Label)>> = std::collections::BTreeMap::new();
    for (at, log_odds, label) in dated {
        by_period.entry((week(*at) - first).div_euclid(weeks)).or_default().push((*log_odds, *label));
    }
    let start = |period: i64| Timestamp::from_ms((first + period * weeks) * WEEK_MS + MONDAY_MS);
    let periods = by_period.into_iter().map(|(period, scored)| of_period(start(period), &scored)).collect();
    Some(Drift { weeks: u32::try_from(weeks).unwrap_or(u32::MAX), periods })
}

fn of_period(start: Timestamp, scored: &[(f64, Label)]) -> Period {
    let losses: Vec<f64> = scored.iter().map(|(log_odds, label)| surprise(number(*log_odds), *label)).collect();
    let n = float(losses.len().max(1));
    let mean = losses.iter().sum::<f64>() / n;
    let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let reach = DEVIATIONS * (variance / n).sqrt();
    let spam = scored.iter().filter(|(_, label)| *label == Label::Spam).count();
    Period { start, spam, ham: scored.len() - spam, log_loss: mean, low: (mean - reach).max(0.0), high: mean + reach }
}

/// One size of a learning curve: medians over the orders that held enough of both classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    pub examples: usize,
    pub orders: usize,
    pub auc: f64,
    pub accuracy: f64,
    pub log_loss: f64,
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is below zero is the first place")]
fn place(value: f64, last: usize) -> usize {
    (value.max(0.0) as usize).min(last)
}

#[cfg(test)]
mod tests {
    use super::Label::{Ham, Spam};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn thresholds_come_from_the_strictest_on_and_ties_stay_together() {
        let scored = [(3.0, Spam), (1.0, Ham), (1.0, Spam), (-2.0, Ham), (0.0, Spam), (-0.0, Ham)];
        let told: Vec<_> = thresholds(&scored).iter().map(|at| (at.log_odds, at.spam, at.ham)).collect();
        assert_eq!(told, [(3.0, 1, 0), (1.0, 2, 1), (0.0, 3, 2), (-2.0, 3, 3)]);
        assert!(thresholds(&[]).is_empty());
    }

    #[test]
    fn what_was_said_stands_beside_what_came() {
        let scored: Vec<_> =
            [(-3.0, Ham, 19), (-3.0, Spam, 1), (30.0, Spam, 5)].into_iter().flat_map(|(at, of, n)| vec![(at, of); n]).collect();
        let kept = reliability(&scored);
        let told: Vec<_> = kept.iter().map(|kept| (kept.spam, kept.comments)).collect();
        assert_eq!(told, [(1, 20), (5, 5)]);
        assert!((kept[0].said - 0.0474).abs() < 1e-4 && kept[0].low < 0.05 && kept[0].high > 0.2 && kept[1].high >= 1.0, "{kept:?}");
    }

    #[test]
    fn weeks_begin_on_monday_and_many_are_taken_together() {
        let at = |day: &str| Timestamp::parse(&format!("{day}T12:00:00Z")).unwrap();
        let of = |days: &[&str]| drift(&days.iter().map(|day| (at(day), -2.0, Ham)).collect::<Vec<_>>());
        // 22 November 2026 is a Sunday.
        let two = of(&["2026-11-16", "2026-11-22", "2026-11-23"]).unwrap();
        let told: Vec<_> = two.periods.iter().map(|period| (period.start.date(), period.ham)).collect();
        assert_eq!((two.weeks, told), (1, vec![("2026-11-16".to_owned(), 2), ("2026-11-23".to_owned(), 1)]));
        assert_eq!((of(&["2026-11-16", "2026-11-22"]), of(&[])), (None, None));
        assert_eq!(of(&["2024-11-16", "2026-11-22"]).unwrap().weeks, 5);
    }

    #[test]
    fn a_period_has_its_spread() {
        let at = |day: i64| Timestamp::from_ms(day * 86_400_000);
        let drift = drift(&[(at(0), 0.0, Ham), (at(0), 0.0, Spam), (at(20), 9.0, Ham), (at(20), -9.0, Ham), (at(40), 1.0, Spam)]).unwrap();
        let [even, wide, one] = drift.periods[..] else { panic!("{drift:?}") };
        assert!((even.high - even.low).abs() < 1e-9 && wide.high - wide.low > 1.0, "{drift:?}");
        assert!((one.low - one.log_loss).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_in_heaps(scored in proptest::collection::vec((any::<f64>(), any::<bool>()), 0..80)) {
            let scored: Vec<_> = scored.into_iter().map(|(at, is_spam)| (at, if is_spam { Spam } else { Ham })).collect();
            let all = |heaps: &[Heap]| heaps.iter().map(|heap| heap.spam + heap.ham).sum::<usize>();
            prop_assert_eq!(all(&heaps(&scored)), scored.len());
            prop_assert_eq!(reliability(&scored).iter().map(|kept| kept.comments).sum::<usize>(), scored.len());
            prop_assert!(heaps(&scored).iter().all(|heap| (0.0..=1.0).contains(&heap.said)));
            let last = thresholds(&scored).last().map_or(0, |last| last.spam + last.ham);
            prop_assert_eq!(last, scored.len());
        }
    }
}
