//! Explaining: what a score is made of. Every feature's contribution goes to the words it covers, in equal parts, so that people read
//! words and not runs of letters; what a comment's form and familiarity say is told against a typical comment. All parts with the first,
//! "where every comment starts", add up to the logit of the score, to rounding.

use super::Contribution;
use super::counts::share;
use super::features::{Family, Features, Piece};
use super::model::{Layer, Model};
use super::stack::PER_FAMILY;
use crate::text::{LINK_MARK, Reading, tokens};
use std::collections::HashMap;

/// Where every comment starts: the sum for a comment without a word that is known, and of typical form.
pub const START: &str = "where every comment starts";

/// How much of the text was ever seen in training.
const FAMILIAR: &str = "how familiar its words are";
const FORM: &str = "its form (length, signs, count of links)";
const OTHER: &str = "signs and unusual words";
const LINKED: &str = "how its links are written";

/// A longer word is no reason but the comment itself, which reasons must not repeat.
const READABLE_CHARS_MAX: usize = 40;

/// The readable contributions a score carries along.
const EVIDENCE_MAX: usize = 6;

/// Contributions below this say nothing to a person.
const EVIDENCE_MIN: f64 = 0.1;

impl Model {
    /// Every part of the score, [`START`] first: they add up to its logit, unless that is beyond 30.
    pub fn explain(&self, features: &mut Features, reading: &Reading) -> Vec<Contribution> {
        self.parts(features, reading).told().into_iter().map(Told::contribution).collect()
    }

    /// The sum of all parts, and those that a person should see: the strongest, strongest first.
    pub(super) fn strongest(&self, features: &mut Features, reading: &Reading) -> (f64, Vec<Contribution>) {
        let mut parts = self.parts(features, reading).told();
        let sum = parts.iter().map(|part| part.log_odds).sum();
        parts.retain(|part| part.log_odds.abs() >= EVIDENCE_MIN && part.what.is_telling());
        parts.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        // Most words never get so far as to be written out.
        parts.truncate(EVIDENCE_MAX);
        (sum, parts.into_iter().map(Told::contribution).collect())
    }

    fn parts<'a>(&self, features: &mut Features, reading: &'a Reading) -> Parts<'a> {
        let mut parts = Parts::of(reading);
        match &self.base {
            None => parts.add_layer(&self.layer, 1.0, features),
            Some(base) => {
                let share = base.blend.share;
                parts.add_layer(&self.layer, 1.0 - share, features);
                parts.add_layer(&base.layer, share * base.blend.slope, features);
                parts.start += share * base.blend.intercept;
            }
        }
        parts
    }
}

/// One part before it is put in words.
struct Told<'a> {
    what: What<'a>,
    log_odds: f64,
}

enum What<'a> {
    Said(&'static str),
    Word(&'a str),
    LinkTo(&'a str),
}

impl What<'_> {
    /// Whether it is a reason to a person.
    fn is_telling(&self) -> bool {
        !matches!(self, Self::Said(START | OTHER | FAMILIAR))
    }
}

impl Told<'_> {
    fn contribution(self) -> Contribution {
        let what = match self.what {
            What::Said(what) => what.to_owned(),
            What::Word(word) => format!("“{word}”"),
            What::LinkTo(host) => format!("link to {}", host.replace('.', "[.]")),
        };
        Contribution { what, log_odds: self.log_odds }
    }
}

