//! Reports by readers and appeals by authors, as the blog hands them on under its key.

use super::api::{Id, Peer, known, parse};
use super::auth;
use super::body;
use super::error::Problem;
use crate::access::Scope;
use crate::comment::InvalidSubmission;
use crate::decision::Objection;
use crate::flow::App;
use crate::flow::objection::{self, Objecting, Standing};
use crate::text::trim_blank;
use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a person says of a comment in a box on a page, in bytes: some ten lines. It is read by moderators, between two others.
const TEXT_BYTES_MAX: usize = 1_000;

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct ObjectionBody {
    reader: Option<String>,
    text: Option<String>,
}

/// How the comment stands now. A reader's browser needs no more, and nothing of it tells who else said what.
#[derive(Serialize)]
pub struct ObjectionDocument {
    id: String,
    status: &'static str,
    /// Whether a person is asked about it now.
    waits: bool,
    /// False where this reader, or the author, had said so before; then nothing changed.
    new: bool,
    reports: usize,
    appeals: usize,
}

impl From<Standing> for ObjectionDocument {
    fn from(Standing { record, objections, is_new }: Standing) -> Self {
        let count = |sought| objections.iter().filter(|objected| objected.objection == sought).count();
        Self {
            id: record.comment.id.to_string(),
            status: record.status.as_str(),
            waits: record.waits(),
            new: is_new,
            reports: count(Objection::Report),
            appeals: count(Objection::Appeal),
        }
    }
}

type Answer = Result<Json<ObjectionDocument>, Problem>;

pub async fn report(State(app): State<Arc<App>>, peer: Peer, headers: HeaderMap, id: Id, body: Body) -> Answer {
    object(&app, peer, &headers, id, body, Objection::Report).await
}

pub async fn appeal(State(app): State<Arc<App>>, peer: Peer, headers: HeaderMap, id: Id, body: Body) -> Answer {
    object(&app, peer, &headers, id, body, Objection::Appeal).await
}

async fn object(app: &App, ConnectInfo(peer): Peer, headers: &HeaderMap, id: Id, body: Body, objection: Objection) -> Answer {
    let site = auth::site(app, headers, peer, Scope::Submit)?;
    let bytes = body::whole(headers, body, app).await?;
    let asked: ObjectionBody = parse(&bytes)?;
    let text = filled("text", asked.text, TEXT_BYTES_MAX)?;
    let objecting = match objection {
        Objection::Report => {
            let reader = filled("reader", asked.reader, app.config().limits.field_bytes_max)?;
            Objecting::Report { reader: reader.ok_or_else(|| missing("reader", "whatever you know this reader by"))?, text }
        }
        Objection::Appeal => Objecting::Appeal { text: text.ok_or_else(|| missing("text", "why the author thinks it should stand"))? },
    };
    let standing = objection::object(app, &site, known(id)?, objecting).await?.ok_or_else(Problem::unknown_comment)?;
    Ok(Json(standing.into()))
}

/// What is blank says nothing.
fn filled(field: &'static str, value: Option<String>, limit: usize) -> Result<Option<String>, Problem> {
    let Some(value) = value else { return Ok(None) };
    if value.len() > limit {
        return Err(InvalidSubmission::TooLong { field, limit, got: value.len() }.into());
    }
    let value = trim_blank(&value);
    Ok((!value.is_empty()).then(|| value.to_owned()))
}

fn missing(field: &'static str, what: &str) -> Problem {
    let detail = format!("`{field}` is missing; send {what}");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "field missing", detail).about(field)
}
