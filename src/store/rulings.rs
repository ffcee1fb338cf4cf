//! Rulings: what people say of a comment, one row each, append-only. The last one counts; `desk` gives several together and takes them back.

use super::comments::by_id;
use super::waiting::Waiting;
use super::{Act, Batch, Pending, Record, Ruled, Store, StoreError, What, rows};
use crate::classifier::Label;
use crate::clock::Timestamp;
use crate::decision::Status;
use crate::delivery::Outgoing;
use crate::id::{CommentId, ModeratorId, SiteId};
use rusqlite::{Connection, Row, params};
use std::sync::Arc;

/// The number of the next ruling. Those of rulings that were forgotten are not given again: models and memories count by them.
pub(super) const NEXT: &str =
    "1 + max((SELECT coalesce(max(seq), 0) FROM rulings), (SELECT coalesce(max(last), 0) FROM numbers WHERE name = 'rulings'))";

/// A ruling about to be given.
#[derive(Debug, Clone)]
pub struct NewRuling {
    pub site: SiteId,
    pub comment: CommentId,
    pub ruled: Ruled,
    /// Only if the comment still has this version: what the person saw.
    pub version: Option<u32>,
    /// The moderator, where it is one at the desk.
    pub who: Option<ModeratorId>,
    /// What it is taken back with.
    pub batch: Option<Batch>,
    /// When somebody is to look again without knowing of it.
    pub second_look_at: Option<Timestamp>,
}

impl NewRuling {
    /// One from elsewhere than the desk, whatever version stands.
    pub fn new(site: SiteId, comment: CommentId, ruled: Ruled) -> Self {
        Self { site, comment, ruled, version: None, who: None, batch: None, second_look_at: None }
    }
}

/// In SQL, rulings `r`, each with the last one before it on the same comment, `p`, of those `q` that `count`.
pub(super) fn in_turn(count: &str) -> String {
    let last = format!("SELECT max(q.seq) FROM rulings q WHERE q.comment = r.comment AND q.seq < r.seq AND {count}");
    format!("rulings r LEFT JOIN rulings p ON p.seq = ({last})")
}

/// What such a ruling says of the text that it is on, and what was said of this text before. What is taken back may uncover a ruling on
/// an earlier text, which says nothing of this one.
pub(super) const RULED_CHANGE: &str = "iif(r.via = 'undo' AND p.afresh, NULL, r.ruling), iif(r.afresh, NULL, p.ruling)";

/// Edits `e` since when the comment no longer says what such a ruling is on: taking back is on the text of what is taken back.
pub(super) const NOT_THIS_TEXT: &str = "e.comment = r.comment AND e.version >= iif(r.via = 'undo', p.version, r.version)";

/// The label that a column of [`RULED_CHANGE`] stands for.
pub(super) fn label(row: &Row<'_>, column: usize) -> Result<Option<Label>, StoreError> {
    let ruling: Option<String> = row.get(column)?;
    Ok(ruling.map(|ruling| rows::standing(&ruling)).transpose()?.flatten().and_then(Label::of))
}

impl Store {
    /// Gives a ruling, unless the comment changed since or stands so already; `outgoing` makes what must leave of the record after it.
    /// Answers the record as it now stands and whether this ruling was taken; none for an unknown comment.
    pub fn rule(
        &self,
        new: NewRuling,
        outgoing: impl FnOnce(&Record) -> Vec<Outgoing> + Send + 'static,
    ) -> Pending<Option<(Record, bool)>> {
        let waiting = Arc::clone(&self.waiting);
        self.write(move |connection| rule_one(connection, &waiting, new, outgoing))
    }
}

/// One ruling inside a transaction; see [`Store::rule`].
pub(super) fn rule_one(
    connection: &Connection,
    waiting: &Waiting,
    new: NewRuling,
    outgoing: impl FnOnce(&Record) -> Vec<Outgoing>,
) -> Result<Option<(Record, bool)>, StoreError> {
    let Some(before) = by_id(connection, &new.site, new.comment)? else { return Ok(None) };
    let changed = new.version.is_some_and(|seen| seen != before.version);
    // Who rules the same again on what was objected to, or says something else now, answers that.
    let is_asked_again = before.objected_at.is_some() || before.edited;
    let stands_so = !is_asked_again && before.ruled.as_ref().is_some_and(|ruled| ruled.ruling == new.ruled.ruling);
    if changed || stands_so {
        return Ok(Some((before, false)));
    }
    if before.status == Status::Queued {
        waiting.queued.went(new.site.as_str());
    }
    let (at, first) = (new.ruled.at, new.ruled.ruling);
    let after = rule(connection, before, new.ruled, new.batch)?;
    if let Some(who) = new.who {
        let act = Act { at, who: Some(who), what: What::Ruled, comment: Some(new.comment), site: Some(new.site.clone()) };
        super::accounts::insert_act(connection, &act)?;
    }
    if let Some(due_at) = new.second_look_at {
        let sql = "INSERT INTO second_looks (comment, site, due_at, first) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        connection.prepare_cached(sql)?.execute(params![after.seq, new.site.as_str(), due_at.ms(), first.as_str()])?;
    }
    for outgoing in outgoing(&after) {
        super::outbox::insert(connection, waiting, &outgoing)?;
    }
    Ok(Some((after, true)))
}

/// Writes a ruling and what follows from it.
pub(super) fn rule(connection: &Connection, before: Record, ruled: Ruled, batch: Option<Batch>) -> Result<Record, StoreError> {
    let sql = format!(
        "INSERT INTO rulings (seq, site, comment, ruling, actor, via, at, batch, afresh, objected_at, version)
         VALUES ({NEXT}, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let (site, version) = (before.comment.site.as_str(), before.version + 1);
    statement.insert(params![
        site,
        before.seq,
        ruled.ruling.as_str(),
        ruled.by,
        ruled.via,
        ruled.at.ms(),
        batch,
        before.edited,
        before.objected_at.map(Timestamp::ms),
        version
    ])?;
    let status = ruled.ruling.status();
    let mut statement = connection
        .prepare_cached("UPDATE comments SET status = ?2, ruled = ?3, version = ?4, objected_at = NULL, edited = 0 WHERE seq = ?1")?;
    statement.execute(params![before.seq, status.as_str(), ruled.ruling.as_str(), version])?;
    Ok(Record { status, version, ruled: Some(ruled), objected_at: None, edited: false, ..before })
}
