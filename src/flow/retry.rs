//! Retry: what the outbox gave up goes out once more, when somebody has mended what was in its way.

use super::{App, tell};
use crate::delivery::Parcel;
use crate::id::{ParcelId, SiteId};
use crate::store::{Chosen, Record, StoreError};
use std::sync::Arc;

/// Parcels made due in one transaction: some tens of milliseconds, for which judging waits.
const TOGETHER_MAX: usize = 500;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retried {
    pub parcels: usize,
    /// Given up and left so.
    pub left: usize,
}

/// One parcel, given up or waiting, leaves at once.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn one(app: &Arc<App>, parcel: ParcelId) -> Result<Retried, StoreError> {
    let parcels = some(app, Chosen::One(parcel), 1).await?;
    app.parcels.notify_one();
    Ok(Retried { parcels, left: 0 })
}

/// All that was given up, of one site or of all. No site's outbox is filled by it more than half: a full one would put off its comments.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn dead(app: &Arc<App>, site: Option<&SiteId>) -> Result<Retried, StoreError> {
    let mut retried = Retried { parcels: 0, left: 0 };
    let dead = app.store.read().dead()?;
    for (site, count) in dead.iter().filter(|(of, _)| site.is_none_or(|site| site == of)) {
        let room = (app.config().outbox.waiting_max / 2).saturating_sub(app.store.parcels_waiting(site.as_str())).min(*count);
        let mut taken = 0;
        while taken < room {
            let together = some(app, Chosen::DeadOf(site.clone()), TOGETHER_MAX.min(room - taken)).await?;
            if together == 0 {
                break;
            }
            taken += together;
        }
        retried = Retried { parcels: retried.parcels + taken, left: retried.left + count - taken };
    }
    app.parcels.notify_one();
    Ok(retried)
}

async fn some(app: &App, chosen: Chosen, limit: usize) -> Result<usize, StoreError> {
    let now = app.clock.now();
    let config = app.config();
    let renew = move |parcel: &Parcel, record: &Record| tell::renewed(config.sites.get(&record.comment.site)?, parcel, record, now);
    app.store.retry(chosen, limit, now, renew).done().await
}
