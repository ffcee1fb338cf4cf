//! The audit sample: which automatic decisions a person looks at, and what follows from what they said. Moderators otherwise see the middle
//! only, and a bound that nobody checks is a belief. Chance is an argument; who draws, shows blind and records is `flow`'s.

use super::binomial::upper_bound;
use super::{bounded, float, part, tail};
use crate::decision::Verdict;

/// The probability with which a decision is audited, by what was decided; each in `0.0..=1.0`, taken as the nearer end beyond;
/// what is no number is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    pub published: f64,
    pub rejected: f64,
}

/// Whether one decision is audited, and how likely that was: both are recorded with the decision, since the rates may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inclusion {
    pub audited: bool,
    pub probability: f64,
    /// How likely any decision of that moment was to be put before a person, at least: the lower of the rates. It does not depend on the
    /// comment, so those of one floor stand for all that came while it was in force (see [`super::sample`]).
    pub floor: f64,
}

impl Inclusion {
    /// Nobody is asked, whatever is decided.
    pub const NONE: Self = Self { audited: false, probability: 0.0, floor: 0.0 };
}

impl Rates {
    /// No audits: nothing watches the bounds.
    pub const NONE: Self = Self { published: 0.0, rejected: 0.0 };

    /// The choice for one decision; `draw` is uniform in `0.0..1.0`. What is held goes to the moderators anyway and is never audited.
    pub fn choose(self, verdict: Verdict, draw: f64) -> Inclusion {
        let rates = self.proper();
        let probability = match verdict {
            Verdict::Publish => rates.published,
            Verdict::Hold => 0.0,
            Verdict::Reject => rates.rejected,
        };
        Inclusion { audited: draw < probability, probability, floor: rates.published.min(rates.rejected) }
    }

    pub(super) fn proper(self) -> Self {
        Self { published: bounded(self.published, 1.0), rejected: bounded(self.rejected, 1.0) }
    }
}

/// The decisions of one kind in a window of time in which its rate stayed the same: within it every decision was as likely to be audited as
/// every other, so the audited stand for all without weights, and exact bounds stay exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stratum {
    /// Decisions of this kind.
    pub decided: usize,
    /// Those audited that a person ruled to be spam or ham; `Remove` is neither.
    pub audited: usize,
    /// Those audited that were wrong: spam among the published, ham among the rejected.
    pub errors: usize,
}

impl Stratum {
    fn errors_max(self, tail: f64) -> f64 {
        float(self.decided) * upper_bound(self.errors, self.audited, tail)
    }
}

/// A window of decisions with what people said of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Audited {
    pub published: Stratum,
    pub rejected: Stratum,
    /// Held comments that were ruled spam. Rulings still missing make the bounds wider, not wrong.
    pub held_spam: usize,
    /// Held comments that were ruled ham.
    pub held_ham: usize,
}

/// Upper bounds on what went wrong in a window, each in `0.0..=1.0`; all hold together with the confidence they were made with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AuditBounds {
    pub spam_among_published_max: f64,
    pub ham_among_rejected_max: f64,
    /// Of all spam: the share that the budget is about.
    pub spam_published_max: f64,
    /// Of all ham.
    pub ham_rejected_max: f64,
}

impl Audited {
    /// Clopper-Pearson by stratum, half of the chance of being wrong for each; the shares of all spam and of all ham follow, since the most
    /// spam published goes with the least spam rejected. 0 where nothing was decided, 1 where nothing is known.
    pub fn bounds(self, confidence: f64) -> AuditBounds {
        let Self { published, rejected, held_spam, held_ham } = self;
        let spam_published = published.errors_max(tail(confidence));
        let ham_rejected = rejected.errors_max(tail(confidence));
        let spam_rejected = float(rejected.decided) - ham_rejected;
        let ham_published = float(published.decided) - spam_published;
        AuditBounds {
            spam_among_published_max: part(spam_published, ham_published),
            ham_among_rejected_max: part(ham_rejected, spam_rejected),
            spam_published_max: part(spam_published, spam_rejected + float(held_spam)),
            ham_rejected_max: part(ham_rejected, ham_published + float(held_ham)),
        }
    }
}

/// The odds of an error, in multiples of what the bound allows, that the alarm bets on: from a slow slip to a break.
const BETS: [f64; 4] = [1.5, 2.0, 3.0, 6.0];

/// The alarm for one kind of decision: does it err more often than its bound says?
///
/// An e-process against "an audited decision is wrong with probability `error_max` at most": a gambler's wealth who starts with 1 and bets on
/// errors at odds that are fair or worse under the bound. While the bound holds, the wealth ever exceeds 1/d with probability d at most
/// (Ville's inequality), so one may look after every audit, and stop or go on as one likes (Waudby-Smith and Ramdas, "Estimating means of
/// bounded random variables by betting", 2024). The wealth is spread over several odds, and over the audit at which to begin (after the
/// j-th, ln 2 / ln(j+2) still waits; mixing over beginnings: Shin, Ramdas and Rinaldo, "E-detectors", 2024), so that years of good service are not an account from which
/// a sudden break must be paid first.
///
/// Which audits are answered may not depend on whether they are errors; how many are drawn may change at will.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    audits: f64,
    /// What is in play, by bet.
    wealth: [f64; BETS.len()],
    peak: f64,
}

