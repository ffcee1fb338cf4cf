//! Many submissions in one request: each is taken, refused and answered as if it had come alone, in the order in which they were sent. They
//! wait side by side, so that they share a write.

use super::api::{Peer, asks_for_later, checked, parse, parse_value};
use super::auth;
use super::body;
use super::error::Problem;
use crate::access::Scope;
use crate::config::Site;
use crate::flow::App;
use crate::flow::document::Document;
use crate::flow::intake::{self, Refusal};
use crate::flow::submission::SubmissionBody;
use crate::store::Record;
use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Submissions in one request. All together may weigh what one may: a client that has more sends again.
const ITEMS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct BatchBody {
    comments: Option<Vec<Value>>,
}

/// A submission of a batch, which has no headers of its own.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct ItemBody {
    idempotency_key: Option<String>,
    #[serde(flatten)]
    submission: SubmissionBody,
}

#[derive(Serialize)]
pub struct BatchDocument {
    results: Vec<ItemDocument>,
}

/// What a request with this one alone would have been answered.
#[derive(Serialize)]
struct ItemDocument {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

impl From<Result<Box<Record>, Problem>> for ItemDocument {
    fn from(result: Result<Box<Record>, Problem>) -> Self {
        match result {
            Ok(record) => {
                let status = if record.decision.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
                let comment = Document::of_verdict(record.comment.id, record.status, record.decision.as_ref());
                Self { status: status.as_u16(), comment: Some(comment), problem: None }
            }
            Err(problem) => Self { status: problem.status().as_u16(), comment: None, problem: Some(problem) },
        }
    }
}

pub async fn submit(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<BatchDocument>, Problem> {
    let site = auth::site(&app, &headers, peer, Scope::Submit)?;
    let bytes = body::whole(&headers, body, &app).await?;
    let batch: BatchBody = parse(&bytes)?;
    drop(bytes);
    let unfit = |title, detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, title, detail).about("comments");
    let comments = batch.comments.ok_or_else(|| unfit("field missing", "`comments` is missing; send a list of submissions".to_owned()))?;
    if comments.len() > ITEMS_MAX {
        let detail = format!("`comments` has {} submissions, the limit is {ITEMS_MAX}", comments.len());
        return Err(unfit("too many submissions", detail).limited(ITEMS_MAX, comments.len().to_string()));
    }
    let later = asks_for_later(&headers);
    let mut waiting = JoinSet::new();
    let number = comments.len();
    for (index, value) in comments.into_iter().enumerate() {
        let (app, site) = (Arc::clone(&app), Arc::clone(&site));
        waiting.spawn(async move { (index, take(&app, &site, value, later).await) });
    }
    let mut results: Vec<Option<ItemDocument>> = (0..number).map(|_| None).collect();
    while let Some(taken) = waiting.join_next().await {
        let Ok((index, result)) = taken else { continue };
        if let Some(slot) = results.get_mut(index) {
            *slot = Some(result.into());
        }
    }
    // One whose task was lost may have been taken: its sender is told to ask again.
    let lost = || ItemDocument::from(Err(Problem::unavailable("no answer came; send it again under the same `idempotency_key`")));
    Ok(Json(BatchDocument { results: results.into_iter().map(|result| result.unwrap_or_else(lost)).collect() }))
}

async fn take(app: &App, site: &Site, value: Value, later: bool) -> Result<Box<Record>, Problem> {
    let text = value.to_string();
    let item: ItemBody = parse_value(value)?;
    let idempotency = item.idempotency_key.map(|key| checked(&key, "idempotency_key", text.as_bytes())).transpose()?;
    let submission = item.submission.into();
    let taken = if later {
        intake::enqueue(app, site, submission, idempotency).await
    } else {
        intake::submit(app, site, submission, idempotency).await
    };
    taken.map_err(|refusal| {
        let is_conflict = matches!(refusal, Refusal::Conflict);
        let problem = Problem::from(refusal);
        if is_conflict { problem.about("idempotency_key") } else { problem }
    })
}
