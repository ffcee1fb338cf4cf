//! Splits: which examples are judged by a model that learnt from which others. Pure; fitting the models is the caller's (see
//! `flow::evaluate`).

use super::hashing::{Hashing, mix};
use super::{Example, Label};
use crate::clock::Timestamp;
use crate::text::Reading;
use std::collections::{HashMap, HashSet};

/// How examples are split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// So many parts, each with its share of spam, each judged by a model of the others.
    Folds(usize),
    /// So many parts, and all copies of one text in the same.
    FoldsOfTexts(usize),
    /// Each group (page) judged by a model of all others. Beyond [`GROUPS_ALONE_MAX`] groups they are dealt, whole, into so many parts.
    Groups(usize),
    /// In order of time: cut into so many parts, each judged by a model of all before it; the first is only learnt from.
    Time(usize),
}

/// Up to this many groups are each a part of their own; a model for every page of a large site would take hours and say no more.
pub const GROUPS_ALONE_MAX: usize = 20;

/// The part of every example, counted from 0; none for one that is left out.
pub fn parts(examples: &[Example], split: Split, seed: u64) -> Vec<Option<usize>> {
    match split {
        Split::Folds(n) => whole(&dealt(examples, n, seed, &places(examples))),
        Split::FoldsOfTexts(n) => whole(&dealt(examples, n, seed, &texts(examples))),
        Split::Groups(n) => whole(&groups(examples, n)),
        Split::Time(n) => times(examples, n),
    }
}

fn whole(parts: &[usize]) -> Vec<Option<usize>> {
    parts.iter().copied().map(Some).collect()
}

/// One number for each example: where it stands, so that no two are one.
fn places(examples: &[Example]) -> Vec<u64> {
    (0..).take(examples.len()).collect()
}

/// One number for each text as it is read: copies have the same, also those that differ only in case, spacing, tags or where links lead.
pub fn texts(examples: &[Example]) -> Vec<u64> {
    examples.iter().map(|example| Hashing::of(0).word(&Reading::of(&example.body).folded)).collect()
}

/// A place in an order that only the seed knows.
fn shuffled(value: u64, seed: u64) -> u64 {
    mix(value ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0xd6e8_feb8_6659_fd93)
}

/// Deals units (examples, or texts with their copies) out in an order that the seed makes, each class on its own, so that every part has its
/// share of spam. A unit of both labels is of the first.
fn dealt(examples: &[Example], n: usize, seed: u64, units: &[u64]) -> Vec<usize> {
    let mut first: HashMap<u64, Label> = HashMap::new();
    units.iter().zip(examples).for_each(|(unit, example)| {
        first.entry(*unit).or_insert(example.label);
    });
    let mut part_of = HashMap::new();
    for label in [Label::Ham, Label::Spam] {
        let mut order: Vec<u64> = first.iter().filter(|(_, of)| **of == label).map(|(unit, _)| *unit).collect();
        order.sort_unstable_by_key(|unit| (shuffled(*unit, seed), *unit));
        part_of.extend(order.into_iter().zip((0..n.max(1)).cycle()));
    }
    units.iter().map(|unit| part_of.get(unit).copied().unwrap_or(0)).collect()
}

/// Examples without a group are one together. Many groups go largest first to the part that is smallest then.
fn groups(examples: &[Example], n: usize) -> Vec<usize> {
    let mut known: HashMap<Option<&str>, usize> = HashMap::new();
    let of: Vec<usize> = examples
        .iter()
        .map(|example| {
            let next = known.len();
            *known.entry(example.group.as_deref()).or_insert(next)
        })
        .collect();
    if known.len() <= GROUPS_ALONE_MAX {
        return of;
    }
    let mut sizes = vec![0_usize; known.len()];
    for group in &of {
        if let Some(size) = sizes.get_mut(*group) {
            *size += 1;
        }
    }
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|group| std::cmp::Reverse(sizes.get(*group).copied()));
    let (mut filled, mut part_of) = (vec![0_usize; n.max(1)], vec![0; sizes.len()]);
    for group in order {
        let emptiest = (0..filled.len()).min_by_key(|part| filled.get(*part).copied()).unwrap_or(0);
        if let (Some(part), Some(filled), Some(size)) = (part_of.get_mut(group), filled.get_mut(emptiest), sizes.get(group)) {
            *part = emptiest;
            *filled += size;
        }
    }
    of.into_iter().map(|group| part_of.get(group).copied().unwrap_or(0)).collect()
}

/// When it was written; none without a date that can be read. A date without an offset counts as UTC, a day alone as its first moment.
pub fn moment(example: &Example) -> Option<Timestamp> {
    let time = example.time.as_deref()?.trim();
    let forms = [time.to_owned(), format!("{time}Z"), format!("{time}T00:00:00Z")];
    forms.iter().find_map(|form| Timestamp::parse(form).ok())
}

/// Places in order of time. Those without a date are left out, unless none has one: then the order is that of the file.
pub fn in_time(examples: &[Example]) -> Vec<usize> {
    ordered(examples).into_iter().map(|(_, place)| place).collect()
}

