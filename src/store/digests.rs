//! Digests: which held comments were put before whom, when, and which of them still wait.

use super::comments::complete;
use super::{Pending, Reader, Record, Store, StoreError, rows};
use crate::clock::Timestamp;
use crate::decision::Status;
use crate::delivery::Outgoing;
use crate::id::{CommentId, DigestId, ModeratorId, SiteId};
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;
use std::time::Duration;

/// What a digest is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Comments that this moderator was not shown before.
    New,
    /// So many of those that they are summed up.
    Flood,
    /// Comments that were mailed and not decided.
    Reminder,
    /// A week's rejections near the line: no digest, and counted as none.
    Weekly,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Flood => "flood",
            Self::Reminder => "reminder",
            Self::Weekly => "weekly",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::New, Self::Flood, Self::Reminder, Self::Weekly].into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether a mail of this kind still has something to ask about a comment.
    pub fn asks_about(self, record: &Record) -> bool {
        record.waits() || (self == Self::Weekly && record.status == Status::Rejected && record.ruled.is_none())
    }
}

/// A digest about to be sent: the comments by number, and the mail, in one transaction.
#[derive(Debug)]
pub struct NewDigest {
    pub id: DigestId,
    pub site: SiteId,
    pub moderator: ModeratorId,
    pub kind: Kind,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// `Record::seq`, in the order of the mail.
    pub items: Vec<i64>,
    pub outgoing: Outgoing,
}

/// A digest that was sent, with how its comments stand now.
#[derive(Debug)]
pub struct DigestRecord {
    pub site: SiteId,
    pub moderator: ModeratorId,
    pub kind: Kind,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// In the order of their numbers, from 1.
    pub items: Vec<Record>,
}

/// How a moderator stands on a site: what decides whether a digest is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Held comments, spot checks and objections that this moderator was not yet shown.
    pub waiting: usize,
    pub oldest: Option<Timestamp>,
    pub last_digest: Option<Timestamp>,
    /// Digests within the last 24 hours.
    pub digests_today: usize,
    pub last_flood: Option<Timestamp>,
    pub last_reminder: Option<Timestamp>,
}

/// Whose digests, of what age: what both questions about waiting comments are about.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub site: &'a SiteId,
    pub moderator: &'a ModeratorId,
    /// Only comments that waited by then.
    pub came_by: Timestamp,
    pub now: Timestamp,
}

impl Store {
    pub fn send_digest(&self, digest: NewDigest) -> Pending<()> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| {
            connection
                .prepare_cached("INSERT INTO digests (id, site, moderator, created_at, expires_at, kind) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![
                    digest.id.bytes(),
                    digest.site.as_str(),
                    digest.moderator.as_str(),
                    digest.created_at.ms(),
                    digest.expires_at.ms(),
                    digest.kind.as_str()
                ])?;
            let mut item = connection.prepare_cached(
                "INSERT INTO digest_items (digest, number, site, moderator, comment, objected_at)
                 SELECT ?1, ?2, ?3, ?4, seq, objected_at FROM comments WHERE seq = ?5",
            )?;
            for (number, seq) in (1_i64..).zip(&digest.items) {
                item.execute(params![digest.id.bytes(), number, digest.site.as_str(), digest.moderator.as_str(), seq])?;
            }
            super::outbox::insert(connection, &waiting, &digest.outgoing)
        })
    }
}

/// Comments of a site that wait for a ruling: held, drawn as spot checks, or objected to. Each kind has its own index, and each is named: the
/// planner would rather read every comment of the site.
pub(super) const WAITING: &str = "SELECT seq FROM comments INDEXED BY comments_held WHERE site = ?1 AND status = 'held' \
     UNION SELECT seq FROM comments INDEXED BY comments_audited WHERE site = ?1 AND audited = 1 AND ruled IS NULL \
     UNION SELECT seq FROM comments INDEXED BY comments_objected WHERE site = ?1 AND objected_at IS NOT NULL";

/// Since when a comment waits: since it came, or since somebody objected to how it stands.
const SINCE: &str = "coalesce(c.objected_at, c.received_at)";

/// Of a set of comments those that waited by `?4` and that no link still valid puts before a moderator: never shown, not since somebody objected,
/// or the link ran out. What lies ahead came before the clock was set back, and waits no longer than it should for that time to come round.
const UNSHOWN: &str = "abs(?3 - coalesce(c.objected_at, c.received_at)) >= ?3 - ?4 AND NOT EXISTS \
                       (SELECT 1 FROM digest_items i JOIN digests d ON d.id = i.digest WHERE i.moderator = ?2 AND i.comment = c.seq \
                        AND d.expires_at > ?3 AND (c.objected_at IS NULL OR i.objected_at = c.objected_at) AND d.kind <> 'weekly')";

