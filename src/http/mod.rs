//! HTTP: the wire, and nothing of the trade. Each handler reads a request into domain types, calls one story of `flow`, and writes the
//! answer. GET and HEAD change nothing, on any route.

mod action;
pub mod akismet;
mod api;
mod auth;
mod body;
mod desk;
mod error;
mod head;
mod health;
pub mod metrics;
mod objections;
mod page;
pub mod server;

use crate::flow::App;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::{get, post};
use std::sync::Arc;

/// JSON may write one byte as six (`\u0000`), and a submission has more fields than its body; four times the body's limit holds every
/// honest submission and still bounds what one request may take.
const REQUEST_PER_BODY: usize = 4;

/// Every route of the daemon.
pub fn router(app: &Arc<App>) -> Router {
    let request_bytes_max = app.config().limits.body_bytes_max.saturating_mul(REQUEST_PER_BODY);
    Router::new()
        .route("/v1/comments", post(api::submit))
        .route("/v1/comments/{id}", get(api::read))
        .route("/v1/comments/{id}/ruling", post(api::rule))
        .route("/v1/comments/{id}/report", post(objections::report))
        .route("/v1/comments/{id}/appeal", post(objections::appeal))
        .route("/v1/form-token", get(api::form_token))
        .route("/d/{token}", get(action::show).post(action::rule))
        .route("/assets/hamlet.css", get(stylesheet))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .merge(akismet::routes())
        .merge(desk::routes())
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .layer(DefaultBodyLimit::max(request_bytes_max))
        .with_state(Arc::clone(app))
}

async fn stylesheet() -> impl axum::response::IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=3600")], crate::view::STYLESHEET)
}
