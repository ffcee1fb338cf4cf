//! Mailboxes: whether mail reaches a moderator, by what they did and what came back; and which alerts were raised when.

use super::{Pending, Reader, Store, StoreError, rows};
use crate::clock::Timestamp;
use crate::id::{DigestId, ModeratorId, SiteId};
use rusqlite::{OptionalExtension, params};
use std::time::Duration;

/// How a moderator's mailbox stands. Who never paused, answered or bounced has none of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mailbox {
    pub paused: Option<(Timestamp, PausedBy)>,
    /// Digests in a row that bounced for good.
    pub bounces: u32,
    /// When a person last pressed a button behind a link of theirs, and what the settings' address then hashed to; an earlier version did not
    /// write it down.
    pub answered: Option<(Timestamp, Option<[u8; 32]>)>,
}

/// Who stopped the mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PausedBy {
    /// The moderator, by the link in a mail.
    Link,
    /// The moderator, at the desk.
    Desk,
    /// The admin, on the command line.
    Cli,
    /// Mail came back.
    Bounces,
}

impl PausedBy {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Desk => "desk",
            Self::Cli => "cli",
            Self::Bounces => "bounces",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Link, Self::Desk, Self::Cli, Self::Bounces].into_iter().find(|by| by.as_str() == word)
    }
}

impl Store {
    /// No digests to this moderator from now on; whether there were before.
    pub fn pause(&self, moderator: &ModeratorId, by: PausedBy, now: Timestamp) -> Pending<bool> {
        let moderator = moderator.clone();
        self.write(move |connection| {
            let sql = "INSERT INTO mailboxes (moderator, paused_at, paused_by) VALUES (?1, ?2, ?3)
                       ON CONFLICT DO UPDATE SET paused_at = ?2, paused_by = ?3 WHERE paused_at IS NULL";
            Ok(connection.prepare_cached(sql)?.execute(params![moderator.as_str(), now.ms(), by.as_str()])? == 1)
        })
    }

    /// Digests again, and a clean record; whether they were paused.
    pub fn resume(&self, moderator: &ModeratorId) -> Pending<bool> {
        let moderator = moderator.clone();
        self.write(move |connection| {
            let sql = "SELECT paused_at IS NOT NULL FROM mailboxes WHERE moderator = ?1";
            let was_paused = connection.prepare_cached(sql)?.query_row([moderator.as_str()], |row| row.get(0)).optional()?.unwrap_or(false);
            let sql = "UPDATE mailboxes SET paused_at = NULL, paused_by = NULL, bounces = 0, last_bounced = NULL WHERE moderator = ?1";
            connection.prepare_cached(sql)?.execute([moderator.as_str()])?;
            Ok(was_paused)
        })
    }

    /// A person pressed a button behind a link of this moderator: mail arrives at the address that hashes to this.
    pub fn answered(&self, moderator: &ModeratorId, address: [u8; 32], now: Timestamp) -> Pending<()> {
        let moderator = moderator.clone();
        self.write(move |connection| {
            let sql = "INSERT INTO mailboxes (moderator, answered_at, answered_by) VALUES (?1, ?2, ?3)
                       ON CONFLICT DO UPDATE SET answered_at = ?2, answered_by = ?3, bounces = 0, last_bounced = NULL";
            connection.prepare_cached(sql)?.execute(params![moderator.as_str(), now.ms(), address])?;
            Ok(())
        })
    }

    /// A digest came back for good; how many in a row did by now. None where that was known.
    pub fn bounced(&self, moderator: &ModeratorId, digest: DigestId) -> Pending<Option<u32>> {
        let moderator = moderator.clone();
        self.write(move |connection| {
            let sql = "INSERT INTO mailboxes (moderator, bounces, last_bounced) VALUES (?1, 1, ?2)
                       ON CONFLICT DO UPDATE SET bounces = bounces + 1, last_bounced = ?2 WHERE last_bounced IS NOT ?2
                       RETURNING bounces";
            Ok(connection.prepare_cached(sql)?.query_row(params![moderator.as_str(), digest.bytes()], |row| row.get(0)).optional()?)
        })
    }