/// Ids begin with their time, so that theirs is the index that knows what came since; the others would have every comment of the site read.
const HANDLED: &str = "SELECT count(*) FROM comments WHERE id >= ?3 AND +site = ?1 AND received_at > ?2
                       AND +status IN ('published', 'rejected') AND +ruled IS NULL AND +audited = 0";

impl Reader {
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn standing(&self, wanted: Wanted<'_>) -> Result<Standing, StoreError> {
        let (site, moderator) = (wanted.site.as_str(), wanted.moderator.as_str());
        self.with(|connection| {
            let sql = format!("SELECT count(*), min({SINCE}) FROM comments c WHERE seq IN ({WAITING}) AND {UNSHOWN}");
            let (waiting, oldest): (usize, Option<i64>) = connection
                .prepare_cached(&sql)?
                .query_row(params![site, moderator, wanted.now.ms(), wanted.came_by.ms()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let since = wanted.now.minus(Duration::from_hours(24)).ms();
            // What lies ahead was made before the clock was set back, and keeps nothing waiting until it comes round.
            let sql = "SELECT max(created_at), count(*) FILTER (WHERE created_at > ?3), max(created_at) FILTER (WHERE kind = 'flood'),
                       max(created_at) FILTER (WHERE kind = 'reminder') FROM digests
                       WHERE site = ?1 AND moderator = ?2 AND created_at <= ?4 AND kind <> 'weekly'";
            let time = |ms: Option<i64>| ms.map(Timestamp::from_ms);
            Ok(connection.prepare_cached(sql)?.query_row(params![site, moderator, since, wanted.now.ms()], |row| {
                Ok(Standing {
                    waiting,
                    oldest: time(oldest),
                    last_digest: time(row.get(0)?),
                    digests_today: row.get(1)?,
                    last_flood: time(row.get(2)?),
                    last_reminder: time(row.get(3)?),
                })
            })?)
        })
    }

    /// The oldest comments of a site that wait for a ruling and that a moderator was not shown yet, held ones and spot checks as they came.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn unshown(&self, wanted: Wanted<'_>, limit: usize) -> Result<Vec<Record>, StoreError> {
        let sql = format!("SELECT {} FROM comments c WHERE seq IN ({WAITING}) AND {UNSHOWN} ORDER BY seq LIMIT ?5", rows::COMMENT);
        self.records(&sql, params![wanted.site.as_str(), wanted.moderator.as_str(), wanted.now.ms(), wanted.came_by.ms(), limit])
    }

    /// Comments that were mailed to a moderator by `mailed_by`, still wait, and stand in no reminder; the oldest first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn unanswered(&self, wanted: Wanted<'_>, mailed_by: Timestamp, limit: usize) -> Result<Vec<Record>, StoreError> {
        // Read from the side of the digests, of which few are young enough to be valid: what waits may be a flood.
        let sql = format!(
            "SELECT {} FROM comments c WHERE c.seq IN
                 (SELECT i.comment FROM digests d JOIN digest_items i ON i.digest = d.id
                  WHERE d.site = ?1 AND d.moderator = ?2 AND abs(?3 - d.created_at) >= ?3 - ?4 AND d.expires_at > ?3 AND d.kind <> 'weekly')
             AND (c.status = 'held' OR (c.audited = 1 AND c.ruled IS NULL) OR c.objected_at IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM digest_items i JOIN digests d ON d.id = i.digest
                             WHERE i.moderator = ?2 AND i.comment = c.seq AND d.kind = 'reminder' AND d.expires_at > ?3)
             ORDER BY c.seq LIMIT ?5",
            rows::COMMENT
        );
        self.records(&sql, params![wanted.site.as_str(), wanted.moderator.as_str(), wanted.now.ms(), mailed_by.ms(), limit])
    }

