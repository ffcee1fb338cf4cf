//! The tables, and how an older store becomes a present one: every step once, in order, all in one transaction. Every table carries the site.

mod days;
mod desk;
mod mailboxes;

use super::StoreError;
use super::shadows::TABLE as SHADOWS;
use days::DAYS;
use desk::DESK;
use mailboxes::{ANSWERED_BY, MAILBOXES};
use rusqlite::Connection;
use std::path::Path;

/// What an empty store becomes, step by step. A step that has landed is never changed: the next one alters what it made.
const STEPS: [&str; 19] = [
    TABLES,
    FACTS,
    LIST_HITS,
    REPORTS,
    TRACES,
    FLOORS,
    API_KEYS,
    DESK,
    OBJECTIONS,
    LISTING,
    EDITS,
    CALLBACKS,
    KEEPING,
    DAYS,
    MAILBOXES,
    RULED_TEXTS,
    SHADOWS,
    ANSWERED_BY,
    SHOWN_FOR,
];

/// What `PRAGMA user_version` says of a store of this version: how many steps it has taken.
pub const VERSION: usize = STEPS.len();

/// The copy that a store leaves behind when it takes steps, in its directory.
pub const COPY_PREFIX: &str = "hamlet.db.schema-";

/// Brings the store to [`VERSION`], after a copy of it was made; refuses one from the future.
pub fn migrate(connection: &Connection, data: &Path) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let newer = || StoreError::Newer { found, known: VERSION };
    let missing = STEPS.get(usize::try_from(found).map_err(|_| newer())?..).ok_or_else(newer)?;
    if !missing.is_empty() {
        if found > 0 {
            copy_before(connection, &data.join(format!("{COPY_PREFIX}{found}")))?;
        }
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {} PRAGMA user_version = {VERSION}; COMMIT;", missing.concat()))?;
    }
    Ok(())
}

/// One that an earlier try left is replaced: the store has not changed since.
fn copy_before(connection: &Connection, copy: &Path) -> Result<(), StoreError> {
    let files = |source| StoreError::Files { path: copy.to_owned(), source };
    match std::fs::remove_file(copy) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(files(error)),
        Ok(()) | Err(_) => {}
    }
    super::backup::vacuum_into(connection, copy)?;
    std::fs::set_permissions(copy, std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(files)?;
    tracing::info!(copy = %copy.display(), "store.copied_before_migration");
    Ok(())
}

const REPORTS: &str = "
-- A report of a comment is matched by its text (see `reports`). The length tells apart what begins alike.
CREATE INDEX comments_body ON comments (site, length(body), substr(body, 1, 32));

