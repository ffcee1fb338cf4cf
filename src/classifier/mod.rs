//! The classifier: how likely is it that a person would call this spam? Multinomial naive Bayes, one per family of features,
//! stacked by logistic regression; every score is a sum whose parts can be shown. It knows words, not people: what the past says
//! comes in later as findings (see `rules`), and what to do about a score is `decision`'s.

pub mod blend;
pub mod contest;
pub mod counts;
pub mod curves;
pub mod evaluate;
pub mod explain;
pub mod familiar;
pub mod features;
pub mod fold;
pub mod format;
pub mod golden;
pub mod guard;
pub mod hashing;
pub mod model;
pub mod parts;
pub mod splits;
pub mod stack;
pub mod table;
pub mod tracker;
pub mod train;

pub use features::{FEATURES_VERSION, Family, Features};
pub use fold::{Document, Fold, Reach};
pub use format::BadModel;
pub use model::{Card, Model, Source};

use crate::id::ModelId;

/// What the classifier says of one comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The logit of the calibrated probability of spam; finite.
    pub log_odds: f64,
    pub model: ModelId,
    /// The strongest readable contributions, strongest first; [`Model::explain`] gives all of them.
    pub evidence: Vec<Contribution>,
}

/// One part of the sum: positive speaks for spam, negative for ham.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// What it is, for a person: a word, a pair of words, a property of the text.
    pub what: String,
    pub log_odds: f64,
}

/// What people called it. Made from a ruling or an import of human decisions, never from a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    Ham,
    Spam,
}

impl Label {
    /// What a ruling teaches: `Remove` teaches nothing.
    pub fn of(ruling: crate::decision::Ruling) -> Option<Self> {
        match ruling {
            crate::decision::Ruling::Publish => Some(Self::Ham),
            crate::decision::Ruling::Spam => Some(Self::Spam),
            crate::decision::Ruling::Remove => None,
        }
    }
}

/// A comment's text with its label, as training reads it. `group` is the page (or the author, or the source): what must not stand
/// on both sides of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub body: String,
    pub label: Label,
    pub group: Option<String>,
    /// When it was written, in a form that sorts by time.
    pub time: Option<String>,
}
