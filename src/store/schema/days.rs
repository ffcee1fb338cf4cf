//! The step that counts days.

/// How many comments of a day, in place of those of a month, which follow from it. Kept by triggers, as those were: the rows of an intake cost 50.8 us
/// with these, 51.7 with those and 55.2 with both; a ruling 20, 22 and 29.
pub const DAYS: &str = "
DROP TRIGGER tally_came;
DROP TRIGGER tally_changed;
DROP TABLE tallies;
-- It holds nothing of anybody and stays when comments are deleted.
CREATE TABLE days (
    site     TEXT NOT NULL,
    day      INTEGER NOT NULL,                  -- days since 1970, UTC
    verdict  TEXT NOT NULL,
    ruled    TEXT NOT NULL,                     -- empty: nobody has ruled
    audited  INTEGER NOT NULL,                  -- a spot check
    comments INTEGER NOT NULL,
    PRIMARY KEY (site, day, verdict, ruled, audited)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER day_came AFTER INSERT ON comments WHEN new.verdict IS NOT NULL BEGIN
    INSERT INTO days VALUES (new.site, new.received_at / 86400000, new.verdict, coalesce(new.ruled, ''), new.audited, 1)
        ON CONFLICT DO UPDATE SET comments = comments + 1;
END;
CREATE TRIGGER day_changed AFTER UPDATE OF verdict, ruled, audited ON comments
    WHEN new.verdict IS NOT NULL AND (old.verdict IS NOT new.verdict OR old.ruled IS NOT new.ruled OR old.audited IS NOT new.audited)
BEGIN
    UPDATE days SET comments = comments - 1
        WHERE site = old.site AND day = old.received_at / 86400000
          AND verdict = old.verdict AND ruled = coalesce(old.ruled, '') AND audited = old.audited;
    INSERT INTO days VALUES (new.site, new.received_at / 86400000, new.verdict, coalesce(new.ruled, ''), new.audited, 1)
        ON CONFLICT DO UPDATE SET comments = comments + 1;
END;
INSERT INTO days SELECT site, received_at / 86400000, verdict, coalesce(ruled, ''), audited, count(*)
    FROM comments WHERE verdict IS NOT NULL GROUP BY 1, 2, 3, 4, 5;
-- Why comments are held is read from the latest decisions that held one.
CREATE INDEX decisions_held ON decisions (site, seq) WHERE verdict = 'hold';
-- What was given up is told of on that page too.
CREATE INDEX parcels_dead ON parcels (site, seq) WHERE dead = 1;
";
