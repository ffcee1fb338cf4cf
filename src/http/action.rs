//! The page behind a digest's link. GET and HEAD show it and change nothing, however often a scanner opens it; a POST rules, if the token,
//! the nonce and the origin say that a person pressed a button on this very page.

use super::page::{self, Fields, Script, safe_headers};
use crate::action::Refused;
use crate::decision::Ruling;
use crate::flow::desk::{self, PUBLISH_TOGETHER_MAX};
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

/// What of the mail is looked at: one item, or each for itself, or all with near-copies together. A query that mail programs or people bent
/// focuses nothing; the page is there all the same.
#[derive(Default, Deserialize)]
pub struct Focus {
    i: Option<String>,
    each: Option<String>,
}

/// Near-copies that one press can rule on: as many as a page holds.
const TOGETHER_MAX: usize = 200;

type Token = Result<Path<String>, PathRejection>;

pub async fn show(State(app): State<Arc<App>>, token: Token, focus: Result<Query<Focus>, QueryRejection>) -> Response {
    let Ok(Path(token)) = token else { return unknown_link() };
    match review::open(&app, &token) {
        Err(error) => refusal(&error),
        Ok(opened) => {
            let Focus { i, each } = focus.map(|Query(focus)| focus).unwrap_or_default();
            let focus = i.and_then(|number| number.parse().ok());
            let alike = if each.is_some() { Alike::Apart } else { Alike::Together };
            render(&app, &opened, StatusCode::OK, (focus, alike), None)
        }
    }
}

/// How near-copies are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alike {
    Together,
    Apart,
}

pub async fn rule(
    State(app): State<Arc<App>>,
    token: Token,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Path(token)) = token else { return unknown_link() };
    if !page::is_ours(&headers, &app.config(), &app.public_url) {
        return notice_page(StatusCode::FORBIDDEN, None, Refusal::RefusedOrigin);
    }
    let opened = match review::open(&app, &token) {
        Err(error) => return refusal(&error),
        Ok(opened) => opened,
    };
    let fields = Fields(form.map(|Form(fields)| fields).unwrap_or_default());
    if let Some(batch) = page::read(fields.get("undo")) {
        return undone(&app, &opened, review::undo_by_link(&app, &opened, batch, fields.get("nonce")).await);
    }
    let Some(asked) = asked(&fields) else {
        return render(&app, &opened, StatusCode::BAD_REQUEST, WHOLE, Some(Notice::PageTooOld));
    };
    match review::rule_by_link(&app, &opened, &asked).await {
        Ok(done) => after(&app, &token, &asked, &done),
        Err(error) => refusal(&NotOpened::Store(error)),
    }
}

/// The page anew, after a ruling was taken back, or was not.
fn undone(app: &App, opened: &Opened<'_>, undone: Result<Option<Vec<Record>>, StoreError>) -> Response {
    let opened = match review::open(app, opened.token) {
        Err(error) => return refusal(&error),
        Ok(opened) => opened,
    };
    match undone {
        Ok(Some(undone)) => render(app, &opened, StatusCode::OK, WHOLE, Some(Notice::TakenBack { comments: undone.len() })),
        Ok(None) => render(app, &opened, StatusCode::CONFLICT, WHOLE, Some(Notice::PageTooOld)),
        Err(error) => refusal(&NotOpened::Store(error)),
    }
}

/// The whole page.
const WHOLE: (Option<usize>, Alike) = (None, Alike::Together);

fn asked(fields: &Fields) -> Option<Asked> {
    let nonce = Some(fields.get("nonce")).filter(|_| fields.all("nonce").count() == 1)?.to_owned();
    // A box says `ITEM.NONCE`.
    let copy = |value: &str| value.split_once('.').and_then(|(item, nonce)| Some((item.parse().ok()?, nonce.to_owned())));
    let copies = fields.all("like").take(TOGETHER_MAX).map(copy).collect::<Option<_>>()?;
    Some(Asked { item: fields.get("item").parse().ok()?, nonce, copies, ruling: Ruling::parse(fields.get("ruling"))? })
}

/// The page anew, with what came of the ruling.
fn after(app: &App, token: &str, asked: &Asked, done: &Done) -> Response {
    let opened = match review::open(app, token) {
        Err(error) => return refusal(&error),
        Ok(opened) => opened,
    };
    let focused = (Some(asked.item), Alike::Together);
    match done {
        Done::Ruled { batch, comments, missed } => {
            let wait_seconds = app.config().review.undo.as_secs();
            let (name, nonce) = (page::written(*batch), opened.undo_nonce(app, *batch));
            let (ruling, undo) = (asked.ruling, (name.as_str(), nonce.as_str()));
            let notice = Notice::Decided { ruling, comments: *comments, missed: *missed, wait_seconds, undo };
            render(app, &opened, StatusCode::OK, WHOLE, Some(notice))
        }
        Done::AlreadyDecided => render(app, &opened, StatusCode::OK, focused, None),
        Done::PageTooOld => render(app, &opened, StatusCode::CONFLICT, focused, Some(Notice::PageTooOld)),
        Done::TooManyToPublish => {
            let notice = Notice::TooManyToPublish { max: PUBLISH_TOGETHER_MAX };
            render(app, &opened, StatusCode::UNPROCESSABLE_ENTITY, focused, Some(notice))
        }
        Done::NoSuchItem => render(app, &opened, StatusCode::NOT_FOUND, WHOLE, None),
    }
}

/// Undecided items, and the focused one however it stands.
fn render(
    app: &App,
    opened: &Opened<'_>,
    status: StatusCode,
    (focus, alike): (Option<usize>, Alike),
    notice: Option<Notice<'_>>,
) -> Response {
    match items(app, opened, focus, alike) {
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
                publish_max: PUBLISH_TOGETHER_MAX,
                expires_at: opened.digest.expires_at,
                now,
            }
            .render();
            (status, safe_headers(Script::None), Html(html)).into_response()
        }
    }
}

fn items<'a>(app: &App, opened: &'a Opened<'_>, focus: Option<usize>, alike: Alike) -> Result<Vec<Item<'a>>, StoreError> {
    let mut items = digest::items(app.store.read(), &opened.digest.items, app.clock.now())?;
    items.retain(|item| opened.open(item.number).is_some() || Some(item.number) == focus);
    if alike == Alike::Together {
        let groups = desk::groups(app, &opened.digest.site)?;
        digest::mark_copies(&mut items, &opened.digest.items, &groups);
    }
    Ok(items)
}

fn refusal(error: &NotOpened) -> Response {
    match error {
        NotOpened::Refused(error) => refused(*error),
        NotOpened::Withdrawn => unknown_link(),
        NotOpened::Store(error) => unavailable(error),
    }
}

/// Nothing can be read or written down just now.
pub(super) fn unavailable(error: &StoreError) -> Response {
    tracing::error!(error = %error, "http.store_unavailable");
    notice_page(StatusCode::SERVICE_UNAVAILABLE, None, Refusal::Unavailable)
}

/// A link that gives no right.
pub(super) fn refused(error: Refused) -> Response {
    match error {
        Refused::Expired(at) => notice_page(StatusCode::GONE, None, Refusal::Expired { at }),
        Refused::Forged => unknown_link(),
    }
}

pub(super) fn unknown_link() -> Response {
    notice_page(StatusCode::NOT_FOUND, None, Refusal::UnknownLink)
}

pub(super) fn notice_page(status: StatusCode, site_name: Option<&str>, refusal: Refusal) -> Response {
    (status, safe_headers(Script::None), Html(NoticePage { site_name, refusal }.render())).into_response()
}
