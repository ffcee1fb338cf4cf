//! Explaining: one decision with everything that it is made of, for a person or a program. What is on record of a stored comment stays as
//! it was said then; beside it stands what the present rules and model would say.

use super::judge::judge;
use super::models::SiteModel;
use super::replay::Bench;
use crate::classifier::{Contribution, Features, Model};
use crate::comment::{Comment, Facts};
use crate::config::Site;
use crate::decision::{Decision, Recent};
use crate::id::ModelId;
use crate::rules::Finding;
use crate::shelf::Shelf;
use crate::store::{Reader, Record, Ruled, StoreError};
use crate::text::Reading;
use crate::view::changes;
use serde::Serialize;
use std::sync::Arc;

/// One decision, explained.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub comment: Comment,
    pub decision: Decision,
    /// Every part of the model's score, where every comment starts first: they add up to its logit.
    pub parts: Vec<Contribution>,
    /// The share that a base model has in the score.
    pub base_share: Option<f64>,
    /// Oldest first.
    pub rulings: Vec<Ruled>,
    /// What would be decided today, where that is something else.
    pub today: Option<Decision>,
    /// What cannot be told, and why.
    pub notes: Vec<String>,
}

/// As JSON. It holds neither the text nor an address.
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    pub id: String,
    pub site: &'a str,
    verdict: &'static str,
    discard: bool,
    band: &'static str,
    score: Option<f64>,
    model: Option<&'a str>,
    publish_max: f64,
    reject_min: f64,
    discard_min: f64,
    decided_at: String,
    findings: Vec<FindingDocument<'a>>,
    contributions: Vec<Part<'a>>,
    /// The sum of the contributions.
    logit: Option<f64>,
    base_share: Option<f64>,
    rulings: Vec<RulingDocument<'a>>,
    today: Option<Today>,
    notes: &'a [String],
}

#[derive(Debug, Serialize)]
pub struct FindingDocument<'a> {
    code: &'a str,
    effect: &'static str,
    text: &'a str,
    log_odds: f64,
}

#[derive(Debug, Serialize)]
struct Part<'a> {
    what: &'a str,
    log_odds: f64,
}

#[derive(Debug, Serialize)]
struct RulingDocument<'a> {
    ruling: &'static str,
    by: &'a str,
    via: &'a str,
    at: String,
}

impl<'a> RulingDocument<'a> {
    fn of(ruled: &'a Ruled) -> Self {
        let Ruled { ruling, by, via, at } = ruled;
        Self { ruling: ruling.as_str(), by, via, at: at.to_string() }
    }
}

#[derive(Debug, Serialize)]
struct Today {
    verdict: &'static str,
    discard: bool,
    score: Option<f64>,
    changes: Vec<String>,
}

impl Explanation {
    /// What is on record of a comment; none where nobody judged it. `bench` judges it again, where the settings allow.
    ///
    /// # Errors
    /// [`StoreError`] from the store.
    pub fn of_record(
        record: Record,
        (reader, shelf): (&Reader, &Shelf),
        bench: Option<&mut Bench<'_>>,
    ) -> Result<Option<Self>, StoreError> {
        let rulings = reader.rulings(record.seq)?;
        let again = bench.map(|bench| bench.judge(&record)).transpose()?;
        let is_open_check = record.is_open_check();
        let Some(decision) = record.decision else { return Ok(None) };
        let mut notes = Vec::new();
        if is_open_check {
            notes.push("a spot check that nobody has answered: who rules on it should not have read this".to_owned());
        }
        let (mut parts, mut base_share) = (Vec::new(), None);
        match decision.model.as_ref().map(|id| shelf.model(id)) {
            Some(Ok(model)) => (parts, base_share) = explained(&model, &record.comment),
            Some(Err(error)) => notes.push(format!("only the strongest parts of the score are on record: {error}")),
            None => {}
        }
        let today = match again {
            Some(Ok(today)) => Some(today).filter(|today| today.word() != decision.word()),
            Some(Err(skipped)) => {
                notes.push(format!("what would be decided today is not known: {skipped}"));
                None
            }
            None => None,
        };
        Ok(Some(Self { comment: record.comment, decision, parts, base_share, rulings, today, notes }))
    }

    /// What a site would decide of a comment that nothing is known of but itself.
    pub fn of_comment(comment: Comment, site: &Site, model: &Arc<Model>) -> Self {
        let facts = Facts::none(comment.received_at);
        let site_model = SiteModel::recorded(Arc::clone(model), Recent::default());
        let (decision, _) = judge((&comment, &Reading::of(&comment.body)), &facts, site, Some(&site_model), &mut Features::default());
        let (parts, base_share) = explained(model, &comment);
        Self { comment, decision, parts, base_share, rulings: Vec::new(), today: None, notes: Vec::new() }
    }

    pub fn document(&self) -> Document<'_> {
        let Self { comment, decision, parts, .. } = self;
        let logit = parts.iter().map(|part| part.log_odds).sum();
        Document {
            id: comment.id.to_string(),
            site: comment.site.as_str(),
            verdict: decision.verdict.as_str(),
            discard: decision.discard,
            band: decision.band.as_str(),
            score: decision.score,
            model: decision.model.as_ref().map(ModelId::as_str),
            publish_max: decision.policy.publish_max,
            reject_min: decision.policy.reject_min,
            discard_min: decision.policy.discard_min,
            decided_at: decision.decided_at.to_string(),
            findings: findings(decision),
            contributions: parts.iter().map(|part| Part { what: &part.what, log_odds: part.log_odds }).collect(),
            logit: (!parts.is_empty()).then_some(logit),
            base_share: self.base_share,
            rulings: self.rulings.iter().map(RulingDocument::of).collect(),
            today: self.today.as_ref().map(|today| Today {
                verdict: today.verdict.as_str(),
                discard: today.discard,
                score: today.score,
                changes: changes(decision, today),
            }),
            notes: &self.notes,
        }
    }
}

pub fn findings(decision: &Decision) -> Vec<FindingDocument<'_>> {
    let mut findings = Vec::with_capacity(decision.findings.len());
    for Finding { code, effect, text, log_odds, entries: _ } in &decision.findings {
        findings.push(FindingDocument { code, effect: effect.as_str(), text, log_odds: *log_odds });
    }
    findings
}

fn explained(model: &Model, comment: &Comment) -> (Vec<Contribution>, Option<f64>) {
    let parts = model.explain(&mut Features::default(), &Reading::of(&comment.body));
    (parts, model.base.as_ref().map(|base| base.blend.share))
}
