//! The format: a model as bytes and back. In order, little endian: magic (8), format (u32), length of the card (u32), the card (JSON), its
//! own layer, a byte that says whether a base follows (its id, blend and layer), a byte that says whether counts follow, and the
//! SHA-256 of all before it (32). A layer is the key of its hashing (u64), a table for every family, and the stack.

use super::counts::{Cell, Counts};
use super::features::{FEATURES_VERSION, Family};
use super::hashing::{BUCKETS, Hashing};
use super::model::{Base, Blend, Card, Layer, Model};
use super::stack::{INPUTS, Stack};
use super::table::{Entry, NORM_STEPS_MAX, Table};
use crate::id::ModelId;
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"HAMLET\x00M";
const FORMAT: u32 = 2;

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
    #[error("the model says {now} of {text:?} and said {recorded} when it was made: this version reads comments otherwise; train anew")]
    Golden { text: String, recorded: String, now: String },
    #[error("the model ends too early or holds what no model holds ({0}); take it from a backup, or train anew")]
    Malformed(&'static str),
}

impl Model {
    /// A model named by its content, its golden examples recorded.
    pub fn assemble(card: Card, layer: Layer, base: Option<Base>, counts: Option<Vec<Counts>>) -> Self {
        let mut model = Self { id: ModelId::new(""), card, layer, base, counts };
        model.id = name(&model.body());
        model.card.golden = model.golden();
        model
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let card = serde_json::to_vec(&self.card).unwrap_or_default();
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        put_bytes(&mut bytes, &card);
        bytes.extend(self.body());
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put_layer(&mut body, &self.layer);
        body.push(u8::from(self.base.is_some()));
        if let Some(base) = &self.base {
            put_bytes(&mut body, base.id.as_str().as_bytes());
            for value in [base.blend.share, base.blend.slope, base.blend.intercept] {
                body.extend(value.to_le_bytes());
            }
            put_layer(&mut body, &base.layer);
        }
        body.push(u8::from(self.counts.is_some()));
        self.counts.iter().flatten().for_each(|counts| put_counts(&mut body, counts));
        body
    }

    /// # Errors
    /// [`BadModel`] on anything but the exact bytes that [`Model::to_bytes`] made with these features, and on a model that no longer says
    /// what it said of its golden examples.
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
        let card: Card = serde_json::from_slice(rest.bytes()?).map_err(|_| BadModel::Malformed("card"))?;
        if card.features_version != FEATURES_VERSION {
            return Err(BadModel::FeaturesVersion(card.features_version));
        }
        let id = name(rest.0);
        let layer = rest.layer()?;
        let base = if rest.flag()? { Some(rest.base()?) } else { None };
        let counts = if rest.flag()? { Some(Family::ALL.iter().map(|_| rest.counts()).collect::<Result<_, _>>()?) } else { None };
        if !rest.0.is_empty() {
            return Err(BadModel::Malformed("bytes after the end"));
        }
        let model = Self { id, card, layer, base, counts };
        model.test_itself()?;
        Ok(model)
    }
}

