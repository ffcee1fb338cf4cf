//! Imports: comments that others kept, with what a person decided there. Each comes in once, with its ruling and where it was found, and
//! nothing leaves because of it; nor is anything kept by which traffic is counted.

use super::{Pending, Record, Ruled, Store, StoreError, comments, rulings, tombstones};
use crate::comment::Comment;
use crate::decision::Status;
use rusqlite::{Connection, params};

/// A comment on its way in.
#[derive(Debug, Clone)]
pub struct Imported {
    pub comment: Comment,
    /// The format, and what the comment is called there: who comes twice is known by it.
    pub source: String,
    pub line: u64,
    pub ruled: Ruled,
    /// What a filter said there.
    pub machine: Option<String>,
    /// The domains that it links to.
    pub domains: Vec<String>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Added,
    /// It came before.
    Known,
    /// It was forgotten on purpose, and stays so.
    Forgotten,
}

impl Store {
    /// Takes a batch of one file in, in one transaction.
    pub fn import(&self, file: String, batch: Vec<Imported>) -> Pending<Vec<Taken>> {
        self.write(move |connection| batch.into_iter().map(|imported| import(connection, &file, imported)).collect())
    }
}

fn import(connection: &Connection, file: &str, imported: Imported) -> Result<Taken, StoreError> {
    let Imported { comment, source, line, ruled, machine, domains } = imported;
    let site = comment.site.as_str().to_owned();
    if connection.prepare_cached("SELECT 1 FROM imports WHERE site = ?1 AND source = ?2")?.exists(params![site, source])? {
        return Ok(Taken::Known);
    }
    // An export of this very store comes back under the ids it had.
    if connection.prepare_cached("SELECT 1 FROM comments WHERE id = ?1")?.exists([comment.id.bytes()])? {
        return Ok(Taken::Known);
    }
    let graves = tombstones::graves_of(comment.id, comment.author.email.as_deref());
    if tombstones::covers(connection, &graves, comment.submitted_at)? {
        return Ok(Taken::Forgotten);
    }
    let status = ruled.ruling.status();
    let seq = comments::insert(connection, &comment, None, (status, None))?;
    let record = Record { version: 0, ..Record::new(seq, comment, Status::Queued) };
    comments::insert_domains(connection, &record, &domains)?;
    rulings::rule(connection, record, ruled, None)?;
    let insert = "INSERT INTO imports (site, source, comment, file, line, machine) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(insert)?.execute(params![site, source, seq, file, i64::try_from(line).unwrap_or(i64::MAX), machine])?;
    Ok(Taken::Added)
}
