//! History: what was decided, read again in the order in which it came, a page at a time, so that a month of comments takes no more memory
//! than an hour of them. What another configuration would have made of it is `flow::replay`'s.

use super::{Reader, Record, Ruled, StoreError, comments, rows};
use crate::clock::Timestamp;
use crate::id::SiteId;
use rusqlite::params;

/// Which part of the past.
#[derive(Debug, Clone)]
pub struct Span {
    /// None: every site.
    pub site: Option<SiteId>,
    pub since: Timestamp,
}

impl Reader {
    /// Comments of the span with a number above `after`, in their order, at most `limit` of them; those that nobody has judged too.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn history(&self, span: &Span, after: i64, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.with(|connection| {
            let sql = format!(
                "SELECT {} FROM comments c WHERE seq > ?1 AND received_at >= ?2 AND (?3 IS NULL OR site = ?3) ORDER BY seq LIMIT ?4",
                rows::COMMENT
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let site = span.site.as_ref().map(SiteId::as_str);
            let mut found = statement.query(params![after, span.since.ms(), site, limit])?;
            let mut records = Vec::new();
            while let Some(row) = found.next()? {
                records.push(comments::complete(connection, rows::comment(row)?)?);
            }
            Ok(records)
        })
    }

    /// Every ruling on a comment, oldest first. One that was taken back stands here; that it was is told by what is said of the comment now.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn rulings(&self, seq: i64) -> Result<Vec<Ruled>, StoreError> {
        self.with(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT ruling, actor, via, at FROM rulings WHERE comment = ?1 AND ruling != 'none' ORDER BY seq")?;
            let mut found = statement.query([seq])?;
            let mut rulings = Vec::new();
            while let Some(row) = found.next()? {
                let at = Timestamp::from_ms(row.get(3)?);
                rulings.push(Ruled { ruling: rows::ruling(&row.get::<_, String>(0)?)?, by: row.get(1)?, via: row.get(2)?, at });
            }
            Ok(rulings)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::audit::Inclusion;
    use crate::comment::{Alike, Comment, Lately, Limits, Submission};
    use crate::decision::{Mode, Policy, Recent, Ruling, decide};
    use crate::dice::Dice;
    use crate::id::CommentId;
    use crate::rules::{Effect, Finding};
    use crate::store::{Bounds, Judged, NewRuling, Store};
    use crate::text::Reading;
    use crate::trace::Trace;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn comment(site: &str, ms: i64) -> Comment {
        let submission = Submission { email: Some("Ana@mail.example".into()), body: Some("hi".into()), ..Submission::default() };
        let limits = Limits { body_bytes_max: 100, field_bytes_max: 100, excerpt_bytes_max: 100 };
        let seed = u64::try_from(ms).unwrap();
        Comment::parse(submission, CommentId::new(at(ms), &Dice::seeded(seed)), SiteId::new(site), at(ms), limits).unwrap()
    }

    /// Published, as if a rule vouched for it.
    fn write(store: &Store, comment: Comment) -> Record {
        let policy = Policy { publish_max: 0.1, reject_min: 0.9, discard_min: 0.99 };
        let vouched = Finding::new("site_role", Effect::Trust, "");
        let decision = decide(vec![vouched], None, Recent::default(), policy, Mode::Enforce, comment.received_at);
        let audit = Inclusion::NONE;
        let judged = Judged {
            comment,
            idempotency: None,
            decision,
            shadow: None,
            audit,
            domains: Vec::new(),
            trace: Trace::default(),
            remembered: (Lately::default(), Alike::default()),
            seq: None,
            ruled: None,
            outgoing: Vec::new(),
        };
        let received = store.record(vec![judged]).wait().unwrap().remove(0);
        let crate::store::Received::New(record) = received else { panic!("{received:?}") };
        *record
    }

    fn rule(store: &Store, record: &Record, ruling: Ruling, ms: i64) {
        let ruled = Ruled { ruling, by: "ana".into(), via: "cli".into(), at: at(ms) };
        let new = NewRuling::new(record.comment.site.clone(), record.comment.id, ruled);
        store.rule(new, |_| Vec::new()).wait().unwrap();
    }

    #[test]
    fn the_past_of_a_comment_ends_with_it() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let [first, second, third] = [10, 20, 30].map(|ms| write(&store, comment("blog", ms)));
        write(&store, comment("shop", 40));
        let known = |record: &Record, ms| {
            let facts = store.read().facts_then((&record.comment, &Reading::of(&record.comment.body)), at(ms)).unwrap();
            (facts.author_published, facts.author_spam)
        };
        rule(&store, &first, Ruling::Spam, 25);
        rule(&store, &first, Ruling::Publish, 35);
        let rulings: Vec<Ruling> = store.read().rulings(first.seq).unwrap().iter().map(|ruled| ruled.ruling).collect();
        assert_eq!(rulings, [Ruling::Spam, Ruling::Publish]);
        assert_eq!((known(&first, 10), known(&second, 20), known(&third, 30)), ((0, 0), (1, 0), (1, 1)));
        let now = store.read().facts([(&third.comment, &Reading::of(&third.comment.body))], at(50)).unwrap();
        assert_eq!((now[0].author_published, now[0].author_spam), (3, 0));
    }

    #[test]
    fn history_comes_page_by_page_in_order() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        for (site, ms) in [("blog", 10), ("shop", 20), ("blog", 30), ("blog", 40)] {
            write(&store, comment(site, ms));
        }
        let page = |site: Option<&str>, since, after, limit| -> Vec<i64> {
            let span = Span { site: site.map(SiteId::new), since: at(since) };
            store.read().history(&span, after, limit).unwrap().iter().map(|record| record.comment.received_at.ms()).collect()
        };
        assert_eq!(page(None, 0, 0, 10), [10, 20, 30, 40]);
        assert_eq!((page(Some("blog"), 20, 0, 1), page(Some("blog"), 20, 3, 9)), (vec![30], vec![40]));
        assert_eq!(page(Some("none"), 0, 0, 9), [0; 0]);
    }
}
