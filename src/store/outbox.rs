//! Parcels at rest: put in with what caused them, leased before they are carried, settled by who holds the lease. No transaction is open
//! while anything travels.

use super::waiting::Waiting;
use super::{Pending, Reader, Record, Store, StoreError, comments, rows};
use crate::clock::Timestamp;
use crate::delivery::{Callback, Delivery, Listed, Next, Outgoing, Parcel, Webhook};
use crate::dice::Dice;
use crate::id::{ParcelId, SiteId};
use rusqlite::{Connection, Row, params};
use std::sync::Arc;
use std::time::Duration;

/// Puts a parcel in. Only ever called inside the transaction of what caused it.
pub(super) fn insert(connection: &Connection, waiting: &Waiting, outgoing: &Outgoing) -> Result<(), StoreError> {
    let (kind, lane, content) = rows::parcel_of(&outgoing.parcel)?;
    let mut statement = connection
        .prepare_cached("INSERT INTO parcels (id, site, lane, kind, content, created_at, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    let created_at = outgoing.due_at.ms();
    statement.insert(params![outgoing.id.bytes(), outgoing.site.as_str(), lane, kind, content, created_at, created_at])?;
    waiting.parcels.came(outgoing.site.as_str());
    Ok(())
}

/// On what terms due parcels are leased.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    pub now: Timestamp,
    pub lease: Duration,
    /// The longest that anything is ever put off: what lies further ahead was put off by a clock that has been set back since.
    pub put_off_max: Duration,
    pub limit: usize,
    /// Of one site at a time, those leased before included.
    pub site_max: usize,
}

impl Store {
    /// Puts parcels in that nothing else caused than that somebody should know.
    pub fn send(&self, outgoing: Vec<Outgoing>) -> Pending<()> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| outgoing.iter().try_for_each(|outgoing| insert(connection, &waiting, outgoing)))
    }

    /// Leases due parcels, the first of each lane only. On disk before anything is sent. No site holds more than its share at a time, and who
    /// holds least is served first: a blog that hangs keeps no other blog waiting.
    pub fn claim(&self, claim: Claim, dice: &Dice) -> Pending<Vec<Delivery>> {
        let random = dice.bytes();
        let token = random.first_chunk::<16>().copied().unwrap_or_default();
        let sites = self.waiting.parcels.sites();
        self.write(move |connection| {
            sites.iter().try_for_each(|site| set_back(connection, site, claim))?;
            let mut claimed = Vec::new();
            for (held, site) in by_leases(connection, sites, claim.now)? {
                let share = claim.site_max.saturating_sub(held).min(claim.limit.saturating_sub(claimed.len()));
                claim_of_site(connection, &site, (claim.now, claim.now.plus(claim.lease)), share, token, &mut claimed)?;
            }
            Ok(claimed)
        })
    }

    /// Writes down how an attempt ended; whether the lease still held. A parcel whose lease was lost is somebody else's.
    pub fn settle(&self, delivery: &Delivery, next: Next) -> Pending<bool> {
        let (id, token, site) = (delivery.id.bytes(), delivery.token, delivery.site.clone());
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| {
            let gone = |connection: &Connection, sql: &str, error: Option<&str>| -> Result<bool, StoreError> {
                let settled = connection.prepare_cached(sql)?.execute(params![id, token, error])? == 1;
                if settled {
                    waiting.parcels.went(site.as_str());
                }
                Ok(settled)
            };
            match next {
                Next::Done => gone(connection, "DELETE FROM parcels WHERE id = ?1 AND lease_token = ?2 AND ?3 IS NULL", None),
                Next::Dead { reason } => {
                    let sql = "UPDATE parcels SET dead = 1, lease_token = NULL, last_error = ?3 WHERE id = ?1 AND lease_token = ?2";
                    gone(connection, sql, Some(&reason))
                }
                Next::At { due_at, reason } => {
                    let sql = "UPDATE parcels SET due_at = ?3, last_error = ?4, lease_token = NULL, lease_until = 0
                               WHERE id = ?1 AND lease_token = ?2";
                    Ok(connection.prepare_cached(sql)?.execute(params![id, token, due_at.ms(), reason])? == 1)
                }
            }
        })
    }
}

