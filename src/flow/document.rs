//! The JSON document of a comment, as answers and webhooks carry it. It never holds the email address, the IP or the text.

use crate::classifier::Contribution;
use crate::clock::Timestamp;
use crate::comment::Comment;
use crate::config::{Form, Site};
use crate::decision::{Decision, Status};
use crate::delivery::{Outgoing, Parcel, Webhook};
use crate::dice::Dice;
use crate::id::{CommentId, ParcelId};
use crate::store::{Record, Ruled};
use serde::Serialize;

/// How a comment stands, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Document {
    pub id: String,
    pub status: &'static str,
    /// None while it waits in the queue.
    pub verdict: Option<&'static str>,
    pub discard: bool,
    /// Probability of spam; none without a model.
    pub score: Option<f64>,
    pub band: Option<&'static str>,
    pub reasons: Vec<Reason>,
    pub model: Option<String>,
    pub decided_at: Option<String>,
    /// Left out of the first answer; null where nobody has ruled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Option<RulingDocument>>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Reason {
    pub code: String,
    pub effect: &'static str,
    pub text: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct RulingDocument {
    pub ruling: &'static str,
    pub by: String,
    pub via: String,
    pub at: String,
}

#[derive(Serialize)]
struct Event<'a> {
    r#type: &'static str,
    timestamp: String,
    data: &'a Document,
    /// Only of what is published on a site whose comments come by its public form: nobody else has their text.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Content<'a>>,
}

/// What a static site needs to show a comment. Never the email address or the IP.
#[derive(Serialize)]
struct Content<'a> {
    name: Option<&'a str>,
    url: Option<&'a str>,
    body: &'a str,
    page_url: Option<&'a str>,
    page_title: Option<&'a str>,
    parent_id: Option<&'a str>,
    received_at: String,
}

impl<'a> Content<'a> {
    fn of(comment: &'a Comment) -> Self {
        Self {
            name: comment.author.name.as_deref(),
            url: comment.author.url.as_deref(),
            body: &comment.body,
            page_url: comment.page.url.as_deref(),
            page_title: comment.page.title.as_deref(),
            parent_id: comment.parent_id.as_deref(),
            received_at: comment.received_at.to_string(),
        }
    }
}

impl Document {
    /// The answer to a submission.
    pub fn of_verdict(id: CommentId, status: Status, decision: Option<&Decision>) -> Self {
        Self {
            id: id.to_string(),
            status: status.as_str(),
            verdict: decision.map(|decision| decision.verdict.as_str()),
            discard: decision.is_some_and(|decision| decision.discard),
            score: decision.and_then(|decision| decision.score),
            band: decision.map(|decision| decision.band.as_str()),
            reasons: decision.map(reasons).unwrap_or_default(),
            model: decision.and_then(|decision| decision.model.as_ref()).map(ToString::to_string),
            decided_at: decision.map(|decision| decision.decided_at.to_string()),
            ruling: None,
        }
    }

    /// The same, with what people said.
    pub fn of_record(record: &Record) -> Self {
        let ruling = record.ruled.as_ref().map(ruling_document);
        Self { ruling: Some(ruling), ..Self::of_verdict(record.comment.id, record.status, record.decision.as_ref()) }
    }
}

fn ruling_document(ruled: &Ruled) -> RulingDocument {
    RulingDocument { ruling: ruled.ruling.as_str(), by: ruled.by.clone(), via: ruled.via.clone(), at: ruled.at.to_string() }
}

/// Findings first, then what the classifier saw, strongest first. Nothing here quotes an address: evidence comes from the text only.
fn reasons(decision: &Decision) -> Vec<Reason> {
    let findings = decision.findings.iter().map(|finding| Reason {
        code: finding.code.clone(),
        effect: finding.effect.as_str(),
        text: finding.text.clone(),
    });
    findings.chain(decision.evidence.iter().map(evidence)).collect()
}

fn evidence(part: &Contribution) -> Reason {
    let side = if part.log_odds > 0.0 { "spam" } else { "ham" };
    Reason { code: format!("classifier:{side}"), effect: "evidence", text: format!("{} speaks for {side}", part.what) }
}

/// What a blog is told of a verdict.
pub fn verdict_webhook(site: &Site, comment: &Comment, decision: &Decision, now: Timestamp, dice: &Dice) -> Outgoing {
    let document = Document { ruling: Some(None), ..Document::of_verdict(comment.id, decision.status(), Some(decision)) };
    webhook(site, "comment.verdict", comment, &document, (now, now), dice)
}

/// What a blog is told of an edit: a verdict on the new text, with the ruling that stands.
pub fn edit_webhook(site: &Site, record: &Record, now: Timestamp, dice: &Dice) -> Outgoing {
    webhook(site, "comment.verdict", &record.comment, &Document::of_record(record), (now, now), dice)
}

/// What a blog is told of a comment that was forgotten: its id, and nothing else.
pub fn erased_webhook(comment: &Comment, now: Timestamp, dice: &Dice) -> Outgoing {
    let data = serde_json::json!({ "id": comment.id.to_string(), "status": "erased" });
    let event = serde_json::json!({ "type": "comment.erased", "timestamp": now.to_string(), "data": data });
    let parcel = Parcel::Webhook(Webhook { comment: comment.id, payload: event.to_string() });
    Outgoing { id: ParcelId::new(now, dice), site: comment.site.clone(), parcel, due_at: now }
}

/// What a blog is told of a ruling, from `due_at` on.
pub fn ruling_webhook(site: &Site, record: &Record, now: Timestamp, due_at: Timestamp, dice: &Dice) -> Outgoing {
    webhook(site, "comment.ruling", &record.comment, &Document::of_record(record), (now, due_at), dice)
}

/// What a blog is told that was not reached for long: how the comment stands by now.
pub fn renewed_payload(form: Option<&Form>, record: &Record, now: Timestamp) -> String {
    let kind = if record.ruled.is_some() { "comment.ruling" } else { "comment.verdict" };
    payload(form, kind, &record.comment, &Document::of_record(record), now)
}

fn payload(form: Option<&Form>, kind: &'static str, comment: &Comment, document: &Document, now: Timestamp) -> String {
    let is_shown = form.is_some() && document.status == Status::Published.as_str();
    let content = is_shown.then(|| Content::of(comment));
    serde_json::to_string(&Event { r#type: kind, timestamp: now.to_string(), data: document, content }).unwrap_or_default()
}

fn webhook(
    site: &Site,
    kind: &'static str,
    comment: &Comment,
    document: &Document,
    (now, due_at): (Timestamp, Timestamp),
    dice: &Dice,
) -> Outgoing {
    let payload = payload(site.form.as_ref(), kind, comment, document, now);
    Outgoing {
        id: ParcelId::new(now, dice),
        site: comment.site.clone(),
        parcel: Parcel::Webhook(Webhook { comment: comment.id, payload }),
        due_at,
    }
}
