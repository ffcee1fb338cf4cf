//! The workload forecast: how many comments a day a policy sends to the moderators, the audit sample included. What a policy lets through
//! wrongly is the room's own matter; when the digest goes out is `flow`'s.

use super::audit::Rates;
use super::{bounded, float};
use crate::classifier::evaluate::Tally;
use crate::decision::Policy;

/// A forecast is counted out one by one and stops here: ten comments a second, all day.
const COMMENTS_PER_DAY_MAX: f64 = 1e6;

/// How often a day's work lies between the ends of its forecast: four days of five.
pub const FORECAST_LEVEL: f64 = 0.8;

/// Farther out a sum of a million terms is no longer exact.
const LEVEL_MAX: f64 = 0.999;

/// Scores that were seen, labelled or not, and how many comments come in.
#[derive(Debug, Clone, Copy)]
pub struct Traffic<'a> {
    /// Probabilities of spam, as a fair sample of what comes in.
    pub probabilities: &'a [f64],
    /// Mean of the days to come; `0.0..=1e6`, taken as the nearer end beyond.
    pub comments_per_day: f64,
    pub audit: Rates,
}

impl Traffic<'_> {
    /// What the policy's thresholds would send to the moderators; hard rules are not in it. None without a score.
    pub fn forecast(&self, policy: Policy, level: f64) -> Option<Forecast> {
        let seen: Tally = self.probabilities.iter().map(|probability| policy.verdict(*probability)).collect();
        Forecast::of(seen, self.audit, self.comments_per_day, level)
    }
}

/// What goes to the moderators on one day: "about 14 a day, 9 to 21".
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Forecast {
    pub expected_per_day: f64,
    /// Ends of the central prediction interval for a single day, both included.
    pub low_per_day: u32,
    pub high_per_day: u32,
}

impl Forecast {
    /// From verdicts that were given to a fair sample of what comes in, by rules and scores or by thresholds alone. None for no verdicts.
    ///
    /// `level` is how often a day's count falls between the ends, at least: `0.0..=0.999`, taken as the nearer end beyond. Two things make
    /// the interval wide: the share of comments held is known from a sample only, and a day's count is chance even at a known rate. Both
    /// are in the predictive distribution of a Poisson rate that was watched for as many days as the sample is long, the
    /// gamma-Poisson mixture with Jeffreys' prior (Gelman et al., Bayesian Data Analysis, section 2.6). A Clopper-Pearson interval of the
    /// share times the volume would leave out the second, which on a small blog is the larger. The rate is taken as no better known than
    /// the sample is long; traffic in bursts goes beyond the interval more often than said.
    pub fn of(seen: Tally, audit: Rates, comments_per_day: f64, level: f64) -> Option<Self> {
        let comments = seen.comments();
        if comments == 0 {
            return None;
        }
        let audit = audit.proper();
        let shown = float(seen.held) + audit.published * float(seen.published) + audit.rejected * float(seen.rejected);
        let comments_per_day = bounded(comments_per_day, COMMENTS_PER_DAY_MAX);
        let tail = (1.0 - bounded(level, LEVEL_MAX)) / 2.0;
        let (low_per_day, high_per_day) =
            if comments_per_day > 0.0 { ends(shown, float(comments) / comments_per_day, tail) } else { (0, 0) };
        Some(Self { expected_per_day: shown / float(comments) * comments_per_day, low_per_day, high_per_day })
    }
}

