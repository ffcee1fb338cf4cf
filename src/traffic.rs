//! Traffic: how many comments came just before this one, from its address and network, under its email address, to its page; and how often
//! the same text came from the same source. Exact counts in sliding windows, of one site. It counts; what is too many is `rules`' matter.

use crate::clock::Timestamp;
use crate::comment::Lately;
use crate::trace::Trace;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Comments in a window at most, a bound on memory (about 15 MB each): 160 a second for all of ten minutes. Beyond it the oldest go early.
const COMMENTS_MAX: usize = 100_000;

/// One site's traffic.
#[derive(Debug)]
pub struct Traffic {
    floods: Window,
    repeats: Window,
}

/// What one comment is counted by.
type Keys = [Option<u64>; 4];

impl Default for Traffic {
    fn default() -> Self {
        Self { floods: Window::of(Lately::FLOOD_WINDOW), repeats: Window::of(Lately::REPEAT_WINDOW) }
    }
}

impl Traffic {
    /// What came before a comment of this trace.
    pub fn before(&mut self, trace: &Trace, now: Timestamp) -> Lately {
        let [from_address, from_network, under_email, on_page] = self.floods.counts(&sources(trace), now);
        let repeats = self.repeats.counts(&repeat(trace), now);
        Lately { from_address, from_network, under_email, on_page, repeats: repeats.into_iter().max().unwrap_or(0) }
    }

    /// The comment came.
    pub fn admit(&mut self, trace: &Trace, now: Timestamp) {
        self.floods.admit(sources(trace), now);
        self.repeats.admit(repeat(trace), now);
    }

    /// A comment that was admitted lately was none after all.
    pub fn retract(&mut self, trace: &Trace) {
        self.floods.retract(&sources(trace));
        self.repeats.retract(&repeat(trace));
    }
}

fn sources(trace: &Trace) -> Keys {
    [trace.address, trace.network, trace.email, trace.page]
}

/// The text together with who sent it. A school writes "thanks!" from one address: a phrase counts under an email address only.
fn repeat(trace: &Trace) -> Keys {
    let with = |source: Option<u64>, turn: u32| source.map(|source| source.rotate_left(turn) ^ trace.body);
    [with(trace.email, 1), with(trace.address.filter(|_| trace.is_telling), 2), None, None]
}

/// Comments of the last while, and how many of them have each key.
#[derive(Debug)]
struct Window {
    length: Duration,
    past: VecDeque<(Timestamp, Keys)>,
    counts: HashMap<u64, u32>,
}

impl Window {
    fn of(length: Duration) -> Self {
        Self { length, past: VecDeque::new(), counts: HashMap::new() }
    }

    fn counts(&mut self, keys: &Keys, now: Timestamp) -> [u32; 4] {
        self.forget(now);
        keys.map(|key| key.and_then(|key| self.counts.get(&key)).copied().unwrap_or(0))
    }

    fn admit(&mut self, keys: Keys, now: Timestamp) {
        self.forget(now);
        for key in keys.into_iter().flatten() {
            *self.counts.entry(key).or_default() += 1;
        }
        self.past.push_back((now, keys));
    }

    fn retract(&mut self, keys: &Keys) {
        if let Some(at) = self.past.iter().rposition(|(_, known)| known == keys) {
            self.past.remove(at);
            self.discount(*keys);
        }
    }

    /// What is older than the window, or lies further ahead than it is long: then the clock was set back, and nothing would grow old.
    fn forget(&mut self, now: Timestamp) {
        let length = self.length;
        let is_past = |at: Timestamp| now.since(at) >= length || at.since(now) >= length;
        while let Some((at, keys)) = self.past.front().copied()
            && (is_past(at) || self.past.len() >= COMMENTS_MAX)
        {
            self.past.pop_front();
            self.discount(keys);
        }
    }

    fn discount(&mut self, keys: Keys) {
        for key in keys.into_iter().flatten() {
            if let Some(count) = self.counts.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    fn trace(address: u64, email: u64, body: u64, is_telling: bool) -> Trace {
        let (network, page) = (address / 256, 7);
        let some = |key: u64| Some(key + 1);
        Trace {
            address: some(address),
            network: some(1 << 20 | network),
            email: some(2 << 20 | email),
            page: some(3 << 20 | page),
            body: body << 40,
            is_telling,
            sketch: None,
            marks: [None; 4],
        }
    }

    #[test]
    fn comments_count_for_ten_minutes_by_where_they_come_from() {
        let mut traffic = Traffic::default();
        for second in 0..5 {
            traffic.admit(&trace(1, 10, 99, true), at(second));
        }
        traffic.admit(&trace(2, 20, 98, true), at(5));
        let expected = Lately { from_address: 5, from_network: 6, under_email: 5, on_page: 6, repeats: 5 };
        assert_eq!(traffic.before(&trace(1, 10, 99, true), at(6)), expected);
        assert_eq!(traffic.before(&trace(1, 10, 99, true), at(602)).from_address, 2);
        assert_eq!(traffic.before(&trace(1, 10, 99, true), at(86_399)), Lately { repeats: 5, ..Lately::default() });
        assert_eq!(traffic.before(&trace(1, 10, 99, true), at(86_500)), Lately::default());
    }

    #[test]
    fn a_phrase_from_one_address_under_many_names_is_no_repeat() {
        let mut traffic = Traffic::default();
        for email in 0..40 {
            traffic.admit(&trace(1, email, 5, false), at(0));
            traffic.admit(&trace(1, email, 6, true), at(0));
        }
        assert_eq!(traffic.before(&trace(1, 3, 5, false), at(1)).repeats, 1);
        assert_eq!(traffic.before(&trace(1, 77, 5, false), at(1)).repeats, 0);
        assert_eq!(traffic.before(&trace(1, 77, 6, true), at(1)).repeats, 40);
    }

    #[test]
    fn a_clock_that_is_set_back_leaves_nothing_behind_for_ever() {
        let mut traffic = Traffic::default();
        traffic.admit(&trace(1, 1, 1, true), at(1_000_000));
        assert_eq!(traffic.before(&trace(1, 1, 1, true), at(999_990)).from_address, 1);
        assert_eq!(traffic.before(&trace(1, 1, 1, true), at(5)), Lately::default());
    }

    #[test]
    fn a_window_is_bounded_by_number_too() {
        let mut window = Window::of(Lately::FLOOD_WINDOW);
        for n in 0..150_000 {
            window.admit([Some(n), Some(1 << 60), None, None], at(0));
        }
        assert_eq!((window.past.len(), window.counts.len()), (COMMENTS_MAX, COMMENTS_MAX + 1));
    }

    proptest! {
        #[test]
        fn counts_are_those_of_a_plain_list(
            comments in proptest::collection::vec((0..4_u64, 0..4_u64, 0..3_u64, any::<bool>(), 0..400_i64, 0..5_u8), 0..60),
        ) {
            let (mut traffic, mut list, mut now) = (Traffic::default(), Vec::new(), 0);
            for (address, email, body, is_telling, wait, turn) in comments {
                now += wait;
                let trace = trace(address, email, body, is_telling);
                let lately = list.iter().filter(|(_, second)| now - second < 600);
                let same = lately.clone().filter(|(known, _): &&(Trace, i64)| known.address == trace.address).count();
                let found = traffic.before(&trace, at(now));
                prop_assert_eq!((found.from_address, found.on_page), (u32::try_from(same).unwrap(), u32::try_from(lately.count()).unwrap()));
                traffic.admit(&trace, at(now));
                if turn == 0 {
                    traffic.retract(&trace);
                } else {
                    list.push((trace, now));
                }
            }
        }
    }
}
