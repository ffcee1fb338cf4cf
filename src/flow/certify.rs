//! Certifying: what a site's labels say of its budget, measured on scores of models that had not seen what they score, trained as the one that
//! is to judge. Which labels count is `budget::sample`'s, the bounds are `budget`'s; the answer goes on the model's card.

use super::evaluate::{self, CannotEvaluate, Depth, Plan, Scored};
use super::learn::CannotLearn;
use crate::budget::Budget;
use crate::budget::audit::Rates;
use crate::budget::sample::{self, Fair};
use crate::budget::terms::{Measured, Terms};
use crate::budget::workload::{FORECAST_LEVEL, Forecast};
use crate::classifier::evaluate::Tally;
use crate::classifier::splits::{self, Split};
use crate::classifier::{Label, Model};
use crate::clock::Timestamp;
use crate::decision::{Mode, Policy, Verdict, logistic};
use crate::id::{CommentId, SiteId};
use crate::store::{Decided, Labelled, Reader};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Duration;

/// Models trained for a measurement. Five of four fifths of 100,000 generated labels, and scoring the rest by each, took 26 s of a core and 540 MB
/// (two at a time), training alone 3.4 s and 170 MB; twice as many would take about twice that.
const FOLDS: usize = 5;

/// Decisions looked at, the last ones, and labels trained on for the measurement: bounds on time and memory.
const DECISIONS_MAX: usize = 100_000;

/// The forecast looks back so far.
const FORECAST_WINDOW: Duration = Duration::from_hours(30 * 24);

/// What is asked of a site's labels.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub budget: Budget,
    /// In force where the labels carry no certificate.
    pub fixed: Policy,
    pub rates: Rates,
}

/// How a model is made here, for models like it.
#[derive(Debug, Clone)]
pub struct Procedure<'a> {
    pub base: Option<Model>,
    /// The hashing's key.
    pub key: u64,
    pub program: &'a Path,
}

/// Measures. Without labels enough nothing is trained, so a young site costs nothing.
///
/// # Errors
/// [`CannotLearn`] from the store or a fit; labels that cannot be split are no error but carry no certificate.
pub fn terms(reader: &Reader, site: &SiteId, labelled: &Labelled, asked: &Asked, procedure: Procedure<'_>) -> Result<Terms, CannotLearn> {
    let decided: Vec<Decided> = reader.decided(site, DECISIONS_MAX)?.into_iter().filter(|one| !one.is_by_rule).collect();
    let sample: Vec<sample::Decided> = decided.iter().map(in_sample).collect();
    let fair = Fair::of(&sample);
    let kept: Vec<&Decided> = fair.iter().flat_map(|fair| &fair.places).filter_map(|place| decided.get(*place)).collect();
    let counted = once_each(&kept, labelled);
    let measured = measured(fair.as_ref(), &kept, &counted);
    let (spam, ham) = (measured.spam, measured.ham);
    let scored = if measured.is_answered() && asked.budget.is_within_reach(spam, ham) { scores(labelled, procedure)? } else { Vec::new() };
    let judged: Vec<(&Decided, f64, Label)> = scored
        .iter()
        .filter_map(|one| {
            let decided = counted.get(labelled.numbers.get(one.index)?)?;
            Some((*decided, logistic(one.log_odds + decided.facts_log_odds), one.label))
        })
        .collect();
    let outcome = if judged.is_empty() {
        asked.budget.not_certified(spam, ham, asked.fixed)
    } else {
        let scored: Vec<(f64, Label)> = judged.iter().map(|(_, probability, label)| (*probability, *label)).collect();
        asked.budget.derive(&scored, asked.fixed)
    };
    let policy = outcome.policy();
    let seen: Tally = match judged.as_slice() {
        [] => recent(&decided).map(|one| one.verdict).collect(),
        judged => judged.iter().map(|(decided, probability, _)| verdict(decided, policy.verdict(*probability))).collect(),
    };
    let forecast = Forecast::of(seen, asked.rates, per_day(&decided), FORECAST_LEVEL);
    Ok(Terms { budget: asked.budget, outcome, sample: measured, forecast })
}

