//! HTTP: the wire, and nothing of the trade. Each handler reads a request into domain types, calls one story of `flow`, and writes the
//! answer. GET and HEAD change nothing, on any route.

mod action;
pub mod akismet;
mod api;
mod auth;
mod batch;
mod body;
mod confirm;
mod desk;
mod erase;
mod error;
mod form;
mod head;
mod health;
mod listing;
mod mailbox;
pub mod metrics;
mod objections;
mod page;
mod quota;
mod request_id;
pub mod server;
mod spans;
mod tls;

pub use tls::{NoTls, Tls};

use crate::flow::App;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use form::Forms;
use quota::Quotas;
use std::sync::{Arc, Mutex};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

/// JSON may write one byte as six (`\u0000`), and a submission has more fields than its body; four times the body's limit holds every
/// honest submission and still bounds what one request may take.
const REQUEST_PER_BODY: usize = 4;

/// What is shorter fits into a packet as it is. Answers of the API alone are compressed: a page holds a secret beside a stranger's words, and
/// its length must not tell of the secret (BREACH).
const COMPRESSED_BYTES_MIN: u16 = 1_200;

/// Every route of the daemon.
pub fn router(app: &Arc<App>) -> Router {
    let request_bytes_max = app.config().limits.body_bytes_max.saturating_mul(REQUEST_PER_BODY);
    let quotas = Arc::new(Quotas { app: Arc::clone(app), keys: Mutex::default() });
    let api = Router::new()
        .route("/v1/comments", get(listing::list).post(api::submit))
        .route("/v1/comments/batch", post(batch::submit))
        .route("/v1/comments/{id}", get(api::read).put(api::edit).delete(erase::comment))
        .route("/v1/erasures", post(erase::person))
        .route("/v1/comments/{id}/ruling", post(api::rule))
        .route("/v1/comments/{id}/report", post(objections::report))
        .route("/v1/comments/{id}/appeal", post(objections::appeal))
        .route("/v1/statistics", get(listing::statistics))
        .route("/v1/openapi.json", get(openapi))
        .route("/v1/form-token", get(api::form_token))
        .route_layer(from_fn_with_state(quotas, quota::count))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(COMPRESSED_BYTES_MIN)));
    let forms = Router::new()
        .route("/f/{site}", post(form::submit))
        .route("/f/{site}/token", get(form::token))
        .with_state(Arc::new(Forms { app: Arc::clone(app), addresses: Mutex::default() }));
    Router::new()
        .merge(api)
        .merge(forms)
        .route("/d/{token}", get(action::show).post(action::rule))
        .route("/confirm/{token}", get(confirm::show).post(confirm::confirm))
        .route("/u/{token}", get(mailbox::show).post(mailbox::change))
        .route("/assets/hamlet.css", get(stylesheet))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .merge(akismet::routes())
        .merge(desk::routes())
        .fallback(error::no_route)
        .method_not_allowed_fallback(error::no_method)
        .layer(DefaultBodyLimit::max(request_bytes_max))
        .layer(from_fn_with_state(Arc::clone(app), request_id::tag))
        .with_state(Arc::clone(app))
}

async fn openapi() -> impl axum::response::IntoResponse {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "max-age=3600")], include_str!("openapi.json"))
}

async fn stylesheet() -> impl axum::response::IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=3600")], crate::view::STYLESHEET)
}
