//! The desk itself: what waits, one comment, and the forms beside it.

use super::session::{AtDesk, see_other};
use super::shown::{self, Beside};
use crate::decision::Ruling;
use crate::flow::desk::{self, Asked, Filter};
use crate::flow::{App, explain};
use crate::id::CommentId;
use crate::store::{Batch, Record, StoreError};
use crate::view::{CampaignSay, DeskExplainPage, DeskNotice, LoginSay, Ruled, Tab};
use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use std::fmt::Write as _;
use std::sync::Arc;

#[derive(Debug, Default, Deserialize)]
pub struct Looking {
    /// The search.
    pub q: Option<String>,
    /// What was just ruled.
    pub done: Option<String>,
    /// A ruling was just taken back.
    pub undone: Option<usize>,
}

type LookingAt = Result<Query<Looking>, QueryRejection>;

#[derive(Deserialize)]
pub struct RulingForm {
    csrf: String,
    version: u32,
    ruling: String,
    q: Option<String>,
    look: Option<String>,
}

#[derive(Deserialize)]
pub struct UndoForm {
    csrf: String,
    batch: String,
}

#[derive(Deserialize)]
pub struct OwnForm {
    csrf: String,
}

/// The first that waits.
pub async fn first(State(app): State<Arc<App>>, desk: AtDesk, looking: LookingAt) -> Response {
    let looking = looking.map(|Query(looking)| looking).unwrap_or_default();
    super::answer(shown::first(&app, &desk.0, &looking))
}

pub async fn item(State(app): State<Arc<App>>, desk: AtDesk, id: Result<Path<String>, PathRejection>, looking: LookingAt) -> Response {
    let looking = looking.map(|Query(looking)| looking).unwrap_or_default();
    let Some(record) = found(&app, &desk, id) else { return super::nowhere() };
    let notice = looking.undone.map(|undone| if undone > 0 { DeskNotice::Undone } else { DeskNotice::NothingToUndo });
    super::answer(record.and_then(|record| shown::item(&app, &desk.0, &record, (StatusCode::OK, notice), &looking, Beside::Masked)))
}

/// The comment of a path; none for an id that is none, or is of no site of the moderator.
fn found(app: &App, desk: &AtDesk, id: Result<Path<String>, PathRejection>) -> Option<Result<Record, StoreError>> {
    let id: CommentId = id.ok()?.0.parse().ok()?;
    desk::comment(app, &desk.0, id).transpose()
}

/// Rules on one comment, on the version that was shown, unless somebody else is on it.
pub async fn rule(
    State(app): State<Arc<App>>,
    desk: AtDesk,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    form: Result<Form<RulingForm>, FormRejection>,
) -> Response {
    let Some(record) = found(&app, &desk, id) else { return super::nowhere() };
    let record = match record {
        Ok(record) => record,
        Err(error) => return super::answer(Err(error)),
    };
    let form = form.ok().map(|Form(form)| form).filter(|form| desk.sent(&app, &headers, &form.csrf));
    let asked = form.and_then(|form| Some((Ruling::parse(&form.ruling)?, form)));
    let Some((ruling, form)) = asked else {
        return super::answer(with_notice(&app, &desk, &record, StatusCode::FORBIDDEN, DeskNotice::NotTaken, &Looking::default()));
    };
    super::answer(ruled(&app, &desk, &record, ruling, form).await)
}

