//! The step that knows of accounts and the desk.

/// The desk: who may enter, what was done there, which rulings were given together, and which are put before people a second time.
pub const DESK: &str = "
CREATE TABLE passwords (
    moderator TEXT PRIMARY KEY,
    phc       TEXT NOT NULL,                    -- argon2id, with its salt and parameters
    set_at    INTEGER NOT NULL                  -- ms
) STRICT, WITHOUT ROWID;

CREATE TABLE login_links (
    hash       BLOB PRIMARY KEY,                -- SHA-256 of the token
    moderator  TEXT NOT NULL,
    expires_at INTEGER NOT NULL                 -- ms
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    hash       BLOB PRIMARY KEY,                -- SHA-256 of the cookie
    moderator  TEXT NOT NULL,
    created_at INTEGER NOT NULL,                -- ms
    expires_at INTEGER NOT NULL                 -- ms
) STRICT, WITHOUT ROWID;

-- What was done, by whom. Append-only.
CREATE TABLE acts (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,                   -- ms
    who     TEXT,                               -- a moderator; null for somebody who failed to be one
    what    TEXT NOT NULL,
    site    TEXT,
    comment BLOB                                -- its id
) STRICT;
CREATE INDEX acts_who ON acts (who, seq);

-- Rulings that one press of a button gave, and that one undo takes back. A ruling that was taken back is a row of its own, `via` undo, with
-- what stands since then: an earlier ruling, or `none`.
ALTER TABLE rulings ADD COLUMN batch BLOB;
CREATE INDEX rulings_batch ON rulings (batch) WHERE batch IS NOT NULL;

-- Decided comments that are put before a person again, who is not told what was said the first time.
CREATE TABLE second_looks (
    comment     INTEGER PRIMARY KEY REFERENCES comments (seq),
    site        TEXT NOT NULL,
    due_at      INTEGER NOT NULL,               -- ms
    first       TEXT NOT NULL,                  -- the ruling that stood when it was drawn
    second      TEXT,
    answered_by TEXT,
    answered_at INTEGER                         -- ms
) STRICT;
CREATE INDEX second_looks_open ON second_looks (site, due_at) WHERE second IS NULL;
";
