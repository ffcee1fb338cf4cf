//! A set of strings as their 64-bit hashes: ten bytes and a half an entry, whatever its length, and one or two cache lines a look-up. Two
//! different strings share their 62 bits once in 10^12 look-ups among a million entries. The strings themselves are not kept: what hits is
//! read from the comment.

use foldhash::quality::FixedState;
use std::hash::BuildHasher;

/// What kind of thing a string is: the same letters as a word and as a domain are two entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Of {
    Word,
    Domain,
    Address,
    AddressDomain,
    Number,
}

/// The lowest bits of a slot: the string is an entry,
pub const ENTRY: u64 = 1;
/// and the words so far are the beginning of one.
pub const BEGINS: u64 = 2;
const FLAGS: u64 = ENTRY | BEGINS;

/// The hash of one string; its lowest bits are free for flags.
pub fn hash(of: Of, text: &str) -> u64 {
    FixedState::with_seed(of as u64).hash_one(text) & !FLAGS
}

/// The hash of some words and one more. An odd factor (2^64 over the golden ratio) and a rotation keep the order.
pub fn followed_by(words: u64, word: u64) -> u64 {
    (words.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15) & !FLAGS
}

/// Open addressing, three quarters full; 0 is an empty slot.
#[derive(Debug, Clone, Default)]
pub struct Hashes {
    slots: Box<[u64]>,
    entries: usize,
}

impl Hashes {
    /// Of hashes with their flags, in any order and however often.
    pub fn new(mut keys: Vec<u64>) -> Self {
        keys.sort_unstable();
        keys.dedup_by(|later, kept| {
            let same = *later & !FLAGS == *kept & !FLAGS;
            *kept |= if same { *later & FLAGS } else { 0 };
            same
        });
        let slots = if keys.is_empty() { 0 } else { keys.len() + keys.len() / 3 + 1 };
        let mut set = Self { slots: vec![0; slots].into(), entries: keys.iter().filter(|key| *key & ENTRY != 0).count() };
        for key in keys {
            let home = set.home(key);
            let free = set.slots.iter_mut().skip(home).find(|slot| **slot == 0);
            // There is always a free slot, at the latest before its home.
            let free = if free.is_some() { free } else { set.slots.iter_mut().find(|slot| **slot == 0) };
            if let Some(slot) = free {
                *slot = key;
            }
        }
        set
    }

    /// The flags of a hash; 0 when it is not there.
    pub fn flags(&self, hash: u64) -> u64 {
        let home = if self.slots.is_empty() { return 0 } else { self.home(hash) };
        let (before, from) = self.slots.split_at(home);
        let run = from.iter().chain(before).take_while(|slot| **slot != 0);
        run.copied().find(|slot| slot & !FLAGS == hash).map_or(0, |slot| slot & FLAGS)
    }

    pub fn entries(&self) -> usize {
        self.entries
    }

    pub fn memory_bytes(&self) -> usize {
        self.slots.len() * size_of::<u64>()
    }

    /// The high bits of the hash, spread over the slots.
    fn home(&self, hash: u64) -> usize {
        let slots = self.slots.len() as u128;
        usize::try_from((u128::from(hash) * slots) >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn it_holds_what_a_set_of_strings_holds(entries in proptest::collection::vec("[a-f]{1,3}", 0..60), asked in "[a-f]{1,3}") {
            let naive: HashSet<&String> = entries.iter().collect();
            let set = Hashes::new(entries.iter().map(|entry| hash(Of::Word, entry) | ENTRY).collect());
            prop_assert_eq!(set.entries(), naive.len());
            prop_assert!(entries.iter().all(|entry| set.flags(hash(Of::Word, entry)) == ENTRY));
            prop_assert_eq!(set.flags(hash(Of::Word, &asked)) == ENTRY, naive.contains(&asked));
            prop_assert_eq!(set.flags(hash(Of::Domain, &asked)), 0);
        }
    }

    #[test]
    fn flags_add_up_and_crowded_slots_are_found_from_the_end_on() {
        let last = !FLAGS;
        let set = Hashes::new(vec![last | ENTRY, last | BEGINS, (last - 4) | ENTRY, (last - 8) | BEGINS]);
        assert_eq!((set.flags(last), set.flags(last - 4), set.flags(last - 8), set.flags(last - 12)), (ENTRY | BEGINS, ENTRY, BEGINS, 0));
        assert_eq!((set.entries(), Hashes::default().flags(4)), (2, 0));
    }

    #[test]
    fn the_order_of_words_counts() {
        let [a, b] = ["a", "b"].map(|word| hash(Of::Word, word));
        assert_ne!(followed_by(a, b), followed_by(b, a));
    }
}