async fn ruled(app: &Arc<App>, desk: &AtDesk, record: &Record, ruling: Ruling, form: RulingForm) -> Result<Response, StoreError> {
    let (session, now) = (&desk.0, app.clock.now());
    let looking = Looking { q: form.q, ..Looking::default() };
    if form.look.is_some() {
        let taken = desk::look_again(app, session, record, ruling).await?;
        let done = if taken { DeskNotice::LookedAgain } else { DeskNotice::EditedSince };
        return with_notice(app, desk, record, StatusCode::OK, done, &looking);
    }
    if let Some((owner, _)) = app.desk.claims.of(record.comment.id, now).filter(|(owner, _)| *owner != session.moderator.id) {
        let name = shown::name_of(app, &owner);
        return with_notice(app, desk, record, StatusCode::CONFLICT, DeskNotice::ClaimedBy(&name), &looking);
    }
    let next = shown::after(app, session, record, &looking)?;
    let asked = Asked { comment: record.comment.id, version: form.version };
    let done = desk::rule(app, session, &[asked], ruling).await?;
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

/// Takes back what was ruled together.
pub async fn undo(State(app): State<Arc<App>>, desk: AtDesk, headers: HeaderMap, form: Result<Form<UndoForm>, FormRejection>) -> Response {
    let form = form.ok().map(|Form(form)| form).filter(|form| desk.sent(&app, &headers, &form.csrf));
    let Some(batch) = form.and_then(|form| read(&form.batch)) else {
        return super::session::login_page(StatusCode::FORBIDDEN, LoginSay::RefusedOrigin, "", super::session::DESK);
    };
    super::answer(desk::undo(&app, &desk.0, batch).await.map(|undone| {
        let first = (undone.len() == 1).then(|| undone.first()).flatten().map(|record| record.comment.id);
        see_other(&forward(first, None, &format!("undone={}", undone.len())))
    }))
}

/// Says that the moderator is on a comment. It decides nothing.
pub async fn claim(
    State(app): State<Arc<App>>,
    desk: AtDesk,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    form: Result<Form<OwnForm>, FormRejection>,
) -> Response {
    let is_own = form.is_ok_and(|Form(form)| desk.sent(&app, &headers, &form.csrf));
    match found(&app, &desk, id) {
        Some(Ok(record)) if is_own => {
            let is_theirs = app.desk.claims.claim(record.comment.id, &desk.0.moderator.id, app.clock.now());
            super::page(if is_theirs { StatusCode::NO_CONTENT } else { StatusCode::CONFLICT }, String::new())
        }
        Some(Err(error)) => super::answer(Err(error)),
        Some(Ok(_)) | None => super::nowhere(),
    }
}

/// Shows the author's address in full, once, and writes that down.
pub async fn address(
    State(app): State<Arc<App>>,
    desk: AtDesk,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    form: Result<Form<OwnForm>, FormRejection>,
) -> Response {
    let Some(record) = found(&app, &desk, id) else { return super::nowhere() };
    let is_own = form.is_ok_and(|Form(form)| desk.sent(&app, &headers, &form.csrf));
    super::answer(match record {
        Ok(record) if is_own => shown::with_address(&app, &desk.0, &record).await,
        Ok(record) => with_notice(&app, &desk, &record, StatusCode::FORBIDDEN, DeskNotice::NotTaken, &Looking::default()),
        Err(error) => Err(error),
    })
}

/// Every part of a comment's decision.
pub async fn explain(State(app): State<Arc<App>>, desk: AtDesk, id: Result<Path<String>, PathRejection>) -> Response {
    let Some(record) = found(&app, &desk, id) else { return super::nowhere() };
    super::answer(record.and_then(|record| {
        // A spot check is answered without having read this.
        if record.is_open_check() || app.store.read().is_second_look(record.seq, app.clock.now())? {
            return Ok(super::nowhere());
        }
        let Some(explained) = explain::Explanation::of_record(record, (app.store.read(), &app.shelf), None)? else {
            return Ok(super::nowhere());
        };
        let frame = shown::frame(&app, &desk.0, Tab::Review)?;
        let page = DeskExplainPage {
            frame: frame.as_view(),
            comment: &explained.comment,
            decision: &explained.decision,
            parts: &explained.parts,
            notes: &explained.notes,
        };
        Ok(super::page(StatusCode::OK, page.render()))
    }))
}

/// A batch as pages write it.
pub fn written(batch: Batch) -> String {
    batch.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A batch as pages wrote it.
pub fn read(text: &str) -> Option<Batch> {
    let digits = (text.len() == 32 && text.is_ascii()).then_some(text)?;
    let mut batch = Batch::default();
    for (index, byte) in batch.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(batch)
}

/// The search of a page.
pub fn filter(looking: &Looking) -> Filter {
    Filter::parse(looking.q.as_deref().unwrap_or(""))
}

/// What the campaign page says after an undo.
pub fn undone(looking: &Looking) -> Option<CampaignSay> {
    looking.undone.map(|comments| CampaignSay::Undone { comments })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_as_it_was_written() {
        let batch: Batch = std::array::from_fn(|index| u8::try_from(index * 17).unwrap());
        assert_eq!(read(&written(batch)), Some(batch));
        for other in ["", "zz", &"é".repeat(16), &"0".repeat(31), &"-1".repeat(16)] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
