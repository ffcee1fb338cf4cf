//! Counts: documents folded into one row per class. Multinomial counts add, so fitting the folded rows gives the same conditional
//! model as fitting every document, in memory of the size of the table (Manning et al., "Introduction to Information Retrieval", 13.2).
//! They are whole numbers, so that the order of documents does not matter, a document can be left out exactly, and unlearning what was
//! learnt restores every bit. What is fitted on them is `train`'s, what is scored with them `table`'s.

use super::Label;
use super::hashing::BUCKETS;
use std::collections::HashMap;

/// Lidstone smoothing over the columns seen in training; .02 measured best of .005 to 1 on comments.
pub const SMOOTHING: f64 = 0.02;

/// The mass of a document with one feature: the unit that shares are rounded to. 2^20 documents of one class fill a cell.
const UNIT: f64 = 4096.0;

/// One bucket: its mass in spam and in ham, in 1/4096, and the number of documents that have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cell {
    pub spam: u32,
    pub ham: u32,
    pub documents: u32,
}

/// Counts of one family. Each document spreads over its n features a vector of length 1, so every feature counts 1/sqrt(n).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// [`BUCKETS`] of them, or none before the first document.
    cells: Vec<Cell>,
    pub totals: Totals,
}

/// Sums over all cells: mass by class in 1/4096, and how many cells are in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub spam: u64,
    pub ham: u64,
    pub columns: u32,
}

/// The weight of each feature in a document of `n` features.
pub fn share(n: usize) -> f64 {
    let n = u32::try_from(n.max(1)).unwrap_or(u32::MAX);
    1.0 / f64::from(n).sqrt()
}

/// [`share`] in whole units, at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 4096")]
fn units(n: usize) -> u32 {
    (share(n) * UNIT).round().max(1.0) as u32
}

/// Mass as it counts against smoothing.
pub fn mass(units: u32) -> f64 {
    f64::from(units) / UNIT
}

impl Totals {
    /// ln of both classes' smoothed totals, spam less ham: what is taken from every seen feature's log-odds.
    pub fn norm(self) -> f64 {
        let smooth = SMOOTHING * f64::from(self.columns);
        (float(self.spam) / UNIT + smooth).max(SMOOTHING).ln() - (float(self.ham) / UNIT + smooth).max(SMOOTHING).ln()
    }
}

#[expect(clippy::cast_precision_loss, reason = "masses are far below 2^52")]
fn float(units: u64) -> f64 {
    units as f64
}

impl Cell {
    /// ln (spam + a) - ln (ham + a): the log-odds before the norm.
    pub fn log_ratio(self) -> f64 {
        ((mass(self.spam) + SMOOTHING) / (mass(self.ham) + SMOOTHING)).ln()
    }

    fn less(self, out: Self) -> Self {
        Self {
            spam: self.spam.saturating_sub(out.spam),
            ham: self.ham.saturating_sub(out.ham),
            documents: self.documents.saturating_sub(out.documents),
        }
    }

    fn add(&mut self, units: u32, label: Label) {
        self.documents = self.documents.saturating_add(1);
        match label {
            Label::Spam => self.spam = self.spam.saturating_add(units),
            Label::Ham => self.ham = self.ham.saturating_add(units),
        }
    }
}

impl Counts {
    /// Of cells in ascending order of bucket, as a file keeps them.
    pub fn from_cells(cells: impl IntoIterator<Item = (u32, Cell)>) -> Self {
        let mut counts = Self::default();
        for (bucket, cell) in cells {
            counts.room();
            if let Some(slot) = counts.cells.get_mut(bucket as usize) {
                *slot = cell;
                counts.totals.spam += u64::from(cell.spam);
                counts.totals.ham += u64::from(cell.ham);
                counts.totals.columns += u32::from(cell.documents > 0);
            }
        }
        counts
    }

    fn room(&mut self) {
        if self.cells.is_empty() {
            self.cells = vec![Cell::default(); BUCKETS];
        }
    }

    /// Folds one document's distinct buckets in.
    pub fn learn(&mut self, buckets: &[u32], label: Label) {
        if buckets.is_empty() {
            return;
        }
        self.room();
        let units = units(buckets.len());
        for &bucket in buckets {
            let Some(cell) = self.cells.get_mut(bucket as usize) else { continue };
            self.totals.columns += u32::from(cell.documents == 0);
            cell.add(units, label);
            match label {
                Label::Spam => self.totals.spam += u64::from(units),
                Label::Ham => self.totals.ham += u64::from(units),
            }
        }
    }

    /// Takes a document out that was folded in; of one that was not, what can be taken.
    pub fn unlearn(&mut self, buckets: &[u32], label: Label) {
        let units = units(buckets.len());
        for &bucket in buckets {
            let Some(cell) = self.cells.get_mut(bucket as usize).filter(|cell| cell.documents > 0) else { continue };
            let mut out = Cell::default();
            out.add(units, label);
            let before = *cell;
            *cell = before.less(out);
            self.totals.spam -= u64::from(before.spam - cell.spam);
            self.totals.ham -= u64::from(before.ham - cell.ham);
            self.totals.columns -= u32::from(cell.documents == 0);
        }
    }

    pub fn cell(&self, bucket: u32) -> Cell {
        self.cells.get(bucket as usize).copied().unwrap_or_default()
    }

    /// The cells in use, in ascending order of bucket.
    pub fn used(&self) -> impl Iterator<Item = (u32, Cell)> {
        (0..).zip(self.cells.iter().copied()).filter(|(_, cell)| cell.documents > 0)
    }

