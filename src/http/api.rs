//! Our own API: JSON in, the document of a comment out. The email address never appears in an answer.

use super::auth;
use super::body;
use super::error::Problem;
use crate::access::Scope;
use crate::decision::{Ruling, Status};
use crate::flow::App;
use crate::flow::document::Document;
use crate::flow::edit::{self, Edited};
use crate::flow::intake;
use crate::flow::review::{self, Ruler};
use crate::flow::submission::SubmissionBody;
use crate::id::CommentId;
use crate::store::{Idempotency, Record};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// An idempotency key longer than this is no key (a UUID has 36 bytes).
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// What a site puts into its comment form.
#[derive(Serialize)]
pub struct FormTokenDocument {
    token: String,
    /// For how long it is no evidence against a comment.
    valid_seconds: u64,
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct RulingBody {
    ruling: Option<String>,
    by: Option<String>,
}

pub(super) type Peer = ConnectInfo<SocketAddr>;
pub(super) type Id = Result<Path<String>, PathRejection>;

pub async fn submit(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let site = auth::site(&app, &headers, peer, Scope::Submit)?;
    let bytes = body::whole(&headers, body, &app).await?;
    let idempotency = idempotency(&headers, &bytes)?;
    let submission: SubmissionBody = parse(&bytes)?;
    drop(bytes);
    let record = if asks_for_later(&headers) {
        intake::enqueue(&app, &site, submission.into(), idempotency).await?
    } else {
        intake::submit(&app, &site, submission.into(), idempotency).await?
    };
    Ok(answer(&record))
}

/// `Prefer: respond-async`, alone or among other preferences (RFC 7240).
pub(super) fn asks_for_later(headers: &HeaderMap) -> bool {
    let mut preferences =
        headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()).flat_map(|prefer| prefer.split([',', ';']));
    preferences.any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

fn answer(record: &Record) -> Response {
    if record.status == Status::Queued {
        let queued = serde_json::json!({ "id": record.comment.id.to_string(), "status": record.status.as_str() });
        return (StatusCode::ACCEPTED, Json(queued)).into_response();
    }
    Json(Document::of_verdict(record.comment.id, record.status, record.decision.as_ref())).into_response()
}

pub async fn read(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, headers: HeaderMap, id: Id) -> Result<Json<Document>, Problem> {
    let site = auth::site(&app, &headers, peer, Scope::Submit)?;
    let id = known(id)?;
    let record = app.store.read().comment(&site.id, id)?.ok_or_else(Problem::unknown_comment)?;
    Ok(Json(Document::of_record(&record)))
}

/// The comment as it is now, whole.
pub async fn edit(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    id: Id,
    body: Body,
) -> Result<Json<Document>, Problem> {
    let site = auth::site(&app, &headers, peer, Scope::Submit)?;
    let bytes = body::whole(&headers, body, &app).await?;
    let submission: SubmissionBody = parse(&bytes)?;
    match edit::edit(&app, &site, known(id)?, submission.into()).await? {
        Edited::Unknown => Err(Problem::unknown_comment()),
        Edited::Busy => {
            let detail =
                "the comment is being judged, or was ruled on or edited in this moment; nothing changed, read it again and send anew";
            Err(Problem::new(StatusCode::CONFLICT, "comment changed", detail))
        }
        Edited::Done(record) => Ok(Json(Document::of_record(&record))),
    }
}

pub async fn rule(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    id: Id,
    body: Body,
) -> Result<Json<Document>, Problem> {
    let site = auth::site(&app, &headers, peer, Scope::Rule)?;
    let bytes = body::whole(&headers, body, &app).await?;
    let asked: RulingBody = parse(&bytes)?;
    let word = asked.ruling.unwrap_or_default();
    let ruling = Ruling::parse(&word).ok_or_else(|| {
        let detail = format!("`ruling` is {word:?}; write \"publish\", \"spam\" or \"remove\"");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "field malformed", detail).about("ruling")
    })?;
    let id = known(id)?;
    let by = asked.by.map_or_else(|| site.name.clone(), |by| Ruler::name(&by));
    let ruled = review::rule(&app, &site.id, id, ruling, Ruler { by, via: "api" }, (None, Duration::ZERO)).await?;
    let (record, _) = ruled.ok_or_else(Problem::unknown_comment)?;
    Ok(Json(Document::of_record(&record)))
}

/// That the site shows its form now. Nothing is written: the token says it all.
pub async fn form_token(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
) -> Result<([(HeaderName, &'static str); 1], Json<FormTokenDocument>), Problem> {
    let site = auth::site(&app, &headers, peer, Scope::Submit)?;
    let token = app.keys.sign_form(&site.id, app.clock.now());
    Ok(([(CACHE_CONTROL, "no-store")], Json(FormTokenDocument { token, valid_seconds: site.rules.form.age_max.as_secs() })))
}

/// What is no id, or no text at all, names no comment.
pub(super) fn known(id: Id) -> Result<CommentId, Problem> {
    id.ok().and_then(|Path(id)| id.parse().ok()).ok_or_else(Problem::unknown_comment)
}

pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = deserialized(&mut json)?;
    json.end().map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "no JSON", error.to_string()))?;
    Ok(parsed)
}

/// A part of a document that was read before.
pub(super) fn parse_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Problem> {
    deserialized(value)
}

/// Errors name the field.
fn deserialized<'a, T: Deserialize<'a>>(json: impl Deserializer<'a, Error = serde_json::Error>) -> Result<T, Problem> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let field = error.path().to_string();
        let (status, title) = if error.inner().is_data() {
            (StatusCode::UNPROCESSABLE_ENTITY, "field malformed")
        } else {
            (StatusCode::BAD_REQUEST, "no JSON")
        };
        if error.inner().is_data() && field != "." {
            return Problem::new(status, title, format!("`{field}` cannot be read: {}", error.inner())).about(field);
        }
        Problem::new(status, title, error.inner().to_string())
    })
}

fn idempotency(headers: &HeaderMap, bytes: &[u8]) -> Result<Option<Idempotency>, Problem> {
    const NAME: &str = "Idempotency-Key";
    let Some(value) = headers.get(NAME) else { return Ok(None) };
    checked(value.to_str().unwrap_or("\u{0}"), NAME, bytes).map(Some)
}

/// A key that a client made, and what it sent under it.
pub(super) fn checked(key: &str, name: &'static str, bytes: &[u8]) -> Result<Idempotency, Problem> {
    let refused = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "idempotency key malformed", detail).about(name);
    if key.chars().any(|c| !matches!(c, '\t' | ' '..='~')) {
        return Err(refused(format!("`{name}` has characters that no key needs; use printable ASCII")));
    }
    if key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
        let detail = format!("`{name}` has {} bytes, the limits are 1 and {IDEMPOTENCY_KEY_BYTES_MAX}", key.len());
        return Err(refused(detail).limited(IDEMPOTENCY_KEY_BYTES_MAX, key.len().to_string()));
    }
    Ok(Idempotency { key: key.to_owned(), request_hash: Sha256::digest(bytes).into() })
}
