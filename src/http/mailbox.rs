//! The page where a moderator turns their mails off and on. GET and HEAD show it. Whoever has the link may turn them off by any POST, as
//! mail programs do that have a button for it (RFC 8058: no cookie, no origin, no nonce); to turn them on takes a person on this page.

use super::action::{notice_page, unavailable, unknown_link};
use super::page::{Script, is_ours, safe_headers};
use crate::config::Moderator;
use crate::flow::{App, mailbox};
use crate::store::{PausedBy, StoreError};
use crate::view::{MailboxNotice, MailboxPage, Refusal};
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

/// What a button of the page sends; a mail program sends something else.
#[derive(Deserialize)]
pub struct MailsForm {
    mails: Option<String>,
    nonce: Option<String>,
}

type Token = Result<Path<String>, PathRejection>;

pub async fn show(State(app): State<Arc<App>>, token: Token) -> Response {
    let Ok(Path(token)) = token else { return unknown_link() };
    match moderator(&app, &token) {
        Some(moderator) => page(&app, &moderator, &token, StatusCode::OK, None),
        None => unknown_link(),
    }
}

pub async fn change(
    State(app): State<Arc<App>>,
    token: Token,
    headers: HeaderMap,
    form: Result<Form<MailsForm>, FormRejection>,
) -> Response {
    let Ok(Path(token)) = token else { return unknown_link() };
    let Some(moderator) = moderator(&app, &token) else { return unknown_link() };
    let form = form.map_or(MailsForm { mails: None, nonce: None }, |Form(form)| form);
    if form.mails.as_deref() != Some("resume") {
        let paused = blocking(&app, moderator.clone(), |app, moderator| mailbox::pause(app, moderator, PausedBy::Link)).await;
        return answered(&app, &moderator, &token, paused.map(|_| MailboxNotice::Paused));
    }
    if !is_ours(&headers, &app.config(), &app.public_url) {
        return notice_page(StatusCode::FORBIDDEN, None, Refusal::RefusedOrigin);
    }
    let valid = app.config().review.nonce_valid;
    let nonce = form.nonce.unwrap_or_default();
    if app.keys.verify_nonce(&nonce, &token, 0, 0, app.clock.now(), valid).is_err() {
        return page(&app, &moderator, &token, StatusCode::CONFLICT, Some(MailboxNotice::TooOld));
    }
    // Whoever presses a button has the mail, whether mails were off or not.
    let resumed = blocking(&app, moderator.clone(), |app, moderator| {
        app.store.answered(&moderator.id, moderator.address_hash(), app.clock.now()).wait()?;
        mailbox::resume(app, &moderator.id)
    });
    let resumed = resumed.await;
    answered(&app, &moderator, &token, resumed.map(|_| MailboxNotice::Resumed))
}

fn moderator(app: &App, token: &str) -> Option<Moderator> {
    let id = app.keys.verify_pause(token).ok()?;
    app.config().moderators.get(&id).cloned()
}

async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    moderator: Moderator,
    change: impl FnOnce(&App, &Moderator) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || change(&app, &moderator)).await.unwrap_or(Err(StoreError::Stopped))
}

fn answered(app: &App, moderator: &Moderator, token: &str, done: Result<MailboxNotice, StoreError>) -> Response {
    match done {
        Ok(notice) => page(app, moderator, token, StatusCode::OK, Some(notice)),
        Err(error) => unavailable(&error),
    }
}

fn page(app: &App, moderator: &Moderator, token: &str, status: StatusCode, notice: Option<MailboxNotice>) -> Response {
    let (reader, config) = (app.store.read(), app.config());
    let sites: Vec<_> = moderator.sites.iter().filter_map(|site| config.sites.get(site)).collect();
    let is_alone = |site| mailbox::active(&config, reader, site).map(|active| active.iter().all(|other| other.id == moderator.id));
    let looked = reader.mailbox(&moderator.id).and_then(|found| {
        let alone = sites.iter().map(|site| is_alone(site)).collect::<Result<Vec<_>, _>>()?;
        Ok((found, alone.contains(&true)))
    });
    let (found, is_last) = match looked {
        Ok(looked) => looked,
        Err(error) => return unavailable(&error),
    };
    let names: Vec<&str> = sites.iter().map(|site| site.name.as_str()).collect();
    let html = MailboxPage {
        moderator_name: &moderator.name,
        site_names: &names,
        path: &format!("/u/{token}"),
        paused_at: found.paused.map(|(at, _)| at),
        is_last,
        nonce: &app.keys.sign_nonce(token, 0, 0, app.clock.now()),
        notice,
    }
    .render();
    (status, safe_headers(Script::None), Html(html)).into_response()
}
