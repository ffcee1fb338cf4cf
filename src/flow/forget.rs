//! Forgetting: a person, a comment, a time, a campaign or a moderator's rulings leave the store at once and the model at work with them; the
//! next training is as if they had never been. What the store deletes and what it keeps instead is `store::forget`'s.

use super::{App, document, tell};
use crate::campaign::Bounds;
use crate::classifier::Model;
use crate::clock::Timestamp;
use crate::flow::memory::{Memory, SECRET};
use crate::id::{CampaignId, CommentId, SiteId};
use crate::store::{Forgotten, Reader, Record, StoreError};
use std::sync::Arc;

/// Comments forgotten in one transaction, which the judge's own waits for.
pub const BATCH_MAX: usize = 100;

/// Whether more of the same is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Here,
    Later,
}

/// Forgets these comments of a site, and keeps what an author wrote until now from coming back. The blog hears of each by its id.
///
/// # Errors
/// [`StoreError`]; then nothing of the batch went.
pub async fn forget(app: &Arc<App>, site: &SiteId, ids: Vec<CommentId>, author: Option<String>, end: End) -> Result<Forgotten, StoreError> {
    let (now, teller) = (app.clock.now(), Arc::clone(app));
    let tells = app.config().sites.get(site).is_some_and(|site| site.webhook.is_some());
    let tell = move |record: &Record| tells.then(|| document::erased_webhook(&record.comment, now, &teller.dice));
    let forgotten = app.store.forget(site, ids, author, now, tell).done().await?;
    settle(app, site, &forgotten, end).await;
    Ok(forgotten)
}

/// Takes back what somebody ruled on these comments. The blog hears of those that stand otherwise now.
///
/// # Errors
/// [`StoreError`]; then nothing of the batch changed.
pub async fn unrule(app: &Arc<App>, site: &SiteId, ids: Vec<CommentId>, by: String, end: End) -> Result<Forgotten, StoreError> {
    let (now, teller) = (app.clock.now(), Arc::clone(app));
    let tell = move |record: &Record| tell::as_it_stands(&teller, record, (now, now));
    let forgotten = app.store.unrule(site, ids, by, now, tell).done().await?;
    settle(app, site, &forgotten, end).await;
    Ok(forgotten)
}

/// The judge unlearns, the blog is told, and at the end the files are cleaned and a training may be due.
async fn settle(app: &Arc<App>, site: &SiteId, forgotten: &Forgotten, end: End) {
    tracing::info!(site = %site, comments = forgotten.comments.len(), labels = forgotten.labels.len(), "forget.done");
    app.door.forgotten(site.clone(), forgotten.labels.clone()).await;
    app.parcels.notify_one();
    if end == End::Later {
        return;
    }
    app.ruled.notify_one();
    let cutting = Arc::clone(app);
    match tokio::task::spawn_blocking(move || cutting.store.cut_log()).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => tracing::warn!("forget.log_not_cut: somebody reads; the log is overwritten later"),
        Ok(Err(error)) => tracing::error!(error = &error as &dyn std::error::Error, "forget.log_not_cut"),
        Err(error) => tracing::error!(error = %error, "forget.log_not_cut"),
    }
}

/// Since when a model knows what it should not: it was trained on rulings that have been forgotten since.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn known_to(reader: &Reader, site: &SiteId, model: &Model) -> Result<Option<Timestamp>, StoreError> {
    let (Some(ruling), Ok(trained_at)) = (model.card.ruling, Timestamp::parse(&model.card.trained_at)) else { return Ok(None) };
    reader.forgotten_since(site, trained_at, ruling)
}

/// The members of a campaign that are still remembered, oldest first.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn members(reader: &Reader, site: &SiteId, campaign: CampaignId, bounds: Bounds, now: Timestamp) -> Result<Vec<CommentId>, StoreError> {
    let Some(secret) = reader.secret(SECRET)? else { return Ok(Vec::new()) };
    let memory = Memory::read(std::iter::once(site), bounds, secret, reader, now);
    let Some(known) = memory.of(site) else { return Ok(Vec::new()) };
    let mut members = Vec::new();
    reader.traces(site, now.minus(bounds.age_max), bounds.comments_max, |traced| {
        if known.campaigns.of(&traced.trace).any(|of| of.id == campaign) {
            members.push(traced.comment);
        }
    })?;
    Ok(members)
}
