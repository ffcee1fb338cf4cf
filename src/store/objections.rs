//! Objections: what readers report and authors appeal. They are kept as they came and put a comment before people again; how it stands is
//! left alone. The ruling that a person then gives answers them.

use super::comments::by_id;
use super::{Pending, Reader, Record, Store, StoreError, rows};
use crate::clock::Timestamp;
use crate::decision::Objection;
use crate::id::{CommentId, SiteId};
use rusqlite::{Connection, params};

/// Of one comment so many are kept: by then its moderators know, and who sends more means to fill a disk.
const OBJECTIONS_MAX: usize = 1_000;

/// An objection on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewObjection {
    pub site: SiteId,
    pub comment: CommentId,
    pub objected: Objected,
}

/// An objection as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objected {
    pub objection: Objection,
    /// Whoever it was, by a keyed hash: enough to count nobody twice.
    pub who: [u8; 16],
    /// Why, in their own words.
    pub text: Option<String>,
    pub at: Timestamp,
}

impl Store {
    /// Takes an objection, each person's of a sort once for each comment. Answers the record as it then stands and whether this one was new;
    /// none for an unknown comment.
    pub fn object(&self, new: NewObjection) -> Pending<Option<(Record, bool)>> {
        self.write(move |connection| {
            let Some(record) = by_id(connection, &new.site, new.comment)? else { return Ok(None) };
            if all(connection, record.seq)?.len() >= OBJECTIONS_MAX || !insert(connection, &record, &new.objected)? {
                return Ok(Some((record, false)));
            }
            let record = if reopens(connection, &record, new.objected.objection)? {
                let objected_at = Some(new.objected.at);
                let update = "UPDATE comments SET objected_at = ?2 WHERE seq = ?1";
                connection.prepare_cached(update)?.execute(params![record.seq, new.objected.at.ms()])?;
                Record { objected_at, ..record }
            } else {
                record
            };
            Ok(Some((record, true)))
        })
    }
}

impl Reader {
    /// Every objection to a comment, by its number, oldest first. Those from before its last ruling were answered by it.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn objections(&self, seq: i64) -> Result<Vec<Objected>, StoreError> {
        self.with(|connection| all(connection, seq))
    }
}

fn all(connection: &Connection, seq: i64) -> Result<Vec<Objected>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT objection, who, text, at FROM objections WHERE comment = ?1 ORDER BY seq")?;
    let mut found = statement.query([seq])?;
    let mut objections = Vec::new();
    while let Some(row) = found.next()? {
        let objection = rows::word(&row.get::<_, String>(0)?, Objection::parse)?;
        objections.push(Objected { objection, who: row.get(1)?, text: row.get(2)?, at: Timestamp::from_ms(row.get(3)?) });
    }
    Ok(objections)
}