/// The quantiles at `tail` and 1 - `tail` of a day's count, after `shown` in `days`: a negative binomial, walked up from zero.
fn ends(shown: f64, days: f64, tail: f64) -> (u32, u32) {
    let shape = shown + 0.5;
    let mut ln_term = shape * (days / (days + 1.0)).ln();
    let (mut below, mut low) = (0.0, None);
    for count in 0..u32::MAX {
        below += ln_term.exp();
        if low.is_none() && below > tail {
            low = Some(count);
        }
        if below >= 1.0 - tail {
            return (low.unwrap_or(count), count);
        }
        ln_term += ((shape + f64::from(count)) / (f64::from(count + 1) * (days + 1.0))).ln();
    }
    (low.unwrap_or(u32::MAX), u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::simulation::Chance;
    use super::*;

    const AUDIT: Rates = Rates { published: 0.02, rejected: 0.05 };

    fn tally(published: usize, held: usize, rejected: usize) -> Tally {
        Tally { published, held, rejected }
    }

    #[track_caller]
    fn check(seen: Tally, audit: Rates, comments_per_day: f64, level: f64, expected: (f64, u32, u32)) {
        let forecast = Forecast::of(seen, audit, comments_per_day, level).unwrap();
        assert!((forecast.expected_per_day - expected.0).abs() < 1e-9, "{forecast:?}");
        assert_eq!((forecast.low_per_day, forecast.high_per_day), (expected.1, expected.2), "{forecast:?}");
    }

    #[test]
    fn a_forecast_counts_held_and_audited() {
        check(tally(500, 100, 400), Rates::NONE, 100.0, 0.8, (10.0, 6, 14));
        // 14 of 100: 10 held, 1 of 50 published, 2 of 40 rejected; 80 % of days.
        check(tally(500, 100, 400), AUDIT, 100.0, 0.8, (13.0, 8, 18));
    }

    /// A rate that is known for good leaves the Poisson's own quantiles (80 %: 9 to 19; 90 %: 8 to 20).
    #[test]
    fn a_long_sample_leaves_the_chance_of_the_day() {
        check(tally(860_000, 140_000, 0), Rates::NONE, 100.0, 0.8, (14.0, 9, 19));
        check(tally(860_000, 140_000, 0), Rates::NONE, 100.0, 0.9, (14.0, 8, 20));
    }

    #[test]
    fn a_short_sample_says_that_it_knows_little() {
        check(tally(86, 14, 0), Rates::NONE, 100.0, 0.8, (14.0, 8, 22));
        check(tally(9, 1, 0), Rates::NONE, 100.0, 0.8, (10.0, 2, 32));
    }

    #[test]
    fn nothing_and_nonsense() {
        assert_eq!(Forecast::of(Tally::default(), AUDIT, 100.0, 0.8), None);
        check(tally(1, 1, 1), AUDIT, 0.0, 0.8, (0.0, 0, 0));
        check(tally(1, 1, 1), AUDIT, f64::NAN, 0.8, (0.0, 0, 0));
        let nonsense = Rates { published: f64::NAN, rejected: -1.0 };
        check(tally(100, 0, 100), nonsense, 20.0, f64::NAN, (0.0, 0, 0));
        let much = Forecast::of(tally(1, 1, 1), Rates::NONE, f64::INFINITY, 2.0).unwrap();
        assert!((much.expected_per_day - 1e6 / 3.0).abs() < 1e-3 && much.low_per_day < much.high_per_day, "{much:?}");
    }

    /// Sites with a rate of their own, each watched for some days and then seen on another.
    #[test]
    fn days_fall_within_as_often_as_said() {
        let mut chance = Chance(21);
        for (share, days, volume) in [(0.1, 5, 60.0), (0.3, 20, 20.0), (0.02, 30, 200.0), (0.15, 2, 100.0)] {
            let sites = 1500;
            let within = (0..sites).filter(|_| {
                let comments = (0..days).map(|_| chance.poisson(volume)).sum::<u32>().max(1);
                let held = (0..comments).filter(|_| chance.hits(share)).count();
                let seen = tally(comments as usize - held, held, 0);
                let audited_share = share + (1.0 - share) * AUDIT.published;
                let forecast = Forecast::of(seen, AUDIT, volume, 0.8).unwrap();
                (forecast.low_per_day..=forecast.high_per_day).contains(&chance.poisson(volume * audited_share))
            });
            let within = float(within.count()) / f64::from(sites);
            println!("share {share}, {days} days of {volume}: {within:.3} within");
            assert!((0.78..0.95).contains(&within), "{share} {days} {volume}: {within}");
        }
    }
}
