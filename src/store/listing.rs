//! Listing: a site's comments, the newest first, a page at a time. A page ends where it is full or where so many were looked at, so that no
//! filter, however rare what it seeks, costs more than another.

use super::comments::complete;
use super::{Reader, Record, StoreError, rows};
use crate::clock::Timestamp;
use crate::decision::Status;
use crate::id::{CommentId, SiteId};
use rusqlite::{Connection, OptionalExtension, params};

/// Comments looked at for one page. Ten thousand are read in some 10 ms.
const LOOKED_AT_MAX: u32 = 10_000;

/// Which comments of a site; what is none filters nothing.
#[derive(Debug, Clone)]
pub struct Sought {
    pub site: SiteId,
    pub status: Option<Status>,
    pub since: Option<Timestamp>,
    /// Received before this.
    pub until: Option<Timestamp>,
    /// SHA-256 of the lower-cased email address, of which the store keeps the half.
    pub author: Option<[u8; 16]>,
    pub page_url: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Clone)]
pub struct Listed {
    pub records: Vec<Record>,
    /// Where the next page begins; none at the end. A page that holds less than was asked for, or nothing, may have one.
    pub next: Option<CommentId>,
}

impl Reader {
    /// Comments older than `after`, at most `limit` of them; none when the site has no such comment.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn list(&self, sought: &Sought, after: Option<CommentId>, limit: usize) -> Result<Option<Listed>, StoreError> {
        self.with(|connection| {
            let after = match after {
                None => i64::MAX,
                Some(id) => match seq(connection, &sought.site, id)? {
                    None => return Ok(None),
                    Some(seq) => seq,
                },
            };
            let floor = floor(connection, &sought.site, after)?;
            let records = records(connection, sought, (after, floor.map_or(0, |(seq, _)| seq)), limit)?;
            let last = records.last().filter(|_| records.len() == limit).map(|record| record.comment.id);
            Ok(Some(Listed { next: last.or(floor.map(|(_, id)| id)), records }))
        })
    }
}

fn seq(connection: &Connection, site: &SiteId, id: CommentId) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT seq FROM comments WHERE id = ?1 AND site = ?2")?;
    Ok(statement.query_row(params![id.bytes(), site.as_str()], |row| row.get(0)).optional()?)
}

/// The last comment that is looked at, if there are so many.
fn floor(connection: &Connection, site: &SiteId, after: i64) -> Result<Option<(i64, CommentId)>, StoreError> {
    let sql = "SELECT seq, id FROM comments WHERE site = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT 1 OFFSET ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let found =
        statement.query_row(params![site.as_str(), after, LOOKED_AT_MAX - 1], |row| Ok((row.get(0)?, CommentId::from_bytes(row.get(1)?))));
    Ok(found.optional()?)
}

fn records(connection: &Connection, sought: &Sought, (after, floor): (i64, i64), limit: usize) -> Result<Vec<Record>, StoreError> {
    let sql = format!(
        "SELECT {} FROM comments c INDEXED BY comments_site WHERE site = ?1 AND seq < ?2 AND seq >= ?3 AND (?4 IS NULL OR status = ?4)
             AND (?5 IS NULL OR received_at >= ?5) AND (?6 IS NULL OR received_at < ?6) AND (?7 IS NULL OR author = ?7)
             AND (?8 IS NULL OR page_url = ?8) ORDER BY seq DESC LIMIT ?9",
        rows::COMMENT
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut found = statement.query(params![
        sought.site.as_str(),
        after,
        floor,
        sought.status.map(Status::as_str),
        sought.since.map(Timestamp::ms),
        sought.until.map(Timestamp::ms),
        sought.author,
        sought.page_url,
        limit,
    ])?;
    let mut records = Vec::new();
    while let Some(row) = found.next()? {
        records.push(complete(connection, rows::comment(row)?)?);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comment::{Comment, Limits, Submission};
    use crate::dice::Dice;
    use crate::store::{Arrival, Bounds, Store};
    use sha2::{Digest, Sha256};

    fn store() -> (Store, tempfile::TempDir) {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        (store, data)
    }

    fn write(store: &Store, site: &str, email: &str, ms: i64) -> CommentId {
        let submission = Submission {
            email: Some(email.into()),
            page_url: Some(format!("https://{site}.example/{}", ms % 2)),
            body: Some("hi".into()),
            ..Submission::default()
        };
        let limits = Limits { body_bytes_max: 100, field_bytes_max: 100, excerpt_bytes_max: 100 };
        let (now, seed) = (Timestamp::from_ms(ms), u64::try_from(ms).unwrap());
        let comment = Comment::parse(submission, CommentId::new(now, &Dice::seeded(seed)), SiteId::new(site), now, limits).unwrap();
        let id = comment.id;
        store.enqueue(Arrival { comment, idempotency: None }).wait().unwrap();
        id
    }

    fn all(site: &str) -> Sought {
        Sought { site: SiteId::new(site), status: None, since: None, until: None, author: None, page_url: None }
    }

    fn times(listed: &Listed) -> Vec<i64> {
        listed.records.iter().map(|record| record.comment.received_at.ms()).collect()
    }

    #[test]
    fn pages_follow_each_other_and_hold_every_comment_of_the_site_once() {
        let (store, _data) = store();
        for ms in 1..=7 {
            write(&store, if ms == 4 { "other" } else { "blog" }, "ana@a.example", ms);
        }
        let (mut after, mut seen) = (None, Vec::new());
        for _ in 0..9 {
            let page = store.read().list(&all("blog"), after, 2).unwrap().unwrap();
            seen.push(times(&page));
            // What comes in meanwhile is newer, and moves nothing.
            write(&store, "blog", "bob@b.example", 100 + i64::try_from(seen.len()).unwrap());
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [vec![7, 6], vec![5, 3], vec![2, 1], vec![]]);
    }

    #[test]
    fn filters_take_away_what_was_not_sought() {
        let (store, _data) = store();
        for ms in 1..=6 {
            write(&store, "blog", if ms > 3 { "Ana@a.example" } else { "bob@b.example" }, ms);
        }
        let check = |sought: Sought, expected: &[i64]| assert_eq!(times(&store.read().list(&sought, None, 9).unwrap().unwrap()), expected);
        let at = |ms| Some(Timestamp::from_ms(ms));
        check(Sought { since: at(2), until: at(5), ..all("blog") }, &[4, 3, 2]);
        check(Sought { author: Sha256::digest("ana@a.example").first_chunk().copied(), ..all("blog") }, &[6, 5, 4]);
        check(Sought { page_url: Some("https://blog.example/0".into()), ..all("blog") }, &[6, 4, 2]);
        check(Sought { status: Some(Status::Queued), ..all("blog") }, &[6, 5, 4, 3, 2, 1]);
        check(Sought { status: Some(Status::Held), ..all("blog") }, &[]);
        check(all("other"), &[]);
    }

    #[test]
    fn a_place_that_is_not_the_sites_own_is_none() {
        let (store, _data) = store();
        let (ours, theirs) = (write(&store, "blog", "ana@a.example", 1), write(&store, "other", "ana@a.example", 2));
        assert!(store.read().list(&all("blog"), Some(theirs), 9).unwrap().is_none());
        assert!(store.read().list(&all("blog"), Some(ours), 9).unwrap().is_some());
    }
}
