//! The model: tables of weights and the stack over them, as bytes and in memory. Scores and explains; knows nothing of how it was
//! made (see `train`) or where it is kept (see `shelf`).
//!
//! A file is, in order, little endian: magic (8), format (u32), length of the card (u32), the card (JSON), per family the number of
//! entries (u32) and each entry (bucket u32, weight f32, depth f32), the stack's weights and its inputs' means (f64 each) and intercept (f64), and the
//! SHA-256 of all before it (32).

use super::counts::{Sums, share};
use super::evaluate::Measures;
use super::features::{BUCKETS, DENSE, FEATURES_VERSION, Family, Features, Piece};
use super::{Contribution, Score};
use crate::decision::logistic;
use crate::id::ModelId;
use crate::text::Reading;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"HAMLET\x00M";
const FORMAT: u32 = 1;

/// The stack reads three sums of each family and the dense ratios.
pub const INPUTS: usize = 3 * Family::ALL.len() + DENSE.len();

/// The readable contributions a score carries along; the full table is [`Model::explain`]'s.
const EVIDENCE_MAX: usize = 6;

/// Contributions below this say nothing to a person.
const EVIDENCE_MIN: f64 = 0.1;

/// An immutable, named classifier.
#[derive(Debug, Clone)]
pub struct Model {
    pub id: ModelId,
    pub card: Card,
    tables: Vec<Table>,
    stack: Stack,
}

/// What people should know of a model before they trust it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// RFC 3339.
    pub trained_at: String,
    pub features_version: u32,
    pub spam: usize,
    pub ham: usize,
    pub sources: Vec<Source>,
    /// Out of sample: every example scored by a model that had not counted it. The stack saw these rows, so they flatter a little.
    pub figures: Figures,
}

/// Where examples came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub name: String,
    pub sha256: String,
    pub examples: usize,
}

/// [`Measures`] as the card keeps them, rounded to what the data can carry.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub accuracy: f64,
    pub auc: f64,
    pub log_loss: f64,
}

impl Figures {
    pub fn of(measures: &Measures) -> Self {
        let round = |value: f64| (value * 10_000.0).round() / 10_000.0;
        Self { accuracy: round(measures.accuracy), auc: round(measures.auc), log_loss: round(measures.log_loss) }
    }
}

/// One bucket: its log-odds of spam, and ln(1 + documents) it was seen in. Both 0 where it was never seen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Entry {
    pub weight: f32,
    pub depth: f32,
}

/// The weights of one family, flat: [`BUCKETS`] entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Table(Vec<Entry>);

impl Table {
    /// Buckets out of range are nothing.
    pub fn new(entries: impl IntoIterator<Item = (u32, Entry)>) -> Self {
        let mut table = vec![Entry::default(); BUCKETS];
        for (bucket, entry) in entries {
            if let Some(slot) = table.get_mut(bucket as usize) {
                *slot = entry;
            }
        }
        Self(table)
    }

    fn entry(&self, bucket: u32) -> Entry {
        self.0.get(bucket as usize).copied().unwrap_or_default()
    }

    fn seen(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0..).zip(&self.0).filter(|(_, entry)| entry.depth > 0.0)
    }
}

/// Logistic regression over sums and ratios.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    pub intercept: f64,
    pub weights: [f64; INPUTS],
    /// The mean of every input in training: what a comment's form is shown against.
    pub typical: [f64; INPUTS],
}

impl Stack {
    /// Sums of the families in order, then the ratios.
    pub fn inputs(sums: &[Sums], dense: &[f64]) -> [f64; INPUTS] {
        let mut inputs = [0.0; INPUTS];
        let values = sums.iter().flat_map(|sums| [sums.weight, sums.seen, sums.depth]).chain(dense.iter().copied());
        for (slot, value) in inputs.iter_mut().zip(values) {
            *slot = value;
        }
        inputs
    }

    pub fn logit(&self, inputs: &[f64; INPUTS]) -> f64 {
        self.intercept + self.weights.iter().zip(inputs).map(|(weight, input)| weight * input).sum::<f64>()
    }

    /// The weight of one of a family's three inputs.
    fn of(&self, family: Family, which: usize) -> f64 {
        let index = Family::ALL.iter().position(|other| *other == family).unwrap_or(0);
        self.weights.get(3 * index + which).copied().unwrap_or(0.0)
    }
}