impl Default for Drift {
    fn default() -> Self {
        Self { audits: 0.0, wealth: [0.0; BETS.len()], peak: 1.0 }
    }
}

/// Far past every alarm, and far from infinity.
const WEALTH_MAX: f64 = 1e300;

impl Drift {
    /// One more audit, in the order of decisions. `error_max` is the bound on the share of errors among decisions of this kind, from
    /// [`super::Bounds::spam_among_published_max`] or [`super::Bounds::ham_among_rejected_max`] at the share of spam then coming in; it
    /// may change from audit to audit, if it was fixed before the answer. Outside `0.0..1.0` it says nothing, and nothing happens.
    pub fn observe(&mut self, error: bool, error_max: f64) {
        if !(0.0..1.0).contains(&error_max) {
            return;
        }
        let stake = (waiting(self.audits) - waiting(self.audits + 1.0)) / float(BETS.len());
        self.audits += 1.0;
        for (wealth, odds) in self.wealth.iter_mut().zip(BETS) {
            // The likelihood ratio of an error's odds being this many times those of the bound.
            let gain = if error { odds } else { 1.0 } / (1.0 + (odds - 1.0) * error_max);
            *wealth = ((*wealth + stake) * gain).min(WEALTH_MAX);
        }
        self.peak = self.peak.max(self.wealth.iter().sum::<f64>() + waiting(self.audits));
    }

    /// The evidence against the bound: the greatest wealth so far, from 1 up.
    pub fn evidence(&self) -> f64 {
        self.peak
    }

    /// Whether to wake somebody, at a chance of `false_alarm_max` at most ever to do so while the bound holds.
    pub fn alarms(&self, false_alarm_max: f64) -> bool {
        self.peak * false_alarm_max >= 1.0
    }
}

/// The share of the wealth that is not yet in play: as slow a fall as sums to a whole allows, so that late beginnings have something left.
fn waiting(audits: f64) -> f64 {
    std::f64::consts::LN_2 / (audits + 2.0).ln()
}

#[cfg(test)]
mod tests {
    use super::super::simulation::Chance;
    use super::*;

    const RATES: Rates = Rates { published: 0.1, rejected: 0.02 };

    #[test]
    fn decisions_are_chosen_by_their_kind() {
        let check = |verdict, draw, audited, probability| {
            assert_eq!(RATES.choose(verdict, draw), Inclusion { audited, probability, floor: 0.02 });
        };
        check(Verdict::Publish, 0.099, true, 0.1);
        check(Verdict::Publish, 0.1, false, 0.1);
        check(Verdict::Reject, 0.019, true, 0.02);
        check(Verdict::Hold, 0.0, false, 0.0);
        assert!(!Rates::NONE.choose(Verdict::Publish, 0.0).audited);
        let nonsense = Rates { published: f64::NAN, rejected: 7.0 };
        assert!(!nonsense.choose(Verdict::Publish, 0.0).audited && nonsense.choose(Verdict::Reject, 0.999).audited);
    }

    #[test]
    fn bounds_by_stratum() {
        let audited = Audited {
            published: Stratum { decided: 1000, audited: 299, errors: 0 },
            rejected: Stratum { decided: 4000, audited: 598, errors: 0 },
            held_spam: 100,
            held_ham: 200,
        };
        let bounds = audited.bounds(0.9);
        let check = |bound: f64, expected: f64| assert!((bound - expected).abs() < 1e-4, "{bound} {expected}");
        // 1 - 0.05^(1/299) and 1 - 0.05^(1/598).
        check(bounds.spam_among_published_max, 0.00997);
        check(bounds.ham_among_rejected_max, 0.004_997);
        check(bounds.spam_published_max, 9.97 / (9.97 + 100.0 + 4000.0 - 19.99));
        check(bounds.ham_rejected_max, 19.99 / (19.99 + 200.0 + 1000.0 - 9.97));
    }

    #[test]
    fn without_audits_nothing_is_known_and_without_decisions_nothing_is_wrong() {
        let none = Audited::default().bounds(0.9);
        let all = |bounds: AuditBounds| {
            [bounds.spam_among_published_max, bounds.ham_among_rejected_max, bounds.spam_published_max, bounds.ham_rejected_max]
        };
        assert!(all(none).iter().all(|bound| *bound <= 0.0), "{none:?}");
        let decided = Stratum { decided: 10, audited: 0, errors: 0 };
        let unknown = Audited { published: decided, rejected: decided, held_spam: 0, held_ham: 0 }.bounds(0.9);
        assert!(all(unknown).iter().all(|bound| *bound >= 1.0), "{unknown:?}");
    }

