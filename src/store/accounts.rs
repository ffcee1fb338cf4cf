//! Accounts: what lets a moderator in (password hashes, one-time links, sessions) and what was done, in an append-only log. Of every token
//! only a hash is kept, so that who reads the store can enter nowhere. Who may have an account is the settings' matter.

use super::{Pending, Reader, Store, StoreError};
use crate::clock::Timestamp;
use crate::delivery::Outgoing;
use crate::id::{CommentId, ModeratorId, SiteId};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// Something that was done at the desk or on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    pub at: Timestamp,
    /// A moderator's id; of a failed login what was typed is not kept, and this is none.
    pub who: Option<ModeratorId>,
    pub what: What,
    /// What it was about, if it was about a comment.
    pub comment: Option<CommentId>,
    pub site: Option<SiteId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    LinkAsked,
    LoggedIn,
    LoginFailed,
    LoggedOut,
    PasswordSet,
    Reset,
    AddressShown,
    Ruled,
    Undone,
    LookedAgain,
}

impl What {
    const ALL: [Self; 10] = [
        Self::LinkAsked,
        Self::LoggedIn,
        Self::LoginFailed,
        Self::LoggedOut,
        Self::PasswordSet,
        Self::Reset,
        Self::AddressShown,
        Self::Ruled,
        Self::Undone,
        Self::LookedAgain,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::LinkAsked => "link_asked",
            Self::LoggedIn => "logged_in",
            Self::LoginFailed => "login_failed",
            Self::LoggedOut => "logged_out",
            Self::PasswordSet => "password_set",
            Self::Reset => "reset",
            Self::AddressShown => "address_shown",
            Self::Ruled => "ruled",
            Self::Undone => "undone",
            Self::LookedAgain => "looked_again",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == word)
    }
}

impl Act {
    /// An act that is about no comment.
    pub fn of(who: Option<ModeratorId>, what: What, at: Timestamp) -> Self {
        Self { at, who, what, comment: None, site: None }
    }
}

pub(super) fn insert_act(connection: &Connection, act: &Act) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("INSERT INTO acts (at, who, what, site, comment) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let (who, site) = (act.who.as_ref().map(ModeratorId::as_str), act.site.as_ref().map(SiteId::as_str));
    statement.insert(params![act.at.ms(), who, act.what.as_str(), site, act.comment.map(CommentId::bytes)])?;
    Ok(())
}

impl Store {
    /// Writes down what was done, and nothing else.
    pub fn act(&self, act: Act) -> Pending<()> {
        self.write(move |connection| insert_act(connection, &act))
    }

    /// A one-time link was asked for. It is made, and mailed, only where there is a moderator to have it; one transaction either way.
    pub fn ask_link(&self, link: Option<(TokenHash, ModeratorId, Timestamp)>, outgoing: Option<Outgoing>, now: Timestamp) -> Pending<()> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| {
            connection.prepare_cached("DELETE FROM login_links WHERE expires_at <= ?1")?.execute([now.ms()])?;
            let who = link.as_ref().map(|(_, moderator, _)| moderator.clone());
            if let Some((hash, moderator, expires_at)) = &link {
                let sql = "INSERT INTO login_links (hash, moderator, expires_at) VALUES (?1, ?2, ?3)";
                connection.prepare_cached(sql)?.execute(params![hash, moderator.as_str(), expires_at.ms()])?;
            }
            if let Some(outgoing) = &outgoing {
                super::outbox::insert(connection, &waiting, outgoing)?;
            }
            insert_act(connection, &Act::of(who, What::LinkAsked, now))
        })
    }

    /// Uses a one-time link up; answers whose it was.
    pub fn use_link(&self, hash: TokenHash, now: Timestamp) -> Pending<Option<ModeratorId>> {
        self.write(move |connection| {
            let sql = "DELETE FROM login_links WHERE hash = ?1 RETURNING moderator, expires_at";
            let found = connection.prepare_cached(sql)?.query_row([hash], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
            Ok(found.optional()?.filter(|(_, expires_at)| *expires_at > now.ms()).map(|(moderator, _)| ModeratorId::new(moderator)))
        })
    }

    /// A moderator is in; sessions that ran out are cleared away.
    pub fn open_session(&self, hash: TokenHash, moderator: ModeratorId, (now, expires_at): (Timestamp, Timestamp)) -> Pending<()> {
        self.write(move |connection| {
            connection.prepare_cached("DELETE FROM sessions WHERE expires_at <= ?1")?.execute([now.ms()])?;
            let sql = "INSERT INTO sessions (hash, moderator, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";
            connection.prepare_cached(sql)?.execute(params![hash, moderator.as_str(), now.ms(), expires_at.ms()])?;
            insert_act(connection, &Act::of(Some(moderator), What::LoggedIn, now))
        })
    }

    pub fn close_session(&self, hash: TokenHash, moderator: ModeratorId, now: Timestamp) -> Pending<()> {
        self.write(move |connection| {
            connection.prepare_cached("DELETE FROM sessions WHERE hash = ?1")?.execute([hash])?;
            insert_act(connection, &Act::of(Some(moderator), What::LoggedOut, now))
        })
    }

    /// Sets a password, given as its hash. Every other session of the moderator ends: whoever had stolen one is out.
    pub fn set_password(&self, moderator: ModeratorId, phc: String, kept: TokenHash, now: Timestamp) -> Pending<()> {
        self.write(move |connection| {
            let sql = "INSERT INTO passwords (moderator, phc, set_at) VALUES (?1, ?2, ?3)
                       ON CONFLICT DO UPDATE SET phc = excluded.phc, set_at = excluded.set_at";
            connection.prepare_cached(sql)?.execute(params![moderator.as_str(), phc, now.ms()])?;
            let sql = "DELETE FROM sessions WHERE moderator = ?1 AND hash != ?2";
            connection.prepare_cached(sql)?.execute(params![moderator.as_str(), kept])?;
            insert_act(connection, &Act::of(Some(moderator), What::PasswordSet, now))
        })
    }

    /// Begins anew: password, sessions and links of before are gone, and one new link leads in.
    pub fn reset_account(&self, moderator: ModeratorId, link: (TokenHash, Timestamp), now: Timestamp) -> Pending<()> {
        self.write(move |connection| {
            for table in ["passwords", "sessions", "login_links"] {
                connection.execute(&format!("DELETE FROM {table} WHERE moderator = ?1"), [moderator.as_str()])?;
            }
            let sql = "INSERT INTO login_links (hash, moderator, expires_at) VALUES (?1, ?2, ?3)";
            connection.execute(sql, params![link.0, moderator.as_str(), link.1.ms()])?;
            insert_act(connection, &Act::of(Some(moderator), What::Reset, now))
        })
    }
}

