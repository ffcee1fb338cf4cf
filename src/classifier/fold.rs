//! Folding: a stream of labelled examples into counts, and a sample of them that the stack will be fitted on. Memory is that of the tables
//! and the sample, however long the stream. What is made of a fold is `train`'s.

use super::counts::{Counts, LeftOut};
use super::features::{DENSE, Family, Features};
use super::hashing::{Hashing, mix};
use super::model::Model;
use super::stack::{INPUTS, Stack};
use super::{Example, Label, blend};
use crate::text::Reading;
use std::collections::HashMap;

/// Where a model will work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// On comments like its examples: the site they come from.
    Home,
    /// On sites it has never seen, as the starter must.
    Abroad,
}

/// Documents that the stack is fitted on: a few dozen weights need no more, and 1.7 KB each is kept.
const SAMPLE_MAX: usize = 20_000;

/// Of one text and its near copies so many count under each label: a campaign of thousands must not be what a model knows, and ten wrong
/// rulings must not keep ten right ones out.
const COPIES_MAX: u8 = 10;

/// Examples as they were folded.
#[derive(Debug)]
pub struct Fold {
    pub reach: Reach,
    pub hashing: Hashing,
    /// By family.
    pub counts: Vec<Counts>,
    /// Examples that counted, by class; and near copies beyond the ten that count.
    pub spam: usize,
    pub ham: usize,
    pub copies: usize,
    pub base: Option<Model>,
    /// What the base says of the first examples.
    pub base_scored: Vec<(f64, Label)>,
    sample: Sample,
    sketches: Sketches,
    features: Features,
}

/// An example as counts and rows need it: its features, distinct and by family.
#[derive(Debug)]
pub struct Document {
    buckets: [Box<[u32]>; Family::ALL.len()],
    dense: [f64; DENSE.len()],
    label: Label,
    page: Option<u64>,
    sketches: [u64; 2],
}

/// One row for the stack: what it reads of a document that the counts do not hold.
#[derive(Debug, Clone)]
pub struct Row {
    pub inputs: [f64; INPUTS],
    pub label: Label,
}

impl Fold {
    /// `key` is the hashing's: with the same key and examples the fold is the same.
    pub fn new(reach: Reach, key: u64) -> Self {
        Self {
            reach,
            hashing: Hashing::of(key),
            counts: vec![Counts::default(); Family::ALL.len()],
            spam: 0,
            ham: 0,
            copies: 0,
            base: None,
            base_scored: Vec::new(),
            sample: Sample::default(),
            sketches: Sketches::default(),
            features: Features::default(),
        }
    }

    /// Over a model made elsewhere, which must not have seen these examples.
    #[must_use]
    pub fn over(self, base: Model) -> Self {
        Self { base: Some(base), ..self }
    }

    pub fn add(&mut self, example: &Example) {
        let document = Document::of(example, &self.hashing, &mut self.features);
        self.count(document, &example.body);
    }

    /// The half of [`Fold::add`] that must go in order; `document` is of this fold's hashing, and `body` its text.
    pub fn count(&mut self, mut document: Document, body: &str) {
        if self.sketches.is_copy(document.sketches) {
            self.copies += 1;
            return;
        }
        if self.reach == Reach::Abroad {
            // The hosts that one corpus happens to link would only mislead: ham that cites encyclopaedias, spam on invented domains.
            document.forget(Family::Hosts);
        }
        let label = document.label;
        match label {
            Label::Spam => self.spam += 1,
            Label::Ham => self.ham += 1,
        }
        for (counts, buckets) in self.counts.iter_mut().zip(&document.buckets) {
            counts.learn(buckets, label);
        }
        self.sample.offer(document);
        if let Some(base) = &self.base
            && self.spam + self.ham < blend::LABELS_ALONE
        {
            self.base_scored.push((base.log_odds(&mut self.features, &Reading::of(body)), label));
        }
    }

    /// The sample's rows: every document once left out alone, and, where its page is known and wholly in the sample, once with the page.
    /// Scores of what was counted would teach the stack to trust what it has memorised.
    pub fn rows(&self) -> Vec<Row> {
        let pages = self.sample.whole_pages();
        let mut rows = Vec::with_capacity(2 * self.sample.documents.len());
        for document in &self.sample.documents {
            let itself = document.buckets.iter().map(|buckets| LeftOut::itself(buckets, document.label));
            rows.push(self.row(document, itself));
            if let Some(page) = document.page.and_then(|page| pages.get(&page)) {
                rows.push(self.row(document, page));
            }
        }
        rows
    }

    fn row(&self, document: &Document, left_out: impl IntoIterator<Item = impl std::borrow::Borrow<LeftOut>>) -> Row {
        let families = self.counts.iter().zip(&document.buckets).zip(left_out);
        let sums = families.map(|((counts, buckets), out)| counts.sums_without(buckets, out.borrow()));
        Row { inputs: Stack::inputs(sums, &document.dense), label: document.label }
    }
}

impl Document {
    /// The half of reading that knows no other example, and so may run beside others. `features` is room to work in.
    pub fn of(example: &Example, hashing: &Hashing, features: &mut Features) -> Self {
        features.read(&Reading::of(&example.body), hashing);
        Self {
            buckets: features.families().each_ref().map(|buckets| buckets.as_slice().into()),
            dense: features.dense,
            label: example.label,
            page: example.group.as_deref().map(|page| Hashing::of(0).word(page)),
            sketches: sketches(features.family(Family::Words), example.label),
        }
    }