impl Model {
    pub fn assemble(card: Card, tables: Vec<Table>, stack: Stack) -> Self {
        let mut model = Self { id: ModelId::new(""), card, tables, stack };
        model.id = name(&model.body());
        model
    }

    /// Probability and the strongest readable evidence. Total on any text; finite.
    pub fn score(&self, reading: &Reading) -> Score {
        let features = Features::of(reading);
        let inputs = self.inputs(&features);
        let log_odds = self.stack.logit(&inputs).clamp(-LOGIT_MAX, LOGIT_MAX);
        Score { log_odds, model: self.id.clone(), evidence: self.evidence(&features, &inputs) }
    }

    /// The probability alone, in `0.0..=1.0`.
    pub fn probability(&self, reading: &Reading) -> f64 {
        logistic(self.stack.logit(&self.inputs(&Features::of(reading))).clamp(-LOGIT_MAX, LOGIT_MAX))
    }

    /// Every contribution: with the intercept (the first) they add up to the logit of the score, to rounding.
    pub fn explain(&self, reading: &Reading) -> Vec<Contribution> {
        let features = Features::of(reading);
        let mut all = vec![Contribution { what: "where every comment starts".to_owned(), log_odds: self.stack.intercept }];
        for (family, table) in Family::ALL.into_iter().zip(&self.tables) {
            let of_family = features.family(family);
            let per_feature = share(of_family.len());
            for feature in of_family {
                let entry = table.entry(feature.bucket);
                let weight = self.stack.of(family, 0) * f64::from(entry.weight) * per_feature;
                let seen = if entry.depth > 0.0 { self.stack.of(family, 1) } else { 0.0 };
                let trust = (seen + self.stack.of(family, 2) * f64::from(entry.depth)) * per_feature * per_feature;
                let what = feature.piece.readable().unwrap_or_else(|| unreadable(feature.piece));
                all.push(Contribution { what, log_odds: weight + trust });
            }
        }
        let ratios = DENSE.iter().zip(features.dense).zip(self.stack.weights.iter().skip(3 * Family::ALL.len()));
        all.extend(ratios.map(|((what, value), weight)| Contribution { what: (*what).to_owned(), log_odds: weight * value }));
        all
    }

    fn inputs(&self, features: &Features<'_>) -> [f64; INPUTS] {
        let mut sums = [Sums::default(); Family::ALL.len()];
        for ((sums, table), family) in sums.iter_mut().zip(&self.tables).zip(Family::ALL) {
            let of_family = features.family(family);
            for entry in of_family.iter().map(|feature| table.entry(feature.bucket)).filter(|entry| entry.depth > 0.0) {
                sums.add(f64::from(entry.weight), f64::from(entry.depth));
            }
            *sums = sums.over(of_family.len());
        }
        Stack::inputs(&sums, &features.dense)
    }