-- How many comments of a month got this verdict and this last ruling. Kept by triggers, so that no count reads every comment; it holds
-- nothing of anybody and stays when comments are deleted.
CREATE TABLE tallies (
    site     TEXT NOT NULL,
    month    TEXT NOT NULL,                     -- in UTC: 2026-11
    verdict  TEXT NOT NULL,
    ruled    TEXT NOT NULL,                     -- empty: nobody has ruled
    comments INTEGER NOT NULL,
    PRIMARY KEY (site, month, verdict, ruled)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER tally_came AFTER INSERT ON comments WHEN new.verdict IS NOT NULL BEGIN
    INSERT INTO tallies VALUES (new.site, strftime('%Y-%m', new.received_at / 1000, 'unixepoch'), new.verdict, coalesce(new.ruled, ''), 1)
        ON CONFLICT DO UPDATE SET comments = comments + 1;
END;
CREATE TRIGGER tally_changed AFTER UPDATE OF verdict, ruled ON comments
    WHEN new.verdict IS NOT NULL AND (old.verdict IS NOT new.verdict OR old.ruled IS NOT new.ruled)
BEGIN
    UPDATE tallies SET comments = comments - 1
        WHERE site = old.site AND month = strftime('%Y-%m', old.received_at / 1000, 'unixepoch')
          AND verdict = old.verdict AND ruled = coalesce(old.ruled, '');
    INSERT INTO tallies VALUES (new.site, strftime('%Y-%m', new.received_at / 1000, 'unixepoch'), new.verdict, coalesce(new.ruled, ''), 1)
        ON CONFLICT DO UPDATE SET comments = comments + 1;
END;
INSERT INTO tallies SELECT site, strftime('%Y-%m', received_at / 1000, 'unixepoch'), verdict, coalesce(ruled, ''), count(*)
    FROM comments WHERE verdict IS NOT NULL GROUP BY 1, 2, 3, 4;
";

const TRACES: &str = "
-- What is kept of a judged comment to know its like again after a restart. Rows older than the memory's days go at a start.
CREATE TABLE traces (
    site      TEXT NOT NULL,
    comment   INTEGER NOT NULL REFERENCES comments (seq),
    at        INTEGER NOT NULL,                 -- ms, when it was judged
    published INTEGER NOT NULL,                 -- by its verdict
    trace     BLOB NOT NULL,                    -- keyed hashes and a sketch, see `trace`
    known     TEXT,                             -- JSON: what was remembered of its like then; null for nothing
    PRIMARY KEY (site, comment)
) STRICT, WITHOUT ROWID;
";

const TABLES: &str = "
-- One row a comment, written once. `status`, `version` and `ruled` follow the last decision and ruling, in the same transaction.
CREATE TABLE comments (
    seq             INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE,
    site            TEXT NOT NULL,
    received_at     INTEGER NOT NULL,           -- ms
    idempotency_key TEXT,
    request_hash    BLOB,
    submitted_at    INTEGER,                    -- ms
    kind            TEXT NOT NULL,
    name            TEXT,
    email           TEXT,
    url             TEXT,
    ip              TEXT,
    user_agent      TEXT,
    role            TEXT,
    body            TEXT NOT NULL,
    page_url        TEXT,
    page_title      TEXT,
    parent_id       TEXT,
    author          BLOB,                       -- hash of the lower-cased address, for the author's record
    status          TEXT NOT NULL,              -- queued, published, held, rejected
    verdict         TEXT,                       -- the machine's last word, whatever the mode
    ruled           TEXT,                       -- the last ruling
    audited         INTEGER NOT NULL DEFAULT 0, -- a spot check: people are asked although the machine decided
    version         INTEGER NOT NULL DEFAULT 1  -- grows with every decision and ruling
) STRICT;
CREATE UNIQUE INDEX comments_idempotency ON comments (site, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX comments_author ON comments (site, author, ruled, verdict) WHERE author IS NOT NULL;
CREATE INDEX comments_queued ON comments (seq) WHERE status = 'queued';
CREATE INDEX comments_held ON comments (site, seq) WHERE status = 'held';
CREATE INDEX comments_audited ON comments (site, seq) WHERE audited = 1 AND ruled IS NULL;
CREATE INDEX comments_ruled ON comments (site, seq) WHERE ruled IS NOT NULL;

-- What the machine said, with its full why. Append-only.
CREATE TABLE decisions (
    seq        INTEGER PRIMARY KEY,
    site       TEXT NOT NULL,
    comment    INTEGER NOT NULL REFERENCES comments (seq),
    verdict    TEXT NOT NULL,
    discard    INTEGER NOT NULL,
    band       TEXT NOT NULL,
    score      REAL,
    model      TEXT,
    mode       TEXT NOT NULL,
    why        TEXT NOT NULL,                   -- JSON: findings, evidence, thresholds
    audited    INTEGER NOT NULL,                -- drawn as a spot check
    audit_probability REAL NOT NULL,            -- with which it was to be drawn
    decided_at INTEGER NOT NULL                 -- ms
) STRICT;
CREATE INDEX decisions_comment ON decisions (comment);
CREATE INDEX decisions_audited ON decisions (site, seq) WHERE audited = 1;

-- What people said. Append-only; the last one counts.
CREATE TABLE rulings (
    seq      INTEGER PRIMARY KEY,
    site     TEXT NOT NULL,
    comment  INTEGER NOT NULL REFERENCES comments (seq),
    ruling   TEXT NOT NULL,
    actor    TEXT NOT NULL,
    via      TEXT NOT NULL,                     -- link, api, cli, akismet
    at       INTEGER NOT NULL                   -- ms
) STRICT;
CREATE INDEX rulings_comment ON rulings (comment, seq);
CREATE INDEX rulings_site ON rulings (site, seq);

-- What must leave. A row goes when it was taken; a dead one stays to be listed and retried.
CREATE TABLE parcels (
    seq         INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    site        TEXT NOT NULL,
    lane        BLOB NOT NULL,                  -- parcels of one lane leave in order
    kind        TEXT NOT NULL,                  -- webhook, mail
    content     TEXT NOT NULL,                  -- JSON
    created_at  INTEGER NOT NULL,               -- ms
    due_at      INTEGER NOT NULL,               -- ms
    attempts    INTEGER NOT NULL DEFAULT 0,
    lease_token BLOB,
    lease_until INTEGER NOT NULL DEFAULT 0,     -- ms
    dead        INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT
) STRICT;
CREATE INDEX parcels_lane ON parcels (lane, seq) WHERE dead = 0;
CREATE INDEX parcels_due ON parcels (site, due_at) WHERE dead = 0;
CREATE INDEX parcels_leased ON parcels (site) WHERE lease_token IS NOT NULL AND dead = 0;

CREATE TABLE digests (
    id         BLOB PRIMARY KEY,
    site       TEXT NOT NULL,
    moderator  TEXT NOT NULL,
    created_at INTEGER NOT NULL,                -- ms
    expires_at INTEGER NOT NULL                 -- ms
) STRICT, WITHOUT ROWID;
CREATE INDEX digests_moderator ON digests (moderator, site, created_at);

CREATE TABLE digest_items (
    digest    BLOB NOT NULL REFERENCES digests (id),
    number    INTEGER NOT NULL,                 -- from 1, as in the mail
    site      TEXT NOT NULL,
    moderator TEXT NOT NULL,
    comment   INTEGER NOT NULL REFERENCES comments (seq),
    PRIMARY KEY (digest, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX digest_items_shown ON digest_items (moderator, comment);

-- Secrets this daemon made for itself, by id, so that they can rotate.
CREATE TABLE keys (
    id         INTEGER PRIMARY KEY,
    purpose    TEXT NOT NULL,
    secret     BLOB NOT NULL,
    created_at INTEGER NOT NULL                 -- ms
) STRICT;
";

/// What the facts of a comment are made of. Comments of before have none of it.
const FACTS: &str = "
ALTER TABLE comments ADD COLUMN page_excerpt TEXT;
ALTER TABLE comments ADD COLUMN page_published_at INTEGER;       -- ms
ALTER TABLE comments ADD COLUMN page BLOB;                       -- hash of page_url, where the site told when it was published
ALTER TABLE comments ADD COLUMN parent_body TEXT;
ALTER TABLE comments ADD COLUMN form_token TEXT;                 -- shown, forged
ALTER TABLE comments ADD COLUMN form_shown_at INTEGER;           -- ms
ALTER TABLE comments ADD COLUMN honeypot INTEGER NOT NULL DEFAULT 0; -- filled
CREATE INDEX comments_page ON comments (site, page, seq) WHERE page IS NOT NULL;
CREATE INDEX comments_member ON comments (site, author, seq) WHERE author IS NOT NULL AND role IS NOT NULL;

-- Which comment links to which domain. What became of a domain is read from its comments, so that it follows every ruling.
CREATE TABLE domains (
    site    TEXT NOT NULL,
    domain  TEXT NOT NULL,
    comment INTEGER NOT NULL REFERENCES comments (seq),
    PRIMARY KEY (site, domain, comment)
) STRICT, WITHOUT ROWID;
CREATE INDEX domains_comment ON domains (comment);
";

const LIST_HITS: &str = "
-- One row for each entry of a list that was found in a comment, written with its decision.
CREATE TABLE list_hits (
    seq     INTEGER PRIMARY KEY,
    site    TEXT NOT NULL,
    list    TEXT NOT NULL,
    entry   TEXT NOT NULL,                      -- as the comment has it: a word, a domain, an address, a network
    comment INTEGER NOT NULL,
    at      INTEGER NOT NULL                    -- ms
) STRICT;
CREATE INDEX list_hits_entry ON list_hits (site, list, entry);
";

/// How likely any decision of a moment was to be put before a person. Decisions of before stand for nothing but themselves.
const FLOORS: &str = "
ALTER TABLE decisions ADD COLUMN audit_floor REAL NOT NULL DEFAULT 0;
";

const API_KEYS: &str = "
-- Keys that the command line made. The key itself was shown once and is nowhere.
CREATE TABLE api_keys (
    id         INTEGER PRIMARY KEY,
    site       TEXT NOT NULL,
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,            -- SHA-256 of the key
    scopes     TEXT NOT NULL,                   -- some of submit, rule, admin
    created_at INTEGER NOT NULL,                -- ms
    ends_at    INTEGER,                         -- ms; none: until it is revoked
    used_day   TEXT                             -- in UTC: 2026-11-25
) STRICT;
";

const OBJECTIONS: &str = "
-- What readers and authors say against how a comment stands. Append-only.
CREATE TABLE objections (
    seq       INTEGER PRIMARY KEY,
    site      TEXT NOT NULL,
    comment   INTEGER NOT NULL REFERENCES comments (seq),
    objection TEXT NOT NULL,                    -- report, appeal
    who       BLOB NOT NULL,                    -- keyed hash of whom the site named
    text      TEXT,                             -- why, in their words
    at        INTEGER NOT NULL                  -- ms
) STRICT;
CREATE UNIQUE INDEX objections_once ON objections (comment, objection, who);
ALTER TABLE comments ADD COLUMN objected_at INTEGER; -- ms; since when people are asked because of them, until one rules
CREATE INDEX comments_objected ON comments (site, seq) WHERE objected_at IS NOT NULL;
";

/// A site's comments in their order, for listings.
const LISTING: &str = "
CREATE INDEX comments_site ON comments (site, seq);
";

const EDITS: &str = "
-- What a comment said before each edit.
CREATE TABLE edits (
    site    TEXT NOT NULL,
    comment INTEGER NOT NULL REFERENCES comments (seq),
    version INTEGER NOT NULL,                   -- the last that said so
    name    TEXT,
    email   TEXT,
    url     TEXT,
    body    TEXT NOT NULL,
    until   INTEGER NOT NULL,                   -- ms
    PRIMARY KEY (comment, version)
) STRICT, WITHOUT ROWID;
ALTER TABLE comments ADD COLUMN edited INTEGER NOT NULL DEFAULT 0; -- since the last ruling, which was on another text
ALTER TABLE rulings ADD COLUMN afresh INTEGER NOT NULL DEFAULT 0;  -- the first on this text, whatever was ruled before
ALTER TABLE rulings ADD COLUMN objected_at INTEGER; -- ms; since when people had been asked by those whom this ruling answered
";

/// Where an Akismet client wants to hear if the word on its comment changes.
const CALLBACKS: &str = "
ALTER TABLE comments ADD COLUMN callback TEXT;
";

/// What came from elsewhere, and what went for good. The index of `traces` takes 3 % of a comment's time in the database; without it, forgetting
/// one comment read all of them, 29 ms at 60,000, where it now takes 0.7 ms.
const KEEPING: &str = "
-- One row for each comment that `hamlet import` brought. Its ruling stands in `rulings`, by way of `import`.
CREATE TABLE imports (
    site    TEXT NOT NULL,
    source  TEXT NOT NULL,                      -- the format, and the comment's id there or a hash of it: who comes twice is known
    comment INTEGER NOT NULL REFERENCES comments (seq),
    file    TEXT NOT NULL,
    line    INTEGER NOT NULL,
    machine TEXT,                               -- what a filter said of it there; never a label
    PRIMARY KEY (site, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX imports_comment ON imports (comment);

-- What was forgotten, as salted hashes, so that it does not come back with a backup or a file.
CREATE TABLE tombstones (
    kind TEXT NOT NULL,                         -- comment, author
    hash BLOB NOT NULL,
    at   INTEGER NOT NULL,                      -- ms; whatever came until then
    PRIMARY KEY (kind, hash)
) STRICT, WITHOUT ROWID;

-- When something was forgotten, and how much: no ids, no names. A model that was trained before, on labels of then, does not come back.
CREATE TABLE forgets (
    seq      INTEGER PRIMARY KEY,
    site     TEXT NOT NULL,
    at       INTEGER NOT NULL,                  -- ms
    comments INTEGER NOT NULL,
    labels   INTEGER NOT NULL,
    ruling   INTEGER NOT NULL                   -- the first ruling among them, by its number; 0 where no label went
) STRICT;

-- The highest number that was ever given where rows can go: numbers are not given twice.
CREATE TABLE numbers (
    name TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is deleted with its comment is found by it.
CREATE INDEX traces_comment ON traces (comment);
CREATE INDEX list_hits_comment ON list_hits (comment);
CREATE INDEX digest_items_comment ON digest_items (comment);

-- How far each site's retention has come: everything up to this comment is without it.
CREATE TABLE retention (
    site    TEXT NOT NULL,
    what    TEXT NOT NULL,                      -- bodies, addresses, ips
    through INTEGER NOT NULL,
    PRIMARY KEY (site, what)
) STRICT, WITHOUT ROWID;

-- Comments that retention has passed, and to which something was added since: it goes with the next run.
CREATE TABLE late (
    site    TEXT NOT NULL,
    comment INTEGER NOT NULL REFERENCES comments (seq),
    PRIMARY KEY (site, comment)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER edited_late AFTER INSERT ON edits
    WHEN new.comment <= (SELECT max(through) FROM retention WHERE site = new.site)
    BEGIN INSERT OR IGNORE INTO late VALUES (new.site, new.comment); END;
CREATE TRIGGER objected_late AFTER INSERT ON objections
    WHEN new.comment <= (SELECT max(through) FROM retention WHERE site = new.site)
    BEGIN INSERT OR IGNORE INTO late VALUES (new.site, new.comment); END;
";

/// Which text a ruling was on: by the version that it gave the comment, and those that `edits` names. Of before nobody knows; it is taken for the
/// text that stands.
const RULED_TEXTS: &str = "
ALTER TABLE rulings ADD COLUMN version INTEGER;
";

/// Which objection a digest put a comment before people for. Told apart by their times alone, a clock that was set back mailed the same again and
/// again, or never.
const SHOWN_FOR: &str = "
ALTER TABLE digest_items ADD COLUMN objected_at INTEGER; -- ms; as it then stood in `comments`
UPDATE digest_items SET objected_at = c.objected_at FROM comments c, digests d
    WHERE c.seq = comment AND d.id = digest AND c.objected_at <= d.created_at;
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Bounds, Store};

    /// A store as the first `steps` left it, with one comment in it.
    fn older(data: &Path, steps: usize) -> Connection {
        let connection = Connection::open(Store::file(data)).unwrap();
        connection.execute_batch(&format!("{} PRAGMA user_version = {steps};", STEPS[..steps].concat())).unwrap();
        let insert = "INSERT INTO comments (id, site, received_at, kind, body, status, ruled) VALUES (?1, 'blog', 1, 'comment', 'hi', 'published', 'publish')";
        connection.execute(insert, [[7_u8; 16]]).unwrap();
        connection
    }

    fn open(data: &Path) -> Result<Store, StoreError> {
        Store::open(data, Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 })
    }

    #[test]
    fn a_store_of_any_older_version_becomes_a_present_one_and_leaves_a_copy_of_what_it_was() {
        let fresh = {
            let data = tempfile::tempdir().unwrap();
            described(&open(data.path()).unwrap())
        };
        for steps in 1..=VERSION {
            let data = tempfile::tempdir().unwrap();
            drop(older(data.path(), steps));
            let store = open(data.path()).unwrap();
            assert_eq!(described(&store), fresh, "after {steps} steps");
            let labels = store.read().labels(&crate::id::SiteId::new("blog")).unwrap();
            assert_eq!(labels, (0, 1), "after {steps} steps");
            let copy = data.path().join(format!("{COPY_PREFIX}{steps}"));
            assert_eq!(copy.exists(), steps < VERSION);
            if copy.exists() {
                let copy = Connection::open(copy).unwrap();
                let found: (usize, i64) = copy
                    .query_row("SELECT user_version, (SELECT count(*) FROM comments) FROM pragma_user_version", [], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .unwrap();
                assert_eq!(found, (steps, 1));
            }
        }
    }

    /// Every table, index and trigger in its own words.
    fn described(store: &Store) -> Vec<String> {
        let read = store.read().with(|connection| {
            let mut statement = connection.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name")?;
            let described = statement.query_map([], |row| row.get(0))?;
            Ok(described.collect::<Result<Vec<String>, _>>()?)
        });
        read.unwrap()
    }

    #[test]
    fn a_store_of_a_newer_version_is_left_as_it_is() {
        let data = tempfile::tempdir().unwrap();
        let connection = older(data.path(), VERSION);
        connection.execute_batch(&format!("PRAGMA user_version = {}", VERSION + 1)).unwrap();
        drop(connection);
        let refused = open(data.path()).unwrap_err();
        assert!(matches!(refused, StoreError::Newer { known: VERSION, .. }), "{refused}");
    }
}
