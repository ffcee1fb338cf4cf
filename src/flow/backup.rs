//! Back-ups: a copy of the store as it stood at one moment, of the models and of the secret that keys them, with a manifest by which a copy
//! that was changed or cut short is known. A running store is copied beside the daemon. Restoring puts a copy in place of what is
//! there, and forgets in it what was forgotten since.

use crate::clock::Timestamp;
use crate::dice::Dice;
use crate::store::{self, Bounds, Store, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "hamlet.db";
const MODELS: &str = "models";

/// What a back-up is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub hamlet: String,
    /// Steps that the store had taken.
    pub schema: i64,
    pub made_at: String,
    pub files: Vec<Entry>,
}

/// One file, relative to the back-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
}

/// Why it was not done. What was there before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CannotCopy {
    #[error("{0} is there already; name a place that is not")]
    Exists(PathBuf),
    #[error("{0} is no back-up: it has no {MANIFEST} that can be read")]
    NoManifest(PathBuf),
    #[error("{path} is not what the manifest says ({what}); the back-up was changed or is not whole")]
    Damaged { path: PathBuf, what: &'static str },
    #[error("{0} holds a store; --force moves it aside and puts the back-up in its place")]
    NotEmpty(PathBuf),
    #[error("cannot use {path}")]
    Files { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn files(path: &Path) -> impl FnOnce(io::Error) -> CannotCopy + '_ {
    |source| CannotCopy::Files { path: path.to_owned(), source }
}

/// Copies a store with its models to a new directory, which appears only once it is whole.
///
/// # Errors
/// [`CannotCopy`].
pub fn back_up(data: &Path, target: &Path, now: Timestamp) -> Result<Manifest, CannotCopy> {
    if target.exists() {
        return Err(CannotCopy::Exists(target.to_owned()));
    }
    let making = target.with_added_extension("partial");
    remove(&making)?;
    make_private(&making)?;
    // The models first: a model knows rulings by their numbers, so none may be younger than the store beside it.
    let models = data.join(MODELS);
    if models.is_dir() {
        make_private(&making.join(MODELS))?;
        for name in names(&models)? {
            copy(&models.join(&name), &making.join(MODELS).join(&name))?;
        }
    }
    let database = making.join(DATABASE);
    let schema = store::copy(data, &database)?;
    fs::set_permissions(&database, PermissionsExt::from_mode(0o600)).map_err(files(&database))?;
    let manifest = Manifest { hamlet: env!("CARGO_PKG_VERSION").to_owned(), schema, made_at: now.to_string(), files: entries(&making)? };
    let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    let path = making.join(MANIFEST);
    fs::write(&path, text).and_then(|()| File::open(&path)?.sync_all()).map_err(files(&path))?;
    fs::rename(&making, target).map_err(files(target))?;
    Ok(manifest)
}

/// Whether what is there may be moved aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    No,
    Yes,
}

/// What a restore did.
#[derive(Debug)]
pub struct Restored {
    pub manifest: Manifest,
    /// Where the store lies that was there before.
    pub aside: Option<PathBuf>,
    /// Comments of the back-up that had been forgotten since it was made.
    pub forgotten: usize,
}

/// Puts a back-up in place of a store, once it has been found whole.
///
/// # Errors
/// [`CannotCopy`]; [`StoreError::Locked`] while a daemon runs, [`StoreError::Newer`] for a store of a later version.
pub fn restore(backup: &Path, data: &Path, force: Force, now: Timestamp, dice: &Dice) -> Result<Restored, CannotCopy> {
    let manifest = verify(backup)?;
    if usize::try_from(manifest.schema).map_or(true, |schema| schema > store::VERSION) {
        return Err(StoreError::Newer { found: manifest.schema, known: store::VERSION }.into());
    }
    make_private(data)?;
    let lock = store::lock(data)?;
    let is_empty = !data.join(DATABASE).exists() && !data.join(MODELS).exists();
    if !is_empty && force == Force::No {
        return Err(CannotCopy::NotEmpty(data.to_owned()));
    }
    let aside = (!is_empty).then(|| move_aside(data, now)).transpose()?;
    for entry in &manifest.files {
        let to = data.join(&entry.path);
        to.parent().map_or(Ok(()), make_private)?;
        copy(&backup.join(&entry.path), &to)?;
    }
    drop(lock);
    let store = Store::open(data, Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 })?;
    let forgotten = match &aside {
        Some(aside) if aside.join(DATABASE).exists() => store.bury(&aside.join(DATABASE), now, dice)?,
        _ => 0,
    };
    store.cut_log()?;
    Ok(Restored { manifest, aside, forgotten })
}

/// The manifest of a back-up whose every file is what it says.
///
/// # Errors
/// [`CannotCopy::NoManifest`], [`CannotCopy::Damaged`].
pub fn verify(backup: &Path) -> Result<Manifest, CannotCopy> {
    let text = fs::read(backup.join(MANIFEST)).map_err(|_| CannotCopy::NoManifest(backup.to_owned()))?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| CannotCopy::NoManifest(backup.to_owned()))?;
    for entry in &manifest.files {
        let path = backup.join(&entry.path);
        let damaged = |what| CannotCopy::Damaged { path: path.clone(), what };
        // A manifest of a stranger's must not name places outside.
        if Path::new(&entry.path).components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
            return Err(damaged("a path that leads elsewhere"));
        }
        let (bytes, sha256) = digest(&path).map_err(|_| damaged("missing or not readable"))?;
        if bytes != entry.bytes {
            return Err(damaged("another length"));
        }
        if sha256 != entry.sha256 {
            return Err(damaged("another checksum"));
        }
    }
    if manifest.files.iter().any(|entry| entry.path == DATABASE) { Ok(manifest) } else { Err(CannotCopy::NoManifest(backup.to_owned())) }
}

/// Into a directory beside, within the data directory: what was there is not lost.
fn move_aside(data: &Path, now: Timestamp) -> Result<PathBuf, CannotCopy> {
    let aside = data.join(format!("replaced-{}", now.ms()));
    make_private(&aside)?;
    for name in ["hamlet.db", "hamlet.db-wal", "hamlet.db-shm", MODELS] {
        let from = data.join(name);
        if from.exists() {
            fs::rename(&from, aside.join(name)).map_err(files(&from))?;
        }
    }
    Ok(aside)
}

fn entries(folder: &Path) -> Result<Vec<Entry>, CannotCopy> {
    let models = folder.join(MODELS);
    let of_models = if models.is_dir() { names(&models)? } else { Vec::new() };
    let paths = std::iter::once(DATABASE.to_owned()).chain(of_models.iter().map(|name| format!("{MODELS}/{name}")));
    paths
        .map(|path| {
            let (bytes, sha256) = digest(&folder.join(&path)).map_err(files(&folder.join(&path)))?;
            Ok(Entry { path, bytes, sha256 })
        })
        .collect()
}

fn digest(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut hash, mut buffer, mut bytes) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16], 0);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
}

/// Files of a folder, without those in the making.
fn names(folder: &Path) -> Result<Vec<String>, CannotCopy> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(files(folder))? {
        let entry = entry.map_err(files(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_file() && Path::new(&name).extension().is_none_or(|kind| kind != "new") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// With its permissions, and on disk.
fn copy(from: &Path, to: &Path) -> Result<(), CannotCopy> {
    fs::copy(from, to).and_then(|_| File::open(to)?.sync_all()).map_err(files(to))
}

fn make_private(folder: &Path) -> Result<(), CannotCopy> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(files(folder))
}

fn remove(folder: &Path) -> Result<(), CannotCopy> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(files(folder)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