    /// Months of a site: 5000 comments, 60 % spam, of which 0.6 % are published and 80 % rejected; of ham 85 % and 0.4 %. Audits are many, so
    /// that the bounds are close enough to fail; each stratum may in 5 % of months.
    #[test]
    fn bounds_by_stratum_hold() {
        let (mut chance, months) = (Chance(31), 400);
        let rates = Rates { published: 0.4, rejected: 0.4 };
        let (among_published, among_rejected) = (part(0.6 * 0.006, 0.4 * 0.85), part(0.4 * 0.004, 0.6 * 0.8));
        let mut broken = [0; 3];
        for _ in 0..months {
            let mut audited = Audited::default();
            for _ in 0..5000 {
                let spam = chance.hits(0.6);
                let (publish, reject) = if spam { (0.006, 0.8) } else { (0.85, 0.004) };
                let draw = chance.unit();
                let verdict = if draw < publish {
                    Verdict::Publish
                } else if draw < publish + reject {
                    Verdict::Reject
                } else {
                    Verdict::Hold
                };
                let inclusion = rates.choose(verdict, chance.unit());
                let (stratum, wrong) = match verdict {
                    Verdict::Publish => (&mut audited.published, spam),
                    Verdict::Reject => (&mut audited.rejected, !spam),
                    Verdict::Hold => {
                        audited.held_spam += usize::from(spam);
                        audited.held_ham += usize::from(!spam);
                        continue;
                    }
                };
                stratum.decided += 1;
                stratum.audited += usize::from(inclusion.audited);
                stratum.errors += usize::from(inclusion.audited && wrong);
            }
            let bounds = audited.bounds(0.9);
            broken[0] += usize::from(bounds.spam_among_published_max < among_published);
            broken[1] += usize::from(bounds.ham_among_rejected_max < among_rejected);
            broken[2] += usize::from(bounds.spam_published_max < 0.006 || bounds.ham_rejected_max < 0.004);
        }
        println!("of {months} months: {broken:?}");
        assert!(broken[0] <= 38 && broken[1] <= 38 && broken[2] <= 64, "of {months} months: {broken:?}");
    }

    /// Audits until the alarm at 5 %, if any, when errors come with probability `error` after `good` audits that err with `before`.
    fn audits_to_alarm(chance: &mut Chance, good: usize, before: f64, error: f64, error_max: f64, audits_max: usize) -> Option<usize> {
        let mut drift = Drift::default();
        for audit in 0..good + audits_max {
            drift.observe(chance.hits(if audit < good { before } else { error }), error_max);
            if drift.alarms(0.05) {
                return Some((audit + 1).saturating_sub(good));
            }
        }
        None
    }

    /// At the bound itself, which is the worst of what it allows, looked at after each of 2000 audits. (Of 5000: 3.7 % and 3.8 %.)
    #[test]
    fn false_alarms_stay_within_their_chance() {
        let mut chance = Chance(32);
        for error_max in [0.02, 0.2] {
            let runs = 1000;
            let alarms = (0..runs).filter(|_| audits_to_alarm(&mut chance, 0, 0.0, error_max, error_max, 2000).is_some()).count();
            println!("bound {error_max}: {alarms} false alarms of {runs}");
            assert!(alarms <= 77, "{error_max}: {alarms} of {runs}");
        }
    }

    fn median_audits(good: usize, times: f64) -> Option<usize> {
        let (mut chance, error_max) = (Chance(33), 0.02);
        let mut waits: Vec<_> = (0..301)
            .map(|_| audits_to_alarm(&mut chance, good, error_max / 2.0, times * error_max, error_max, 20_000).unwrap_or(usize::MAX))
            .collect();
        waits.sort_unstable();
        println!("{good} good, errors {times} times the bound: median {}, nine in ten within {}", waits[150], waits[270]);
        waits.get(150).copied()
    }

    /// At a bound of 2 %: twice the errors are found after some fourteen of them, thrice after seven, and long good service costs
    /// about three times that.
    #[test]
    fn alarms_come_soon_after_a_break() {
        assert!(median_audits(0, 2.0) < Some(500));
        assert!(median_audits(0, 3.0) < Some(170));
        assert!(median_audits(0, 6.0) < Some(50));
        assert!(median_audits(2000, 2.0) < Some(1700));
        assert!(median_audits(2000, 3.0) < Some(570));
        assert!(median_audits(2000, 6.0) < Some(160));
    }

    #[test]
    fn evidence_is_a_number_whatever_comes() {
        let mut drift = Drift::default();
        for error_max in [f64::NAN, -1.0, 1.0, f64::INFINITY] {
            drift.observe(true, error_max);
        }
        assert_eq!(drift, Drift::default());
        for _ in 0..10_000 {
            drift.observe(true, 0.0);
        }
        assert!(drift.evidence().is_finite() && drift.alarms(1e-12));
        for _ in 0..10_000 {
            drift.observe(false, 0.999);
        }
        assert!(drift.evidence().is_finite());
    }
}
