//! Reports: somebody names a comment by what it says, since they kept no id of ours. Found again by its text and by anything of its author.

use super::{Reader, Record, StoreError, comments, rows};
use crate::comment::Comment;
use rusqlite::params;

/// Comments of one length and one beginning that are looked at, the newest of them: a bound on what a flood of near-copies can cost.
const ALIKE_MAX: usize = 1_000;

impl Reader {
    /// The newest comment of the same site with the same text, and the same address, IP or name; what `comment` does not say is not
    /// compared.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn same_as(&self, comment: &Comment) -> Result<Option<Record>, StoreError> {
        self.with(|connection| {
            let sql = same(rows::COMMENT);
            let mut statement = connection.prepare_cached(&sql)?;
            let author = &comment.author;
            let (ip, key) = (author.ip.map(|ip| ip.to_string()), rows::author_key(comment));
            let mut found = statement.query(params![comment.site.as_str(), comment.body, ALIKE_MAX, key, ip, author.name])?;
            let Some(row) = found.next()? else { return Ok(None) };
            Ok(Some(comments::complete(connection, rows::comment(row)?)?))
        })
    }
}

fn same(columns: &str) -> String {
    format!(
        "SELECT {columns} FROM (
             SELECT * FROM comments WHERE site = ?1 AND length(body) = length(?2) AND substr(body, 1, 32) = substr(?2, 1, 32)
             ORDER BY seq DESC LIMIT ?3
         ) c WHERE c.body = ?2 AND (c.author = ?4 OR c.ip = ?5 OR c.name = ?6) ORDER BY c.seq DESC LIMIT 1"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::comment::{Limits, Submission};
    use crate::dice::Dice;
    use crate::id::{CommentId, SiteId};
    use crate::store::{Arrival, Bounds, Store};

    fn comment(number: u64, site: &str, (name, email, ip): (&str, &str, &str), body: &str) -> Comment {
        let field = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let submission = Submission { name: field(name), email: field(email), ip: field(ip), body: field(body), ..Submission::default() };
        let now = Timestamp::from_ms(i64::try_from(number).unwrap());
        let limits = Limits { body_bytes_max: 1_000, field_bytes_max: 100, excerpt_bytes_max: 100 };
        Comment::parse(submission, CommentId::new(now, &Dice::seeded(number)), SiteId::new(site), now, limits).unwrap()
    }

    #[test]
    fn a_comment_is_found_again_by_its_text_and_anything_of_its_author() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let (ana, bob) = (("Ana", "ana@a.example", "192.0.2.1"), ("Bob", "bob@b.example", "192.0.2.2"));
        let long = "x".repeat(40);
        for (number, comment) in [
            comment(1, "blog", ana, "good kettle"),
            comment(2, "blog", ana, "good kettle"),
            comment(3, "blog", bob, "good kettle"),
            comment(4, "other", ana, "good kettle"),
            comment(5, "blog", ana, &format!("{long}a")),
            comment(6, "blog", ana, &format!("{long}b")),
        ]
        .into_iter()
        .enumerate()
        {
            store.enqueue(Arrival { comment, idempotency: None }).wait().unwrap_or_else(|error| panic!("{number}: {error}"));
        }
        let found = |site, author, body: &str| {
            let record = store.read().same_as(&comment(9, site, author, body)).unwrap();
            record.map(|record| record.comment.received_at.ms())
        };
        assert_eq!(found("blog", ana, "good kettle"), Some(2), "the newest");
        assert_eq!(found("blog", ("", "ANA@a.example", ""), "good kettle"), Some(2));
        assert_eq!(found("blog", ("", "", "192.0.2.2"), "good kettle"), Some(3));
        assert_eq!(found("blog", ("Bob", "", "198.51.100.1"), "good kettle"), Some(3));
        assert_eq!(found("blog", ("Cy", "cy@c.example", "192.0.2.3"), "good kettle"), None);
        assert_eq!(found("blog", ("", "", ""), "good kettle"), None);
        assert_eq!(found("other", bob, "good kettle"), None);
        assert_eq!(found("blog", ana, &format!("{long}a")), Some(5), "what begins alike is told apart");
        assert_eq!(found("blog", ana, "good kettl"), None);
    }

    #[test]
    fn it_is_looked_up_in_an_index() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
        let plan: Vec<String> = store
            .read()
            .with(|connection| {
                let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", same("c.seq")))?;
                let steps = statement.query_map(params!["blog", "text", ALIKE_MAX, [0_u8; 16], "", ""], |row| row.get("detail"))?;
                Ok(steps.collect::<Result<_, _>>()?)
            })
            .unwrap();
        assert!(
            plan.iter().any(|step| step.contains("SEARCH comments USING INDEX comments_body (site=? AND <expr>=? AND <expr>=?)")),
            "{plan:?}"
        );
        assert!(!plan.iter().any(|step| step.contains("SCAN comments") || step.contains("TEMP B-TREE")), "{plan:?}");
    }
}