fn measured(fair: Option<&Fair>, kept: &[&Decided], counted: &BTreeMap<i64, &Decided>) -> Measured {
    let time = |one: Option<&&Decided>| one.map(|one| one.received_at.to_string()).unwrap_or_default();
    let labels = |label| counted.values().filter(|one| one.label() == Some(label)).count();
    let checks = || kept.iter().filter(|one| one.audit.audited);
    Measured {
        share: fair.map_or(0.0, |fair| fair.share),
        comments: fair.map_or(0, |fair| fair.comments),
        asked: kept.len(),
        spam: labels(Label::Spam),
        ham: labels(Label::Ham),
        checks: checks().count(),
        answered: checks().filter(|one| one.ruled.is_some()).count(),
        since: time(kept.first()),
        until: time(kept.last()),
    }
}

/// What is held comes before people always, the rest by chance; who merely observes is asked nothing.
fn in_sample(decided: &Decided) -> sample::Decided {
    let is_held = decided.verdict == Verdict::Hold && decided.mode == Mode::Enforce;
    sample::Decided {
        floor: decided.audit.floor,
        inclusion: if is_held { 1.0 } else { decided.audit.probability },
        asked: is_held || decided.audit.audited,
        draw: draw(decided.id),
    }
}

/// An id ends in 62 bits of chance, drawn before anything was known of the comment, and nobody outside chooses them.
#[expect(clippy::cast_precision_loss, reason = "the upper 53 of 62 bits")]
fn draw(id: CommentId) -> f64 {
    let last = id.bytes().last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    (last << 2 >> 11) as f64 / (1_u64 << 53) as f64
}

/// The labelled of the sample by number, of a text and its copies under one label the first: three hundred copies of one spam are one thing
/// known, not three hundred.
fn once_each<'a>(kept: &[&'a Decided], labelled: &Labelled) -> BTreeMap<i64, &'a Decided> {
    let texts = splits::texts(&labelled.examples);
    let text_of: BTreeMap<i64, u64> = labelled.numbers.iter().copied().zip(texts).collect();
    let mut known = HashSet::new();
    let first = |one: &&&Decided| one.label().zip(text_of.get(&one.number)).is_some_and(|(label, text)| known.insert((*text, label)));
    kept.iter().filter(first).map(|one| (one.number, *one)).collect()
}

/// Out-of-sample scores of the labels, copies of a text never on both sides; none where they cannot be split.
fn scores(labelled: &Labelled, procedure: Procedure<'_>) -> Result<Vec<Scored>, CannotLearn> {
    let Procedure { base, key, program } = procedure;
    let plan = Plan { split: Split::FoldsOfTexts(FOLDS), seed: 0, base, key, depth: Depth::Scores, program };
    let oldest = labelled.examples.len().saturating_sub(DECISIONS_MAX);
    let newest = labelled.examples.get(oldest..).unwrap_or_default();
    match evaluate::scores(newest, &plan, |_, _| ()) {
        Ok(mut scored) => {
            scored.iter_mut().for_each(|one| one.index += oldest);
            Ok(scored)
        }
        Err(CannotEvaluate::Learn(error)) => Err(error),
        Err(_) => Ok(Vec::new()),
    }
}

/// A rule may hold what a score would publish.
fn verdict(decided: &Decided, by_score: Verdict) -> Verdict {
    if by_score == Verdict::Publish && decided.is_held_by_rule { Verdict::Hold } else { by_score }
}

/// The decisions of the month before the last one.
fn recent(decided: &[Decided]) -> impl Iterator<Item = &Decided> {
    let last = decided.last().map_or(Timestamp::from_ms(0), |one| one.received_at);
    decided.iter().filter(move |one| last.since(one.received_at) <= FORECAST_WINDOW)
}

/// Comments a day of that month, or of as much of it as there was; less than a day counts as one.
fn per_day(decided: &[Decided]) -> f64 {
    let comments = u32::try_from(recent(decided).count()).unwrap_or(u32::MAX);
    let ends = recent(decided).next().zip(decided.last());
    let days = ends.map_or(0.0, |(first, last)| last.received_at.since(first.received_at).as_secs_f64() / 86_400.0);
    f64::from(comments) / days.max(1.0)
}
