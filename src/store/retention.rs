//! Retention: what a comment says of a person goes when it is old enough, a bounded batch at a time. Comments are gone through in the order
//! they came, and how far that has come is written down, so nothing is looked at twice and no index is needed for it.

use super::{Pending, Reader, Store, StoreError};
use crate::clock::Timestamp;
use crate::id::SiteId;
use rusqlite::{Connection, OptionalExtension, params};

/// What may go before the comment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The text, what was quoted of it, and the words of it that weighed.
    Bodies,
    /// Name, email address and website.
    Addresses,
    /// IP address and user agent.
    Ips,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Bodies, Self::Addresses, Self::Ips];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bodies => "bodies",
            Self::Addresses => "addresses",
            Self::Ips => "ips",
        }
    }

    /// Statements for the comments of site ?1 with numbers above ?2 up to ?3. Traces hold hashes of all three, so any takes them along.
    fn statements(self) -> &'static [&'static str] {
        match self {
            Self::Bodies => &[
                "UPDATE comments SET body = '', page_excerpt = NULL, parent_body = NULL WHERE site = ?1 AND seq > ?2 AND seq <= ?3",
                "UPDATE decisions SET why = json_set(why, '$.evidence', json('[]'), '$.findings',
                    json((SELECT json_group_array(json_set(value, '$.text', '')) FROM json_each(why, '$.findings'))))
                 WHERE site = ?1 AND comment > ?2 AND comment <= ?3",
                "UPDATE edits SET body = '' WHERE site = ?1 AND comment > ?2 AND comment <= ?3",
                "UPDATE objections SET text = NULL WHERE site = ?1 AND comment > ?2 AND comment <= ?3",
                "DELETE FROM list_hits WHERE site = ?1 AND comment > ?2 AND comment <= ?3",
                "DELETE FROM traces WHERE site = ?1 AND comment > ?2 AND comment <= ?3",
            ],
            Self::Addresses => &[
                "UPDATE comments SET name = NULL, email = NULL, author = NULL, url = NULL WHERE site = ?1 AND seq > ?2 AND seq <= ?3",
                "UPDATE edits SET name = NULL, email = NULL, url = NULL WHERE site = ?1 AND comment > ?2 AND comment <= ?3",
                // How many objected is still counted; who they were cannot be found out any more.
                "UPDATE objections SET who = randomblob(16) WHERE site = ?1 AND comment > ?2 AND comment <= ?3",
                "DELETE FROM list_hits WHERE site = ?1 AND comment > ?2 AND comment <= ?3 AND entry LIKE '%@%'",
                "DELETE FROM traces WHERE site = ?1 AND comment > ?2 AND comment <= ?3",
            ],
            Self::Ips => &[
                "UPDATE comments SET ip = NULL, user_agent = NULL WHERE site = ?1 AND seq > ?2 AND seq <= ?3",
                // Networks and addresses, as lists write them.
                "DELETE FROM list_hits WHERE site = ?1 AND comment > ?2 AND comment <= ?3
                    AND (entry GLOB '*[0-9].[0-9]*.[0-9]*' OR entry GLOB '*:*:*')",
                "DELETE FROM traces WHERE site = ?1 AND comment > ?2 AND comment <= ?3",
            ],
        }
    }
}

/// Comments of one batch: above the first number, up to the second.
pub type Window = (i64, i64);

impl Reader {
    /// The next comments of a site that came before a time and still have this part, at most `limit`; none when nothing is due. The first
    /// that came later ends it: after a clock that went wrong what is behind it waits for it.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn due(&self, site: &SiteId, part: Part, before: Timestamp, limit: usize) -> Result<Option<Window>, StoreError> {
        self.with(|connection| {
            let from = through(connection, site, part)?;
            let sql = "SELECT seq, received_at FROM comments WHERE seq > ?1 AND site = ?2 ORDER BY seq LIMIT ?3";
            let mut statement = connection.prepare_cached(sql)?;
            let (mut rows, mut to) = (statement.query(params![from, site.as_str(), limit])?, None);
            while let Some(row) = rows.next()? {
                if row.get::<_, i64>(1)? >= before.ms() {
                    break;
                }
                to = Some(row.get(0)?);
            }
            Ok(to.map(|to| (from, to)))
        })
    }
}

