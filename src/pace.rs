//! Pace: how often somebody may come, counted for each by name. A bucket that refills evenly, kept as the one instant at which it is full
//! again (the generic cell rate algorithm). Pure: the time is an argument. What is counted, and what is told to those who come too often,
//! is `http`'s.

use crate::clock::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Names counted at once. Beyond this all are forgotten who would be admitted in full, and if that is nobody, everybody: a flood under
/// ever new names is not stopped by counting names, and must not fill the memory.
const NAMES_MAX: usize = 100_000;

/// So many within a while, all at once or spread over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub count: u32,
    pub window: Duration,
}

/// What is left to one who was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    pub count: u32,
    /// Until the whole quota is there again.
    pub full_in: Duration,
}

/// Admitted again after this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften(pub Duration);

/// How often each name came. Microseconds, so that ten thousand a second are told apart.
#[derive(Debug)]
pub struct Pace<N> {
    full_at: HashMap<N, i64>,
}

impl<N> Default for Pace<N> {
    fn default() -> Self {
        Self { full_at: HashMap::new() }
    }
}

impl<N: Hash + Eq> Pace<N> {
    /// # Errors
    /// [`TooOften`]; nothing is counted then.
    pub fn admit(&mut self, name: N, quota: Quota, now: Timestamp) -> Result<Left, TooOften> {
        let now = now.ms().saturating_mul(1_000);
        let window = microseconds(quota.window);
        let cost = (window / i64::from(quota.count.max(1))).max(1);
        if self.full_at.len() >= NAMES_MAX && !self.full_at.contains_key(&name) {
            self.full_at.retain(|_, full_at| *full_at > now);
            if self.full_at.len() >= NAMES_MAX {
                self.full_at.clear();
            }
        }
        let full_at = self.full_at.entry(name).or_insert(now);
        // A clock that was set back leaves nobody waiting longer than a window.
        let next = (*full_at).clamp(now, now.saturating_add(window)).saturating_add(cost);
        let short = next.saturating_sub(now).saturating_sub(window);
        if short > 0 {
            return Err(TooOften(duration(short)));
        }
        *full_at = next;
        let used = next.saturating_sub(now);
        let count = window.saturating_sub(used) / cost;
        Ok(Left { count: u32::try_from(count).unwrap_or(u32::MAX), full_in: duration(used) })
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn duration(microseconds: i64) -> Duration {
    Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUOTA: Quota = Quota { count: 3, window: Duration::from_mins(1) };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn a_quota_may_be_used_at_once_and_comes_back_evenly() {
        let mut pace = Pace::default();
        let left = |pace: &mut Pace<u8>, name, ms| pace.admit(name, QUOTA, at(ms)).map(|left| (left.count, left.full_in.as_secs()));
        assert_eq!([0, 0, 0].map(|ms| left(&mut pace, 1, ms)), [Ok((2, 20)), Ok((1, 40)), Ok((0, 60))]);
        assert_eq!(left(&mut pace, 1, 0), Err(TooOften(Duration::from_secs(20))));
        assert_eq!(left(&mut pace, 2, 0), Ok((2, 20)), "each is counted alone");
        assert_eq!(left(&mut pace, 1, 19_999), Err(TooOften(Duration::from_millis(1))));
        assert_eq!(left(&mut pace, 1, 20_000), Ok((0, 60)));
        assert_eq!(left(&mut pace, 1, 1_000_000), Ok((2, 20)));
    }

    #[test]
    fn a_clock_that_is_set_back_shuts_nobody_out_for_longer_than_a_window() {
        let mut pace = Pace::default();
        pace.admit((), QUOTA, at(1_000_000_000)).unwrap();
        assert_eq!(pace.admit((), QUOTA, at(0)), Err(TooOften(Duration::from_secs(20))));
        assert!(pace.admit((), QUOTA, at(1_000_000_000)).is_ok());
    }

    #[test]
    fn names_are_bounded() {
        let mut pace = Pace::default();
        for name in 0..NAMES_MAX + 10 {
            pace.admit(name, QUOTA, at(0)).unwrap();
        }
        assert!(pace.full_at.len() <= NAMES_MAX);
    }

    proptest! {
        #[test]
        fn in_no_window_are_more_than_twice_the_quota(waits in proptest::collection::vec(0..30_000_i64, 1..80), count in 1..9_u32) {
            let quota = Quota { count, ..QUOTA };
            let (mut pace, mut now, mut admitted) = (Pace::default(), 0, Vec::new());
            for wait in waits {
                now += wait;
                if pace.admit((), quota, at(now)).is_ok() {
                    admitted.push(now);
                }
            }
            for first in &admitted {
                let within = admitted.iter().filter(|then| (*first..*first + 60_000).contains(*then)).count();
                prop_assert!(within <= 2 * count as usize, "{within} of {count}");
            }
        }
    }
}