    /// The strongest words, pairs and links, by what they add to the logit.
    fn evidence(&self, features: &Features<'_>, inputs: &[f64; INPUTS]) -> Vec<Contribution> {
        let mut strongest: Vec<(f64, Piece<'_>)> = Vec::new();
        for (family, table) in
            [Family::Words, Family::Links, Family::Hosts].into_iter().filter_map(|family| Some((family, self.table(family)?)))
        {
            let of_family = features.family(family);
            let scale = self.stack.of(family, 0) * share(of_family.len());
            let weighed = of_family.iter().map(|feature| (scale * f64::from(table.entry(feature.bucket).weight), feature.piece));
            strongest.extend(weighed.filter(|(log_odds, _)| log_odds.abs() >= EVIDENCE_MIN));
        }
        strongest.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
        let words = strongest
            .into_iter()
            .filter_map(|(log_odds, piece)| Some(Contribution { what: piece.readable()?, log_odds }))
            .take(EVIDENCE_MAX - 1);
        words.chain(self.form_evidence(inputs)).collect()
    }

    /// Form as one line: what length, signs and number of links say beside the words, against a typical comment.
    fn form_evidence(&self, inputs: &[f64; INPUTS]) -> Option<Contribution> {
        let form = Family::ALL.iter().position(|family| *family == Family::Form)?;
        let unusual = inputs.iter().zip(&self.stack.typical).map(|(input, typical)| input - typical);
        let parts = self.stack.weights.iter().zip(unusual).skip(3 * form).map(|(weight, unusual)| weight * unusual);
        let log_odds = parts.sum::<f64>();
        let what = "its form: length, signs, number of links".to_owned();
        (log_odds.abs() >= EVIDENCE_MIN).then_some(Contribution { what, log_odds })
    }

    fn table(&self, family: Family) -> Option<&Table> {
        Family::ALL.iter().position(|other| *other == family).and_then(|index| self.tables.get(index))
    }
}

/// Beyond this a probability is 0 or 1 in 64 bits, and no comment is that sure.
const LOGIT_MAX: f64 = 30.0;

fn unreadable(piece: Piece<'_>) -> String {
    match piece {
        Piece::Characters(run) => format!("letters “{run}”"),
        Piece::Form(name, bin) => format!("{name}, bin {bin}"),
        Piece::Link(kind, _) => format!("link: {kind}"),
        Piece::Word(word) | Piece::Pair(word, _) => word.to_owned(),
    }
}

/// Why bytes are no model of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadModel {
    #[error("this is no Hamlet model: it does not start as one")]
    Foreign,
    #[error("the model's format is {0}, this version reads format {FORMAT}; use the version that wrote it, or train anew")]
    Format(u32),
    #[error("the model reads features of version {0}, this version makes {FEATURES_VERSION}; train anew")]
    FeaturesVersion(u32),
    #[error("the model is damaged: its checksum is wrong; take it from a backup, or train anew")]
    Checksum,
    #[error("the model ends too early or holds what no model holds ({0}); take it from a backup, or train anew")]
    Malformed(&'static str),
}

impl Model {
    pub fn to_bytes(&self) -> Vec<u8> {
        let card = serde_json::to_vec(&self.card).unwrap_or_default();
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(u32::try_from(card.len()).unwrap_or(0).to_le_bytes());
        bytes.extend(card);
        bytes.extend(self.body());
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for table in &self.tables {
            let entries: Vec<(u32, &Entry)> = table.seen().collect();
            body.extend(u32::try_from(entries.len()).unwrap_or(0).to_le_bytes());
            for (bucket, entry) in entries {
                body.extend(bucket.to_le_bytes());
                body.extend(entry.weight.to_le_bytes());
                body.extend(entry.depth.to_le_bytes());
            }
        }
        for weight in self.stack.weights.iter().chain(&self.stack.typical).chain([&self.stack.intercept]) {
            body.extend(weight.to_le_bytes());
        }
        body
    }

    /// # Errors
    /// [`BadModel`] on anything but the exact bytes that [`Model::to_bytes`] made with these features.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadModel> {
        if !bytes.starts_with(MAGIC) {
            return Err(BadModel::Foreign);
        }
        let content_length = bytes.len().checked_sub(32).ok_or(BadModel::Malformed("no checksum"))?;
        let (content, checksum) = bytes.split_at_checked(content_length).ok_or(BadModel::Malformed("no checksum"))?;
        if Sha256::digest(content).as_slice() != checksum {
            return Err(BadModel::Checksum);
        }
        let mut rest = Bytes(content.get(MAGIC.len()..).unwrap_or(&[]));
        let format = rest.u32()?;
        if format != FORMAT {
            return Err(BadModel::Format(format));
        }
        let card_length = rest.u32()? as usize;
        let card: Card = serde_json::from_slice(rest.take(card_length)?).map_err(|_| BadModel::Malformed("card"))?;
        if card.features_version != FEATURES_VERSION {
            return Err(BadModel::FeaturesVersion(card.features_version));
        }
        let id = name(rest.0);
        let tables = Family::ALL.iter().map(|_| rest.table()).collect::<Result<Vec<Table>, BadModel>>()?;
        let stack = rest.stack()?;
        Ok(Self { id, card, tables, stack })
    }
}

