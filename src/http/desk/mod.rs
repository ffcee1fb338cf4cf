//! The desk on the wire: its pages and forms under `/desk/`. GET and HEAD change nothing; a POST counts only with a session, from a page of
//! ours, and with that session's own proof.

mod account;
mod asked;
mod campaign;
mod figures;
mod login;
mod review;
mod session;
mod shown;

use super::page::{Script, safe_headers};
use crate::flow::App;
use crate::store::StoreError;
use crate::view::{NoticePage, Refusal};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use std::sync::Arc;

/// The largest form names a few hundred comments with their versions, at some 60 bytes each.
const FORM_BYTES_MAX: usize = 256 * 1024;

pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/desk", get(async || Redirect::permanent("/desk/")))
        .route("/desk/", get(review::first))
        .route("/desk/c/{id}", get(review::item).post(review::rule))
        .route("/desk/c/{id}/claim", post(review::claim))
        .route("/desk/c/{id}/address", post(review::address))
        .route("/desk/explain/{id}", get(review::explain))
        .route("/desk/undo", post(review::undo))
        .route("/desk/campaigns", get(campaign::show))
        .route("/desk/campaigns/{site}/{id}", get(campaign::show_one).post(campaign::rule))
        .route("/desk/audit", get(campaign::audit))
        .route("/desk/figures", get(figures::show))
        .route("/desk/login", get(login::show).post(login::log_in))
        .route("/desk/login/{token}", get(login::show_link).post(login::use_link))
        .route("/desk/you/mails", post(account::set_mails))
        .route("/desk/logout", post(login::log_out))
        .route("/desk/you", get(account::show).post(account::set_password))
        .route("/assets/desk.js", get(script))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "max-age=3600")], crate::view::DESK_SCRIPT)
}

/// The page, or that nothing can be read or written down just now.
fn answer(rendered: Result<Response, StoreError>) -> Response {
    rendered.unwrap_or_else(|error| {
        tracing::error!(error = %error, "http.store_unavailable");
        let notice = NoticePage { site_name: None, refusal: Refusal::Unavailable };
        page(StatusCode::SERVICE_UNAVAILABLE, notice.render())
    })
}

/// No such comment, or none of the moderator's: one answer.
fn nowhere() -> Response {
    (StatusCode::NOT_FOUND, safe_headers(Script::Own), Html(NoticePage { site_name: None, refusal: Refusal::NotHere }.render()))
        .into_response()
}

fn page(status: StatusCode, html: String) -> Response {
    (status, safe_headers(Script::Own), Html(html)).into_response()
}
