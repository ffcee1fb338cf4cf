//! Rows and domain types, both ways. The store's own spelling of them, so that a change of a wire or of a core type is a migration here
//! and nowhere else by accident.

use super::StoreError;
use crate::classifier::Contribution;
use crate::clock::Timestamp;
use crate::comment::{Author, Comment, Form, FormToken, Kind, Page};
use crate::decision::{Band, Decision, Mode, Policy, Ruling, Status, Verdict};
use crate::delivery::{Callback, List, Mail, Parcel, Webhook};
use crate::id::{CommentId, DigestId, ModelId, SiteId};
use crate::rules::{Effect, Finding};
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The columns [`comment`] reads, in its order.
pub const COMMENT: &str = "c.seq, c.id, c.site, c.received_at, c.submitted_at, c.kind, c.name, c.email, c.url, c.ip, c.user_agent, c.role, \
                           c.body, c.page_url, c.page_title, c.parent_id, c.status, c.version, c.audited, c.page_excerpt, c.page_published_at, \
                           c.parent_body, c.form_token, c.form_shown_at, c.honeypot, c.objected_at, c.edited, \
                           c.callback";

pub struct CommentRow {
    pub seq: i64,
    pub comment: Comment,
    pub status: Status,
    pub version: u32,
    pub audited: bool,
    pub objected_at: Option<Timestamp>,
    pub edited: bool,
}

pub fn comment(row: &Row<'_>) -> Result<CommentRow, StoreError> {
    let ip: Option<String> = row.get(9)?;
    let time = |column: usize| row.get::<_, Option<i64>>(column).map(|ms| ms.map(Timestamp::from_ms));
    let author = Author {
        name: row.get(6)?,
        email: row.get(7)?,
        url: row.get(8)?,
        ip: ip.and_then(|ip| ip.parse().ok()),
        user_agent: row.get(10)?,
        role: row.get(11)?,
    };
    let comment = Comment {
        id: CommentId::from_bytes(row.get(1)?),
        site: SiteId::new(row.get::<_, String>(2)?),
        received_at: Timestamp::from_ms(row.get(3)?),
        submitted_at: time(4)?,
        kind: Kind::parse(Some(&row.get::<_, String>(5)?)),
        author,
        body: row.get(12)?,
        page: Page { url: row.get(13)?, title: row.get(14)?, excerpt: row.get(19)?, published_at: time(20)? },
        parent_id: row.get(15)?,
        parent_body: row.get(21)?,
        form: Form { token: form_token(row.get::<_, Option<String>>(22)?.as_deref(), time(23)?)?, honeypot_filled: row.get(24)? },
        callback: row.get(27)?,
    };
    let status = word(&row.get::<_, String>(16)?, Status::parse)?;
    Ok(CommentRow {
        seq: row.get(0)?,
        comment,
        status,
        version: row.get(17)?,
        audited: row.get(18)?,
        objected_at: time(25)?,
        edited: row.get(26)?,
    })
}

/// A form token's word and time, for their two columns.
pub fn form_token_of(token: FormToken) -> (Option<&'static str>, Option<i64>) {
    match token {
        FormToken::Absent => (None, None),
        FormToken::Forged => (Some("forged"), None),
        FormToken::Shown(at) => (Some("shown"), Some(at.ms())),
    }
}

fn form_token(kept: Option<&str>, shown_at: Option<Timestamp>) -> Result<FormToken, StoreError> {
    match (kept, shown_at) {
        (None, _) => Ok(FormToken::Absent),
        (Some("forged"), _) => Ok(FormToken::Forged),
        (Some("shown"), Some(at)) => Ok(FormToken::Shown(at)),
        (Some(other), _) => Err(StoreError::Row(format!("{other:?}"))),
    }
}

/// Pages whose age the site tells are found by a hash, which is shorter than their URL.
pub fn page_key(comment: &Comment) -> Option<[u8; 16]> {
    let (url, _) = comment.page.url.as_deref().zip(comment.page.published_at)?;
    Sha256::digest(url.as_bytes()).first_chunk().copied()
}

/// The author's record is kept under a hash, so that the index holds no address; case does not make another person.
pub fn author_key(comment: &Comment) -> Option<[u8; 16]> {
    comment.author.email.as_deref().and_then(author_key_of)
}

pub fn author_key_of(email: &str) -> Option<[u8; 16]> {
    let digest = Sha256::digest(email.to_lowercase().as_bytes());
    digest.first_chunk().copied()
}

/// A word of ours, or an error that names it.
pub fn word<T>(word: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(word).ok_or_else(|| StoreError::Row(format!("{word:?}")))
}

#[derive(Serialize, Deserialize)]
struct Why {
    findings: Vec<FindingRow>,
    evidence: Vec<(String, f64)>,
    publish_max: f64,
    reject_min: f64,
    discard_min: f64,
}

#[derive(Serialize, Deserialize)]
struct FindingRow {
    code: String,
    effect: String,
    text: String,
    log_odds: f64,
}