    /// Leaves a family out.
    fn forget(&mut self, family: Family) {
        if let Some(buckets) = self.buckets.get_mut(family as usize) {
            *buckets = Box::default();
        }
    }
}

/// A sample of whole pages by the hash of their name, halved whenever it is full; long pages are cut into stretches.
#[derive(Debug)]
struct Sample {
    documents: Vec<Document>,
    units: Vec<u64>,
    /// Units up to this are kept.
    limit: u64,
    seen: u64,
    /// How many documents each page has, by hash; pages that share a slot count as one, and so never as whole.
    on_page: Vec<u32>,
}

impl Default for Sample {
    fn default() -> Self {
        Self { documents: Vec::new(), units: Vec::new(), limit: u64::MAX, seen: 0, on_page: vec![0; SLOTS] }
    }
}

/// Documents of one page that are kept or dropped together.
const STRETCH: u32 = 500;

const SLOTS: usize = 1 << 16;

fn slot(page: u64) -> usize {
    (page >> 48) as usize % SLOTS
}

/// The same on every platform and in every version, since the sample decides what the stack learns.
fn hashed(values: &[u64]) -> u64 {
    values.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, value| mix(hash ^ value, 0xd6e8_feb8_6659_fd93).wrapping_add(*value))
}

impl Sample {
    fn offer(&mut self, document: Document) {
        self.seen += 1;
        let unit = match document.page {
            None => hashed(&[self.seen]),
            Some(page) => hashed(&[page, u64::from(self.count_on(page) / STRETCH)]),
        };
        if unit > self.limit {
            return;
        }
        self.units.push(unit);
        self.documents.push(document);
        if self.documents.len() > SAMPLE_MAX {
            self.halve();
        }
    }

    /// One more document on this page; answers how many there are.
    fn count_on(&mut self, page: u64) -> u32 {
        let slot = slot(page);
        self.on_page.get_mut(slot).map_or(0, |on_page| {
            *on_page += 1;
            *on_page
        })
    }

    fn halve(&mut self) {
        self.limit /= 2;
        let units = std::mem::take(&mut self.units);
        let mut kept = units.iter().map(|unit| *unit <= self.limit);
        self.documents.retain(|_| kept.next().unwrap_or(false));
        self.units = units.into_iter().filter(|unit| *unit <= self.limit).collect();
    }

    /// Counts of every page that is here with all its documents; none where there is only one, which would leave nothing.
    fn whole_pages(&self) -> HashMap<u64, Vec<LeftOut>> {
        let mut pages: HashMap<u64, Vec<&Document>> = HashMap::new();
        for document in &self.documents {
            if let Some(page) = document.page {
                pages.entry(page).or_default().push(document);
            }
        }
        if pages.len() < 2 {
            return HashMap::new();
        }
        let is_whole = |page: u64, n: usize| self.on_page.get(slot(page)).is_some_and(|all| *all as usize == n);
        pages
            .into_iter()
            .filter(|(page, documents)| is_whole(*page, documents.len()))
            .map(|(page, documents)| (page, left_out(&documents)))
            .collect()
    }
}

fn left_out(documents: &[&Document]) -> Vec<LeftOut> {
    (0..Family::ALL.len())
        .map(|family| LeftOut::page(documents.iter().filter_map(|document| Some((document.buckets.get(family)?.as_ref(), document.label)))))
        .collect()
}

/// How often near copies of a text were met. Two sketches of four minima each over the text's words and pairs: two texts share a sketch of
/// four with the fourth power of their resemblance (Broder, "On the resemblance and containment of documents", 1997). The counters
/// are of fixed number; texts that share one by chance (1 in 16,000 at a million texts) count as copies too early.
#[derive(Debug)]
struct Sketches {
    met: Vec<u8>,
}

const SKETCH_BITS: u32 = 22;

impl Default for Sketches {
    fn default() -> Self {
        Self { met: vec![0; 1 << SKETCH_BITS] }
    }
}

impl Sketches {
    fn is_copy(&mut self, sketches: [u64; 2]) -> bool {
        let mut is_copy = false;
        for sketch in sketches {
            let index = usize::try_from(sketch >> (64 - SKETCH_BITS)).unwrap_or(0);
            if let Some(met) = self.met.get_mut(index) {
                is_copy |= *met >= COPIES_MAX;
                *met = met.saturating_add(1);
            }
        }
        is_copy
    }
}

/// Each label has its own: ten wrong rulings must not keep ten right ones out.
fn sketches(words: &[u32], label: Label) -> [u64; 2] {
    let of = |first: u64| {
        let [a, b, c, d] = [0, 1, 2, 3].map(|n| minimum(words, first + n));
        hashed(&[a, b, c, d, u64::from(label == Label::Spam)])
    };
    [0, 4].map(of)
}

/// The least of the buckets under one of several orders.
fn minimum(buckets: &[u32], order: u64) -> u64 {
    let factor = hashed(&[order]) | 1;
    buckets.iter().map(|bucket| u64::from(*bucket + 1).wrapping_mul(factor)).min().unwrap_or(0)
}
