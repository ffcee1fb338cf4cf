//! The store: the one front door to what is written down, in domain types. SQLite behind it (WAL, `synchronous=FULL`: what was
//! acknowledged survives power loss), one writer with group commit, a few readers. It keeps and finds; it never judges, and nothing
//! here knows the network.

mod accounts;
mod api_keys;
mod audits;
mod backup;
mod checkpoint;
mod comments;
mod desk;
mod digests;
mod edits;
mod facts;
mod figures;
mod forget;
mod health;
mod history;
mod imports;
mod labels;
mod listing;
mod lists;
mod mailboxes;
mod objections;
mod outbox;
mod reports;
mod retention;
mod rows;
mod rulings;
mod schema;
mod second_looks;
mod shadows;
mod tallies;
mod tombstones;
mod traces;
mod waiting;
mod writer;

pub use accounts::{Act, TokenHash, What};
pub use api_keys::{ApiKey, NewApiKey};
pub use audits::Audit;
pub use backup::copy;
pub use comments::{Arrival, Idempotency, Judged, Received, Record, Ruled};
pub use desk::{Batch, Given, Stretch, Waits, Way};
pub use digests::{DigestRecord, Kind, NewDigest, Standing, Wanted};
pub use edits::{Earlier, Edit};
pub use figures::{Day, HeldFor, MailHealth, Scored, Work};
pub use forget::{Forgotten, Target, Unlearnt};
pub use health::Health;
pub use history::Span;
pub use imports::{Imported, Taken};
pub use labels::{Decided, GivenLabel, Labelled, Relabelled, RulingOn};
pub use listing::{Listed, Sought};
pub use lists::ListHits;
pub use mailboxes::{Mailbox, PausedBy};
pub use objections::{NewObjection, Objected};
pub use outbox::{Chosen, Claim, Shown};
pub use retention::Part;
pub use rulings::NewRuling;
pub use schema::VERSION;
pub use second_looks::SecondLooks;
pub use shadows::{Beside, Shadowed, Sides};
pub use tallies::Tally;
pub use traces::{RuledTrace, Traced};
pub use writer::Pending;

use crate::clock::Timestamp;
use crate::dice::Dice;
use checkpoint::Checkpoints;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{DirBuilder, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use waiting::Waiting;
use writer::Writer;

/// Readers beside the writer: more than this and they only take each other's cores.
const READERS: usize = 3;

/// How long what was found about free space stays true, in ms.
const SPACE_CHECK_MS: i64 = 1_000;

/// Where the files must stay within.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub wal_bytes_max: u64,
    pub disk_free_bytes_min: u64,
}

/// A store that is open for writing. One process has it; a second is refused.
#[derive(Debug)]
pub struct Store {
    writer: Writer,
    _checkpoints: Checkpoints,
    reader: Reader,
    path: PathBuf,
    bounds: Bounds,
    waiting: Arc<Waiting>,
    space_checked_at: AtomicI64,
    full: Mutex<Option<Full>>,
    _lock: Arc<File>,
}

/// A bound that was reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {got}, the limit is {limit}")]
pub struct Full {
    pub what: &'static str,
    pub got: u64,
    pub limit: u64,
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("another hamlet has {0} open; stop it, or name another --data directory")]
    Locked(PathBuf),
    #[error("the store was written by a newer hamlet (schema {found}, this one knows {known}); run that one")]
    Newer { found: i64, known: usize },
    #[error("there is no store at {0}; start `hamlet serve` there once, or name the --data directory")]
    Missing(PathBuf),
    #[error("too much waits to be written; try again soon")]
    Busy,
    #[error("the store is closing")]
    Stopped,
    #[error("the store's files cannot be used at {path}")]
    Files { path: PathBuf, source: std::io::Error },
    #[error("the writer's thread cannot start")]
    Thread(std::io::Error),
    #[error("a row holds what this version cannot read: {0}")]
    Row(String),
    #[error("the store is damaged ({0}); `hamlet restore` puts a back-up in its place, and sqlite3's .recover saves what can be read")]
    Damaged(Arc<rusqlite::Error>),
    #[error("the disk of the store is full ({0}); nothing of this was written")]
    DiskFull(Arc<rusqlite::Error>),
    #[error("the store cannot be written ({0}); its directory and files must be writable for this user")]
    ReadOnly(Arc<rusqlite::Error>),
    #[error("another program holds the store ({0}), perhaps sqlite3 in a transaction; try again when it has ended")]
    Held(Arc<rusqlite::Error>),
    #[error("sqlite: {0}")]
    Sqlite(Arc<rusqlite::Error>),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let (code, error) = (error.sqlite_error_code(), Arc::new(error));
        match code {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error),
            Some(ErrorCode::DiskFull) => Self::DiskFull(error),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly(error),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Held(error),
            _ => Self::Sqlite(error),
        }
    }
}