/// After the clock was set back, nothing waits for the time that it showed before: each wait begins anew at most. Else this finds nothing.
fn set_back(connection: &Connection, site: &str, Claim { now, lease, put_off_max, .. }: Claim) -> Result<(), StoreError> {
    let due = "UPDATE parcels SET due_at = ?2 WHERE site = ?1 AND dead = 0 AND due_at > ?2";
    connection.prepare_cached(due)?.execute(params![site, now.plus(put_off_max).ms()])?;
    let leased = "UPDATE parcels SET lease_until = ?2 WHERE site = ?1 AND lease_token IS NOT NULL AND dead = 0 AND lease_until > ?2";
    connection.prepare_cached(leased)?.execute(params![site, now.plus(lease).ms()])?;
    Ok(())
}

/// Sites with how many parcels they have on their way, the fewest first.
fn by_leases(connection: &Connection, sites: Vec<String>, now: Timestamp) -> Result<Vec<(usize, String)>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT count(*) FROM parcels WHERE site = ?1 AND lease_token IS NOT NULL AND dead = 0 AND lease_until > ?2")?;
    let held = |site: String| Ok((statement.query_row(params![site, now.ms()], |row| row.get(0))?, site));
    let mut held = sites.into_iter().map(held).collect::<Result<Vec<_>, StoreError>>()?;
    held.sort();
    Ok(held)
}

fn claim_of_site(
    connection: &Connection,
    site: &str,
    (now, until): (Timestamp, Timestamp),
    limit: usize,
    token: [u8; 16],
    claimed: &mut Vec<Delivery>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, id, site, lane, kind, content, attempts, created_at FROM parcels p
         WHERE site = ?3 AND dead = 0 AND due_at <= ?1 AND lease_until <= ?1
           AND NOT EXISTS (SELECT 1 FROM parcels e WHERE e.lane = p.lane AND e.dead = 0 AND e.seq < p.seq)
         ORDER BY due_at LIMIT ?2",
    )?;
    let mut found = statement.query(params![now.ms(), limit, site])?;
    let mut lease_it =
        connection.prepare_cached("UPDATE parcels SET lease_token = ?2, lease_until = ?3, attempts = attempts + 1 WHERE seq = ?1")?;
    while let Some(row) = found.next()? {
        let seq: i64 = row.get(0)?;
        lease_it.execute(params![seq, token, until.ms()])?;
        claimed.push(Delivery {
            id: ParcelId::from_bytes(row.get(1)?),
            site: SiteId::new(row.get::<_, String>(2)?),
            parcel: rows::parcel(&row.get::<_, String>(4)?, row.get(3)?, row.get(5)?)?,
            attempt: row.get::<_, u32>(6)? + 1,
            created_at: Timestamp::from_ms(row.get(7)?),
            token,
        });
    }
    Ok(())
}

/// Which parcels are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// This one, given up or not.
    One(ParcelId),
    /// What was given up of a site.
    DeadOf(SiteId),
}

/// What a look at the outbox shows.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    pub site: Option<SiteId>,
    pub only_dead: bool,
    pub limit: usize,
}

