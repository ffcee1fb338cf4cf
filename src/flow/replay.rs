//! Replay: stored comments judged again by another configuration or model, in the order in which they came, each by what was known then;
//! the same judge as always. Writes nothing.
//!
//! The past is not wholly on record. Facts are asked of the store as they were at the decision. How much spam came in and what recent
//! rulings had taught is kept where it moved a verdict, and is taken from there; where it moved none it counts for nothing, so a replay may
//! hold a little less than the daemon would have. DNS lists are not asked again: the comment is on those that it was found on. Thresholds
//! that follow from a budget are those of the model that judges. By the same configuration and the same model nothing flips.

use super::judge::judge;
use super::models::SiteModel;
use crate::classifier::{Features, Label, Model};
use crate::clock::Timestamp;
use crate::comment::Facts;
use crate::config::{Config, Site};
use crate::decision::{Decision, Recent, Verdict};
use crate::rules::dns_lists_of;
use crate::shelf::{self, Shelf};
use crate::store::{Reader, Record, Span, StoreError};
use crate::text::Reading;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Comments read at a time: a bound on memory, at a megabyte for the longest text.
const PAGE: usize = 64;

/// Models in memory at once; a site has a few in a month.
const MODELS_MAX: usize = 8;

const DAY: Duration = Duration::from_hours(24);

/// Which model judges again.
#[derive(Debug, Clone)]
pub enum By {
    /// The one that judged then, so that whatever flips, flips for the configuration.
    Then,
    /// The one that judges the site now.
    Now,
    /// This one.
    Named(Arc<Model>),
}

/// Why a comment is not judged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Skipped {
    #[error("it was not judged: it waits in the queue, or people were faster")]
    NotJudged,
    #[error("the settings have no such site")]
    NoSite,
    #[error("the model cannot be read")]
    NoModel,
}

/// What it is judged by.
pub struct Bench<'a> {
    pub reader: &'a Reader,
    pub config: &'a Config,
    pub shelf: &'a Shelf,
    pub by: By,
    read: BTreeMap<String, Option<Arc<Model>>>,
    features: Features,
}

impl<'a> Bench<'a> {
    pub fn new(reader: &'a Reader, config: &'a Config, shelf: &'a Shelf, by: By) -> Self {
        Self { reader, config, shelf, by, read: BTreeMap::new(), features: Features::default() }
    }

    /// Judges a stored comment again.
    ///
    /// # Errors
    /// [`StoreError`] from the store.
    pub fn judge(&mut self, record: &Record) -> Result<Result<Decision, Skipped>, StoreError> {
        let Some(then) = &record.decision else { return Ok(Err(Skipped::NotJudged)) };
        let Some(site) = self.config.sites.get(&record.comment.site) else { return Ok(Err(Skipped::NoSite)) };
        let model = match self.model(site, then) {
            Ok(model) => model.map(|model| SiteModel::recorded(model, Recent::of(then))),
            Err(skipped) => return Ok(Err(skipped)),
        };
        let read = (&record.comment, &Reading::of(&record.comment.body));
        let facts = self.reader.facts_then(read, then.decided_at)?;
        let facts = Facts { dns_lists: dns_lists_of(&then.findings), ..facts };
        Ok(Ok(judge(read, &facts, site, model.as_ref(), &mut self.features).0))
    }

    /// None where rules alone decide.
    fn model(&mut self, site: &Site, then: &Decision) -> Result<Option<Arc<Model>>, Skipped> {
        let (name, wanted) = match (&self.by, &then.model) {
            (By::Named(model), _) => return Ok(Some(Arc::clone(model))),
            (By::Then, None) => return Ok(None),
            (By::Then, Some(id)) => (id.as_str(), Some(id)),
            (By::Now, _) => (site.id.as_str(), None),
        };
        if let Some(read) = self.read.get(name) {
            return read.clone().map(Some).ok_or(Skipped::NoModel);
        }
        let model = match wanted {
            Some(id) => self.shelf.model(id),
            None => shelf::current_or_starter(self.shelf, &site.id),
        };
        let model = model.ok().map(|model| Arc::new(Model { counts: None, ..model }));
        if self.read.len() >= MODELS_MAX {
            self.read.clear();
        }
        self.read.insert(name.to_owned(), model.clone());
        model.map(Some).ok_or(Skipped::NoModel)
    }
}

