//! The steps that know of mailboxes.

/// Whether mail reaches a moderator, and what a digest was for.
pub const MAILBOXES: &str = "
-- One row a moderator who ever paused, answered or did not get a mail. Of no site: a mailbox is one whatever is sent to it.
CREATE TABLE mailboxes (
    moderator    TEXT PRIMARY KEY,              -- the key in the settings
    paused_at    INTEGER,                       -- ms
    paused_by    TEXT,                          -- link, desk, cli, bounces
    bounces      INTEGER NOT NULL DEFAULT 0,    -- digests in a row that bounced for good
    last_bounced BLOB,                          -- the last of them: told twice, it counts once
    answered_at  INTEGER                        -- ms, when a person last pressed a button
) STRICT, WITHOUT ROWID;

-- When an alert was last raised, so that the same trouble is not told over and over.
CREATE TABLE alerts (
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    at   INTEGER NOT NULL,                      -- ms
    PRIMARY KEY (site, kind)
) STRICT, WITHOUT ROWID;

ALTER TABLE digests ADD COLUMN kind TEXT NOT NULL DEFAULT 'new'; -- new, flood, reminder, weekly
";

/// Which address it was that answered: who changed theirs since is known to read none.
pub const ANSWERED_BY: &str = "
ALTER TABLE mailboxes ADD COLUMN answered_by BLOB; -- SHA-256 of the address in the settings then, in small letters
";