impl Store {
    /// Makes up to `limit` chosen parcels due at once, as if they had never been tried. What tells of a comment is written anew by `renew` as the comment
    /// stands: it may be long that it was given up, and a blog must not be told today what was true then. What tells that a comment is gone, or
    /// of no comment, is as true as ever. Parcels on their way stay as they are. Answers how many became due.
    pub fn retry(
        &self,
        chosen: Chosen,
        limit: usize,
        now: Timestamp,
        renew: impl Fn(&Parcel, &Record) -> Option<Parcel> + Send + 'static,
    ) -> Pending<usize> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| {
            let mut retried = 0;
            for (seq, listed) in chosen_of(connection, &chosen, limit)? {
                let comment = match &listed.parcel {
                    Parcel::Mail(_) => None,
                    Parcel::Webhook(Webhook { comment, .. }) | Parcel::Callback(Callback { comment, .. }) => Some(*comment),
                };
                let record = comment.map(|id| comments::by_id(connection, &listed.site, id)).transpose()?.flatten();
                let parcel = record.and_then(|record| renew(&listed.parcel, &record));
                let content = parcel.map(|parcel| rows::parcel_of(&parcel)).transpose()?.map(|(.., content)| content);
                if let Some(comment) = comment.filter(|_| content.is_some()) {
                    // What waited in case that somebody takes it back is told by this one as well.
                    let sql = "UPDATE parcels SET due_at = ?2 WHERE lane = ?1 AND dead = 0 AND due_at > ?2";
                    connection.prepare_cached(sql)?.execute(params![comment.bytes(), now.ms()])?;
                }
                let sql = "UPDATE parcels SET dead = 0, attempts = 0, due_at = ?2, content = coalesce(?3, content), lease_until = 0 WHERE seq = ?1";
                connection.prepare_cached(sql)?.execute(params![seq, now.ms(), content])?;
                if listed.dead {
                    waiting.parcels.came(listed.site.as_str());
                }
                retried += 1;
            }
            Ok(retried)
        })
    }
}

const LISTED: &str = "SELECT seq, id, site, lane, kind, content, attempts, created_at, due_at, dead, last_error FROM parcels";

fn chosen_of(connection: &Connection, chosen: &Chosen, limit: usize) -> Result<Vec<(i64, Listed)>, StoreError> {
    let of = |filter: &str, value: &dyn rusqlite::ToSql| {
        let sql = format!("{LISTED} WHERE {filter} ORDER BY seq LIMIT ?2");
        connection.prepare_cached(&sql)?.query_and_then(params![value, limit], listed)?.collect()
    };
    match chosen {
        Chosen::One(id) => of("lease_token IS NULL AND id = ?1", &id.bytes()),
        Chosen::DeadOf(site) => of("dead = 1 AND site = ?1", &site.as_str()),
    }
}

fn listed(row: &Row<'_>) -> Result<(i64, Listed), StoreError> {
    let listed = Listed {
        id: ParcelId::from_bytes(row.get(1)?),
        site: SiteId::new(row.get::<_, String>(2)?),
        parcel: rows::parcel(&row.get::<_, String>(4)?, row.get(3)?, row.get(5)?)?,
        attempts: row.get(6)?,
        created_at: Timestamp::from_ms(row.get(7)?),
        due_at: Timestamp::from_ms(row.get(8)?),
        dead: row.get(9)?,
        error: row.get(10)?,
    };
    Ok((row.get(0)?, listed))
}