impl Reader {
    /// Whether a one-time link would let somebody in now.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn is_link_open(&self, hash: TokenHash, now: Timestamp) -> Result<bool, StoreError> {
        self.with(|connection| {
            let sql = "SELECT count(*) FROM login_links WHERE hash = ?1 AND expires_at > ?2";
            Ok(connection.prepare_cached(sql)?.query_row(params![hash, now.ms()], |row| row.get::<_, i64>(0))? > 0)
        })
    }

    /// Whose session this is, if it has not run out.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn session(&self, hash: TokenHash, now: Timestamp) -> Result<Option<ModeratorId>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT moderator FROM sessions WHERE hash = ?1 AND expires_at > ?2";
            let found = connection.prepare_cached(sql)?.query_row(params![hash, now.ms()], |row| row.get::<_, String>(0));
            Ok(found.optional()?.map(ModeratorId::new))
        })
    }

    /// The hash of a moderator's password, if one was set.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn password(&self, moderator: &ModeratorId) -> Result<Option<String>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT phc FROM passwords WHERE moderator = ?1";
            Ok(connection.prepare_cached(sql)?.query_row([moderator.as_str()], |row| row.get(0)).optional()?)
        })
    }

    /// The last acts of a moderator, the newest first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn acts(&self, who: &ModeratorId, limit: usize) -> Result<Vec<Act>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT at, who, what, site, comment FROM acts WHERE who = ?1 ORDER BY seq DESC LIMIT ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(params![who.as_str(), limit])?;
            let mut acts = Vec::new();
            while let Some(row) = found.next()? {
                acts.push(Act {
                    at: Timestamp::from_ms(row.get(0)?),
                    who: row.get::<_, Option<String>>(1)?.map(ModeratorId::new),
                    what: super::rows::word(&row.get::<_, String>(2)?, What::parse)?,
                    site: row.get::<_, Option<String>>(3)?.map(SiteId::new),
                    comment: row.get::<_, Option<[u8; 16]>>(4)?.map(CommentId::from_bytes),
                });
            }
            Ok(acts)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Bounds;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn ana() -> ModeratorId {
        ModeratorId::new("ana")
    }

    #[test]
    fn a_link_lets_in_once_until_it_expires() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        for hash in [[1; 32], [2; 32]] {
            store.ask_link(Some((hash, ana(), at(100))), None, at(0)).wait().unwrap();
        }
        assert!(store.read().is_link_open([1; 32], at(99)).unwrap() && !store.read().is_link_open([1; 32], at(100)).unwrap());
        assert_eq!(store.use_link([1; 32], at(99)).wait().unwrap(), Some(ana()));
        assert_eq!(store.use_link([1; 32], at(99)).wait().unwrap(), None, "used up");
        assert_eq!(store.use_link([2; 32], at(100)).wait().unwrap(), None, "expired");
    }

    #[test]
    fn a_session_ends_by_time_by_logout_and_by_a_new_password_elsewhere() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        for hash in 1..=4 {
            store.open_session([hash; 32], ana(), (at(0), at(100))).wait().unwrap();
        }
        let is_in = |hash: u8, now| store.read().session([hash; 32], at(now)).unwrap().is_some();
        assert!(is_in(1, 99) && !is_in(1, 100) && !is_in(9, 0));
        store.close_session([1; 32], ana(), at(1)).wait().unwrap();
        assert!(!is_in(1, 1) && is_in(2, 1));
        store.set_password(ana(), "phc".into(), [2; 32], at(2)).wait().unwrap();
        assert!(is_in(2, 2) && !is_in(3, 2));
        store.reset_account(ana(), ([7; 32], at(50)), at(3)).wait().unwrap();
        assert!(!is_in(2, 3) && store.read().password(&ana()).unwrap().is_none());
        let told: Vec<_> = store.read().acts(&ana(), 3).unwrap().into_iter().map(|act| act.what).collect();
        assert_eq!(told, [What::Reset, What::PasswordSet, What::LoggedOut]);
    }
}
