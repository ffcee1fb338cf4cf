//! Checkpoints: what the log holds goes into the database beside the writer, by a connection of its own, so that no commit waits for it.
//! The writer checkpoints itself only when this one falls far behind.

use super::StoreError;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Looks at the log this often.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A log shorter than this is left alone, in bytes: a thousand pages, SQLite's own measure.
const LOG_BYTES_MIN: u64 = 4 * 1024 * 1024;

/// Pages of log at which the writer checkpoints itself after all: 64 MB.
pub const WRITER_PAGES: u32 = 16_000;

#[derive(Debug)]
pub struct Checkpoints {
    stop: Option<Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Checkpoints {
    pub fn start(database: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(database)?;
        connection.execute_batch("PRAGMA synchronous = FULL;")?;
        let log = database.with_extension("db-wal");
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("hamlet-log".into())
            .spawn(move || checkpoint_until_stopped(&connection, &log, &stopped))
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

fn checkpoint_until_stopped(connection: &Connection, log: &PathBuf, stopped: &Receiver<()>) {
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK_EVERY) {
        if std::fs::metadata(log).map_or(0, |file| file.len()) < LOG_BYTES_MIN {
            continue;
        }
        // PASSIVE waits for nobody; what it leaves, the next look takes.
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::warn!(error = %error, "store.checkpoint_failed");
        }
    }
}
