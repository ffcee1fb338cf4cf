//! What must hold, whatever happened: of every comment after every event, and of everybody's knowledge once the trouble is over.

use super::outgoing::lying;
use super::told::{Known, Word};
use super::world::World;
use hamlet::classifier::Label;
use hamlet::config::Duty;
use hamlet::decision::Status;
use hamlet::id::{CommentId, DigestId, ModeratorId, SiteId};
use hamlet::store::Record;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// A comment's row, as far as it tells whether anything changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    id: CommentId,
    site: SiteId,
    key: String,
    seq: i64,
    version: u32,
    status: String,
    /// Retention took the text out.
    is_empty: bool,
}

/// Whom comments were mailed to, and when they were asked about anew, in the order that it happened.
#[derive(Default)]
pub struct Shown {
    happened: usize,
    digests: BTreeSet<DigestId>,
    /// The last digest that put it before a moderator.
    mailed: BTreeMap<(ModeratorId, CommentId), Mailed>,
    asked: BTreeMap<CommentId, usize>,
}

struct Mailed {
    happened: usize,
    digest: DigestId,
    /// In ms.
    expires_at: i64,
}

impl Shown {
    pub fn asked_again(&mut self, id: CommentId) {
        self.happened += 1;
        self.asked.insert(id, self.happened);
    }
}

/// After every event.
pub fn hold(world: &mut World) {
    let rows = rows(&world.daemon().look);
    nothing_is_lost_or_doubled(world, &rows);
    for row in &rows {
        if world.told.known.contains_key(&row.id) {
            continue;
        }
        let sent = world.told.sent.iter().find(|sent| sent.idempotency.key == row.key).expect("somebody sent it");
        let word = Word { ruling: None, edited: false, body: sent.submission.body.clone().unwrap() };
        world.told.known.insert(row.id, Known { site: row.site.clone(), word, edits: 0, batch: None });
    }
    let rows: BTreeSet<Row> = rows.into_iter().collect();
    if rows != world.checked {
        rows.difference(&world.checked).for_each(|row| it_stands_as_was_told(world, row.id));
        world.checked = rows;
        labels_are_rulings(world);
    }
    counts_are_right(world);
}

