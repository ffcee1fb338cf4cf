//! Erasure over the API: one comment, or everything that one person wrote on the site. What goes is told in `flow::forget`.

use super::api::{Id, Peer, known, parse};
use super::auth;
use super::body;
use super::error::Problem;
use crate::access::Scope;
use crate::flow::App;
use crate::flow::forget::{self, BATCH_MAX, End};
use crate::store::{StoreError, Target};
use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct PersonBody {
    email: Option<String>,
}

/// What was erased.
#[derive(Serialize)]
pub struct ErasureDocument {
    comments: usize,
}

/// `DELETE /v1/comments/{id}`: 204 when it went.
pub async fn comment(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, headers: HeaderMap, id: Id) -> Result<StatusCode, Problem> {
    let site = auth::site(&app, &headers, peer, Scope::Admin)?;
    let id = known(id)?;
    let forgotten = forget::forget(&app, &site.id, vec![id], None, End::Here).await?;
    if forgotten.comments.is_empty() { Err(Problem::unknown_comment()) } else { Ok(StatusCode::NO_CONTENT) }
}

/// `POST /v1/erasures`: everything under an email address, whether there is anything or not.
pub async fn person(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): Peer,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ErasureDocument>, Problem> {
    let site = auth::site(&app, &headers, peer, Scope::Admin)?;
    let bytes = body::whole(&headers, body, &app).await?;
    let asked: PersonBody = parse(&bytes)?;
    let email = asked.email.filter(|email| email.contains('@')).ok_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "field malformed", "`email` is missing or no address").about("email")
    })?;
    let (reading, of, target) = (Arc::clone(&app), site.id.clone(), Target::Author(email.clone()));
    let meant = tokio::task::spawn_blocking(move || reading.store.read().meant(&of, &target)).await;
    let meant = meant.map_err(|_| StoreError::Stopped)??;
    let (mut comments, mut rest) = (0, meant.as_slice());
    loop {
        let (batch, after) = rest.split_at(rest.len().min(BATCH_MAX));
        let end = if after.is_empty() { End::Here } else { End::Later };
        comments += forget::forget(&app, &site.id, batch.to_vec(), Some(email.clone()), end).await?.comments.len();
        rest = after;
        if end == End::Here {
            return Ok(Json(ErasureDocument { comments }));
        }
    }
}
