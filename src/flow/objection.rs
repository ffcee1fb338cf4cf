//! Objections: a reader reports a published comment, an author appeals against a rejected one. Neither can rule: the comment stands as it
//! stood and is put before the site's people, whose ruling (see `review`) is the answer.

use super::App;
use super::intake::Refusal;
use crate::config::Site;
use crate::decision::Objection;
use crate::id::CommentId;
use crate::store::{NewObjection, Objected, Record};

/// An objection as the site handed it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objecting {
    /// `reader` is whatever the site knows its readers by. It is kept as a keyed hash.
    Report {
        reader: String,
        text: Option<String>,
    },
    Appeal {
        text: String,
    },
}

/// How a comment stands after an objection.
#[derive(Debug)]
pub struct Standing {
    pub record: Record,
    pub objections: Vec<Objected>,
    /// It had not been said before, by this reader or by the author.
    pub is_new: bool,
}

/// Takes an objection; none for an unknown comment.
///
/// # Errors
/// [`Refusal`].
pub async fn object(app: &App, site: &Site, comment: CommentId, objecting: Objecting) -> Result<Option<Standing>, Refusal> {
    let at = app.clock.now();
    app.store.room(at)?;
    let (objection, who, text) = match objecting {
        Objecting::Report { reader, text } => (Objection::Report, reader, text),
        // A comment has one author, who may appeal once.
        Objecting::Appeal { text } => (Objection::Appeal, String::new(), Some(text)),
    };
    let objected = Objected { objection, who: app.keys.pseudonym(&site.id, &who), text, at };
    let taken = app.store.object(NewObjection { site: site.id.clone(), comment, objected }).done().await?;
    let Some((record, is_new)) = taken else { return Ok(None) };
    if is_new && record.objected_at.is_some() {
        app.held.notify_one();
    }
    let objections = app.store.read().objections(record.seq)?;
    Ok(Some(Standing { record, objections, is_new }))
}