    /// What the stack reads of a document which was counted, with `left_out` (which holds it) taken away.
    /// Buckets that only the left-out documents had weigh nothing, as at prediction.
    pub fn sums_without(&self, buckets: &[u32], left_out: &LeftOut) -> Sums {
        let totals = Totals {
            spam: self.totals.spam.saturating_sub(left_out.spam),
            ham: self.totals.ham.saturating_sub(left_out.ham),
            ..self.totals
        };
        let norm = totals.norm();
        let mut sums = Sums::default();
        for &bucket in buckets {
            let cell = self.cell(bucket).less(left_out.cell(bucket));
            if cell.documents > 0 {
                sums.add(cell.log_ratio() - norm, f64::from(cell.documents).ln_1p());
            }
        }
        sums.over(buckets.len())
    }
}

/// Counts to be taken away: one document's, or a whole page's.
#[derive(Debug)]
pub struct LeftOut {
    cells: Out,
    spam: u64,
    ham: u64,
}

#[derive(Debug)]
enum Out {
    /// The same cell at every bucket that is asked for.
    One(Cell),
    Page(HashMap<u32, Cell>),
}

impl LeftOut {
    /// The document itself, asked for at its own buckets only.
    pub fn itself(buckets: &[u32], label: Label) -> Self {
        let mut cell = Cell::default();
        cell.add(units(buckets.len()), label);
        let all = |units: u32| u64::from(units) * u64::try_from(buckets.len()).unwrap_or(0);
        Self { spam: all(cell.spam), ham: all(cell.ham), cells: Out::One(cell) }
    }

    /// All of a page.
    pub fn page<'a>(documents: impl IntoIterator<Item = (&'a [u32], Label)>) -> Self {
        let (mut cells, mut spam, mut ham) = (HashMap::<u32, Cell>::new(), 0, 0);
        for (buckets, label) in documents {
            let units = units(buckets.len());
            for &bucket in buckets {
                cells.entry(bucket).or_default().add(units, label);
                match label {
                    Label::Spam => spam += u64::from(units),
                    Label::Ham => ham += u64::from(units),
                }
            }
        }
        Self { cells: Out::Page(cells), spam, ham }
    }

    fn cell(&self, bucket: u32) -> Cell {
        match &self.cells {
            Out::One(cell) => *cell,
            Out::Page(cells) => cells.get(&bucket).copied().unwrap_or_default(),
        }
    }
}

/// What the stack reads of one family: the sums of the weights that speak for spam and of those that speak for ham, the share of features seen
/// in training, and how well known they are (mean ln(1 + documents)). The last two teach the stack how far to trust the first; apart, the
/// first two let it trust what speaks for spam and what for ham differently (recall at .5 % false positives on
/// unseen YouTube videos 87 -> 89 %, SMS 97.5 -> 97.7 %; log loss within the noise).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    pub spam: f64,
    pub ham: f64,
    pub seen: f64,
    pub depth: f64,
}

impl Sums {
    pub fn add(&mut self, weight: f64, depth: f64) {
        self.spam += weight.max(0.0);
        self.ham += weight.min(0.0);
        self.seen += 1.0;
        self.depth += depth;
    }

    /// From totals to what the stack reads, for a document of `n` features in this family.
    #[must_use]
    pub fn over(self, n: usize) -> Self {
        let (share, mean) = (share(n), share(n) * share(n));
        Self { spam: self.spam * share, ham: self.ham * share, seen: self.seen * mean, depth: self.depth * mean }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOCUMENTS: [(&[u32], Label); 4] = [(&[1, 2, 3], Label::Spam), (&[2, 4], Label::Ham), (&[1, 4], Label::Spam), (&[3], Label::Ham)];

    fn counted(documents: &[(&[u32], Label)]) -> Counts {
        let mut counts = Counts::default();
        for (buckets, label) in documents {
            counts.learn(buckets, *label);
        }
        counts
    }

    #[test]
    fn leaving_a_document_or_a_page_out_is_exactly_never_having_counted_it() {
        let all = counted(&DOCUMENTS);
        for (index, left) in DOCUMENTS.iter().enumerate() {
            let mut rest = counted(&DOCUMENTS.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, d)| *d).collect::<Vec<_>>());
            // The smoothing spreads over the columns of the full table in both.
            rest.totals.columns = all.totals.columns;
            let never = rest.sums_without(left.0, &LeftOut::page([]));
            assert_eq!(all.sums_without(left.0, &LeftOut::itself(left.0, left.1)), never);
            assert_eq!(all.sums_without(left.0, &LeftOut::page([*left])), never);
        }
    }

    proptest! {
        #[test]
        fn unlearning_what_was_learnt_restores_every_bit(
            documents in prop::collection::vec((prop::collection::btree_set(0u32..50, 1..20), any::<bool>()), 1..20),
            which in any::<prop::sample::Index>(),
        ) {
            let label = |spam| if spam { Label::Spam } else { Label::Ham };
            let documents: Vec<(Vec<u32>, Label)> = documents.into_iter().map(|(b, spam)| (b.into_iter().collect(), label(spam))).collect();
            let mut counts = Counts::default();
            for (buckets, label) in &documents {
                counts.learn(buckets, *label);
            }
            let before = counts.clone();
            let (buckets, label) = which.get(&documents);
            counts.learn(buckets, *label);
            counts.unlearn(buckets, *label);
            prop_assert_eq!(&counts, &before);
            let stored = Counts::from_cells(counts.used());
            prop_assert_eq!(stored, before);
        }
    }
}