fn rows(look: &Connection) -> Vec<Row> {
    let sql = "SELECT id, site, idempotency_key, seq, version, status, body = '' FROM comments";
    let mut statement = look.prepare_cached(sql).unwrap();
    let rows = statement.query_map([], |row| {
        Ok(Row {
            id: CommentId::from_bytes(row.get(0)?),
            site: SiteId::new(row.get::<_, String>(1)?),
            key: row.get(2)?,
            seq: row.get(3)?,
            version: row.get(4)?,
            status: row.get(5)?,
            is_empty: row.get(6)?,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// What was acknowledged is there, once.
fn nothing_is_lost_or_doubled(world: &World, rows: &[Row]) {
    let mut keys = BTreeMap::new();
    for row in rows {
        assert!(keys.insert(&row.key, row.id).is_none(), "there are two comments under {}", row.key);
    }
    for sent in world.told.sent.iter().filter(|sent| !sent.is_forgotten) {
        let Some(acknowledged) = sent.acknowledged else { continue };
        assert_eq!(keys.get(&sent.idempotency.key), Some(&acknowledged), "{} was acknowledged", sent.idempotency.key);
    }
    for id in world.told.known.keys() {
        assert!(keys.values().any(|there| there == id), "{id} is gone");
    }
}

/// One status, which follows from the last ruling, else from the verdict; and what people said last stands.
fn it_stands_as_was_told(world: &World, id: CommentId) {
    let known = &world.told.known[&id];
    let record = world.daemon().app.store.read().comment(&known.site, id).unwrap().unwrap();
    assert!(known.word.is_of(&record), "{id} stands as {record:?}, not as {:?}", known.word);
    assert_eq!(record.status, derived(&record), "{record:?}");
    let sql = "SELECT count(*) FROM decisions WHERE comment = ?1";
    let decisions: usize = world.daemon().look.prepare_cached(sql).unwrap().query_row([record.seq], |row| row.get(0)).unwrap();
    let judged = decisions.checked_sub(known.edits).unwrap_or_else(|| panic!("an edit was not judged: {record:?}"));
    assert!(judged <= 1, "judged {judged} times: {record:?}");
}

fn derived(record: &Record) -> Status {
    match (&record.ruled, &record.decision) {
        (Some(ruled), Some(decision)) if record.edited => decision.status_after_edit(Some(ruled.ruling)),
        (Some(ruled), _) => ruled.ruling.status(),
        (None, Some(decision)) => decision.status(),
        (None, None) => Status::Queued,
    }
}

/// A comment is a label where people ruled so on the text that it has.
fn labels_are_rulings(world: &World) {
    for site in world.daemon().app.config().sites.keys() {
        let labelled = world.daemon().app.store.read().labelled(site).unwrap();
        let found: BTreeSet<(i64, bool)> =
            labelled.numbers.iter().zip(&labelled.examples).map(|(number, example)| (*number, example.label == Label::Spam)).collect();
        let label = |row: &Row| {
            let word = world.told.word(row.id);
            let label = word.ruling.filter(|_| !word.edited).and_then(Label::of)?;
            Some((row.seq, label == Label::Spam))
        };
        let with_text = world.checked.iter().filter(|row| row.site == *site && !row.is_empty);
        assert_eq!(found, with_text.filter_map(label).collect(), "labels of {site}");
    }
}

/// What the store counts beside the tables is what is in them.
fn counts_are_right(world: &World) {
    let (app, look) = (&world.daemon().app, &world.daemon().look);
    let count = |sql: &str| -> usize { look.prepare_cached(sql).unwrap().query_row([], |row| row.get(0)).unwrap() };
    assert_eq!(app.store.queued(), count("SELECT count(*) FROM comments WHERE status = 'queued'"), "what is queued");
    let parcels: usize = app.config().sites.keys().map(|site| app.store.parcels_waiting(site.as_str())).sum();
    assert_eq!(parcels, count("SELECT count(*) FROM parcels WHERE dead = 0"), "what waits in the outbox");
}

/// A comment in a digest.
struct Item {
    digest: DigestId,
    moderator: ModeratorId,
    comment: CommentId,
    is_reminder: bool,
    /// In ms.
    expires_at: i64,
}

fn items(look: &Connection) -> Vec<Item> {
    let sql = "SELECT d.id, d.moderator, c.id, d.kind = 'reminder', d.expires_at
               FROM digests d JOIN digest_items i ON i.digest = d.id JOIN comments c ON c.seq = i.comment";
    let mut statement = look.prepare_cached(sql).unwrap();
    let items = statement.query_map([], |row| {
        Ok(Item {
            digest: DigestId::from_bytes(row.get(0)?),
            moderator: ModeratorId::new(row.get::<_, String>(1)?),
            comment: CommentId::from_bytes(row.get(2)?),
            is_reminder: row.get(3)?,
            expires_at: row.get(4)?,
        })
    });
    items.unwrap().map(Result::unwrap).collect()
}

/// No comment is mailed as new to a moderator who has a valid link to it, unless people are asked anew; and nothing to who is paused.
pub fn digests_are_fair(world: &mut World) {
    let (app, now) = (world.app(), world.now().ms());
    let items = items(&world.daemon().look);
    let shown = &mut world.shown;
    shown.happened += 1;
    let known = std::mem::replace(&mut shown.digests, items.iter().map(|item| item.digest).collect());
    for Item { digest, moderator, comment, is_reminder, expires_at } in items {
        if known.contains(&digest) {
            continue;
        }
        assert_eq!(app.store.read().mailbox(&moderator).unwrap().paused, None, "a digest is written for {moderator}, who is paused");
        if let Some(before) = shown.mailed.get(&(moderator.clone(), comment)) {
            let is_asked_again = shown.asked.get(&comment).is_some_and(|asked| *asked > before.happened);
            // With a comment that is forgotten go the digests that it was in.
            let is_valid = before.expires_at > now && shown.digests.contains(&before.digest);
            let may_come_again = is_asked_again || is_reminder || world.told.reopened.contains(&comment);
            assert!(may_come_again || !is_valid, "{comment} is mailed to {moderator} again");
        }
        shown.mailed.insert((moderator, comment), Mailed { happened: shown.happened, digest, expires_at });
    }
}

/// When the trouble is over.
pub fn all_know_everything(world: &mut World) {
    world.checked.clear();
    hold(world);
    assert!(world.told.sent.iter().all(|sent| sent.is_forgotten || sent.acknowledged.is_some()), "all was acknowledged");
    let left = lying(world);
    assert!(left.is_empty(), "the outbox does not drain: {left:?}");
    for (id, known) in &world.told.known {
        let record = world.daemon().app.store.read().comment(&known.site, *id).unwrap().unwrap();
        assert_ne!(record.status, Status::Queued, "{id} is never judged");
        if !world.peers.unheard.contains(id) {
            the_blog_knows(world, &record);
        }
        if record.waits() {
            moderators_know(world, &record);
        }
    }
    for id in &world.told.forgotten {
        let believed = world.peers.believed.get(id);
        let is_erased = world.peers.unheard.contains(id) || believed.is_none_or(|status| status == "erased");
        assert!(is_erased, "{id} was forgotten, and its blog has it as {believed:?}");
    }
}

fn the_blog_knows(world: &World, record: &Record) {
    let id = record.comment.id;
    let believed = world.peers.believed.get(&id).map(String::as_str);
    assert_eq!(believed, Some(record.status.as_str()), "what the blog believes of {id}: {record:?}");
    if let Some(is_spam) = world.peers.called_back.get(&id)
        && world.told.known[&id].edits == 0
    {
        assert_eq!(*is_spam, record.status != Status::Published, "what an Akismet client believes of {id}");
    }
}

/// Whoever's turn it is was mailed since people were last asked.
fn moderators_know(world: &World, record: &Record) {
    let (config, id) = (world.daemon().app.config(), record.comment.id);
    for moderator in config.moderators.values() {
        if moderator.duty == Duty::First && moderator.sites.contains(&record.comment.site) {
            let mailed = world.shown.mailed.get(&(moderator.id.clone(), id)).map(|mailed| mailed.happened);
            // What is held again has its link yet; an objection is news until somebody rules.
            let asked = record.objected_at.and_then(|_| world.shown.asked.get(&id).copied()).unwrap_or(0);
            assert!(mailed.is_some_and(|mailed| mailed > asked), "{} was never mailed {record:?}", moderator.id);
        }
    }
}
