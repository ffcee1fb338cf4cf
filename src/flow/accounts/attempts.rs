//! Attempts: how often something may be tried, by whatever it is counted under. In memory and bounded; a restart forgets, which gives a
//! guesser nothing: passwords cost 20 ms each and links hold 256 bits of chance.

use crate::clock::Timestamp;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long an attempt counts.
pub const WINDOW: Duration = Duration::from_mins(15);

/// Keys remembered at once. Beyond it the oldest half goes: a flood of addresses must not fill the memory, nor lock everybody out.
const KEYS_MAX: usize = 20_000;

/// Attempts by key. Keys are kept as hashes: nobody's address lies here.
#[derive(Debug, Default)]
pub struct Attempts {
    random: RandomState,
    counted: Mutex<HashMap<u64, (u32, Timestamp)>>,
}

impl Attempts {
    /// Counts one more; whether it is within `max` for the last quarter of an hour.
    pub fn admit(&self, key: &str, max: u32, now: Timestamp) -> bool {
        let key = self.random.hash_one(key);
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= KEYS_MAX {
            counted.retain(|_, (_, since)| now.since(*since) < WINDOW / 2);
        }
        let (count, since) = counted.entry(key).or_insert((0, now));
        if now.since(*since) >= WINDOW {
            (*count, *since) = (0, now);
        }
        *count = count.saturating_add(1);
        *count <= max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_and_then_a_rest() {
        let attempts = Attempts::default();
        let at = |minutes: i64| Timestamp::from_ms(minutes * 60_000);
        let admitted = |key, minutes| attempts.admit(key, 3, at(minutes));
        assert_eq!([0, 1, 2, 3, 14].map(|minutes| admitted("ana", minutes)), [true, true, true, false, false]);
        assert!(admitted("bob", 3), "others are not held up");
        assert!(admitted("ana", 15));
    }

    #[test]
    fn a_flood_of_keys_is_forgotten() {
        let attempts = Attempts::default();
        for key in 0..KEYS_MAX {
            attempts.admit(&key.to_string(), 1, Timestamp::from_ms(0));
        }
        attempts.admit("one more", 1, Timestamp::from_ms(480_000));
        assert_eq!(attempts.counted.lock().unwrap().len(), 1);
    }
}
