//! Health: alive is that we answer; ready is that a comment would be taken.

use crate::flow::App;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

pub async fn live() -> &'static str {
    "alive\n"
}

pub async fn ready(State(app): State<Arc<App>>) -> (StatusCode, String) {
    let problem = match app.store.room(app.clock.now()) {
        Err(full) => Some(full.to_string()),
        Ok(()) => app.store.read().comments_ever().err().map(|error| error.to_string()),
    };
    match problem {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {problem}\n")),
    }
}