pub fn why_of(decision: &Decision) -> Result<String, StoreError> {
    let finding = |finding: &Finding| FindingRow {
        code: finding.code.clone(),
        effect: finding.effect.as_str().to_owned(),
        text: finding.text.clone(),
        log_odds: finding.log_odds,
    };
    json(&Why {
        findings: decision.findings.iter().map(finding).collect(),
        evidence: decision.evidence.iter().map(|part| (part.what.clone(), part.log_odds)).collect(),
        publish_max: decision.policy.publish_max,
        reject_min: decision.policy.reject_min,
        discard_min: decision.policy.discard_min,
    })
}

/// The columns [`decision`] reads, in its order.
pub const DECISION: &str = "verdict, discard, band, score, model, mode, why, decided_at";

/// The findings alone of a decision's `why`.
pub fn findings(why: &str) -> Result<Vec<Finding>, StoreError> {
    let why: Why = from_json(why)?;
    why.findings.into_iter().map(finding).collect()
}

fn finding(finding: FindingRow) -> Result<Finding, StoreError> {
    let effects = [Effect::Reject, Effect::Hold, Effect::Evidence, Effect::Trust];
    let effect = word(&finding.effect, |word| effects.into_iter().find(|effect| effect.as_str() == word))?;
    Ok(Finding { code: finding.code, effect, text: finding.text, log_odds: finding.log_odds, entries: Vec::new() })
}

pub fn decision(row: &Row<'_>) -> Result<Decision, StoreError> {
    let why: Why = from_json(&row.get::<_, String>(6)?)?;
    Ok(Decision {
        verdict: word(&row.get::<_, String>(0)?, Verdict::parse)?,
        discard: row.get(1)?,
        band: word(&row.get::<_, String>(2)?, Band::parse)?,
        score: row.get(3)?,
        model: row.get::<_, Option<String>>(4)?.map(ModelId::new),
        mode: word(&row.get::<_, String>(5)?, Mode::parse)?,
        findings: why.findings.into_iter().map(finding).collect::<Result<_, _>>()?,
        evidence: why.evidence.into_iter().map(|(what, log_odds)| Contribution { what, log_odds }).collect(),
        policy: Policy { publish_max: why.publish_max, reject_min: why.reject_min, discard_min: why.discard_min },
        decided_at: Timestamp::from_ms(row.get(7)?),
    })
}

pub fn ruling(text: &str) -> Result<Ruling, StoreError> {
    word(text, Ruling::parse)
}

/// What a row of `rulings` says where the only ruling was taken back.
pub const NO_RULING: &str = "none";

/// What stands after a row of `rulings`.
pub fn standing(text: &str) -> Result<Option<Ruling>, StoreError> {
    if text == NO_RULING { Ok(None) } else { ruling(text).map(Some) }
}

#[derive(Serialize, Deserialize)]
struct MailRow {
    digest: String,
    to_name: String,
    to_address: String,
    from_name: String,
    subject: String,
    text: String,
    html: String,
    /// The week and the address to pause at; mails of before, and letters, have none.
    #[serde(default)]
    list: Option<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct CallbackRow {
    url: String,
    is_spam: bool,
}

/// Kind, lane and content of a parcel. What a blog is told of one comment shares a lane; a digest has one to itself.
pub fn parcel_of(parcel: &Parcel) -> Result<(&'static str, [u8; 16], String), StoreError> {
    match parcel {
        Parcel::Webhook(webhook) => Ok(("webhook", webhook.comment.bytes(), webhook.payload.clone())),
        Parcel::Callback(callback) => {
            let row = CallbackRow { url: callback.url.clone(), is_spam: callback.is_spam };
            Ok(("callback", callback.comment.bytes(), json(&row)?))
        }
        Parcel::Mail(mail) => {
            let row = MailRow {
                digest: mail.digest.to_string(),
                to_name: mail.to_name.clone(),
                to_address: mail.to_address.clone(),
                from_name: mail.from_name.clone(),
                subject: mail.subject.clone(),
                text: mail.text.clone(),
                html: mail.html.clone(),
                list: mail.list.as_ref().map(|list| (list.week.clone(), list.pause_url.clone())),
            };
            Ok(("mail", mail.digest.bytes(), json(&row)?))
        }
    }
}

pub fn parcel(kind: &str, lane: [u8; 16], content: String) -> Result<Parcel, StoreError> {
    match kind {
        "webhook" => Ok(Parcel::Webhook(Webhook { comment: CommentId::from_bytes(lane), payload: content })),
        "callback" => {
            let row: CallbackRow = from_json(&content)?;
            Ok(Parcel::Callback(Callback { comment: CommentId::from_bytes(lane), url: row.url, is_spam: row.is_spam }))
        }
        "mail" => {
            let row: MailRow = from_json(&content)?;
            Ok(Parcel::Mail(Mail {
                digest: DigestId::from_bytes(lane),
                to_name: row.to_name,
                to_address: row.to_address,
                from_name: row.from_name,
                subject: row.subject,
                text: row.text,
                html: row.html,
                list: row.list.map(|(week, pause_url)| List { week, pause_url }),
            }))
        }
        other => Err(StoreError::Row(format!("{other:?}"))),
    }
}

pub fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Row(error.to_string()))
}

pub fn from_json<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Row(error.to_string()))
}