fn name(body: &[u8]) -> ModelId {
    let digest = Sha256::digest(body);
    ModelId::new(digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn put_bytes(bytes: &mut Vec<u8>, content: &[u8]) {
    bytes.extend(u32::try_from(content.len()).unwrap_or(0).to_le_bytes());
    bytes.extend(content);
}

fn put_layer(bytes: &mut Vec<u8>, layer: &Layer) {
    bytes.extend(layer.hashing.key.to_le_bytes());
    layer.tables.iter().for_each(|table| put_table(bytes, table));
    for value in layer.stack.weights.iter().chain(&layer.stack.typical).chain([&layer.stack.intercept]) {
        bytes.extend(value.to_le_bytes());
    }
}

/// A table is its norm in steps (i32), the number of its entries (u32), and, unless that is none, a bit for every bucket that says whether it has
/// one, and the entries (u16).
fn put_table(bytes: &mut Vec<u8>, table: &Table) {
    let seen: Vec<(u32, Entry)> = table.seen().collect();
    bytes.extend(table.norm_steps().to_le_bytes());
    bytes.extend(u32::try_from(seen.len()).unwrap_or(0).to_le_bytes());
    if seen.is_empty() {
        return;
    }
    let mut bits = vec![0u8; BUCKETS / 8];
    for (bucket, _) in &seen {
        if let Some(byte) = bits.get_mut(*bucket as usize / 8) {
            *byte |= 1 << (bucket % 8);
        }
    }
    bytes.extend(bits);
    bytes.extend(seen.iter().flat_map(|(_, entry)| entry.bits().to_le_bytes()));
}

/// Counts are their number (u32) and for each in order: how far its bucket is from the one before, documents, spam and ham (LEB128).
fn put_counts(bytes: &mut Vec<u8>, counts: &Counts) {
    bytes.extend(counts.totals.columns.to_le_bytes());
    let mut next = 0;
    for (bucket, cell) in counts.used() {
        [bucket - next, cell.documents, cell.spam, cell.ham].into_iter().for_each(|value| put_varint(bytes, value));
        next = bucket + 1;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn put_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
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

    fn f64(&mut self) -> Result<f64, BadModel> {
        let value = f64::from_le_bytes(self.array()?);
        value.is_finite().then_some(value).ok_or(BadModel::Malformed("a weight that is no number"))
    }

    fn flag(&mut self) -> Result<bool, BadModel> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(BadModel::Malformed("neither yes nor no")),
        }
    }

    fn bytes(&mut self) -> Result<&'a [u8], BadModel> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    fn varint(&mut self) -> Result<u32, BadModel> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                let is_shortest = byte > 0 || shift == 0;
                return u32::try_from(value).ok().filter(|_| is_shortest).ok_or(BadModel::Malformed("a count out of range"));
            }
        }
        Err(BadModel::Malformed("a count out of range"))
    }

    fn layer(&mut self) -> Result<Layer, BadModel> {
        let hashing = Hashing::of(u64::from_le_bytes(self.array()?));
        let tables = Family::ALL.iter().map(|_| self.table()).collect::<Result<_, _>>()?;
        Ok(Layer { hashing, tables, stack: self.stack()? })
    }

    fn base(&mut self) -> Result<Base, BadModel> {
        let id = std::str::from_utf8(self.bytes()?).map_err(|_| BadModel::Malformed("the name of a base"))?;
        let blend = Blend { share: self.f64()?, slope: self.f64()?, intercept: self.f64()? };
        Ok(Base { id: ModelId::new(id), blend, layer: self.layer()? })
    }

    fn table(&mut self) -> Result<Table, BadModel> {
        let norm = i32::from_le_bytes(self.array()?);
        if norm.unsigned_abs() > NORM_STEPS_MAX {
            return Err(BadModel::Malformed("classes too far apart"));
        }
        let n = self.u32()? as usize;
        if n == 0 {
            return Ok(Table::from_steps(norm, []));
        }
        let bits = self.take(BUCKETS / 8)?;
        let buckets = (0u32..).zip(bits).flat_map(|(at, byte)| (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| 8 * at + bit));
        let entries = self.take(2 * n.min(BUCKETS))?.as_chunks::<2>().0.iter().map(|bits| Entry::from_bits(u16::from_le_bytes(*bits)));
        let table = Table::from_steps(norm, buckets.clone().zip(entries));
        let is_whole = buckets.count() == n && table.seen().count() == n;
        if is_whole { Ok(table) } else { Err(BadModel::Malformed("entries that are not those announced")) }
    }

    fn stack(&mut self) -> Result<Stack, BadModel> {
        let mut stack = Stack { intercept: 0.0, weights: [0.0; INPUTS], typical: [0.0; INPUTS] };
        for value in stack.weights.iter_mut().chain(&mut stack.typical) {
            *value = self.f64()?;
        }
        stack.intercept = self.f64()?;
        Ok(stack)
    }

    fn counts(&mut self) -> Result<Counts, BadModel> {
        let n = self.u32()? as usize;
        if n > BUCKETS {
            return Err(BadModel::Malformed("more counts than buckets"));
        }
        let mut next = 0u32;
        let cells = (0..n).map(|_| {
            let bucket = self.varint()?.checked_add(next).filter(|bucket| (*bucket as usize) < BUCKETS);
            let bucket = bucket.ok_or(BadModel::Malformed("a bucket out of range"))?;
            next = bucket + 1;
            let cell = Cell { documents: self.varint()?, spam: self.varint()?, ham: self.varint()? };
            if cell.documents > 0 { Ok((bucket, cell)) } else { Err(BadModel::Malformed("a count of no documents")) }
        });
        Ok(Counts::from_cells(cells.collect::<Result<Vec<_>, _>>()?))
    }
}
#[cfg(test)]
mod tests {
    use super::super::features::Features;
    use super::super::fold::{Fold, Reach};
    use super::super::train::{fit, train};
    use super::super::{Example, Label};
    use super::*;
    use crate::text::Reading;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static MODEL: LazyLock<Model> = LazyLock::new(|| {
        let example = |body: &str, label| Example { body: body.into(), label, group: None, time: None };
        let spam =
            ["buy cheap pills at http://a.example now", "win money fast", "casino bonus http://b.example", "cheap loans, call 55501234567"];
        let ham =
            ["I liked the part about kettles", "thanks, this helped", "does it work with a small grinder?", "my mother said the same"];
        let mut fold = Fold::new(Reach::Home, 7);
        spam.iter().for_each(|body| fold.add(&example(body, Label::Spam)));
        ham.iter().for_each(|body| fold.add(&example(body, Label::Ham)));
        train(fold, Vec::new(), "2026-01-01T00:00:00Z".into(), |folded| folded.iter().map(fit).collect()).unwrap()
    });