fn name(body: &[u8]) -> ModelId {
    let digest = Sha256::digest(body);
    ModelId::new(digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// What is still to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], BadModel> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or(BadModel::Malformed("too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadModel> {
        self.take(N)?.try_into().map_err(|_| BadModel::Malformed("too short"))
    }

    fn u32(&mut self) -> Result<u32, BadModel> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn f32(&mut self) -> Result<f32, BadModel> {
        let value = f32::from_le_bytes(self.array()?);
        value.is_finite().then_some(value).ok_or(BadModel::Malformed("a weight that is no number"))
    }

    fn f64(&mut self) -> Result<f64, BadModel> {
        let value = f64::from_le_bytes(self.array()?);
        value.is_finite().then_some(value).ok_or(BadModel::Malformed("a weight that is no number"))
    }

    fn table(&mut self) -> Result<Table, BadModel> {
        let n = self.u32()? as usize;
        if n > BUCKETS {
            return Err(BadModel::Malformed("more entries than buckets"));
        }
        let mut entries = Vec::with_capacity(n);
        for _ in 0..n {
            let bucket = self.u32()?;
            if bucket as usize >= BUCKETS {
                return Err(BadModel::Malformed("a bucket out of range"));
            }
            entries.push((bucket, Entry { weight: self.f32()?, depth: self.f32()? }));
        }
        Ok(Table::new(entries))
    }

    fn stack(&mut self) -> Result<Stack, BadModel> {
        let mut stack = Stack { intercept: 0.0, weights: [0.0; INPUTS], typical: [0.0; INPUTS] };
        for value in stack.weights.iter_mut().chain(&mut stack.typical) {
            *value = self.f64()?;
        }
        stack.intercept = self.f64()?;
        if self.0.is_empty() { Ok(stack) } else { Err(BadModel::Malformed("bytes after the end")) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::train::{Reach, fit, train};
    use super::super::{Example, Label};
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static MODEL: LazyLock<Model> = LazyLock::new(|| {
        let example = |body: &str, label| Example { body: body.into(), label, group: None };
        let spam =
            ["buy cheap pills at http://a.example now", "win money fast", "casino bonus http://b.example", "cheap loans, call 55501234567"];
        let ham =
            ["I liked the part about kettles", "thanks, this helped", "does it work with a small grinder?", "my mother said the same"];
        let examples: Vec<Example> =
            spam.iter().map(|body| example(body, Label::Spam)).chain(ham.iter().map(|body| example(body, Label::Ham))).collect();
        train(&examples, Reach::Home, Vec::new(), "2026-01-01T00:00:00Z".into(), |folded| folded.iter().map(fit).collect()).unwrap()
    });

    #[test]
    fn it_learns_which_side_is_which() {
        let probability = |text: &str| MODEL.probability(&Reading::of(text));
        assert!(probability("cheap pills, cheap loans http://c.example") > 0.6);
        assert!(probability("thanks, I liked the part about my mother") < 0.4);
    }

    #[test]
    fn bytes_round_trip_and_training_is_deterministic() {
        let bytes = MODEL.to_bytes();
        let read = Model::from_bytes(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        assert_eq!(read.id, MODEL.id);
        assert_eq!(read.score(&Reading::of("buy now")), MODEL.score(&Reading::of("buy now")));
    }

    #[test]
    fn a_damaged_or_foreign_file_is_refused() {
        let bytes = MODEL.to_bytes();
        assert_eq!(Model::from_bytes(b"PK\x03\x04 a zip").unwrap_err(), BadModel::Foreign);
        assert_eq!(Model::from_bytes(&bytes[..9]).unwrap_err(), BadModel::Malformed("no checksum"));
        assert_eq!(Model::from_bytes(&bytes[..bytes.len() - 1]).unwrap_err(), BadModel::Checksum);
        for format in [0u32, 9] {
            let mut other = bytes[..bytes.len() - 32].to_vec();
            other[8..12].copy_from_slice(&format.to_le_bytes());
            let checksum = Sha256::digest(&other);
            other.extend_from_slice(&checksum);
            assert_eq!(Model::from_bytes(&other).unwrap_err(), BadModel::Format(format));
        }
    }

    proptest! {
        #[test]
        fn one_flipped_bit_is_refused(at in 0usize..1_000_000, bit in 0u8..8) {
            let mut bytes = MODEL.to_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(Model::from_bytes(&bytes).is_err());
        }

        #[test]
        fn contributions_add_up_to_the_logit(text in "(buy|cheap|pills|kettle|thanks|http://a.example|!|\\PC| ){0,30}") {
            let reading = Reading::of(&text);
            let sum: f64 = MODEL.explain(&reading).iter().map(|part| part.log_odds).sum();
            let score = MODEL.score(&reading);
            prop_assert!((sum - score.log_odds).abs() < 1e-6 || score.log_odds.abs() >= LOGIT_MAX, "{sum} {}", score.log_odds);
            prop_assert!((0.0..=1.0).contains(&MODEL.probability(&reading)));
        }

        #[test]
        fn reading_any_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut model = MAGIC.to_vec();
            model.extend(&bytes);
            prop_assert!(Model::from_bytes(&model).is_err());
        }
    }
}
