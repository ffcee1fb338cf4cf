//! The model: a layer that learnt from examples, and, while these are few, a base that was made elsewhere. Scores; what a score is made of
//! is `explain`'s, how a model becomes bytes is `format`'s, how it was made is `train`'s, where it is kept is `shelf`'s.

use super::contest::Contest;
use super::counts::Counts;
use super::evaluate::Measures;
use super::features::{Family, Features};
use super::golden::Golden;
use super::hashing::Hashing;
use super::stack::{INPUTS, Stack};
use super::table::Table;
use super::{Label, Score};
use crate::budget::terms::Terms;
use crate::decision::logistic;
use crate::id::ModelId;
use crate::text::Reading;
use serde::{Deserialize, Serialize};

/// A named classifier.
#[derive(Debug, Clone)]
pub struct Model {
    pub id: ModelId,
    pub card: Card,
    pub layer: Layer,
    pub base: Option<Base>,
    /// What the layer's tables were made of, by family; a model without them cannot learn between fits.
    pub counts: Option<Vec<Counts>>,
}

/// Tables and the stack over them.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    pub hashing: Hashing,
    /// By family.
    pub tables: Vec<Table>,
    pub stack: Stack,
}

/// A model made elsewhere, and how much its word counts: `share` times `slope * logit + intercept`, the layer's own word times the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    pub id: ModelId,
    pub layer: Layer,
    pub blend: Blend,
}

/// How a base is blended in (see `blend`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Blend {
    /// In `0.0..=1.0`.
    pub share: f64,
    /// Not negative.
    pub slope: f64,
    pub intercept: f64,
}

/// What people should know of a model before they trust it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// RFC 3339.
    pub trained_at: String,
    pub features_version: u32,
    pub spam: usize,
    pub ham: usize,
    /// Copies beyond what one text may count, left out.
    pub copies: usize,
    pub sources: Vec<Source>,
    /// Out of sample: every example scored by counts that do not hold it. The stack saw these rows, so they flatter a little.
    pub figures: Figures,
    /// The last ruling of the store that was learnt, by its number; none where rulings were not the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<i64>,
    /// The thresholds that it was measured to bear; none where nobody measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
    /// How it did against the model that judged before it; none where nobody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contest: Option<Contest>,
    /// What it said of a few texts when it was made.
    pub golden: Vec<Golden>,
}

/// Where examples came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub name: String,
    pub sha256: String,
    pub examples: usize,
    /// Who made it, and under which terms; none where it is the owner's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
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

/// Beyond this a probability is 0 or 1 in 64 bits, and no comment is that sure.
const LOGIT_MAX: f64 = 30.0;

impl Layer {
    /// What the stack reads of features made with this layer's hashing.
    pub fn inputs(&self, features: &Features) -> [f64; INPUTS] {
        Stack::inputs(self.tables.iter().zip(features.families()).map(|(table, buckets)| table.sums(buckets)), &features.dense)
    }

    fn log_odds(&self, features: &mut Features, reading: &Reading) -> f64 {
        features.read(reading, &self.hashing);
        self.stack.logit(&self.inputs(features))
    }
}

impl Model {
    /// The logit of the probability of spam: total on any text, finite. `features` is room to work in.
    pub fn log_odds(&self, features: &mut Features, reading: &Reading) -> f64 {
        let own = self.layer.log_odds(features, reading);
        let log_odds = match &self.base {
            None => own,
            Some(base) => base.blend.of(own, base.layer.log_odds(features, reading)),
        };
        log_odds.clamp(-LOGIT_MAX, LOGIT_MAX)
    }

    /// The probability of spam, in `0.0..=1.0`.
    pub fn probability(&self, features: &mut Features, reading: &Reading) -> f64 {
        logistic(self.log_odds(features, reading))
    }

    /// The logit with its strongest readable evidence.
    pub fn score(&self, features: &mut Features, reading: &Reading) -> Score {
        let (log_odds, evidence) = self.strongest(features, reading);
        Score { log_odds: log_odds.clamp(-LOGIT_MAX, LOGIT_MAX), model: self.id.clone(), evidence }
    }

    /// Learns one example at once, exactly as a fit of the tables with it would; the stack waits for the next fit. Answers whether it could.
    pub fn learn(&mut self, features: &mut Features, reading: &Reading, label: Label) -> bool {
        self.change(features, reading, |counts, buckets| counts.learn(buckets, label))
    }

    /// Takes one learnt example out again, to the bit.
    pub fn unlearn(&mut self, features: &mut Features, reading: &Reading, label: Label) -> bool {
        self.change(features, reading, |counts, buckets| counts.unlearn(buckets, label))
    }

    fn change(&mut self, features: &mut Features, reading: &Reading, change: impl Fn(&mut Counts, &[u32])) -> bool {
        let Some(counts) = &mut self.counts else { return false };
        features.read(reading, &self.layer.hashing);
        for ((counts, table), buckets) in counts.iter_mut().zip(&mut self.layer.tables).zip(features.families()) {
            change(counts, buckets);
            table.refresh(buckets, counts);
        }
        true
    }

    /// Whether what was learnt elsewhere counts for half of its word and more: it then knows comments, and not those of this site.
    pub fn is_mostly_foreign(&self) -> bool {
        self.base.as_ref().map_or(self.card.ruling.is_none(), |base| base.blend.share >= 0.5)
    }

    pub fn table(&self, family: Family) -> Option<&Table> {
        self.layer.tables.get(family as usize)
    }
}

impl Blend {
    /// The base's logit as this site would have it.
    pub fn calibrated(self, base: f64) -> f64 {
        self.slope * base + self.intercept
    }

    /// Both words as one logit.
    pub fn of(self, own: f64, base: f64) -> f64 {
        (1.0 - self.share) * own + self.share * self.calibrated(base)
    }
}
