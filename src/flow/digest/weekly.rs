//! A week's rejections near the line, in a mail of their own: nobody is asked about them, and whoever wants can still publish one. A week
//! without any has no mail.

use super::{Draft, came_by, send, timing};
use crate::clock::Timestamp;
use crate::config::{Moderator, Site, Transport};
use crate::decision::{Decision, Mode};
use crate::flow::{App, mailbox};
use crate::id::{ModeratorId, SiteId};
use crate::store::{Kind, Reader, Record, StoreError};
use std::collections::BTreeMap;
use std::time::Duration;

/// Rejections in one mail; the desk's audit has all.
const ITEMS_MAX: usize = 25;

/// Those nearest to the line that are looked at. Some of them a rule rejected, whatever their score.
const LOOKED_AT_MAX: usize = 200;

const WEEK: Duration = Duration::from_hours(7 * 24);

/// For which time of the week it was looked at a moderator's rejections. Nothing that a restart would miss: it is looked once more.
pub type Looked = BTreeMap<(SiteId, ModeratorId), Timestamp>;

/// Writes to every moderator for whom it is that time of the week, where there is something to tell; answers how many mails were made. Blocks:
/// for a thread that serves nobody.
///
/// # Errors
/// [`StoreError`] from the store; mails made before it stand.
pub fn tick(app: &App, looked: &mut Looked) -> Result<usize, StoreError> {
    let (mut made, config) = (0, app.config());
    if matches!(config.mail.transport, Transport::None) {
        return Ok(made);
    }
    for site in config.sites.values().filter(|site| site.mode == Mode::Enforce) {
        let active = mailbox::active(&config, app.store.read(), site)?;
        let has_first = active.iter().any(|moderator| moderator.duty == crate::config::Duty::First);
        // Who stands by has no turn in this: nothing of it waits.
        let whose_turn = |moderator: &&Moderator| came_by(moderator, has_first, app.clock.now()) == Some(Timestamp::from_ms(i64::MAX));
        for moderator in active.into_iter().filter(whose_turn) {
            made += usize::from(write_to(app, site, moderator, looked)?);
        }
    }
    Ok(made)
}

fn write_to(app: &App, site: &Site, moderator: &Moderator, looked: &mut Looked) -> Result<bool, StoreError> {
    let (reader, now) = (app.store.read(), app.clock.now());
    let Some(slot) = timing::weekly_slot(&moderator.digest, now) else { return Ok(false) };
    if looked.insert((site.id.clone(), moderator.id.clone()), slot) == Some(slot) {
        return Ok(false);
    }
    if reader.last_weekly(&site.id, &moderator.id, now)?.is_some_and(|last| last >= slot) {
        return Ok(false);
    }
    let records = near_the_line(reader, site, moderator, now)?;
    if records.is_empty() {
        return Ok(false);
    }
    send(app, site, moderator, &Draft::new(app, Kind::Weekly, records, 0, now))?;
    Ok(true)
}

/// What a weekly mail of `now` tells of, the nearest to the line first.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn near_the_line(reader: &Reader, site: &Site, moderator: &Moderator, now: Timestamp) -> Result<Vec<Record>, StoreError> {
    let mut records = reader.nearest_rejected(&site.id, since(reader, site, moderator, now)?, LOOKED_AT_MAX)?;
    records.retain(|record| record.decision.as_ref().is_some_and(Decision::is_near_the_line));
    records.truncate(ITEMS_MAX);
    Ok(records)
}

/// From when on comments are in the weekly mail of `now`: since the last one, and of two weeks at most.
pub fn since(reader: &Reader, site: &Site, moderator: &Moderator, now: Timestamp) -> Result<Timestamp, StoreError> {
    let last = reader.last_weekly(&site.id, &moderator.id, now)?.unwrap_or(now.minus(WEEK));
    Ok(last.max(now.minus(WEEK * 2)))
}
