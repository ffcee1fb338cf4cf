//! What Prometheus reads, on a listener of its own: numbers are for whoever watches the machine, not for the blogs that the main one serves.

use super::error::Problem;
use crate::flow::App;
use crate::meters::Standing;
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;

/// `GET /metrics`, and nothing else.
pub fn router(app: &Arc<App>) -> Router {
    Router::new().route("/metrics", get(page)).with_state(Arc::clone(app))
}

async fn page(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Problem> {
    let store = app.store.read();
    let standing =
        Standing { queued: u64::try_from(app.store.queued()).unwrap_or(u64::MAX), parcels: store.parcels()?, held: store.held_by_site()? };
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], app.meters.page(&standing)))
}
