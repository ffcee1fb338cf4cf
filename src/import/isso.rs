//! Isso's database, opened to read alone. It marks what waits and what was deleted; spam it never kept.

use super::{Broken, Found, Reason, Skipped, Take, field};
use crate::clock::Timestamp;
use crate::comment::Submission;
use crate::decision::Ruling;
use rusqlite::{Connection, OpenFlags, Row};
use std::path::Path;

/// What `mode` says in Isso: 1 is published, 2 waits for a moderator, 4 was deleted and is kept because somebody answered it.
const PUBLISHED: i64 = 1;
const WAITING: i64 = 2;

/// Reads a database file; its rows are numbered in place of lines.
///
/// # Errors
/// [`Broken`] when it is no database of Isso's, or where it can be read no further.
pub fn read(path: &Path, take: &mut Take<'_>) -> Result<(), Broken> {
    let mut row_number = 0;
    read_rows(path, &mut row_number, take).map_err(|error| Broken { line: row_number, reason: error.to_string() })
}

fn read_rows(path: &Path, row_number: &mut u64, take: &mut Take<'_>) -> rusqlite::Result<()> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let mut statement = connection.prepare(
        "SELECT c.id, c.mode, c.created, c.remote_addr, c.text, c.author, c.email, c.website, t.uri, t.title
         FROM comments c LEFT JOIN threads t ON t.id = c.tid ORDER BY c.id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        *row_number += 1;
        if take(*row_number, comment(row)).is_break() {
            break;
        }
    }
    Ok(())
}

fn comment(row: &Row<'_>) -> Result<Found, Skipped> {
    let text = |column: usize| -> Result<Option<String>, Skipped> {
        let value = row.get::<_, Option<String>>(column);
        value.map(|text| text.and_then(field)).map_err(|error| {
            let is_text = matches!(error, rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::Utf8Error(..));
            if is_text { Skipped::because(Reason::NotUtf8) } else { Skipped::malformed(error) }
        })
    };
    match row.get(1).map_err(Skipped::malformed)? {
        PUBLISHED => {}
        WAITING => return Err(Skipped::because(Reason::Undecided)),
        _ => return Err(Skipped::because(Reason::Deleted)),
    }
    let body = text(4)?.ok_or_else(|| Skipped::because(Reason::NoText))?;
    let created: f64 = row.get(2).map_err(Skipped::malformed)?;
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970; a cast saturates")]
    let submitted_at = Timestamp::from_ms((created * 1000.0) as i64);
    let submission = Submission {
        name: text(5)?,
        email: text(6)?,
        url: text(7)?,
        ip: text(3)?,
        body: Some(body),
        page_url: text(8)?,
        page_title: text(9)?,
        submitted_at: Some(submitted_at.to_string()),
        ..Submission::default()
    };
    let id: i64 = row.get(0).map_err(Skipped::malformed)?;
    Ok(Found { source_id: Some(id.to_string()), submission, ruling: Ruling::Publish, machine: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;

    #[test]
    fn what_stands_is_ham_and_the_file_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("isso.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE threads (id INTEGER PRIMARY KEY, uri VARCHAR, title VARCHAR);
                 CREATE TABLE comments (tid REFERENCES threads(id), id INTEGER PRIMARY KEY, parent INTEGER, created FLOAT NOT NULL, modified FLOAT,
                    mode INTEGER, remote_addr VARCHAR, text VARCHAR, author VARCHAR, email VARCHAR, website VARCHAR);
                 INSERT INTO threads VALUES (1, '/how', 'How');
                 INSERT INTO comments VALUES (1, 7, NULL, 1580458500.5, NULL, 1, '192.0.2.0', 'hi', 'Ana', NULL, NULL), (1, 8, NULL, 1, NULL, 2, '', 'x', '', '', ''),
                    (1, 9, 7, 1, NULL, 4, '', '', '', '', ''), (1, 10, 7, 1, NULL, 1, '', CAST(x'ff' AS TEXT), '', '', '');",
            )
            .unwrap();
        drop(connection);
        let before = std::fs::read(&path).unwrap();
        let mut told = Vec::new();
        read(&path, &mut |row, entry| {
            told.push((row, entry));
            ControlFlow::Continue(())
        })
        .unwrap();
        let found = told[0].1.as_ref().unwrap();
        assert_eq!((found.source_id.as_deref(), found.submission.page_url.as_deref()), (Some("7"), Some("/how")));
        assert_eq!(found.submission.submitted_at.as_deref(), Some("2020-01-31T08:15:00.5Z"));
        let reasons: Vec<_> = told[1..].iter().map(|(_, entry)| entry.as_ref().unwrap_err().reason).collect();
        assert_eq!(reasons, [Reason::Undecided, Reason::Deleted, Reason::NotUtf8]);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert!(read(&folder.path().join("none.db"), &mut |_, _| ControlFlow::Continue(())).is_err());
    }
}
