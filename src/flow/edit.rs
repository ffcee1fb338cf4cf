//! Edits: a comment says something else now, and is judged anew. A person's ruling on its old text is never overridden: what a person
//! rejected stays rejected (its author may appeal), and what a person published stays published or, if the machine doubts the new text, is held
//! for a person. What nobody ruled on stands as the machine now says.

use super::intake::{self, Refusal};
use super::{App, document};
use crate::comment::{Comment, Submission};
use crate::config::Site;
use crate::decision::Status;
use crate::id::CommentId;
use crate::store::{Edit, Record};
use std::sync::Arc;

/// What became of an edit.
#[derive(Debug)]
pub enum Edited {
    Unknown,
    /// It still waits to be judged, or was ruled on or edited in the meantime. Nothing changed.
    Busy,
    Done(Box<Record>),
}

/// Takes a comment as it is now: whole, as a submission is sent.
///
/// # Errors
/// [`Refusal`].
pub async fn edit(app: &Arc<App>, site: &Arc<Site>, id: CommentId, submission: Submission) -> Result<Edited, Refusal> {
    let Some(before) = app.store.read().comment(&site.id, id)? else { return Ok(Edited::Unknown) };
    if before.status == Status::Queued {
        return Ok(Edited::Busy);
    }
    let Comment { received_at, submitted_at, form, callback, .. } = before.comment;
    let comment = Comment { id, received_at, submitted_at, form, callback, ..intake::parse(app, site, submission)? };
    let tried = intake::try_out(app, site, comment.clone()).await?;
    let now = tried.decision.decided_at;
    let edit = Edit {
        comment,
        version: before.version,
        decision: tried.decision,
        domains: tried.domains,
        trace: tried.trace,
        remembered: tried.remembered,
    };
    let (hears, teller) = (Some(Arc::clone(site)).filter(|site| site.webhook.is_some()), Arc::clone(app));
    let outgoing = move |record: &Record| hears.iter().map(|site| document::edit_webhook(site, record, now, &teller.dice)).collect();
    let Some((record, is_taken)) = app.store.edit(edit, outgoing).done().await? else { return Ok(Edited::Unknown) };
    if !is_taken {
        return Ok(Edited::Busy);
    }
    app.parcels.notify_one();
    if record.status == Status::Held {
        app.held.notify_one();
    }
    Ok(Edited::Done(Box::new(record)))
}