impl Reader {
    /// Parcels that lie in the outbox, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn outbox(&self, shown: &Shown) -> Result<Vec<Listed>, StoreError> {
        self.with(|connection| {
            let sql = format!("{LISTED} WHERE (?1 IS NULL OR site = ?1) AND (dead = 1 OR NOT ?2) ORDER BY seq LIMIT ?3");
            let mut statement = connection.prepare_cached(&sql)?;
            let shown = params![shown.site.as_ref().map(SiteId::as_str), shown.only_dead, shown.limit];
            statement.query_and_then(shown, |row| Ok(listed(row)?.1))?.collect()
        })
    }

    /// Sites of parcels that were given up, with how many these are.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn dead(&self) -> Result<Vec<(SiteId, usize)>, StoreError> {
        self.with(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT site, count(*) FROM parcels WHERE dead = 1 GROUP BY site ORDER BY site")?;
            let rows = statement.query_map([], |row| Ok((SiteId::new(row.get::<_, String>(0)?), row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Parcels that still wait and those given up, of all sites.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn parcels(&self) -> Result<(u64, u64), StoreError> {
        self.with(|connection| {
            let sql = "SELECT count(*) FILTER (WHERE dead = 0), count(*) FILTER (WHERE dead = 1) FROM parcels";
            Ok(connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CommentId;
    use crate::store::Bounds;

    const MINUTE: Duration = Duration::from_mins(1);

    /// A store with one webhook, due at a time.
    fn store(due_at: Timestamp) -> (Store, tempfile::TempDir) {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let parcel = Parcel::Webhook(Webhook { comment: CommentId::from_bytes([1; 16]), payload: "{}".into() });
        let outgoing = Outgoing { id: ParcelId::from_bytes([2; 16]), site: SiteId::new("blog"), parcel, due_at };
        store.send(vec![outgoing]).wait().unwrap();
        (store, data)
    }

    fn claim(store: &Store, now: Timestamp) -> Vec<Delivery> {
        let claim = Claim { now, lease: MINUTE, put_off_max: MINUTE * 10, limit: 10, site_max: 10 };
        store.claim(claim, &Dice::seeded(1)).wait().unwrap()
    }

    #[test]
    fn a_clock_that_is_set_back_holds_up_nothing_that_was_put_off() {
        let (noon, night) = (Timestamp::from_ms(1_000_000_000), Timestamp::from_ms(0));
        let (store, _data) = store(noon);
        assert_eq!(claim(&store, night), []);
        assert_eq!(claim(&store, night.plus(MINUTE * 10)).len(), 1, "the longest wait is over");
    }

    #[test]
    fn nor_what_was_leased() {
        let (noon, night) = (Timestamp::from_ms(1_000_000_000), Timestamp::from_ms(0));
        let (store, _data) = store(night);
        let first = claim(&store, noon);
        assert_eq!((first.len(), claim(&store, night)), (1, vec![]), "somebody may be carrying it");
        let second = claim(&store, night.plus(MINUTE));
        assert_eq!(second.iter().map(|delivery| delivery.attempt).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn what_is_told_by_a_parcel_sent_again_waits_for_no_second_thought() {
        let (noon, later) = (Timestamp::from_ms(0), Timestamp::from_ms(0).plus(MINUTE));
        let (store, _data) = store(noon);
        let insert = "INSERT INTO comments (id, site, received_at, kind, body, status) VALUES (?1, 'blog', 0, 'comment', 'hi', 'held')";
        store.write(move |connection| Ok(connection.execute(insert, [[1_u8; 16]])?)).wait().unwrap();
        let [verdict] = claim(&store, noon).try_into().unwrap();
        store.settle(&verdict, Next::Dead { reason: "down".into() }).wait().unwrap();
        let ruling = Webhook { comment: CommentId::from_bytes([1; 16]), payload: "ruled".into() };
        let ruled = Outgoing {
            id: ParcelId::from_bytes([3; 16]),
            parcel: Parcel::Webhook(ruling.clone()),
            site: verdict.site.clone(),
            due_at: later,
        };
        store.send(vec![ruled]).wait().unwrap();
        let renew = move |_: &Parcel, _: &Record| Some(Parcel::Webhook(ruling.clone()));
        assert_eq!(store.retry(Chosen::DeadOf(SiteId::new("blog")), 10, noon, renew).wait().unwrap(), 1);
        let [verdict] = claim(&store, noon).try_into().unwrap();
        assert!(matches!(&verdict.parcel, Parcel::Webhook(webhook) if webhook.payload == "ruled"));
        store.settle(&verdict, Next::Done).wait().unwrap();
        assert_eq!(claim(&store, noon).len(), 1, "the ruling follows at once, so that taking it back is told");
    }

    #[test]
    fn who_lost_the_lease_settles_nothing() {
        let (store, _data) = store(Timestamp::from_ms(0));
        let [first] = claim(&store, Timestamp::from_ms(0)).try_into().unwrap();
        let later = Timestamp::from_ms(0).plus(MINUTE);
        let [second] = store
            .claim(Claim { now: later, lease: MINUTE, put_off_max: MINUTE, limit: 1, site_max: 1 }, &Dice::seeded(2))
            .wait()
            .unwrap()
            .try_into()
            .unwrap();
        assert!(!store.settle(&first, Next::Dead { reason: "late".into() }).wait().unwrap());
        assert!(store.settle(&second, Next::Done).wait().unwrap());
        assert_eq!(store.parcels_waiting("blog"), 0);
    }
}