/// Whether it was new.
fn insert(connection: &Connection, record: &Record, objected: &Objected) -> Result<bool, StoreError> {
    let mut statement = connection
        .prepare_cached("INSERT OR IGNORE INTO objections (site, comment, objection, who, text, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let Objected { objection, who, text, at } = objected;
    Ok(statement.execute(params![record.comment.site.as_str(), record.seq, objection.as_str(), who, text, at.ms()])? > 0)
}

/// Whether people are to look again. Once they ruled, it takes more new voices than that ruling answered: a crowd cannot have the same
/// comment ruled on for each of its members.
fn reopens(connection: &Connection, record: &Record, objection: Objection) -> Result<bool, StoreError> {
    if record.objected_at.is_some() || !objection.is_against(record.status) {
        return Ok(false);
    }
    let ruled_at = record.ruled.as_ref().map(|ruled| ruled.at);
    let of_its_sort = all(connection, record.seq)?.into_iter().filter(|objected| objected.objection == objection);
    let (answered, open): (Vec<_>, Vec<_>) = of_its_sort.partition(|objected| ruled_at.is_some_and(|ruled_at| objected.at <= ruled_at));
    Ok(open.len() > answered.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comment::{Comment, Limits, Submission};
    use crate::decision::{Ruling, Status};
    use crate::dice::Dice;
    use crate::id::ModeratorId;
    use crate::store::{Arrival, Bounds, NewRuling, Received, Ruled};

    /// A store with one comment, and a clock that moves on with every step.
    struct Case {
        store: Store,
        comment: Comment,
        ms: i64,
        _data: tempfile::TempDir,
    }

    impl Case {
        fn new() -> Self {
            let data = tempfile::tempdir().unwrap();
            let store = Store::open(data.path(), Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }).unwrap();
            let now = Timestamp::from_ms(0);
            let limits = Limits { body_bytes_max: 100, field_bytes_max: 100, excerpt_bytes_max: 100 };
            let submission = Submission { body: Some("hi".into()), ..Submission::default() };
            let comment = Comment::parse(submission, CommentId::new(now, &Dice::seeded(1)), SiteId::new("blog"), now, limits).unwrap();
            let received = store.enqueue(Arrival { comment: comment.clone(), idempotency: None }).wait().unwrap();
            assert!(matches!(received, Received::New(_)));
            Self { store, comment, ms: 0, _data: data }
        }

        fn tick(&mut self) -> Timestamp {
            self.ms += 1;
            Timestamp::from_ms(self.ms)
        }

        fn rule(&mut self, ruling: Ruling) -> (Record, bool) {
            let ruled = Ruled { ruling, by: "ana".into(), via: "cli".into(), at: self.tick() };
            let new = NewRuling::new(self.comment.site.clone(), self.comment.id, ruled);
            self.store.rule(new, |_| Vec::new()).wait().unwrap().unwrap()
        }

        /// Whether the comment waits then, and whether that was new.
        fn object(&mut self, objection: Objection, who: u8) -> (bool, bool) {
            let objected = Objected { objection, who: [who; 16], text: None, at: self.tick() };
            let new = NewObjection { site: self.comment.site.clone(), comment: self.comment.id, objected };
            let (record, is_new) = self.store.object(new).wait().unwrap().unwrap();
            (record.waits(), is_new)
        }
    }

    #[test]
    fn a_report_of_what_readers_see_waits_for_a_person_until_one_rules() {
        let mut case = Case::new();
        case.rule(Ruling::Publish);
        assert_eq!(case.object(Objection::Report, 1), (true, true));
        assert_eq!(case.object(Objection::Report, 1), (true, false), "once a reader");
        assert_eq!(case.object(Objection::Report, 2), (true, true));
        let held = case.store.read().held(None, 10).unwrap();
        assert_eq!((held.len(), held[0].objected_at.map(Timestamp::ms)), (1, Some(2)), "since the first of them");
        let (record, taken) = case.rule(Ruling::Publish);
        assert!(taken && !record.waits(), "the same ruling again is the answer");
        assert!(!case.rule(Ruling::Publish).1, "and then it stands so");
        assert_eq!(case.store.read().objections(record.seq).unwrap().len(), 2);
    }

    #[test]
    fn what_waits_for_two_reasons_is_counted_once() {
        let mut case = Case::new();
        let (site, at) = (case.comment.site.clone(), case.tick());
        let ruled = Ruled { ruling: Ruling::Publish, by: "ana".into(), via: "desk".into(), at };
        let new = NewRuling { second_look_at: Some(at), ..NewRuling::new(site.clone(), case.comment.id, ruled) };
        case.store.rule(new, |_| Vec::new()).wait().unwrap();
        assert_eq!(case.store.read().waits(&site, at).unwrap().comments, 1, "somebody is to look again");
        case.object(Objection::Report, 1);
        assert_eq!(case.store.read().waits(&site, at).unwrap().comments, 1);
    }

    #[test]
    fn a_crowd_asks_again_only_when_it_outgrew_what_was_answered() {
        let mut case = Case::new();
        case.rule(Ruling::Publish);
        let waits: Vec<bool> = (0..7)
            .map(|reader| {
                let (waits, _) = case.object(Objection::Report, reader);
                if waits {
                    case.rule(Ruling::Publish);
                }
                waits
            })
            .collect();
        assert_eq!(waits, [true, false, true, false, false, false, true]);
    }

    #[test]
    fn an_author_appeals_once_and_only_against_what_is_rejected() {
        let mut case = Case::new();
        assert_eq!(case.object(Objection::Report, 1), (false, true), "nobody has judged it yet");
        case.rule(Ruling::Spam);
        assert_eq!(case.object(Objection::Report, 2), (false, true), "readers do not see it");
        assert_eq!(case.object(Objection::Appeal, 0), (true, true));
        case.rule(Ruling::Remove);
        assert_eq!(case.object(Objection::Appeal, 0), (false, false));
    }

    #[test]
    fn a_ruling_that_is_taken_back_answered_nothing() {
        let mut case = Case::new();
        case.rule(Ruling::Publish);
        case.object(Objection::Report, 1);
        let (site, batch) = (case.comment.site.clone(), [7; 16]);
        let ruled = Ruled { ruling: Ruling::Spam, by: "ana".into(), via: "desk".into(), at: case.tick() };
        let new = NewRuling { batch: Some(batch), ..NewRuling::new(site.clone(), case.comment.id, ruled) };
        assert!(!case.store.rule(new, |_| Vec::new()).wait().unwrap().unwrap().0.waits());
        let (who, now) = ((ModeratorId::new("ana"), "Ana".to_owned(), vec![site]), case.tick());
        let undone = case.store.undo(batch, who, now, |_| Vec::new()).wait().unwrap();
        assert_eq!((undone.len(), undone[0].status, undone[0].waits()), (1, Status::Published, true));
    }

    #[test]
    fn what_waits_is_looked_up_in_indexes() {
        let case = Case::new();
        let sql = format!("EXPLAIN QUERY PLAN SELECT seq FROM comments c WHERE seq IN ({})", crate::store::digests::WAITING);
        let plan: Vec<String> = case
            .store
            .read()
            .with(|connection| {
                let mut statement = connection.prepare(&sql)?;
                let steps = statement.query_map(["blog"], |row| row.get("detail"))?;
                Ok(steps.collect::<Result<_, _>>()?)
            })
            .unwrap();
        for index in ["comments_held", "comments_audited", "comments_objected"] {
            assert!(plan.iter().any(|step| step.contains(&format!("{index} (site=?)"))), "{plan:?}");
        }
        assert!(!plan.iter().any(|step| step.starts_with("SCAN c")), "{plan:?}");
    }
}
