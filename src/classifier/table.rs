//! Tables: the weights of one family, compiled for scoring. Two bytes a bucket, so that a family's table lies in a core's second cache;
//! whole numbers, so that a sum does not depend on its order. They are made of what `train` fitted or of `counts`.

use super::counts::{Cell, Counts, Sums};
use super::hashing::BUCKETS;

/// The weights of one family, flat, and what is taken from each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// [`BUCKETS`] entries, or none where the family was never seen.
    entries: Vec<Entry>,
    /// Smoothed log ratio of the classes' totals (see [`super::counts::Totals::norm`]), in steps of a weight.
    norm_steps: i32,
}

/// One bucket in 16 bits: its log ratio in 1/40 (10 bits, -12.8 to 12.775) and ln(1 + documents) in 1/5 (6 bits, up to 12.6). All zero where
/// it was never seen. Each is off by .0125
/// and .1 at most, either way, and over the features of a text that evens out; a norm sixteen times as fine moved the log loss of
/// YouTube, SMS and Telegram by .0005 at most, either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry(u16);

const WEIGHT_STEPS: f64 = 40.0;
const DEPTH_STEPS: f64 = 5.0;

/// Twenty logits: no two classes are further apart, and sums of the longest text stay far within 32 bits.
pub const NORM_STEPS_MAX: u32 = 800;

const DEPTH_BITS: u32 = 6;

#[expect(clippy::cast_possible_truncation, reason = "logarithms of counts are below a hundred")]
fn steps(log_ratio: f64) -> i32 {
    (log_ratio * WEIGHT_STEPS).round() as i32
}

impl Entry {
    /// `log_ratio` before the norm; clamped to what 10 bits hold.
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 10 bits")]
    pub fn new(log_ratio: f64, documents: u32) -> Self {
        let weight = steps(log_ratio).clamp(-512, 511) as i16;
        let depth = (f64::from(documents).ln_1p() * DEPTH_STEPS).round().clamp(0.0, 63.0) as i16;
        Self(((weight << DEPTH_BITS) | depth).cast_unsigned())
    }

    fn of(cell: Cell) -> Self {
        if cell.documents == 0 { Self::default() } else { Self::new(cell.log_ratio(), cell.documents) }
    }

    pub fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    pub fn bits(self) -> u16 {
        self.0
    }

    pub fn is_seen(self) -> bool {
        self.0 != 0
    }

    fn weight_steps(self) -> i32 {
        i32::from(self.0.cast_signed() >> DEPTH_BITS)
    }

    fn depth_steps(self) -> i32 {
        i32::from(self.0 & ((1 << DEPTH_BITS) - 1))
    }

    /// The log ratio before the norm.
    pub fn weight(self) -> f64 {
        f64::from(self.weight_steps()) / WEIGHT_STEPS
    }

    /// ln(1 + documents).
    pub fn depth(self) -> f64 {
        f64::from(self.depth_steps()) / DEPTH_STEPS
    }
}

impl Table {
    /// `norm` is taken from every entry's log ratio. Buckets out of range are nothing.
    pub fn new(norm: f64, entries: impl IntoIterator<Item = (u32, Entry)>) -> Self {
        let mut table = Self { entries: Vec::new(), norm_steps: steps(norm) };
        for (bucket, entry) in entries {
            if table.entries.is_empty() {
                table.entries = vec![Entry::default(); BUCKETS];
            }
            if let Some(slot) = table.entries.get_mut(bucket as usize) {
                *slot = entry;
            }
        }
        table
    }

    pub fn entry(&self, bucket: u32) -> Entry {
        self.entries.get(bucket as usize).copied().unwrap_or_default()
    }

    /// In ascending order of bucket.
    pub fn seen(&self) -> impl Iterator<Item = (u32, Entry)> {
        (0..).zip(self.entries.iter().copied()).filter(|(_, entry)| entry.is_seen())
    }

