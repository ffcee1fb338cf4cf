//! Retention: what a comment says of a person goes when the site's settings say so. In small batches, so that judging never waits for it.

use super::App;
use crate::clock::Timestamp;
use crate::config::{Retention, Site};
use crate::store::{Part, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// Comments in one transaction: some milliseconds of the writer's time.
const BATCH: usize = 200;

/// Between two batches the writer belongs to others: at most a tenth of its time is ours.
const REST: Duration = Duration::from_millis(50);

/// Takes out whatever is due on every site; answers how many batches that took.
///
/// # Errors
/// [`StoreError`]; what was done stays done, and the next run goes on from there.
pub async fn run(app: &Arc<App>) -> Result<usize, StoreError> {
    let (now, mut batches) = (app.clock.now(), 0);
    for site in app.config().sites.values() {
        while take_out(app, site, now).await? {
            batches += 1;
            tokio::time::sleep(REST).await;
        }
    }
    if batches > 0 {
        let cutting = Arc::clone(app);
        let cut = tokio::task::spawn_blocking(move || cutting.store.cut_log()).await;
        cut.map_err(|_| StoreError::Stopped)??;
        tracing::info!(batches, duration_ms = app.clock.now().ms() - now.ms(), "retention.done");
    }
    Ok(batches)
}

/// Takes the next batch out of what is due on a site by then; whether there was one.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn take_out(app: &Arc<App>, site: &Arc<Site>, now: Timestamp) -> Result<bool, StoreError> {
    for (part, kept_for) in Part::ALL.into_iter().filter_map(|part| Some((part, span(site.retention, part)?))) {
        let before = now.minus(kept_for);
        let (reading, of) = (Arc::clone(app), site.id.clone());
        let due = tokio::task::spawn_blocking(move || reading.store.read().due(&of, part, before, BATCH)).await;
        if let Some(window) = due.map_err(|_| StoreError::Stopped)?? {
            app.store.purge(&site.id, part, window).done().await?;
            return Ok(true);
        }
    }
    if let Some(kept_for) = site.retention.bodies {
        app.store.drop_dead(&site.id, now.minus(kept_for)).done().await?;
    }
    Ok(app.store.purge_late(&site.id, BATCH).done().await? > 0)
}

fn span(retention: Retention, part: Part) -> Option<Duration> {
    match part {
        Part::Bodies => retention.bodies,
        Part::Addresses => retention.addresses,
        Part::Ips => retention.ips,
    }
}