/// (When, place), ascending.
fn ordered(examples: &[Example]) -> Vec<(i64, usize)> {
    let mut dated: Vec<(i64, usize)> =
        examples.iter().enumerate().filter_map(|(place, example)| Some((moment(example)?.ms(), place))).collect();
    if dated.is_empty() {
        dated = (0..).zip(0..examples.len()).collect();
    }
    dated.sort_unstable();
    dated
}

/// Cuts of equal size, moved later where they would part comments of one moment: every part is strictly later than those before it.
fn times(examples: &[Example], n: usize) -> Vec<Option<usize>> {
    let order = ordered(examples);
    let mut parts = vec![None; examples.len()];
    let mut last: Option<(i64, usize)> = None;
    let mut next = 0;
    for (rank, (when, place)) in order.iter().enumerate() {
        let part = match last {
            Some((moment, part)) if moment == *when => part,
            // Numbered as they come, so that a moment larger than a part leaves no part empty.
            Some((_, part)) if rank * n.max(1) / order.len().max(1) > next => {
                next = rank * n.max(1) / order.len().max(1);
                part + 1
            }
            Some((_, part)) => part,
            None => 0,
        };
        if let Some(slot) = parts.get_mut(*place) {
            *slot = Some(part);
        }
        last = Some((*when, part));
    }
    parts
}

