//! Splits: which examples are judged by a model that learnt from which others. Pure; fitting the models is the caller's (see
//! `flow::evaluate`).

use super::hashing::{Hashing, mix};
use super::{Example, Label};
use crate::text::Reading;
use std::collections::HashMap;

/// How examples are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// So many parts, each with its share of spam, each judged by a model of the others.
    Folds(usize),
    /// So many parts, and all copies of one text in the same.
    FoldsOfTexts(usize),
    /// Each group (page) judged by a model of all others.
    Groups,
    /// In order of time: cut into so many parts, each judged by a model of all before it; the first is only learnt from.
    Time(usize),
}

/// The part of every example, counted from 0.
pub fn parts(examples: &[Example], split: Split, seed: u64) -> Vec<usize> {
    match split {
        Split::Folds(n) => shuffled(examples, n, seed, |index, _| u64::try_from(index).unwrap_or(0)),
        Split::FoldsOfTexts(n) => shuffled(examples, n, seed, |_, example| Hashing::of(0).word(&Reading::of(&example.body).folded)),
        Split::Groups => groups(examples),
        Split::Time(n) => times(examples, n),
    }
}

/// Deals units (examples, or texts with their copies) out in an order that the seed makes, each class on its own, so that every part has its
/// share of spam.
fn shuffled(examples: &[Example], n: usize, seed: u64, unit: impl Fn(usize, &Example) -> u64) -> Vec<usize> {
    let units: Vec<u64> = examples.iter().enumerate().map(|(index, example)| unit(index, example)).collect();
    let mut first: HashMap<u64, Label> = HashMap::new();
    units.iter().zip(examples).for_each(|(unit, example)| {
        first.entry(*unit).or_insert(example.label);
    });
    let mut part_of = HashMap::new();
    for label in [Label::Ham, Label::Spam] {
        let mut order: Vec<u64> = first.iter().filter(|(_, of)| **of == label).map(|(unit, _)| *unit).collect();
        order.sort_unstable_by_key(|unit| (mix(unit ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0xd6e8_feb8_6659_fd93), *unit));
        part_of.extend(order.into_iter().zip((0..n.max(1)).cycle()));
    }
    units.iter().map(|unit| part_of.get(unit).copied().unwrap_or(0)).collect()
}

/// Examples without a group are one together.
fn groups(examples: &[Example]) -> Vec<usize> {
    let mut known = HashMap::new();
    examples
        .iter()
        .map(|example| {
            let next = known.len();
            *known.entry(example.group.as_deref()).or_insert(next)
        })
        .collect()
}

/// By time, then by place in the file; those without a time come first, as what was known before.
fn times(examples: &[Example], n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..examples.len()).collect();
    order.sort_by_key(|index| examples.get(*index).and_then(|example| example.time.clone()));
    let mut parts = vec![0; examples.len()];
    for (rank, index) in order.into_iter().enumerate() {
        if let Some(part) = parts.get_mut(index) {
            *part = rank * n.max(1) / examples.len().max(1);
        }
    }
    parts
}
