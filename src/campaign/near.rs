//! The look-up of near-copies: a table of the bands of sketches, in which newer texts take the places of older ones. It forgets a band now
//! and then and never errs: what it names is compared as a whole. Nobody can make a look-up long, since a band has two places and no more.

use crate::classifier::hashing::Hashing;
use crate::trace::Sketch;
use crate::trace::sketch::BANDS;

/// Texts that a band names at most.
const PLACES: usize = 2;

/// Pairs of places for each text: with all bands of all texts in it the table is three quarters full.
const PAIRS_PER_TEXT: usize = 8;

/// The smallest table, in texts: 256 KiB.
const TEXTS_MIN: usize = 1 << 12;

/// Bands of sketches, and the texts that have them.
#[derive(Debug)]
pub struct Near {
    /// 0 is a free place; else the text's number and one.
    pairs: Vec<[u32; PLACES]>,
    hashing: Hashing,
}

impl Near {
    /// Room for so many texts; more make it forget.
    pub fn of(texts: usize, hashing: Hashing) -> Self {
        Self { pairs: vec![[0; PLACES]; texts.max(TEXTS_MIN).next_power_of_two() * PAIRS_PER_TEXT], hashing }
    }

    /// How many texts it has room for.
    pub fn texts_max(&self) -> usize {
        self.pairs.len() / PAIRS_PER_TEXT
    }

    pub fn insert(&mut self, sketch: &Sketch, text: u32) {
        for band in sketch.bands() {
            let at = self.place(band);
            if let Some([newer, older]) = self.pairs.get_mut(at) {
                (*newer, *older) = (text + 1, *newer);
            }
        }
    }

    /// The numbers of texts that may be near; some of them more than once, some of them long gone.
    pub fn candidates(&self, sketch: &Sketch) -> [u32; BANDS * PLACES] {
        let mut found = [u32::MAX; BANDS * PLACES];
        for (found, band) in found.as_chunks_mut::<PLACES>().0.iter_mut().zip(sketch.bands()) {
            *found = self.pairs.get(self.place(band)).map_or(*found, |pair| pair.map(|text| text.wrapping_sub(1)));
        }
        found
    }

    fn place(&self, band: u64) -> usize {
        // The table's length is a power of two.
        usize::try_from(self.hashing.pair(band, 0, 2)).unwrap_or(0) & (self.pairs.len() - 1)
    }
}
