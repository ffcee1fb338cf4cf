//! The model shelf: `DATA/models/`, one immutable file a model, and one small file that says which was promoted, newest last. Every change
//! is a new file, fsync and rename, so a crash leaves the old state or the new. The starter model is not on it: it is in the binary.

use crate::classifier::{BadModel, Model};
use crate::id::ModelId;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The model that ships, for sites that have no labels yet.
const STARTER: &[u8] = include_bytes!("../models/starter.hamlet");

/// The starter model.
///
/// # Errors
/// [`BadModel`] when this binary was built from a model of another version.
pub fn starter() -> Result<Model, BadModel> {
    Model::from_bytes(STARTER)
}

#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

/// What the shelf could not do.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    #[error("cannot use {path}")]
    Files { path: PathBuf, source: io::Error },
    #[error("{path} cannot be read as a model")]
    Bad { path: PathBuf, source: BadModel },
    #[error("there is no model {0} on the shelf")]
    Unknown(ModelId),
    #[error("no model was promoted before this one; nothing to roll back to")]
    NothingBefore,
}

impl Shelf {
    pub fn of(data: &Path) -> Self {
        Self { folder: data.join("models") }
    }

    /// Puts a model on the shelf; the same model twice is once.
    ///
    /// # Errors
    /// [`ShelfError::Files`].
    pub fn save(&self, model: &Model) -> Result<PathBuf, ShelfError> {
        let path = self.path(&model.id);
        replace(&path, &model.to_bytes())?;
        Ok(path)
    }

    /// The promoted model; none when none ever was.
    ///
    /// # Errors
    /// [`ShelfError`] when it cannot be read whole.
    pub fn current(&self) -> Result<Option<Model>, ShelfError> {
        let Some(id) = self.promoted()?.pop() else { return Ok(None) };
        let path = self.path(&id);
        if !path.exists() {
            return Err(ShelfError::Unknown(id));
        }
        read(&path).map(Some)
    }

    /// Makes a model of the shelf the current one.
    ///
    /// # Errors
    /// [`ShelfError`] unless the model is there and whole.
    pub fn promote(&self, id: &ModelId) -> Result<(), ShelfError> {
        let path = self.path(id);
        if !path.exists() {
            return Err(ShelfError::Unknown(id.clone()));
        }
        read(&path)?;
        let mut promoted = self.promoted()?;
        promoted.push(id.clone());
        self.write_promoted(&promoted)
    }

    /// Makes the model current that was current before; answers which (none: the starter).
    ///
    /// # Errors
    /// [`ShelfError::NothingBefore`] when none was promoted.
    pub fn roll_back(&self) -> Result<Option<ModelId>, ShelfError> {
        let mut promoted = self.promoted()?;
        promoted.pop().ok_or(ShelfError::NothingBefore)?;
        self.write_promoted(&promoted)?;
        Ok(promoted.pop())
    }

    /// Promoted models, newest last.
    fn promoted(&self) -> Result<Vec<ModelId>, ShelfError> {
        let path = self.folder.join("promoted");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().filter(|line| !line.is_empty()).map(ModelId::new).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(ShelfError::Files { path, source }),
        }
    }

    fn write_promoted(&self, promoted: &[ModelId]) -> Result<(), ShelfError> {
        let lines: String = promoted.iter().map(|id| format!("{id}\n")).collect();
        replace(&self.folder.join("promoted"), lines.as_bytes())
    }

    fn path(&self, id: &ModelId) -> PathBuf {
        self.folder.join(format!("{id}.hamlet"))
    }
}

/// Reads a model file.
///
/// # Errors
/// [`ShelfError`] that names the file.
pub fn read(path: &Path) -> Result<Model, ShelfError> {
    let bytes = fs::read(path).map_err(|source| ShelfError::Files { path: path.to_owned(), source })?;
    Model::from_bytes(&bytes).map_err(|source| ShelfError::Bad { path: path.to_owned(), source })
}

/// Writes a file whole or not at all: beside it, fsync, rename, fsync of the folder.
///
/// # Errors
/// [`ShelfError::Files`] that names the file.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), ShelfError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = path.with_extension("new");
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| ShelfError::Files { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_saved_promoted_and_rolled_back() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(folder.path());
        assert!(shelf.current().unwrap().is_none());
        assert!(matches!(shelf.roll_back(), Err(ShelfError::NothingBefore)));
        let model = starter().unwrap();
        assert!(matches!(shelf.promote(&model.id), Err(ShelfError::Unknown(_))));
        shelf.save(&model).unwrap();
        shelf.promote(&model.id).unwrap();
        assert_eq!(shelf.current().unwrap().unwrap().id, model.id);
        assert_eq!(shelf.roll_back().unwrap(), None);
        assert!(shelf.current().unwrap().is_none());
    }

    #[test]
    fn a_damaged_model_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(folder.path());
        let model = starter().unwrap();
        let path = shelf.save(&model).unwrap();
        shelf.promote(&model.id).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[1000] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(shelf.current().unwrap_err().to_string().contains(&path.display().to_string()));
        assert!(shelf.promote(&model.id).is_err());
    }
}