impl StoreError {
    /// The same error for another who shared the transaction.
    fn again(&self) -> Self {
        match self {
            Self::Sqlite(error) => Self::Sqlite(Arc::clone(error)),
            Self::Damaged(error) => Self::Damaged(Arc::clone(error)),
            Self::DiskFull(error) => Self::DiskFull(Arc::clone(error)),
            Self::ReadOnly(error) => Self::ReadOnly(Arc::clone(error)),
            Self::Held(error) => Self::Held(Arc::clone(error)),
            Self::Busy => Self::Busy,
            Self::Row(what) => Self::Row(what.clone()),
            Self::Stopped | Self::Locked(_) | Self::Newer { .. } | Self::Missing(_) | Self::Files { .. } | Self::Thread(_) => Self::Stopped,
        }
    }
}

/// What the writer keeps of the file in memory. More makes it slower: a page that is put in order goes by way of a number beyond the end of
/// the file (`balance_nonroot`, `sqlite3PagerRekey`), after which the commit looks through all pages that are kept. Of 40,000 comments
/// put into these tables by a script, 64 to a commit, each took 228 to 288 us of processor time with 32 MB, 146 to 159 with 8 MB and 103 to 109
/// with 2 MB, on a busy machine in one run; of the daemon's first 12,000 the writer's thread won 5 %.
/// A batch changes some 500 pages of 4 KiB and should not spill.
const CACHE_KIB: i64 = 4_000;

impl Store {
    /// Opens or makes the store `hamlet.db` in the directory `data`, which is made if missing.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Newer`] when a later version wrote it.
    pub fn open(data: &Path, bounds: Bounds) -> Result<Self, StoreError> {
        let files = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Files { path, source }
        };
        // Readers' addresses and the keys that sign links lie here: for the daemon's own user only.
        DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(files(data))?;
        let lock = lock(data)?;
        let path = Self::file(data);
        File::options().create(true).append(true).mode(0o600).open(&path).map_err(files(&path))?;
        let connection = Connection::open(&path)?;
        // What is deleted is overwritten. Of a comment's time in the database, which the disk's answer outlasts many times, that is 0.3 %.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;",
        )?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", checkpoint::writer_pages(bounds.wal_bytes_max))?;
        prepare_once(&connection)?;
        schema::migrate(&connection, data)?;
        // The lock says that we are alone: whoever leased a parcel before is gone, and it need not wait for the lease to run out.
        connection.execute("UPDATE parcels SET lease_token = NULL, lease_until = 0 WHERE lease_token IS NOT NULL AND dead = 0", [])?;
        let waiting = Arc::new(Waiting::count(&connection)?);
        let reader = Reader::open(data)?;
        let lock = Arc::new(lock);
        // The writer's thread holds the lock as well: whoever opens the store next finds everything written.
        let (counted, owned) = (Arc::clone(&waiting), Arc::clone(&lock));
        let undone = move |connection: &Connection| {
            let _still = &owned;
            counted.recount(connection);
        };
        let writer = Writer::start(connection, undone)?;
        let checkpoints = Checkpoints::start(&path, bounds.wal_bytes_max)?;
        Ok(Self {
            writer,
            _checkpoints: checkpoints,
            reader,
            path,
            bounds,
            waiting,
            space_checked_at: AtomicI64::new(i64::MIN),
            full: Mutex::new(None),
            _lock: lock,
        })
    }

    /// The database file of a data directory.
    pub fn file(data: &Path) -> PathBuf {
        data.join("hamlet.db")
    }

    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// Runs `work` in the next transaction; it is on disk when the pending is done.
    fn write<T: Send + 'static>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static) -> Pending<T> {
        self.writer.submit(work)
    }

    /// Comments in the durable queue, of all sites.
    pub fn queued(&self) -> usize {
        self.waiting.queued.total()
    }

    /// Comments of a site in the durable queue.
    pub fn queued_of(&self, site: &str) -> usize {
        self.waiting.queued.of_site(site)
    }

    /// Undelivered parcels of a site.
    pub fn parcels_waiting(&self, site: &str) -> usize {
        self.waiting.parcels.of_site(site)
    }

    /// Whether there is room to write: the log within its bound, the disk above its floor. Looks at the disk once a second at most.
    ///
    /// # Errors
    /// [`Full`], the bound that was reached.
    pub fn room(&self, now: Timestamp) -> Result<(), Full> {
        let last = self.space_checked_at.load(Ordering::Relaxed);
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        if now.ms().saturating_sub(last) >= SPACE_CHECK_MS || now.ms() < last {
            self.space_checked_at.store(now.ms(), Ordering::Relaxed);
            *full = self.measure_space();
        }
        full.clone().map_or(Ok(()), Err)
    }

    fn measure_space(&self) -> Option<Full> {
        let log = std::fs::metadata(self.path.with_extension("db-wal")).map_or(0, |file| file.len());
        if log > self.bounds.wal_bytes_max {
            return Some(Full { what: "the write-ahead log in bytes", got: log, limit: self.bounds.wal_bytes_max });
        }
        let disk = rustix::fs::statvfs(&self.path).ok()?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        (free < self.bounds.disk_free_bytes_min).then_some(Full {
            what: "free disk in bytes",
            got: free,
            limit: self.bounds.disk_free_bytes_min,
        })
    }

    /// The secrets of a purpose by id, oldest first; the first is made when there is none.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn keys(&self, purpose: &'static str, now: Timestamp, dice: &Dice) -> Pending<Vec<(u8, [u8; 32])>> {
        let fresh = dice.bytes();
        self.write(move |connection| {
            let none = connection.query_row("SELECT count(*) FROM keys WHERE purpose = ?1", [purpose], |row| row.get::<_, i64>(0))? == 0;
            if none {
                let insert = "INSERT INTO keys (purpose, secret, created_at) VALUES (?1, ?2, ?3)";
                connection.execute(insert, rusqlite::params![purpose, fresh, now.ms()])?;
            }
            let mut statement = connection.prepare("SELECT id, secret FROM keys WHERE purpose = ?1 ORDER BY id")?;
            let keys = statement.query_map([purpose], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(keys.collect::<Result<Vec<_>, _>>()?)
        })
    }
}

