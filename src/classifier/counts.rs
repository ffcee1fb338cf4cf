//! Counts: documents folded into one row per class. Multinomial counts add, so fitting the folded rows gives the same conditional
//! model as fitting every document, in memory of the size of the table (CLASSIFIER facts; Manning et al., "Introduction to
//! Information Retrieval", 13.2). Also the exact scores of documents left out: their own counts subtracted.

use super::Label;
use super::features::{Family, Features};
use std::collections::{BTreeMap, HashMap};

/// Lidstone smoothing over the columns seen in training; .02 measured best of .005 to 1 on comments.
pub const SMOOTHING: f64 = 0.02;

/// A document as training keeps it: distinct buckets per family, dense ratios, label.
#[derive(Debug, Clone)]
pub struct Document {
    pub buckets: [Vec<u32>; Family::ALL.len()],
    pub dense: Vec<f64>,
    pub label: Label,
    pub group: Option<String>,
}

impl Document {
    pub fn new(features: &Features<'_>, label: Label, group: Option<String>) -> Self {
        let buckets = Family::ALL.map(|family| features.family(family).iter().map(|feature| feature.bucket).collect());
        Self { buckets, dense: features.dense.to_vec(), label, group }
    }
}

/// Counts of one family: per bucket the mass in spam and ham and the number of documents. Each document spreads over its n features
/// a vector of length 1, so every feature counts 1/sqrt(n).
#[derive(Debug, Clone, Default)]
pub struct Counts {
    pub cells: BTreeMap<u32, Cell>,
    pub spam: f64,
    pub ham: f64,
}

/// One bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cell {
    pub spam: f64,
    pub ham: f64,
    pub documents: f64,
}

/// The weight of each feature in a document of `n` features.
pub fn share(n: usize) -> f64 {
    let n = u32::try_from(n.max(1)).unwrap_or(u32::MAX);
    1.0 / f64::from(n).sqrt()
}

impl Counts {
    /// Folds one document's features in.
    pub fn add(&mut self, buckets: &[u32], label: Label) {
        let share = share(buckets.len());
        for &bucket in buckets {
            let cell = self.cells.entry(bucket).or_default();
            cell.documents += 1.0;
            match label {
                Label::Spam => cell.spam += share,
                Label::Ham => cell.ham += share,
            }
            *self.total(label) += share;
        }
    }

    fn total(&mut self, label: Label) -> &mut f64 {
        match label {
            Label::Spam => &mut self.spam,
            Label::Ham => &mut self.ham,
        }
    }

    /// The three sums that the stack reads of a document which was counted, with `left_out` (which holds it) subtracted.
    /// Buckets that only the left-out documents had weigh nothing, as at prediction.
    pub fn sums_without(&self, buckets: &[u32], left_out: &LeftOut) -> Sums {
        let columns = f64::from(u32::try_from(self.cells.len()).unwrap_or(u32::MAX));
        let total = |all: f64, out: f64| (all - out).max(0.0) + SMOOTHING * columns;
        let norm = total(self.spam, left_out.spam).ln() - total(self.ham, left_out.ham).ln();
        let mut sums = Sums::default();
        for bucket in buckets {
            let (Some(cell), out) = (self.cells.get(bucket), left_out.cells.get(bucket).copied().unwrap_or_default()) else { continue };
            let documents = cell.documents - out.documents;
            if documents < 0.5 {
                continue;
            }
            let weight = ((cell.spam - out.spam).max(0.0) + SMOOTHING).ln() - ((cell.ham - out.ham).max(0.0) + SMOOTHING).ln() - norm;
            sums.add(weight, documents.ln_1p());
        }
        sums.over(buckets.len())
    }
}

/// Counts to be subtracted: one document's, or a whole page's.
#[derive(Debug, Default)]
pub struct LeftOut {
    cells: HashMap<u32, Cell>,
    spam: f64,
    ham: f64,
}

impl LeftOut {
    pub fn of<'a>(documents: impl IntoIterator<Item = (&'a [u32], Label)>) -> Self {
        let mut left_out = Self::default();
        for (buckets, label) in documents {
            let share = share(buckets.len());
            for &bucket in buckets {
                let cell = left_out.cells.entry(bucket).or_default();
                cell.documents += 1.0;
                match label {
                    Label::Spam => (cell.spam, left_out.spam) = (cell.spam + share, left_out.spam + share),
                    Label::Ham => (cell.ham, left_out.ham) = (cell.ham + share, left_out.ham + share),
                }
            }
        }
        left_out
    }
}

/// What the stack reads of one family: the sum of weights, the share of features seen in training, and how well known they are
/// (mean ln(1 + documents)). The last two teach the stack how far to trust the first.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    pub weight: f64,
    pub seen: f64,
    pub depth: f64,
}

impl Sums {
    pub fn add(&mut self, weight: f64, depth: f64) {
        self.weight += weight;
        self.seen += 1.0;
        self.depth += depth;
    }

    /// From totals to what the stack reads, for a document of `n` features in this family.
    #[must_use]
    pub fn over(self, n: usize) -> Self {
        let mean = share(n) * share(n);
        Self { weight: self.weight * share(n), seen: self.seen * mean, depth: self.depth * mean }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_a_document_out_is_exactly_never_having_counted_it() {
        let documents: [(&[u32], Label); 4] =
            [(&[1, 2, 3], Label::Spam), (&[2, 4], Label::Ham), (&[1, 4], Label::Spam), (&[3], Label::Ham)];
        let mut all = Counts::default();
        for (buckets, label) in documents {
            all.add(buckets, label);
        }
        for (index, left) in documents.iter().enumerate() {
            let mut rest = Counts::default();
            documents.iter().enumerate().filter(|(i, _)| *i != index).for_each(|(_, (buckets, label))| rest.add(buckets, *label));
            // The smoothing spreads over the columns of the full table in both.
            for bucket in all.cells.keys() {
                rest.cells.entry(*bucket).or_default();
            }
            let without = all.sums_without(left.0, &LeftOut::of([*left]));
            let never = rest.sums_without(left.0, &LeftOut::default());
            assert!((without.weight - never.weight).abs() < 1e-9, "{without:?} {never:?}");
            assert!((without.seen - never.seen).abs() < 1e-12);
        }
    }
}
