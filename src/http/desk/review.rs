//! The desk itself: what waits, one comment, and the forms beside it.

use super::asked::{AtComment, Looking, Sent};
use super::session::{AtDesk, login_page, see_other};
use super::shown::{self, Beside};
use crate::decision::Ruling;
use crate::flow::desk::{self, Asked};
use crate::flow::{App, explain};
use crate::http::page::{Fields, read, written};
use crate::id::CommentId;
use crate::store::{Record, StoreError};
use crate::view::{DeskExplainPage, DeskNotice, LoginSay, Ruled, Tab};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// The first that waits.
pub async fn first(State(app): State<Arc<App>>, desk: AtDesk, looking: Looking) -> Response {
    super::answer(shown::first(&app, &desk.0, &looking))
}

pub async fn item(State(app): State<Arc<App>>, at: AtComment, looking: Looking) -> Response {
    super::answer(shown::item(&app, &at.desk.0, &at.record, (StatusCode::OK, looking.notice()), &looking, Beside::Masked))
}

/// What a ruling's form says.
struct Pressed {
    ruling: Ruling,
    version: u32,
    query: Option<String>,
    is_second_look: bool,
}

impl Pressed {
    fn read(fields: &Fields) -> Option<Self> {
        let (ruling, version) = (Ruling::parse(fields.get("ruling"))?, fields.get("version").parse().ok()?);
        let query = Some(fields.get("q").to_owned()).filter(|query| !query.is_empty());
        Some(Self { ruling, version, query, is_second_look: !fields.get("look").is_empty() })
    }
}

/// Rules on one comment, on the version that was shown, unless somebody else is on it.
pub async fn rule(State(app): State<Arc<App>>, at: AtComment, sent: Sent) -> Response {
    super::answer(match sent.by(&at.desk).and_then(|fields| Pressed::read(&fields)) {
        Some(pressed) => ruled(&app, &at, pressed).await,
        None => not_taken(&app, &at),
    })
}

async fn ruled(app: &Arc<App>, at: &AtComment, pressed: Pressed) -> Result<Response, StoreError> {
    let (AtComment { desk, record }, now) = (at, app.clock.now());
    let session = &desk.0;
    let looking = Looking { q: pressed.query, ..Looking::default() };
    if pressed.is_second_look {
        let taken = desk::look_again(app, session, record, pressed.ruling).await?;
        let done = if taken { DeskNotice::LookedAgain } else { DeskNotice::EditedSince };
        return with_notice(app, desk, record, StatusCode::OK, done, &looking);
    }
    if let Some((owner, _)) = app.desk.claims.of(record.comment.id, now).filter(|(owner, _)| *owner != session.moderator.id) {
        let name = shown::name_of(app, &owner);
        return with_notice(app, desk, record, StatusCode::CONFLICT, DeskNotice::ClaimedBy(&name), &looking);
    }
    let next = shown::after(app, session, record, &looking)?;
    let asked = Asked { comment: record.comment.id, version: pressed.version };
    let done = desk::rule(app, session, &[asked], pressed.ruling).await?;
    if done.taken.is_empty() {
        let current = desk::comment(app, session, record.comment.id)?.unwrap_or_else(|| record.clone());
        let notice = match &current.ruled {
            Some(ruled) => DeskNotice::AlreadyDecided(Ruled { ruling: ruled.ruling, by: &ruled.by, at: ruled.at }),
            None => DeskNotice::EditedSince,
        };
        return with_notice(app, desk, &current, StatusCode::CONFLICT, notice, &looking);
    }
    app.desk.claims.release(&session.moderator.id);
    Ok(see_other(&forward(next, looking.q.as_deref(), &format!("done={}", written(done.batch)))))
}

/// The next comment, or the desk's beginning, with the search kept and what was done told.
fn forward(next: Option<CommentId>, query: Option<&str>, told: &str) -> String {
    let path = next.map_or_else(|| "/desk/".to_owned(), |next| format!("/desk/c/{next}"));
    let query = query.filter(|query| !query.is_empty());
    let query = query.map(|query| format!("&q={}", percent_encoding::utf8_percent_encode(query, percent_encoding::NON_ALPHANUMERIC)));
    format!("{path}?{told}{}", query.unwrap_or_default())
}

/// The comment as it stands now, with what came of the form.
fn with_notice(
    app: &App,
    desk: &AtDesk,
    record: &Record,
    status: StatusCode,
    notice: DeskNotice<'_>,
    looking: &Looking,
) -> Result<Response, StoreError> {
    shown::item(app, &desk.0, record, (status, Some(notice)), looking, Beside::Masked)
}

fn not_taken(app: &App, at: &AtComment) -> Result<Response, StoreError> {
    with_notice(app, &at.desk, &at.record, StatusCode::FORBIDDEN, DeskNotice::NotTaken, &Looking::default())
}

/// Takes back what was ruled together.
pub async fn undo(State(app): State<Arc<App>>, desk: AtDesk, sent: Sent) -> Response {
    let Some(batch) = sent.by(&desk).and_then(|fields| read(fields.get("batch"))) else {
        return login_page(StatusCode::FORBIDDEN, LoginSay::RefusedOrigin, "", super::session::DESK);
    };
    super::answer(desk::undo(&app, &desk.0, batch).await.map(|undone| {
        let first = (undone.len() == 1).then(|| undone.first()).flatten().map(|record| record.comment.id);
        see_other(&forward(first, None, &format!("undone={}", undone.len())))
    }))
}

/// Says that the moderator is on a comment. It decides nothing.
pub async fn claim(State(app): State<Arc<App>>, at: AtComment, sent: Sent) -> Response {
    if sent.by(&at.desk).is_none() {
        return super::nowhere();
    }
    let is_theirs = app.desk.claims.claim(at.record.comment.id, &at.desk.0.moderator.id, app.clock.now());
    super::page(if is_theirs { StatusCode::NO_CONTENT } else { StatusCode::CONFLICT }, String::new())
}

/// Shows the author's address in full, once, and writes that down.
pub async fn address(State(app): State<Arc<App>>, at: AtComment, sent: Sent) -> Response {
    super::answer(match sent.by(&at.desk) {
        Some(_) => shown::with_address(&app, &at.desk.0, &at.record).await,
        None => not_taken(&app, &at),
    })
}

/// Every part of a comment's decision.
pub async fn explain(State(app): State<Arc<App>>, at: AtComment) -> Response {
    super::answer(explained(&app, at))
}

fn explained(app: &App, AtComment { desk, record }: AtComment) -> Result<Response, StoreError> {
    // A spot check is answered without having read this.
    if record.is_open_check() || app.store.read().is_second_look(record.seq, app.clock.now())? {
        return Ok(super::nowhere());
    }
    let Some(explained) = explain::Explanation::of_record(record, (app.store.read(), &app.shelf), None)? else {
        return Ok(super::nowhere());
    };
    let frame = shown::frame(app, &desk.0, Tab::Review)?;
    let page = DeskExplainPage {
        frame: frame.as_view(),
        comment: &explained.comment,
        decision: &explained.decision,
        parts: &explained.parts,
        notes: &explained.notes,
    };
    Ok(super::page(StatusCode::OK, page.render()))
}
