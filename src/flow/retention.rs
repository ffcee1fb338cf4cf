//! Retention: what a comment says of a person goes when the site's settings say so. In small batches, so that judging never waits for it.

use super::App;
use crate::config::Retention;
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
        for (part, kept_for) in Part::ALL.into_iter().filter_map(|part| Some((part, span(site.retention, part)?))) {
            let before = now.minus(kept_for);
            loop {
                let (reading, of) = (Arc::clone(app), site.id.clone());
                let due = tokio::task::spawn_blocking(move || reading.store.read().due(&of, part, before, BATCH)).await;
                let Some(window) = due.map_err(|_| StoreError::Stopped)?? else { break };
                app.store.purge(&site.id, part, window).done().await?;
                batches += 1;
                tokio::time::sleep(REST).await;
            }
            if part == Part::Bodies {
                app.store.drop_dead(&site.id, before).done().await?;
            }
        }
        while app.store.purge_late(&site.id, BATCH).done().await? > 0 {
            batches += 1;
            tokio::time::sleep(REST).await;
        }
    }
    if batches > 0 {
        let cutting = Arc::clone(app);
        let cut = tokio::task::spawn_blocking(move || cutting.store.cut_log()).await;
        cut.map_err(|_| StoreError::Stopped)??;
        tracing::info!(batches, duration_ms = app.clock.now().since(now).as_millis(), "retention.done");
    }
    Ok(batches)
}

fn span(retention: Retention, part: Part) -> Option<Duration> {
    match part {
        Part::Bodies => retention.bodies,
        Part::Addresses => retention.addresses,
        Part::Ips => retention.ips,
    }
}