impl Store {
    /// Takes a part out of the comments of a window.
    pub fn purge(&self, site: &SiteId, part: Part, (from, to): Window) -> Pending<()> {
        let site = site.clone();
        self.write(move |connection| {
            take_out(connection, &site, part, (from, to))?;
            let sql = "INSERT INTO retention VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET through = excluded.through";
            connection.prepare_cached(sql)?.execute(params![site.as_str(), part.as_str(), to])?;
            Ok(())
        })
    }

    /// Takes out what was added to comments after their time: an edit, or words of an objection. Answers of how many; at most `limit`.
    pub fn purge_late(&self, site: &SiteId, limit: usize) -> Pending<usize> {
        let site = site.clone();
        self.write(move |connection| {
            let mut statement = connection.prepare_cached("SELECT comment FROM late WHERE site = ?1 ORDER BY comment LIMIT ?2")?;
            let late: Vec<i64> = statement.query_map(params![site.as_str(), limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
            for comment in &late {
                for part in Part::ALL {
                    if through(connection, &site, part)? >= *comment {
                        take_out(connection, &site, part, (comment - 1, *comment))?;
                    }
                }
                connection.prepare_cached("DELETE FROM late WHERE site = ?1 AND comment = ?2")?.execute(params![site.as_str(), comment])?;
            }
            Ok(late.len())
        })
    }

    /// Drops what was given up before a time: dead mails hold texts, and nobody will carry them.
    pub fn drop_dead(&self, site: &SiteId, before: Timestamp) -> Pending<usize> {
        let site = site.clone();
        self.write(move |connection| {
            let sql = "DELETE FROM parcels WHERE dead = 1 AND site = ?1 AND created_at < ?2";
            Ok(connection.prepare_cached(sql)?.execute(params![site.as_str(), before.ms()])?)
        })
    }
}

fn take_out(connection: &Connection, site: &SiteId, part: Part, (from, to): Window) -> Result<(), StoreError> {
    for sql in part.statements() {
        connection.prepare_cached(sql)?.execute(params![site.as_str(), from, to])?;
    }
    Ok(())
}

fn through(connection: &Connection, site: &SiteId, part: Part) -> Result<i64, StoreError> {
    let sql = "SELECT through FROM retention WHERE site = ?1 AND what = ?2";
    let through = connection.prepare_cached(sql)?.query_row([site.as_str(), part.as_str()], |row| row.get(0)).optional()?;
    Ok(through.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::audit::Inclusion;
    use crate::comment::{Alike, Comment, Lately, Limits, Submission};
    use crate::decision::{Mode, Objection, Policy, Recent, Ruling, decide};
    use crate::dice::Dice;
    use crate::id::CommentId;
    use crate::rules::{Effect, Finding};
    use crate::store::{Bounds, Imported, Judged, NewObjection, Objected, Ruled};
    use crate::trace::Trace;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn imported(site: &str, ms: i64) -> Imported {
        let submission = Submission {
            name: Some("Ana".into()),
            email: Some("ana@mail.example".into()),
            url: Some("https://ana.example".into()),
            ip: Some("192.0.2.7".into()),
            user_agent: Some("UA".into()),
            body: Some("a text".into()),
            parent_body: Some("a question".into()),
            ..Submission::default()
        };
        let limits = Limits { body_bytes_max: 100, field_bytes_max: 100, excerpt_bytes_max: 100 };
        let id = CommentId::new(at(ms), &Dice::seeded(u64::try_from(ms).unwrap()));
        let comment = Comment::parse(submission, id, SiteId::new(site), at(ms), limits).unwrap();
        let ruled = Ruled { ruling: Ruling::Publish, by: "import".into(), via: "import".into(), at: at(ms) };
        Imported { comment, source: format!("{ms}"), line: 1, ruled, machine: None, domains: Vec::new() }
    }

    /// What is left of each comment, oldest first: t for its text, a for its address, i for its IP.
    fn left(store: &Store) -> Vec<String> {
        let sql = "SELECT (CASE WHEN body <> '' OR parent_body IS NOT NULL THEN 't' ELSE '' END)
                       || (CASE WHEN coalesce(name, email, author, url) IS NOT NULL THEN 'a' ELSE '' END)
                       || (CASE WHEN coalesce(ip, user_agent) IS NOT NULL THEN 'i' ELSE '' END) FROM comments ORDER BY received_at";
        let rows = store.read().with(|connection| {
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<Vec<String>, _>>()?)
        });
        rows.unwrap()
    }

    fn purge_all(store: &Store, site: &str, part: Part, before: i64) -> usize {
        let (site, mut batches) = (SiteId::new(site), 0);
        while let Some(window) = store.read().due(&site, part, at(before), 2).unwrap() {
            store.purge(&site, part, window).wait().unwrap();
            batches += 1;
        }
        batches
    }

    /// A comment that a rule held, quoting a word of it.
    fn judged(ms: i64) -> Judged {
        let finding = Finding::new("list:words", Effect::Hold, "it says \u{201c}kettle\u{201d}");
        let policy = Policy { publish_max: 0.1, reject_min: 0.9, discard_min: 0.99 };
        Judged {
            comment: imported("blog", ms).comment,
            idempotency: None,
            decision: decide(vec![finding], None, Recent::default(), policy, Mode::Enforce, at(ms)),
            shadow: None,
            audit: Inclusion::NONE,
            domains: Vec::new(),
            trace: Trace::default(),
            remembered: (Lately::default(), Alike::default()),
            seq: None,
            ruled: None,
            outgoing: Vec::new(),
        }
    }

    #[test]
    fn a_decision_outlives_the_words_that_it_quoted() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let (blog, id) = (SiteId::new("blog"), judged(10).comment.id);
        store.record(vec![judged(10)]).wait().unwrap();
        let findings = || {
            let decision = store.read().comment(&blog, id).unwrap().unwrap().decision.unwrap();
            decision.findings.into_iter().map(|finding| (finding.code, finding.text)).collect::<Vec<_>>()
        };
        assert_ne!(findings()[0].1, "");
        // The second time as after an edit, which goes through what is left of the earlier decisions.
        for window in [(0, 1), (0, 1)] {
            store.purge(&blog, Part::Bodies, window).wait().unwrap();
            assert_eq!(findings(), [("list:words".to_owned(), String::new())]);
        }
    }

    /// What is added after a comment's days goes with the next run, and only what is due of it.
    #[test]
    fn what_comes_late_goes_soon() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let (old, new) = (imported("blog", 10), imported("blog", 50));
        let ids = [old.comment.id, new.comment.id];
        store.import("file".into(), vec![old, new]).wait().unwrap();
        assert_eq!(purge_all(&store, "blog", Part::Bodies, 11), 1);
        for comment in ids {
            let objected = Objected { objection: Objection::Report, who: [1; 16], text: Some("an advertisement".into()), at: at(60) };
            store.object(NewObjection { site: SiteId::new("blog"), comment, objected }).wait().unwrap().unwrap();
        }
        assert_eq!([1, 0].map(|_| store.purge_late(&SiteId::new("blog"), 10).wait().unwrap()), [1, 0]);
        let kept =
            [1, 2].map(|seq| store.read().objections(seq).unwrap().remove(0)).map(|objected| (objected.text.is_some(), objected.who));
        assert_eq!(kept, [(false, [1; 16]), (true, [1; 16])], "the words of the old one alone");
        assert_eq!(purge_all(&store, "blog", Part::Addresses, 61), 1);
        assert_ne!(store.read().objections(2).unwrap()[0].who, [1; 16], "nobody can be found by it");
    }

    #[test]
    fn what_remains_after_each_span_is_what_is_younger() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let batch = [10, 20, 30, 40, 50].map(|ms| imported("blog", ms)).into_iter().chain([imported("shop", 15)]).collect();
        store.import("file".into(), batch).wait().unwrap();
        assert_eq!(purge_all(&store, "blog", Part::Ips, 41), 2);
        assert_eq!(left(&store), ["ta", "tai", "ta", "ta", "ta", "tai"]);
        assert_eq!(purge_all(&store, "blog", Part::Addresses, 30), 1);
        assert_eq!(left(&store), ["t", "tai", "t", "ta", "ta", "tai"]);
        assert_eq!(purge_all(&store, "blog", Part::Bodies, 11), 1);
        assert_eq!(left(&store), ["", "tai", "t", "ta", "ta", "tai"]);
        assert_eq!(purge_all(&store, "blog", Part::Bodies, 11), 0, "nothing is looked at twice");
        let labels = store.read().labelled(&SiteId::new("blog")).unwrap().examples.len();
        assert_eq!(labels, 4, "without its text a label teaches nothing");
    }
}
