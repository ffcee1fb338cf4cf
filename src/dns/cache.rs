//! What was answered, kept for as long as it holds and in bounded room: what fills half of it makes the older half go.

use super::message::Reply;
use crate::clock::Timestamp;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    Addresses(Vec<Ipv4Addr>),
    Nothing,
    /// It was asked and not answered; it is not asked again at once.
    Failed,
}

#[derive(Debug)]
pub struct Cache {
    new: HashMap<String, (Known, Timestamp)>,
    old: HashMap<String, (Known, Timestamp)>,
    half: usize,
    lives: (Duration, Duration),
}

impl Cache {
    /// At most `max` names, each for as long as its answer says within these bounds.
    pub fn new(max: usize, lives: (Duration, Duration)) -> Self {
        Self { new: HashMap::new(), old: HashMap::new(), half: (max / 2).max(1), lives }
    }

    pub fn get(&self, name: &str, now: Timestamp) -> Option<&Known> {
        let (known, until) = self.new.get(name).or_else(|| self.old.get(name))?;
        (now < *until).then_some(known)
    }

    pub fn put(&mut self, name: String, reply: Reply, now: Timestamp) {
        let (least, most) = self.lives;
        let (known, lives) = match reply {
            Reply::Addresses(addresses, seconds) => (Known::Addresses(addresses), Duration::from_secs(u64::from(seconds))),
            Reply::Nothing(seconds) => (Known::Nothing, seconds.map_or(least, |seconds| Duration::from_secs(u64::from(seconds)))),
            // No list is asked for texts.
            Reply::Failed | Reply::Texts(_) => (Known::Failed, least),
        };
        if self.new.len() >= self.half {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(name, (known, now.plus(lives.clamp(least, most))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    fn cache(max: usize) -> Cache {
        Cache::new(max, (Duration::from_mins(1), Duration::from_hours(1)))
    }

    #[test]
    fn an_answer_holds_as_long_as_it_says_within_bounds() {
        let mut cache = cache(10);
        let check = |cache: &Cache, name: &str, from, until| {
            assert!(
                cache.get(name, at(from)).is_some() && cache.get(name, at(until - 1)).is_some() && cache.get(name, at(until)).is_none()
            );
        };
        for (name, reply, until) in [
            ("a", Reply::Addresses(Vec::new(), 300), 300),
            ("b", Reply::Addresses(Vec::new(), 1), 60),
            ("c", Reply::Nothing(Some(u32::MAX)), 3600),
            ("d", Reply::Nothing(None), 60),
            ("e", Reply::Failed, 60),
        ] {
            cache.put(name.into(), reply, at(0));
            check(&cache, name, 0, until);
        }
    }

    #[test]
    fn the_room_is_bounded_and_the_newest_stay() {
        let mut cache = cache(10);
        for n in 0..1000 {
            cache.put(n.to_string(), Reply::Failed, at(0));
            assert!(cache.new.len() + cache.old.len() <= 10);
        }
        assert!(cache.get("999", at(1)).is_some() && cache.get("995", at(1)).is_some() && cache.get("1", at(1)).is_none());
    }
}