    fn records(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<Record>, StoreError> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = statement.query(parameters)?;
            let mut records = Vec::new();
            while let Some(row) = found.next()? {
                records.push(complete(connection, rows::comment(row)?)?);
            }
            Ok(records)
        })
    }

    /// When the comment came that has been held longest.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn oldest_held(&self, site: &SiteId) -> Result<Option<Timestamp>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT received_at FROM comments WHERE site = ?1 AND status = 'held' ORDER BY seq LIMIT 1";
            let found: Option<i64> = connection.prepare_cached(sql)?.query_row([site.as_str()], |row| row.get(0)).optional()?;
            Ok(found.map(Timestamp::from_ms))
        })
    }

    /// Held comments of a site that came by then.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn held_by(&self, site: &SiteId, came_by: Timestamp) -> Result<usize, StoreError> {
        self.with(|connection| {
            let sql = "SELECT count(*) FROM comments WHERE site = ?1 AND status = 'held' AND received_at <= ?2";
            Ok(connection.prepare_cached(sql)?.query_row(params![site.as_str(), came_by.ms()], |row| row.get(0))?)
        })
    }

    /// When the last digest before `before` went to a moderator.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn last_digest(&self, site: &SiteId, moderator: &ModeratorId, before: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT max(created_at) FROM digests WHERE site = ?1 AND moderator = ?2 AND created_at < ?3 AND kind <> 'weekly'";
            let who = params![site.as_str(), moderator.as_str(), before.ms()];
            let found: Option<i64> = connection.prepare_cached(sql)?.query_row(who, |row| row.get(0))?;
            Ok(found.map(Timestamp::from_ms))
        })
    }

    /// When the last weekly mail before `before` went to a moderator.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn last_weekly(&self, site: &SiteId, moderator: &ModeratorId, before: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.with(|connection| {
            let sql = "SELECT max(created_at) FROM digests WHERE site = ?1 AND moderator = ?2 AND created_at < ?3 AND kind = 'weekly'";
            let who = params![site.as_str(), moderator.as_str(), before.ms()];
            let found: Option<i64> = connection.prepare_cached(sql)?.query_row(who, |row| row.get(0))?;
            Ok(found.map(Timestamp::from_ms))
        })
    }

    /// Comments of a site that came since then, were rejected by their score and asked of nobody: those nearest to the line, the nearest
    /// first.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn nearest_rejected(&self, site: &SiteId, since: Timestamp, limit: usize) -> Result<Vec<Record>, StoreError> {
        // In their order as they came, back to the first that is older: of 100,000 comments a week it takes 83 ms, and is asked once a week.
        let sql = format!(
            "SELECT {} FROM comments c JOIN decisions d ON d.seq = (SELECT max(last.seq) FROM decisions last WHERE last.comment = c.seq)
             WHERE c.site = ?1 AND c.seq > coalesce((SELECT seq FROM comments INDEXED BY comments_site WHERE site = ?1 AND received_at <= ?2
                                                    ORDER BY seq DESC LIMIT 1), 0)
             AND +c.status = 'rejected' AND +c.ruled IS NULL AND +c.audited = 0 AND +c.objected_at IS NULL
             AND d.score >= json_extract(d.why, '$.reject_min') ORDER BY d.score, c.seq LIMIT ?3",
            rows::COMMENT
        );
        self.records(&sql, params![site.as_str(), since.ms(), limit])
    }

    /// Comments of a site that were decided without a person since `since`.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn handled(&self, site: &SiteId, since: Timestamp) -> Result<u64, StoreError> {
        self.with(|connection| {
            let from = CommentId::first_of(since).bytes();
            Ok(connection.prepare_cached(HANDLED)?.query_row(params![site.as_str(), since.ms(), from], |row| row.get(0))?)
        })
    }

    /// # Errors
    /// [`StoreError`] from the database.
    pub fn digest(&self, id: DigestId) -> Result<Option<DigestRecord>, StoreError> {
        self.with(|connection| {
            let head = connection
                .prepare_cached("SELECT site, moderator, created_at, expires_at, kind FROM digests WHERE id = ?1")?
                .query_row([id.bytes()], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?, row.get::<_, String>(4)?))
                })
                .optional()?;
            let Some((site, moderator, created_at, expires_at, kind)) = head else { return Ok(None) };
            let sql = format!(
                "SELECT {} FROM digest_items i JOIN comments c ON c.seq = i.comment WHERE i.digest = ?1 ORDER BY i.number",
                rows::COMMENT
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut found = statement.query([id.bytes()])?;
            let mut items = Vec::new();
            while let Some(row) = found.next()? {
                items.push(complete(connection, rows::comment(row)?)?);
            }
            Ok(Some(DigestRecord {
                site: SiteId::new(site),
                moderator: ModeratorId::new(moderator),
                kind: rows::word(&kind, Kind::parse)?,
                created_at: Timestamp::from_ms(created_at),
                expires_at: Timestamp::from_ms(expires_at),
                items,
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{Mail, Parcel};
    use crate::dice::Dice;
    use crate::id::ParcelId;
    use crate::store::Bounds;

    const HOUR: Duration = Duration::from_hours(1);

    /// A store with one held comment that came at a time.
    struct Case {
        store: Store,
        _data: tempfile::TempDir,
    }

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000).plus(HOUR * u32::try_from(hours).unwrap())
    }

    fn wanted<'a>(site: &'a SiteId, moderator: &'a ModeratorId, now: Timestamp, came_by: Timestamp) -> Wanted<'a> {
        Wanted { site, moderator, came_by, now }
    }

    impl Case {
        fn new(received_at: Timestamp) -> Self {
            let data = tempfile::tempdir().unwrap();
            let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
            let insert =
                "INSERT INTO comments (id, site, received_at, kind, body, status) VALUES (?1, 'blog', ?2, 'comment', 'hi', 'held')";
            store.write(move |connection| Ok(connection.execute(insert, params![[7_u8; 16], received_at.ms()])?)).wait().unwrap();
            Self { store, _data: data }
        }

        fn object(&self, at: Timestamp) {
            let update = "UPDATE comments SET objected_at = ?1";
            self.store.write(move |connection| Ok(connection.execute(update, [at.ms()])?)).wait().unwrap();
        }

        fn mail(&self, moderator: &str, now: Timestamp) {
            let id = DigestId::new(now, &Dice::seeded(1));
            let mail = Mail {
                digest: id,
                to_name: String::new(),
                to_address: "ana@mail.example".into(),
                from_name: String::new(),
                subject: String::new(),
                text: String::new(),
                html: String::new(),
                list: None,
            };
            let parcel = ParcelId::new(now, &Dice::seeded(2));
            let outgoing = Outgoing { id: parcel, site: SiteId::new("blog"), parcel: Parcel::Mail(mail), due_at: now };
            let digest = NewDigest {
                id,
                site: SiteId::new("blog"),
                moderator: ModeratorId::new(moderator),
                kind: Kind::New,
                created_at: now,
                expires_at: now.plus(HOUR * 24 * 7),
                items: vec![1],
                outgoing,
            };
            self.store.send_digest(digest).wait().unwrap();
        }

        /// How many comments a moderator was not shown, of those that waited by then.
        fn unshown(&self, moderator: &str, now: Timestamp, came_by: Timestamp) -> usize {
            let (site, moderator) = (SiteId::new("blog"), ModeratorId::new(moderator));
            self.store.read().unshown(wanted(&site, &moderator, now, came_by), 10).unwrap().len()
        }
    }

    const EVER: Timestamp = Timestamp::from_ms(i64::MAX);

    #[test]
    fn what_was_handled_is_counted_among_what_came_since() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let steps = |connection: &rusqlite::Connection| -> Result<Vec<String>, StoreError> {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {HANDLED}"))?;
            let steps = statement.query_map(params!["blog", 0, [0_u8; 16]], |row| row.get("detail"))?;
            Ok(steps.collect::<Result<_, _>>()?)
        };
        let steps = store.read().with(steps).unwrap();
        assert!(steps.len() == 1 && steps[0].contains("(id>?)"), "{steps:?}");
    }

    #[test]
    fn an_objection_is_mailed_once_to_each_whatever_the_clock_says() {
        let case = Case::new(at(0));
        case.mail("ana", at(1));
        case.mail("bob", at(10));
        assert_eq!(["ana", "bob"].map(|name| case.unshown(name, at(11), EVER)), [0, 0]);
        // The clock was set back between the mail to Bob and the objection.
        case.object(at(2));
        assert_eq!(["ana", "bob"].map(|name| case.unshown(name, at(3), EVER)), [1, 1]);
        case.mail("ana", at(3));
        // And back again since.
        assert_eq!(["ana", "bob"].map(|name| case.unshown(name, at(1), EVER)), [0, 1]);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_digest_wait_for_the_last_one() {
        let case = Case::new(at(0));
        case.mail("ana", at(100));
        let (blog, ana) = (SiteId::new("blog"), ModeratorId::new("ana"));
        let standing = |hours| case.store.read().standing(wanted(&blog, &ana, at(hours), EVER)).unwrap();
        assert_eq!((standing(50).last_digest, standing(50).digests_today), (None, 0));
        assert_eq!((standing(100).last_digest, standing(100).digests_today), (Some(at(100)), 1));
        let unanswered = |hours| {
            let now = at(hours);
            case.store.read().unanswered(wanted(&blog, &ana, now, EVER), now.minus(HOUR * 24), 10).unwrap().len()
        };
        assert_eq!([123, 124, 77, 76].map(unanswered), [0, 1, 0, 1], "a day is a day, ahead or behind");
    }

    #[test]
    fn nor_whoever_is_next_for_a_comment_of_the_future() {
        let case = Case::new(at(100));
        let handed_over = |hours| case.unshown("cleo", at(hours), at(hours).minus(HOUR * 48));
        assert_eq!([147, 148, 53, 52].map(handed_over), [0, 1, 0, 1]);
    }
}
