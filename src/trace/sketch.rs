//! Sketches: a few bytes that are alike where texts are. MinHash (Broder, "On the resemblance and containment of documents", 1997) over
//! words and pairs of neighbouring words, one byte a row (Li and König, "b-bit minwise hashing", 2010), in bands of rows for look-up (see
//! `campaign`). Pure arithmetic; what is done about texts that are alike is others' matter.
//!
//! Measured on 6,000 distinct comments of YouTube, all pairs: of those that share .5 to .6 of their shingles a band and half of the rows find
//! 58 %, of .6 to .7 86 %, of .7 to .8 96 %, above all; and 109 pairs below .4 besides. SimHash (Charikar, 2002; 64 bits of the same shingles) with
//! as many false pairs, at 12 bits, finds 16 %, 39 % and 90 %; at the customary 3 bits 0, 0 and 1 %: a comment has too few words for it.

use crate::classifier::hashing::Hashing;
use crate::text::{LINK_MARK, tokens};

/// Bands of a sketch: two texts are compared when one band of theirs is the same.
pub const BANDS: usize = 12;

/// Rows of a band.
const BAND_ROWS: usize = 4;

/// Rows of a sketch. The share of equal rows estimates the share of shingles that two texts have in common, give or take .07.
pub const ROWS: usize = BANDS * BAND_ROWS;

/// Words of the shortest text that has a sketch. Shorter ones are what many people say: "who else is listening in 2024?" has six.
pub const SKETCHED_WORDS_MIN: usize = 8;

/// One text, sketched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch([u8; ROWS]);

impl Sketch {
    /// Of a folded text; none for a short one. Numbers are all the same number and links the same link, so that neither tells copies apart.
    pub fn of(folded: &str, hashing: &Hashing) -> Option<Self> {
        let mut least = [u32::MAX; ROWS];
        let (mut words, mut before) = (0, hashing.word(""));
        for word in telling_words(folded) {
            let hash = if word.starts_with(|c: char| c.is_ascii_digit()) { hashing.word("0") } else { hashing.word(word) };
            lower(&mut least, hash);
            lower(&mut least, hashing.pair(before, hash, 0));
            (words, before) = (words + 1, hash);
        }
        (words >= SKETCHED_WORDS_MIN).then(|| Self(least.map(byte)))
    }

    /// The share of equal rows, in `0.0..=1.0`.
    pub fn likeness(&self, other: &Self) -> f64 {
        let equal = self.0.iter().zip(&other.0).fold(0_u8, |equal, (a, b)| equal + u8::from(a == b));
        f64::from(equal) / ROWS_F64
    }

    /// One key for each band, with the band's number in it.
    pub fn bands(&self) -> impl Iterator<Item = u64> {
        let (bands, _) = self.0.as_chunks::<BAND_ROWS>();
        (0..).zip(bands).map(|(number, rows): (u64, _)| number << 32 | u64::from(u32::from_le_bytes(*rows)))
    }

    pub fn bytes(&self) -> &[u8; ROWS] {
        &self.0
    }

    pub fn from_bytes(bytes: [u8; ROWS]) -> Self {
        Self(bytes)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a small constant")]
const ROWS_F64: f64 = ROWS as f64;

/// Words without the signs that stand between them: how often somebody shouts does not tell texts apart.
pub fn telling_words(folded: &str) -> impl Iterator<Item = &str> {
    tokens::words(folded).map(|(_, word)| word).filter(|word| word.starts_with(|c: char| c.is_alphanumeric() || c == LINK_MARK))
}

/// Every row has an order of its own, made by a salt and a multiplication, and keeps the shingle that comes first in it.
fn lower(least: &mut [u32; ROWS], shingle: u64) {
    // The upper half: the better mixed one.
    let shingle = (shingle >> 32) as u32;
    for (least, (salt, factor)) in least.iter_mut().zip(&ORDERS) {
        *least = (*least).min((shingle ^ salt).wrapping_mul(*factor));
    }
}

/// A byte of the shingle that came first.
fn byte(least: u32) -> u8 {
    let [.., byte] = least.wrapping_mul(0x9e37_79b1).to_le_bytes();
    byte
}

/// A salt and an odd factor for each row, from the digits of a generator that starts at nothing.
const ORDERS: [(u32, u32); ROWS] = orders();

#[expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "both halves are used; within the array, and run by the compiler"
)]
const fn orders() -> [(u32, u32); ROWS] {
    let mut orders = [(0, 0); ROWS];
    let (mut row, mut state) = (0, 0_u64);
    while row < ROWS {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let product = state as u128 * 0xd6e8_feb8_6659_fd93_u128;
        let mixed = (product ^ (product >> 64)) as u64;
        orders[row] = (mixed as u32 | 1, (mixed >> 32) as u32 | 1);
        row += 1;
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Reading;
    use proptest::prelude::*;

    fn sketch(text: &str) -> Option<Sketch> {
        Sketch::of(&Reading::of(text).folded, &Hashing::of(1))
    }

    #[test]
    fn a_text_needs_eight_words_to_be_sketched() {
        assert!(sketch("who else is listening to this in 2024?").is_some());
        assert!(sketch("who else is listening in 2024? !! ?? 🔥🔥🔥🔥").is_none());
        assert!(sketch("").is_none());
    }

    #[test]
    fn numbers_links_and_shouting_do_not_tell_texts_apart() {
        let one = sketch("I earned 5000 dollars in 3 days with this, see http://a.example/x");
        assert_eq!(one, sketch("I earned 99 dollars in 12 days with this, SEE!!! https://b.example/yy"));
        assert_ne!(one, sketch("I learned 5000 letters in 3 days with this, see http://a.example/x"));
    }

    proptest! {
        /// Over random texts that share a part, the share of equal rows is that of common shingles, within four standard deviations.
        #[test]
        fn likeness_estimates_the_share_of_what_is_common(common in 10..60_usize, own in 0..30_usize, seed: u32) {
            let text = |who: &str| (0..common).map(|n| format!("common{seed}x{n} ")).chain((0..own).map(|n| format!("{who}{seed}x{n} "))).collect::<String>();
            let likeness = sketch(&text("one")).unwrap().likeness(&sketch(&text("other")).unwrap());
            let (common, own) = (f64::from(u32::try_from(common).unwrap()), f64::from(u32::try_from(own).unwrap()));
            let share = 2.0 * common / (2.0 * common + 4.0 * own);
            prop_assert!((likeness - share).abs() <= 4.0 * (share * (1.0 - share) / 48.0).sqrt() + 0.05, "{likeness} for {share}");
        }

        #[test]
        fn any_text_is_sketched_or_not_and_is_like_itself(text in "\\PC{0,200}|([a-d]{1,3} ){0,40}") {
            if let Some(sketch) = sketch(&text) {
                prop_assert!((sketch.likeness(&sketch) - 1.0).abs() < 1e-12);
                prop_assert_eq!(Sketch::from_bytes(*sketch.bytes()), sketch);
                prop_assert_eq!(sketch.bands().collect::<std::collections::HashSet<_>>().len(), BANDS);
            }
        }
    }
}