/// Places of `n` examples to learn from and of those to be judged then, in an order that the seed makes. Where `apart` gives one number for
/// each text, copies of what is learnt are not judged.
pub fn learnt_and_judged(examples: usize, n: usize, seed: u64, apart: Option<&[u64]>) -> (Vec<usize>, Vec<usize>) {
    let mut learnt: Vec<usize> = (0..examples).collect();
    learnt.sort_by_key(|place| shuffled(u64::try_from(*place).unwrap_or(u64::MAX), seed.wrapping_add(1)));
    let mut judged = learnt.split_off(n.min(examples));
    if let Some(texts) = apart {
        let known: HashSet<u64> = learnt.iter().filter_map(|place| texts.get(*place).copied()).collect();
        judged.retain(|place| texts.get(*place).is_some_and(|text| !known.contains(text)));
    }
    (learnt, judged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Ham, Spam};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn example(body: impl Into<String>, label: Label, group: Option<String>, time: Option<&str>) -> Example {
        Example { body: body.into(), label, group, time: time.map(str::to_owned) }
    }

    /// Some texts stand often, in other clothes; some examples have no group, some no date.
    fn corpus(n: usize, texts: usize, groups: usize) -> Vec<Example> {
        (0..n)
            .map(|place| {
                let text = place * place % texts.max(1);
                let body = if place % 2 == 0 { format!("Text number {text}") } else { format!("<b>text</b>  NUMBER {text}") };
                let label = if text.is_multiple_of(3) { Spam } else { Ham };
                let group = (place % 7 != 0).then(|| format!("page {}", place % groups.max(1)));
                let day = format!("2024-01-{:02}", 1 + place * 13 % 28);
                example(body, label, group, (place % 5 != 0).then_some(day.as_str()))
            })
            .collect()
    }

    /// (spam, ham) of every part, and all that had none.
    fn sizes<'a>(examples: impl IntoIterator<Item = &'a Example>, parts: &[Option<usize>]) -> (BTreeMap<usize, (usize, usize)>, usize) {
        let (mut sizes, mut left_out) = (BTreeMap::<usize, (usize, usize)>::new(), 0);
        for (example, part) in examples.into_iter().zip(parts) {
            match (part, example.label) {
                (None, _) => left_out += 1,
                (Some(part), Spam) => sizes.entry(*part).or_default().0 += 1,
                (Some(part), Ham) => sizes.entry(*part).or_default().1 += 1,
            }
        }
        (sizes, left_out)
    }

    fn spread(values: impl Iterator<Item = usize> + Clone) -> usize {
        values.clone().max().unwrap_or(0) - values.min().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn folds_hold_everything_once_and_an_even_share_of_each_class(n in 1usize..300, folds in 1usize..12, seed: u64) {
            let examples = corpus(n, 1000, 4);
            let (sizes, left_out) = sizes(&examples, &parts(&examples, Split::Folds(folds), seed));
            prop_assert_eq!(left_out, 0);
            prop_assert_eq!(sizes.values().map(|(spam, ham)| spam + ham).sum::<usize>(), n);
            prop_assert!(sizes.keys().all(|part| *part < folds));
            if n >= 12 * folds {
                prop_assert_eq!(sizes.len(), folds);
                prop_assert!(spread(sizes.values().map(|size| size.0)) <= 1 && spread(sizes.values().map(|size| size.1)) <= 1, "{:?}", sizes);
            }
        }

        #[test]
        fn copies_of_a_text_are_never_on_both_sides(n in 1usize..300, texts in 1usize..80, folds in 2usize..12, seed: u64) {
            let examples = corpus(n, texts, 4);
            let parts = parts(&examples, Split::FoldsOfTexts(folds), seed);
            let mut part_of = BTreeMap::new();
            for (example, part) in examples.iter().zip(&parts) {
                prop_assert!(part.is_some_and(|part| part < folds));
                let text = Reading::of(&example.body).folded;
                prop_assert_eq!(part_of.entry(text).or_insert(*part), part);
            }
        }

        #[test]
        fn groups_stay_whole_and_few_stand_alone(n in 1usize..300, groups in 1usize..60, folds in 2usize..12) {
            let examples = corpus(n, 1000, groups);
            let parts = parts(&examples, Split::Groups(folds), 0);
            let mut part_of = BTreeMap::new();
            for (example, part) in examples.iter().zip(&parts) {
                prop_assert!(part.is_some());
                prop_assert_eq!(part_of.entry(&example.group).or_insert(*part), part);
            }
            let used: BTreeSet<_> = parts.iter().collect();
            prop_assert_eq!(used.len(), if part_of.len() <= GROUPS_ALONE_MAX { part_of.len() } else { folds });
        }

        #[test]
        fn every_part_of_time_is_strictly_later(n in 1usize..300, folds in 2usize..12) {
            let examples = corpus(n, 1000, 4);
            let parts = parts(&examples, Split::Time(folds), 0);
            let mut ends: BTreeMap<usize, (Timestamp, Timestamp)> = BTreeMap::new();
            for (example, part) in examples.iter().zip(&parts) {
                let when = moment(example);
                // Where nobody has a date the order is that of the file (its own test).
                prop_assert!(part.is_some() == when.is_some() || examples.iter().all(|example| moment(example).is_none()));
                if let (Some(part), Some(when)) = (part, when) {
                    let end = ends.entry(*part).or_insert((when, when));
                    *end = (end.0.min(when), end.1.max(when));
                }
            }
            let in_order: Vec<_> = ends.values().collect();
            prop_assert!(in_order.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", ends);
            prop_assert!(ends.keys().copied().eq(0..ends.len()) && ends.len() <= folds);
        }

        #[test]
        fn what_is_learnt_is_not_judged(n in 0usize..200, learnt in 0usize..250, texts in 1usize..40, seed: u64) {
            let examples = corpus(n, texts, 4);
            let (all_learnt, all_judged) = learnt_and_judged(n, learnt, seed, None);
            prop_assert_eq!(all_learnt.len(), learnt.min(n));
            let both: BTreeSet<_> = all_learnt.iter().chain(&all_judged).collect();
            prop_assert_eq!(both.len(), n);
            prop_assert_eq!(all_learnt.len() + all_judged.len(), n);
            let numbers = super::texts(&examples);
            let (again, judged) = learnt_and_judged(n, learnt, seed, Some(&numbers));
            prop_assert_eq!(&again, &all_learnt);
            let known: BTreeSet<_> = again.iter().map(|place| numbers[*place]).collect();
            let expected: Vec<_> = all_judged.iter().copied().filter(|place| !known.contains(&numbers[*place])).collect();
            prop_assert_eq!(judged, expected);
        }
    }

    #[test]
    fn a_seed_deals_again_and_another_deals_otherwise() {
        let examples = corpus(100, 1000, 4);
        let dealt = |seed| parts(&examples, Split::Folds(5), seed);
        assert_eq!(dealt(7), dealt(7));
        assert_ne!(dealt(7), dealt(8));
        assert_ne!(learnt_and_judged(100, 50, 1, None), learnt_and_judged(100, 50, 2, None));
    }

    #[test]
    fn without_any_date_the_file_is_the_order() {
        let examples: Vec<_> = (0..10).map(|n| example(format!("{n}"), Ham, None, None)).collect();
        assert_eq!(in_time(&examples), (0..10).collect::<Vec<_>>());
        assert_eq!(parts(&examples, Split::Time(5), 0), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4].map(Some));
    }

    #[test]
    fn dates_are_read_as_instants_and_what_has_none_is_left_out() {
        let dates = ["2024-05-01T12:00:00+02:00", "2024-05-01T10:30:00", "2024-05-01", "2024-05-01T11:00:00Z", "in May", ""];
        let examples: Vec<_> = dates.iter().map(|date| example("a", Ham, None, Some(date))).collect();
        assert_eq!(in_time(&examples), [2, 0, 1, 3]);
        assert_eq!(parts(&examples, Split::Time(2), 0), [Some(0), Some(1), Some(0), Some(1), None, None]);
    }

    #[test]
    fn one_moment_is_not_cut() {
        let dates = ["2024-05-01", "2024-05-02", "2024-05-02", "2024-05-02", "2024-05-02", "2024-05-03"];
        let examples: Vec<_> = dates.iter().map(|date| example("a", Ham, None, Some(date))).collect();
        assert_eq!(parts(&examples, Split::Time(3), 0), [0, 0, 0, 0, 0, 1].map(Some));
    }
}
