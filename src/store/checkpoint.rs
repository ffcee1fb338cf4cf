//! Checkpoints: what the log holds goes into the database beside the writer, by a connection of its own, so that no commit waits for it.
//! The writer checkpoints itself only when this one falls far behind.

use super::StoreError;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Looks at the log this often.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A log shorter than this is left alone, in bytes: a thousand pages, SQLite's own measure. Less where the bound is small.
const LOG_BYTES_MIN: u64 = 4 * 1024 * 1024;

/// Pages of log at which the writer checkpoints itself after all: 64 MB. Less where the bound is small.
const WRITER_PAGES: u64 = 16_000;

/// SQLite's, unless somebody changed the file's.
const PAGE_BYTES: u64 = 4096;

/// How long cutting an overgrown log may hold the writer up.
const CUT_WAIT: Duration = Duration::from_millis(200);

/// Pages at which the writer checkpoints itself, for a log that may have `bytes_max`.
pub fn writer_pages(bytes_max: u64) -> u64 {
    WRITER_PAGES.min(bytes_max / 4 / PAGE_BYTES).max(1)
}

#[derive(Debug)]
pub struct Checkpoints {
    stop: Option<Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Checkpoints {
    pub fn start(database: &Path, bytes_max: u64) -> Result<Self, StoreError> {
        let connection = Connection::open(database)?;
        connection.execute_batch("PRAGMA synchronous = FULL;")?;
        connection.busy_timeout(CUT_WAIT)?;
        let log = database.with_extension("db-wal");
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("hamlet-log".into())
            .spawn(move || checkpoint_until_stopped(&connection, &log, bytes_max, &stopped))
            .map_err(StoreError::Thread)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn checkpoint_until_stopped(connection: &Connection, log: &PathBuf, bytes_max: u64, stopped: &Receiver<()>) {
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK_EVERY) {
        let log_bytes = std::fs::metadata(log).map_or(0, |file| file.len());
        if log_bytes < LOG_BYTES_MIN.min(bytes_max / 8) {
            continue;
        }
        // PASSIVE waits for nobody; what it leaves, the next look takes. It never shortens the file, so one that comes near its bound is cut.
        let how = if log_bytes > bytes_max / 2 { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "PRAGMA wal_checkpoint(PASSIVE)" };
        if let Err(error) = connection.query_row(how, [], |_| Ok(())) {
            tracing::warn!(error = %error, "store.checkpoint_failed");
        }
    }
}