/// Contributions on their way to the words they cover.
struct Parts<'a> {
    reading: &'a Reading,
    /// The text's words with the byte each begins at, in order, and which of `words` each is.
    places: Vec<(u32, u32, usize)>,
    /// For each byte of the text, the first of `places` that ends after it.
    first_place: Vec<usize>,
    words: Vec<(&'a str, f64)>,
    hosts: Vec<f64>,
    signs: Vec<(&'static str, f64)>,
    start: f64,
    familiar: f64,
    form: f64,
    other: f64,
    linked: f64,
}

impl<'a> Parts<'a> {
    fn of(reading: &'a Reading) -> Self {
        let (mut places, mut words, mut known) = (Vec::new(), Vec::new(), HashMap::new());
        let mut first_place = Vec::with_capacity(reading.folded.len());
        for (from, word) in tokens::words(&reading.folded) {
            let index = *known.entry(word).or_insert_with(|| {
                words.push((word, 0.0));
                words.len() - 1
            });
            let offset = |byte| u32::try_from(byte).unwrap_or(u32::MAX);
            first_place.resize(from + word.len(), places.len());
            places.push((offset(from), offset(from + word.len()), index));
        }
        let hosts = vec![0.0; reading.links.len()];
        let (start, familiar, form, other, linked) = (0.0, 0.0, 0.0, 0.0, 0.0);
        Self { reading, places, first_place, words, hosts, signs: Vec::new(), start, familiar, form, other, linked }
    }

    fn add_layer(&mut self, layer: &Layer, scale: f64, features: &mut Features) {
        features.read_pieces(self.reading, &layer.hashing);
        // Summed first: that fetches many entries of the tables at a time, and below they are found near.
        let inputs = layer.inputs(features);
        for (family, table) in Family::ALL.into_iter().zip(&layer.tables) {
            let [spam, ham, ..] = layer.stack.of(family);
            let scale = scale * share(features.family(family).len());
            let (spam, ham) = (scale * spam, scale * ham);
            for (bucket, piece) in features.pieces(family) {
                if let Some(weight) = table.weight(*bucket) {
                    self.give(family, *piece, spam * weight.max(0.0) + ham * weight.min(0.0));
                }
            }
        }
        self.add_beside(layer, scale, &inputs);
    }

    /// What is not any word's: the start, familiarity, and the dense ratios.
    fn add_beside(&mut self, layer: &Layer, scale: f64, inputs: &[f64]) {
        let stack = &layer.stack;
        self.start += scale * stack.intercept;
        let families = PER_FAMILY * Family::ALL.len();
        for (index, ((weight, input), typical)) in stack.weights.iter().zip(inputs).zip(&stack.typical).enumerate() {
            let is_sum_of_weights = index < families && index % PER_FAMILY < 2;
            if is_sum_of_weights {
                continue;
            }
            self.start += scale * weight * typical;
            let unusual = scale * weight * (input - typical);
            if index < families { self.familiar += unusual } else { self.form += unusual }
        }
    }

    fn give(&mut self, family: Family, piece: Piece, log_odds: f64) {
        match piece {
            Piece::Text(from, to) => self.give_words(from, to, log_odds),
            Piece::Link(_) if family == Family::Links => self.linked += log_odds,
            Piece::Link(index) => {
                if let Some(host) = self.hosts.get_mut(index as usize) {
                    *host += log_odds;
                }
            }
            Piece::Form => self.form += log_odds,
            Piece::Sign(sign) => self.signs.push((sign.reason(), log_odds)),
        }
    }

    fn give_words(&mut self, from: u32, to: u32, log_odds: f64) {
        let first = self.first_place.get(from as usize).copied().unwrap_or(self.places.len());
        let covered = self.places.get(first..).unwrap_or(&[]).iter().take_while(|(begin, _, _)| *begin < to);
        let n = covered.clone().count();
        if n == 0 {
            self.other += log_odds;
            return;
        }
        let each = log_odds / f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        for (_, _, index) in covered {
            if let Some((_, sum)) = self.words.get_mut(*index) {
                *sum += each;
            }
        }
    }

    fn told(self) -> Vec<Told<'a>> {
        let mut all = vec![Told { what: What::Said(START), log_odds: self.start }];
        let mut other = self.other;
        for (word, log_odds) in self.words {
            match readable(word) {
                Some(what) => all.push(Told { what, log_odds }),
                None => other += log_odds,
            }
        }
        all.extend(self.reading.links.iter().zip(self.hosts).map(|(link, log_odds)| Told { what: What::LinkTo(&link.host), log_odds }));
        let rest = [(LINKED, self.linked), (FORM, self.form), (FAMILIAR, self.familiar), (OTHER, other)];
        all.extend(self.signs.into_iter().chain(rest).map(|(what, log_odds)| Told { what: What::Said(what), log_odds }));
        all
    }
}

/// A word as a moderator would read it; none where only the machine could, or where it would repeat an address or a whole comment.
fn readable(word: &str) -> Option<What<'_>> {
    if word.starts_with(LINK_MARK) {
        return Some(What::Said("a link"));
    }
    let is_short = word.chars().nth(READABLE_CHARS_MAX).is_none() && !word.contains('@');
    (is_short && word.chars().any(char::is_alphanumeric)).then_some(What::Word(word))
}
