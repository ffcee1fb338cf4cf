//! Rulings at the desk: on exactly the versions that were shown, several together with one undo, and second looks that change nothing.

use crate::decision::Ruling;
use crate::flow::App;
use crate::flow::accounts::Session;
use crate::flow::review::{self, Ruler, Shown};
use crate::id::CommentId;
use crate::store::{Batch, Record, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is published together must have been read; ten are a screen. Spam may go by the hundred: it can be taken back, and hides nothing
/// from readers that they had.
pub const PUBLISH_TOGETHER_MAX: usize = 10;

/// One comment as it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub comment: CommentId,
    pub version: u32,
}

/// What came of rulings.
#[derive(Debug)]
pub struct Done {
    pub batch: Batch,
    pub taken: Vec<Record>,
    /// Those that had been decided or had changed meanwhile, or are on no site of the moderator. They are as they were.
    pub missed: Vec<CommentId>,
}

/// Rules on comments of the moderator's sites.
///
/// # Errors
/// [`StoreError`] from the store; nothing was ruled then.
pub async fn rule(app: &Arc<App>, session: &Session, asked: &[Asked], ruling: Ruling) -> Result<Done, StoreError> {
    let mut shown = Vec::with_capacity(asked.len());
    for Asked { comment, version } in asked {
        let site = app.store.read().site_of(*comment)?.filter(|site| session.sites.contains(site));
        shown.extend(site.map(|site| Shown { site, comment: *comment, version: *version }));
    }
    let ruler = Ruler { by: session.moderator.name.clone(), via: "desk" };
    let (batch, taken) = review::rule_together(app, shown, ruling, ruler, Some(session.moderator.id.clone())).await?;
    let known: BTreeSet<CommentId> = taken.iter().map(|record| record.comment.id).collect();
    let missed = asked.iter().map(|asked| asked.comment).filter(|comment| !known.contains(comment)).collect();
    Ok(Done { batch, taken, missed })
}

/// Takes back what was ruled together, as far as nobody said anything since; answers the comments as they now stand.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn undo(app: &Arc<App>, session: &Session, batch: Batch) -> Result<Vec<Record>, StoreError> {
    review::undo(app, batch, &session.moderator, session.sites.clone()).await
}

/// Takes what somebody says who was not told of the first ruling; whether such an answer was asked for.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn look_again(app: &App, session: &Session, record: &Record, ruling: Ruling) -> Result<bool, StoreError> {
    app.store.look_again(record, session.moderator.id.clone(), ruling, app.clock.now()).done().await
}