/// A comment of which another decision would be made.
#[derive(Debug, Clone)]
pub struct Flip {
    pub record: Record,
    pub before: Decision,
    pub after: Decision,
}

/// A count by the decisions on record, and by those of the replay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pair {
    pub before: usize,
    pub after: usize,
}

impl Pair {
    fn count(&mut self, before: bool, after: bool) {
        self.before += usize::from(before);
        self.after += usize::from(after);
    }
}

/// What a replay came to.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Comments judged again.
    pub judged: usize,
    pub skipped: BTreeMap<Skipped, usize>,
    /// By what was decided then and would be now, as [`Decision::word`] has it.
    pub flips: BTreeMap<(&'static str, &'static str), usize>,
    /// Decided then by another model than in the replay.
    pub other_model: usize,
    /// Comments held, by the day (UTC) on which they came.
    pub held: BTreeMap<String, Pair>,
    pub days: usize,
    /// Of the comments that people ruled spam and ham: how many, and how many of them the machine alone would have got wrong.
    pub ruled_spam: usize,
    pub spam_published: Pair,
    pub ruled_ham: usize,
    pub ham_rejected: Pair,
    pub ham_held: Pair,
    first: Option<Timestamp>,
}

impl Summary {
    fn add(&mut self, record: &Record, before: &Decision, after: &Decision) {
        let came = record.comment.received_at;
        let first = *self.first.get_or_insert(came);
        self.judged += 1;
        self.days = self.days.max(usize::try_from(came.since(first).as_secs() / DAY.as_secs()).unwrap_or(usize::MAX).saturating_add(1));
        self.other_model += usize::from(before.model != after.model);
        let is = |verdict: Verdict| (before.verdict == verdict, after.verdict == verdict);
        let (held_before, held_after) = is(Verdict::Hold);
        if held_before || held_after {
            self.held.entry(came.date()).or_default().count(held_before, held_after);
        }
        let (before, after) = (before.word(), after.word());
        if before != after {
            *self.flips.entry((before, after)).or_default() += 1;
        }
        match record.ruled.as_ref().and_then(|ruled| Label::of(ruled.ruling)) {
            Some(Label::Spam) => {
                self.ruled_spam += 1;
                let (before, after) = is(Verdict::Publish);
                self.spam_published.count(before, after);
            }
            Some(Label::Ham) => {
                self.ruled_ham += 1;
                let (before, after) = is(Verdict::Reject);
                self.ham_rejected.count(before, after);
                self.ham_held.count(held_before, held_after);
            }
            None => {}
        }
    }

    /// All that flipped.
    pub fn flipped(&self) -> usize {
        self.flips.values().sum()
    }

    /// All that were held.
    pub fn held_in_all(&self) -> Pair {
        self.held.values().fold(Pair::default(), |sum, day| Pair { before: sum.before + day.before, after: sum.after + day.after })
    }

    /// The most that were held on one day.
    pub fn held_on_worst_day(&self) -> Pair {
        let most = |of: fn(&Pair) -> usize| self.held.values().map(of).max().unwrap_or(0);
        Pair { before: most(|day| day.before), after: most(|day| day.after) }
    }
}

/// Judges a span again and tells every flip as it is found.
///
/// # Errors
/// `E` from the store, or from who is told.
pub fn replay<E: From<StoreError>>(bench: &mut Bench<'_>, span: &Span, mut tell: impl FnMut(&Flip) -> Result<(), E>) -> Result<Summary, E> {
    let (mut summary, mut last) = (Summary::default(), 0);
    loop {
        let page = bench.reader.history(span, last, PAGE)?;
        let Some(end) = page.last() else { return Ok(summary) };
        last = end.seq;
        for record in page {
            let after = match bench.judge(&record)? {
                Ok(after) => after,
                Err(skipped) => {
                    *summary.skipped.entry(skipped).or_default() += 1;
                    continue;
                }
            };
            let Some(before) = record.decision.clone() else { continue };
            summary.add(&record, &before, &after);
            if before.word() != after.word() {
                tell(&Flip { record, before, after })?;
            }
        }
    }
}
