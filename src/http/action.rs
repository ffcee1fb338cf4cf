//! The page behind a digest's link. GET and HEAD show it and change nothing, however often a scanner opens it; a POST rules, if the token,
//! the nonce and the origin say that a person pressed a button on this very page.

use super::page::{self, Script, safe_headers};
use crate::action::Refused;
use crate::decision::Ruling;
use crate::flow::review::{self, Asked, Done, NotOpened, Opened};
use crate::flow::{App, digest};
use crate::store::{Record, StoreError};
use crate::view::{ActionPage, Item, Notice, NoticePage, Refusal};
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Focus {
    i: Option<String>,
}

/// What the form of one item sends.
#[derive(Deserialize)]
pub struct RulingForm {
    item: String,
    nonce: String,
    ruling: String,
}

type Token = Result<Path<String>, PathRejection>;

pub async fn show(State(app): State<Arc<App>>, token: Token, focus: Result<Query<Focus>, QueryRejection>) -> Response {
    let Ok(Path(token)) = token else { return unknown_link() };
    match review::open(&app, &token) {
        Err(error) => refusal(&error),
        Ok(opened) => {
            // A query that mail programs or people bent focuses nothing; the page is there all the same.
            let focus = focus.ok().and_then(|Query(focus)| focus.i?.parse().ok());
            render(&app, &opened, StatusCode::OK, focus, None)
        }
    }
}

pub async fn rule(
    State(app): State<Arc<App>>,
    token: Token,
    headers: HeaderMap,
    form: Result<Form<RulingForm>, FormRejection>,
) -> Response {
    let Ok(Path(token)) = token else { return unknown_link() };
    if !page::is_ours(&headers, &app.config(), &app.public_url) {
        return notice_page(StatusCode::FORBIDDEN, None, Refusal::RefusedOrigin);
    }
    let opened = match review::open(&app, &token) {
        Err(error) => return refusal(&error),
        Ok(opened) => opened,
    };
    let Some(asked) = form.ok().and_then(|Form(form)| asked(form)) else {
        return render(&app, &opened, StatusCode::BAD_REQUEST, None, Some(Notice::PageTooOld));
    };
    match review::rule_by_link(&app, &opened, &asked).await {
        Ok(done) => after(&app, &token, &asked, &done),
        Err(error) => refusal(&NotOpened::Store(error)),
    }
}

fn asked(form: RulingForm) -> Option<Asked> {
    Some(Asked { item: form.item.parse().ok()?, nonce: form.nonce, ruling: Ruling::parse(&form.ruling)? })
}

/// The page anew, with what came of the ruling.
fn after(app: &App, token: &str, asked: &Asked, done: &Done) -> Response {
    let opened = match review::open(app, token) {
        Err(error) => return refusal(&error),
        Ok(opened) => opened,
    };
    match done {
        Done::Ruled => {
            let wait_seconds = app.config().review.undo.as_secs();
            render(app, &opened, StatusCode::OK, None, Some(Notice::Decided { ruling: asked.ruling, wait_seconds }))
        }
        Done::AlreadyDecided => render(app, &opened, StatusCode::OK, Some(asked.item), None),
        Done::PageTooOld => render(app, &opened, StatusCode::CONFLICT, Some(asked.item), Some(Notice::PageTooOld)),
        Done::NoSuchItem => render(app, &opened, StatusCode::NOT_FOUND, None, None),
    }
}

/// Undecided items, and the focused one however it stands.
fn render(app: &App, opened: &Opened<'_>, status: StatusCode, focus: Option<usize>, notice: Option<Notice<'_>>) -> Response {
    match items(app, opened, focus) {
        Err(error) => refusal(&NotOpened::Store(error)),
        Ok(items) => {
            let now = app.clock.now();
            let focused = items.iter().find(|item| Some(item.number) == focus);
            let decided = focused.and_then(|item| item.ruled).map(Notice::AlreadyDecided);
            let html = ActionPage {
                site_name: &opened.site_name,
                moderator_name: &opened.moderator.name,
                path: &format!("/d/{}", opened.token),
                items: &items,
                focus,
                total: opened.digest.items.len(),
                nonce: &|item| opened.nonce(app, item, now),
                notice: notice.or(decided),
                expires_at: opened.digest.expires_at,
                now,
            }
            .render();
            (status, safe_headers(Script::None), Html(html)).into_response()
        }
    }
}

fn items<'a>(app: &App, opened: &'a Opened<'_>, focus: Option<usize>) -> Result<Vec<Item<'a>>, StoreError> {
    let all = digest::items(app.store.read(), &opened.digest.items, app.clock.now())?;
    let waits = |item: &Item<'_>| opened.digest.items.get(item.number.saturating_sub(1)).is_some_and(Record::waits);
    Ok(all.into_iter().filter(|item| waits(item) || Some(item.number) == focus).collect())
}

fn refusal(error: &NotOpened) -> Response {
    match error {
        NotOpened::Refused(Refused::Expired(at)) => notice_page(StatusCode::GONE, None, Refusal::Expired { at: *at }),
        NotOpened::Refused(Refused::Forged) | NotOpened::Withdrawn => unknown_link(),
        NotOpened::Store(error) => {
            tracing::error!(error = %error, "http.store_unavailable");
            notice_page(StatusCode::SERVICE_UNAVAILABLE, None, Refusal::Unavailable)
        }
    }
}

pub(super) fn unknown_link() -> Response {
    notice_page(StatusCode::NOT_FOUND, None, Refusal::UnknownLink)
}

pub(super) fn notice_page(status: StatusCode, site_name: Option<&str>, refusal: Refusal) -> Response {
    (status, safe_headers(Script::None), Html(NoticePage { site_name, refusal }.render())).into_response()
}
