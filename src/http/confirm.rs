//! The page behind a test mail's link, whose button says that the mail arrived. GET and HEAD show it; a scanner that opens it confirms
//! nothing.

use super::action::{notice_page, refused, unavailable, unknown_link};
use super::page::{Fields, Script, is_ours, safe_headers};
use crate::action::Refused;
use crate::config::Moderator;
use crate::flow::{App, digest};
use crate::view::{ConfirmNotice, ConfirmPage, Refusal};
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use std::sync::Arc;

type Token = Result<Path<String>, PathRejection>;

pub async fn show(State(app): State<Arc<App>>, token: Token) -> Response {
    let Ok(Path(token)) = token else { return unknown_link() };
    match moderator(&app, &token) {
        Ok(moderator) => page(&app, &moderator, &token, StatusCode::OK, None),
        Err(error) => refused(error),
    }
}

pub async fn confirm(
    State(app): State<Arc<App>>,
    token: Token,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Path(token)) = token else { return unknown_link() };
    let moderator = match moderator(&app, &token) {
        Ok(moderator) => moderator,
        Err(error) => return refused(error),
    };
    if !is_ours(&headers, &app.config(), &app.public_url) {
        return notice_page(StatusCode::FORBIDDEN, None, Refusal::RefusedOrigin);
    }
    let fields = Fields(form.map(|Form(fields)| fields).unwrap_or_default());
    let (now, valid) = (app.clock.now(), app.config().review.nonce_valid);
    if app.keys.verify_nonce(fields.get("nonce"), &token, 0, 0, now, valid).is_err() {
        return page(&app, &moderator, &token, StatusCode::CONFLICT, Some(ConfirmNotice::TooOld));
    }
    match app.store.answered(&moderator.id, moderator.address_hash(), now).done().await {
        Ok(()) => {
            tracing::info!(moderator = %moderator.id, "mailbox.confirmed");
            page(&app, &moderator, &token, StatusCode::OK, Some(ConfirmNotice::Confirmed))
        }
        Err(error) => unavailable(&error),
    }
}

fn moderator(app: &App, token: &str) -> Result<Moderator, Refused> {
    let config = app.config();
    let address = |id: &crate::id::ModeratorId| config.moderators.get(id).map(|moderator| moderator.email.as_str());
    let id = app.keys.verify_confirm(token, app.clock.now(), address)?;
    config.moderators.get(&id).cloned().ok_or(Refused::Forged)
}

fn page(app: &App, moderator: &Moderator, token: &str, status: StatusCode, notice: Option<ConfirmNotice>) -> Response {
    let paused = match app.store.read().mailbox(&moderator.id) {
        Ok(mailbox) => mailbox.paused,
        Err(error) => return unavailable(&error),
    };
    let resume = paused.map(|_| digest::pause_url("", &app.keys, moderator));
    let html = ConfirmPage {
        moderator_name: &moderator.name,
        address: &moderator.email,
        path: &format!("/confirm/{token}"),
        nonce: &app.keys.sign_nonce(token, 0, 0, app.clock.now()),
        notice,
        resume_path: resume.as_deref(),
    }
    .render();
    (status, safe_headers(Script::None), Html(html)).into_response()
}