/// Makes this process the owner of a data directory, until the file is dropped.
///
/// # Errors
/// [`StoreError::Locked`] when another process is.
pub fn lock(data: &Path) -> Result<File, StoreError> {
    let path = data.join("hamlet.lock");
    let files = |source| StoreError::Files { path: path.clone(), source };
    let lock = File::create(&path).map_err(files)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(data.to_owned())),
        Err(TryLockError::Error(source)) => Err(files(source)),
    }
}

/// Statements are planned once and kept. Without the planner's stability guarantee SQLite plans anew whenever a bound value changes that a
/// partial index might care about: half of the judge's time under load.
fn prepare_once(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Reads beside the writer, each a short snapshot. The CLI has one of its own while a daemon runs.
#[derive(Debug)]
pub struct Reader {
    connections: Vec<Mutex<Connection>>,
}

impl Reader {
    /// # Errors
    /// [`StoreError::Missing`] when there is no store in `data`.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        let path = Store::file(data);
        if !path.exists() {
            return Err(StoreError::Missing(data.to_owned()));
        }
        let open = || -> Result<Mutex<Connection>, StoreError> {
            let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;")?;
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            prepare_once(&connection)?;
            Ok(Mutex::new(connection))
        };
        Ok(Self { connections: (0..READERS).map(|_| open()).collect::<Result<_, _>>()? })
    }

    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let free = self.connections.iter().find_map(|connection| connection.try_lock().ok());
        let guard = match (free, self.connections.first()) {
            (Some(guard), _) => guard,
            (None, Some(first)) => first.lock().unwrap_or_else(PoisonError::into_inner),
            (None, None) => return Err(StoreError::Stopped),
        };
        // One snapshot for all that `work` reads, and one pair of locks.
        let snapshot = guard.unchecked_transaction()?;
        let result = work(&snapshot)?;
        snapshot.commit()?;
        Ok(result)
    }

    /// The highest number any comment has: how many ever came.
    ///
    /// # Errors
    /// [`StoreError`] from the database.
    pub fn comments_ever(&self) -> Result<u64, StoreError> {
        self.with(|connection| Ok(connection.query_row("SELECT coalesce(max(seq), 0) FROM comments", [], |row| row.get(0))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Bounds = Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 };

    fn room(bounds: Bounds) -> Result<(), Full> {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), bounds).unwrap();
        store.keys("test", Timestamp::from_ms(0), &Dice::seeded(1)).wait().unwrap();
        store.room(Timestamp::from_ms(0))
    }

    #[test]
    fn a_full_disk_or_an_overgrown_log_is_named_before_anything_is_written() {
        assert_eq!(room(OPEN), Ok(()));
        let log = room(Bounds { wal_bytes_max: 0, ..OPEN }).unwrap_err();
        assert_eq!((log.what, log.limit), ("the write-ahead log in bytes", 0));
        let disk = room(Bounds { disk_free_bytes_min: u64::MAX, ..OPEN }).unwrap_err();
        assert_eq!(disk.what, "free disk in bytes");
    }

    /// Looks again until `is_so`, for ten seconds at most.
    fn comes_true(is_so: impl Fn() -> bool) -> bool {
        (0..1000).any(|_| {
            std::thread::park_timeout(std::time::Duration::from_millis(10));
            is_so()
        })
    }

    #[test]
    fn a_log_that_outgrew_its_bound_is_cut_and_room_returns() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Bounds { wal_bytes_max: 1 << 20, ..OPEN }).unwrap();
        let reader = Connection::open(Store::file(data.path())).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM keys;").unwrap();
        for id in 10..14 {
            let insert = "INSERT INTO keys VALUES (?1, 'test', zeroblob(500000), 0)";
            store.write(move |connection| Ok(connection.execute(insert, [id])?)).wait().unwrap();
        }
        assert_eq!(store.room(Timestamp::from_ms(0)).unwrap_err().limit, 1 << 20);
        drop(reader);
        assert!(comes_true(|| store.measure_space().is_none()));
    }

    #[test]
    fn what_is_counted_beside_the_store_follows_work_that_was_undone() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), OPEN).unwrap();
        let waiting = Arc::clone(&store.waiting);
        let failed: Pending<()> = store.write(move |_| {
            waiting.parcels.came("blog");
            waiting.queued.came("blog");
            Err(StoreError::Row("a test".into()))
        });
        assert!(failed.wait().is_err());
        assert!(comes_true(|| store.queued() == 0 && store.parcels_waiting("blog") == 0));
    }

    #[test]
    fn a_second_owner_and_a_newer_store_are_refused() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), OPEN).unwrap();
        assert!(matches!(Store::open(data.path(), OPEN), Err(StoreError::Locked(_))));
        drop(store);
        Connection::open(Store::file(data.path())).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
        assert!(matches!(Store::open(data.path(), OPEN), Err(StoreError::Newer { found: 99, .. })));
        assert!(matches!(Reader::open(&data.path().join("nowhere")), Err(StoreError::Missing(_))));
    }

    #[test]
    fn whoever_opens_it_next_finds_everything_written() {
        let data = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(data.path(), OPEN).unwrap());
        let gates = || std::sync::mpsc::sync_channel::<()>(0);
        let ((began, begins), (first_go, first_gate), (second_go, second_gate)) = (gates(), gates(), gates());
        let held = Arc::clone(&store);
        let first = store.write(move |_| {
            began.send(()).map_err(|_| StoreError::Stopped)?;
            first_gate.recv().map_err(|_| StoreError::Stopped)?;
            drop(held);
            Ok(())
        });
        begins.recv().unwrap();
        let second = store.write(move |connection| {
            second_gate.recv().map_err(|_| StoreError::Stopped)?;
            Ok(connection.execute("INSERT INTO keys VALUES (7, 'test', zeroblob(32), 0)", [])?)
        });
        drop(store);
        first_go.send(()).unwrap();
        first.wait().unwrap();
        assert!(matches!(Store::open(data.path(), OPEN), Err(StoreError::Locked(_))), "its last work is under way");
        second_go.send(()).unwrap();
        second.wait().unwrap();
        let reopened = std::cell::OnceCell::new();
        assert!(comes_true(|| Store::open(data.path(), OPEN).is_ok_and(|store| reopened.set(store).is_ok())));
        let keys = reopened.get().unwrap().keys("test", Timestamp::from_ms(0), &Dice::seeded(1)).wait().unwrap();
        assert_eq!(keys, [(7, [0; 32])]);
    }

    #[test]
    fn signing_keys_are_made_once() {
        let data = tempfile::tempdir().unwrap();
        let keys = |seed| {
            let store = Store::open(data.path(), OPEN).unwrap();
            store.keys("test", Timestamp::from_ms(0), &Dice::seeded(seed)).wait().unwrap()
        };
        assert_eq!(keys(1), keys(2));
    }
}