    /// What the stack reads of a document with these distinct buckets.
    pub fn sums(&self, buckets: &[u32]) -> Sums {
        if self.entries.is_empty() {
            return Sums::default();
        }
        let (mut spam, mut all, mut seen, mut depth) = (0, 0, 0, 0);
        // First fetched, then summed, so that the sums run on many entries at once: .6 of the time of one by one.
        let mut block = [Entry::default(); 16];
        for part in buckets.chunks(block.len()) {
            block.iter_mut().zip(part).for_each(|(slot, bucket)| *slot = self.entry(*bucket));
            block.iter_mut().skip(part.len()).for_each(|slot| *slot = Entry::default());
            for entry in block {
                let is_seen = i32::from(entry.is_seen());
                let weight = (entry.weight_steps() - self.norm_steps) & -is_seen;
                spam += weight.max(0);
                all += weight;
                seen += is_seen;
                depth += entry.depth_steps();
            }
        }
        let ham = all - spam;
        let weight = |steps| f64::from(steps) / WEIGHT_STEPS;
        Sums { spam: weight(spam), ham: weight(ham), seen: f64::from(seen), depth: f64::from(depth) / DEPTH_STEPS }.over(buckets.len())
    }

    /// The log-odds of one bucket; none where it was never seen.
    pub fn weight(&self, bucket: u32) -> Option<f64> {
        let entry = self.entry(bucket);
        entry.is_seen().then(|| f64::from(entry.weight_steps() - self.norm_steps) / WEIGHT_STEPS)
    }

    /// In steps, as a file keeps it.
    pub fn norm_steps(&self) -> i32 {
        self.norm_steps
    }

    /// See [`Table::new`].
    pub fn from_steps(norm_steps: i32, entries: impl IntoIterator<Item = (u32, Entry)>) -> Self {
        Self { norm_steps, ..Self::new(0.0, entries) }
    }

    /// Takes over what counts say now of these buckets, and the norm.
    pub fn refresh(&mut self, buckets: &[u32], counts: &Counts) {
        self.norm_steps = steps(counts.totals.norm());
        if self.entries.is_empty() {
            self.entries = vec![Entry::default(); BUCKETS];
        }
        for &bucket in buckets {
            if let Some(entry) = self.entries.get_mut(bucket as usize) {
                *entry = Entry::of(counts.cell(bucket));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Label;
    use super::super::counts::LeftOut;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_hold_their_range_and_zero_is_never_seen() {
        for (ratio, documents) in [(0.0, 1), (-12.8, 1), (12.775, 100_000), (1.0, 7)] {
            let entry = Entry::new(ratio, documents);
            assert!((entry.weight() - ratio).abs() <= 0.0125 && entry.is_seen());
            assert!((entry.depth() - f64::from(documents).ln_1p()).abs() <= 0.1);
        }
        assert!((Entry::new(99.0, 1).weight() - 12.775).abs() < 1e-9);
        assert!(!Entry::default().is_seen());
    }

    proptest! {
        #[test]
        fn a_table_says_what_its_counts_say_to_its_rounding(
            documents in prop::collection::vec((prop::collection::btree_set(0u32..40, 1..20), any::<bool>()), 1..20),
            asked in prop::collection::btree_set(0u32..50, 1..20),
        ) {
            let (mut counts, mut table) = (Counts::default(), Table::default());
            for (buckets, spam) in documents {
                let buckets: Vec<u32> = buckets.into_iter().collect();
                counts.learn(&buckets, if spam { Label::Spam } else { Label::Ham });
                table.refresh(&buckets, &counts);
            }
            let asked: Vec<u32> = asked.into_iter().collect();
            let (table, counts) = (table.sums(&asked), counts.sums_without(&asked, &LeftOut::page([])));
            prop_assert!((table.spam + table.ham - counts.spam - counts.ham).abs() < 0.026 * 20.0);
            prop_assert!((table.seen - counts.seen).abs() < 1e-9);
            prop_assert!((table.depth - counts.depth).abs() < 0.11);
        }
    }
}