    /// An alert of this kind is raised now, unless one was within `rest`; whether it is. Of two at once it is the first.
    pub fn alert(&self, site: &SiteId, kind: &'static str, now: Timestamp, rest: Duration) -> Pending<bool> {
        let site = site.clone();
        self.write(move |connection| {
            let sql = "INSERT INTO alerts (site, kind, at) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = ?3 WHERE abs(?3 - at) >= ?4";
            Ok(connection.prepare_cached(sql)?.execute(params![site.as_str(), kind, now.ms(), ms(rest)])? == 1)
        })
    }
}

/// An alert that lies further ahead than this is none of lately: the clock was set back.
fn ms(rest: Duration) -> i64 {
    i64::try_from(rest.as_millis()).unwrap_or(i64::MAX)
}

impl Reader {
    /// Whether an alert of this kind was raised within `rest`.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn was_alerted(&self, site: &SiteId, kind: &'static str, now: Timestamp, rest: Duration) -> Result<bool, StoreError> {
        self.with(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM alerts WHERE site = ?1 AND kind = ?2 AND abs(?3 - at) < ?4)";
            Ok(connection.prepare_cached(sql)?.query_row(params![site.as_str(), kind, now.ms(), ms(rest)], |row| row.get(0))?)
        })
    }

    /// # Errors
    /// [`StoreError`] from the database.
    pub fn mailbox(&self, moderator: &ModeratorId) -> Result<Mailbox, StoreError> {
        self.with(|connection| {
            let sql = "SELECT paused_at, paused_by, bounces, answered_at, answered_by FROM mailboxes WHERE moderator = ?1";
            let time = |ms: Option<i64>| ms.map(Timestamp::from_ms);
            let found = connection
                .prepare_cached(sql)?
                .query_row([moderator.as_str()], |row| {
                    let answered = time(row.get(3)?).map(|at| Ok::<_, rusqlite::Error>((at, row.get(4)?))).transpose()?;
                    Ok((time(row.get(0)?), row.get::<_, Option<String>>(1)?, row.get(2)?, answered))
                })
                .optional()?;
            let Some((paused_at, by, bounces, answered)) = found else { return Ok(Mailbox::default()) };
            let by = by.map(|by| rows::word(&by, PausedBy::parse)).transpose()?;
            Ok(Mailbox { paused: paused_at.zip(by), bounces, answered })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::store::Bounds;

    #[test]
    fn a_mailbox_pauses_once_and_counts_each_bounced_digest_once() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let (ana, at) = (ModeratorId::new("ana"), Timestamp::from_ms);
        let digests: Vec<DigestId> = (1..=3).map(|n| DigestId::new(at(n), &Dice::seeded(1))).collect();
        let bounced = |n: usize| store.bounced(&ana, digests[n]).wait().unwrap();
        assert_eq!(store.read().mailbox(&ana).unwrap(), Mailbox::default());
        assert_eq!((bounced(0), bounced(0), bounced(1)), (Some(1), None, Some(2)));
        store.answered(&ana, [7; 32], at(5)).wait().unwrap();
        assert_eq!(bounced(2), Some(1), "an answer in between shows that mail arrives");
        let pause = |by, now| store.pause(&ana, by, at(now)).wait().unwrap();
        assert!(pause(PausedBy::Link, 7) && !pause(PausedBy::Bounces, 8));
        let expected = Mailbox { paused: Some((at(7), PausedBy::Link)), bounces: 1, answered: Some((at(5), Some([7; 32]))) };
        assert_eq!(store.read().mailbox(&ana).unwrap(), expected);
        assert!(store.resume(&ana).wait().unwrap() && !store.resume(&ana).wait().unwrap());
        assert_eq!(store.read().mailbox(&ana).unwrap(), Mailbox { answered: Some((at(5), Some([7; 32]))), ..Mailbox::default() });
    }

    #[test]
    fn an_alert_is_remembered_by_site_and_kind() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let rest = Duration::from_millis(3);
        let raised = |now| store.alert(&SiteId::new("a"), "k", Timestamp::from_ms(now), rest).wait().unwrap();
        assert!(raised(13) && !raised(15) && raised(16));
        let was = |site, kind, now| store.read().was_alerted(&SiteId::new(site), kind, Timestamp::from_ms(now), rest).unwrap();
        assert!(was("a", "k", 18) && !was("a", "k", 19) && !was("b", "k", 18) && !was("a", "l", 18));
        assert!(was("a", "k", 14) && !was("a", "k", 13) && raised(13), "a clock that was set back silences none");
    }
}
