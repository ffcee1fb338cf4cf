//! Reports: a site that keeps no ids of ours tells what became of a comment, by what the comment says. Where it came before, the report is
//! a ruling on it; where not, it is taken in as already ruled. Sites that keep ids rule by `review`.

use super::App;
use super::intake::{self, Refusal};
use super::review::{self, Ruler};
use crate::comment::{Comment, Submission};
use crate::config::Site;
use crate::decision::Ruling;
use crate::id::CommentId;
use crate::store::{Record, Ruled, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// The comment that is meant: by its id if it has one of ours, else the newest with this text and author.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn meant(app: &App, id: Option<CommentId>, comment: &Comment) -> Result<Option<Record>, StoreError> {
    let by_id = id.map(|id| app.store.read().comment(&comment.site, id)).transpose()?.flatten();
    if by_id.is_some() { Ok(by_id) } else { app.store.read().same_as(comment) }
}

/// Takes a report as a ruling. One of a comment that never came and says nothing is dropped: it would teach that silence is spam, or ham.
///
/// # Errors
/// [`Refusal`].
pub async fn report(
    app: &Arc<App>,
    site: &Site,
    id: Option<CommentId>,
    submission: Submission,
    (ruling, ruler): (Ruling, Ruler),
) -> Result<(), Refusal> {
    let comment = intake::parse(app, site, submission)?;
    if let Some(record) = meant(app, id, &comment)? {
        review::rule(app, &site.id, record.comment.id, ruling, ruler, (None, Duration::ZERO)).await?;
    } else if !comment.body.trim().is_empty() {
        let ruled = Ruled { ruling, by: ruler.by, via: ruler.via.to_owned(), at: app.clock.now() };
        intake::submit_ruled(app, site, comment, ruled).await?;
    }
    Ok(())
}