    #[test]
    fn it_learns_which_side_is_which() {
        let probability = |text: &str| MODEL.probability(&mut Features::default(), &Reading::of(text));
        assert!(probability("cheap pills, cheap loans http://c.example") > 0.6);
        assert!(probability("thanks, I liked the part about my mother") < 0.4);
    }

    #[test]
    fn bytes_round_trip_and_training_is_deterministic() {
        let bytes = MODEL.to_bytes();
        let read = Model::from_bytes(&bytes).unwrap();
        assert_eq!(read.to_bytes(), bytes);
        assert_eq!(read.id, MODEL.id);
        let (features, reading) = (&mut Features::default(), Reading::of("buy now"));
        assert_eq!(read.score(features, &reading), MODEL.score(features, &reading));
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

    #[test]
    fn a_norm_that_no_classes_have_is_refused() {
        let mut bytes = MODEL.to_bytes();
        let card_length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
        let norm = 16 + card_length + 8;
        bytes[norm..norm + 4].copy_from_slice(&i32::MIN.to_le_bytes());
        bytes.truncate(bytes.len() - 32);
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        assert_eq!(Model::from_bytes(&bytes).unwrap_err(), BadModel::Malformed("classes too far apart"));
    }

    #[test]
    fn a_model_that_no_longer_says_what_it_said_is_refused() {
        let mut drifted = MODEL.clone();
        assert!(drifted.card.golden.len() > 3);
        drifted.card.golden[1].log_odds += 0.01;
        let refused = Model::from_bytes(&drifted.to_bytes()).unwrap_err();
        assert!(matches!(&refused, BadModel::Golden { text, .. } if *text == drifted.card.golden[1].text), "{refused}");
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
            let features = &mut Features::default();
            let sum: f64 = MODEL.explain(features, &reading).iter().map(|part| part.log_odds).sum();
            let log_odds = MODEL.log_odds(features, &reading);
            prop_assert!((sum - log_odds).abs() < 1e-9 || log_odds.abs() >= 30.0, "{sum} {log_odds}");
            prop_assert!((0.0..=1.0).contains(&MODEL.probability(features, &reading)));
        }

        #[test]
        fn reading_any_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut model = MAGIC.to_vec();
            model.extend(&bytes);
            prop_assert!(Model::from_bytes(&model).is_err());
        }
    }
}
