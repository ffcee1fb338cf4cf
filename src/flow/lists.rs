//! Lists that change while the daemon runs: a file that is another than the one that was read is read again, and the judge loop takes what
//! it says now. A file that vanished or is no list any more leaves the old list at work; the log says why, once for each such file.

use super::App;
use crate::config::{ListFile, NoList};
use crate::rules::lists::List;
use crate::store::StoreError;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// What tells one state of a file from another: written in place or put there by a rename.
type Stamp = (u64, u64, i64, i64);

/// The files as they were last looked at; none for one that was not there.
#[derive(Debug, Clone, Default)]
pub struct Seen(HashMap<String, Option<Stamp>>);

impl Seen {
    /// As they are now.
    pub fn now(files: &[ListFile]) -> Self {
        Self(files.iter().map(|file| (file.spec.name.clone(), stamp(&file.path))).collect())
    }

    /// Whether a list's file is as it was.
    pub fn agrees(&self, before: &Self, name: &str) -> bool {
        self.0.get(name) == before.0.get(name)
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
}

/// Reads the files that changed since they were last seen, one after another, and gives the judge loop what they say.
///
/// # Errors
/// [`StoreError::Stopped`] when nobody judges any more.
pub fn tick(app: &App) -> Result<(), StoreError> {
    let mut seen = app.lists.lock().unwrap_or_else(PoisonError::into_inner);
    for file in &app.config().lists {
        let now = stamp(&file.path);
        let before = seen.0.insert(file.spec.name.clone(), now);
        if before != Some(now) {
            match file.read() {
                Ok(list) => app.door.give_list(Arc::new(list))?,
                Err(error) => warn(file, &error),
            }
        }
    }
    Ok(())
}

fn warn(file: &ListFile, error: &NoList) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(list = %file.spec.name, file = %file.path.display(), error, "list.not_taken: the one before stays at work");
}

/// Tells the log what a list is, and that some of its lines are not.
pub fn tell(list: &List) {
    let (entries, bad_lines) = (list.entries(), list.bad_count);
    tracing::info!(list = %list.spec.name, entries, bad_lines, memory_bytes = list.memory_bytes(), "list.taken");
    if let Some(first) = list.bad_lines.first() {
        tracing::warn!(list = %list.spec.name, bad_lines, line = first.line, reason = %first.reason, "list.bad_lines: `hamlet lists check` names them");
    }
}
