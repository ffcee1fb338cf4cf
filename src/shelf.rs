//! The model shelf: `DATA/models/`, one immutable file a model, and small files that say which was promoted for which site, newest last
//! (`promoted`), which one stands in whose shadow (`shadows`), when each site was last trained (`trainings`) and which of its labels are not
//! learnt (`quarantine-SITE.json`); and the secret that the hashing of all models comes from. Every change is a new file, fsync and rename, so a crash leaves the old state or the new. The starter
//! model is not on it: it is in the binary.

mod quarantine;

pub use quarantine::{Put, Quarantine};

use crate::classifier::{BadModel, Model};
use crate::clock::Timestamp;
use crate::id::{ModelId, SiteId};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The model that ships, for sites that have no labels yet.
const STARTER: &[u8] = include_bytes!("../models/starter.hamlet");

pub const SECRET_BYTES: usize = 32;

const PROMOTED: &str = "promoted";
const SHADOWS: &str = "shadows";
const TRAININGS: &str = "trainings";
const LOCK: &str = "lock";

/// How many labels there were at a site's last training, and when that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastTraining {
    pub labels: usize,
    pub at: Timestamp,
}

impl LastTraining {
    /// `blog 120 2026-11-25T03:00:00Z`.
    fn parse(line: &str) -> Option<(SiteId, Self)> {
        let mut words = line.split(' ');
        let (site, labels, at) = (words.next()?, words.next()?.parse().ok()?, Timestamp::parse(words.next()?).ok()?);
        Some((SiteId::new(site), Self { labels, at }))
    }
}

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
    #[error("no model was promoted for {0}; the starter judges there, and there is nothing to roll back to")]
    NothingBefore(SiteId),
    #[error("{path} has {got} bytes, and a secret has {SECRET_BYTES}; remove it and retrain every site")]
    Secret { path: PathBuf, got: usize },
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

    /// The model that was promoted for a site; none when none was.
    ///
    /// # Errors
    /// [`ShelfError`] when it cannot be read whole.
    pub fn current(&self, site: &SiteId) -> Result<Option<Model>, ShelfError> {
        let Some(id) = current(&self.promoted()?, site) else { return Ok(None) };
        let path = self.path(&id);
        if path.exists() { read(&path).map(Some) } else { Err(ShelfError::Unknown(id)) }
    }

    /// The name of the model that was promoted for a site; none when none was.
    ///
    /// # Errors
    /// [`ShelfError::Files`].
    pub fn current_id(&self, site: &SiteId) -> Result<Option<ModelId>, ShelfError> {
        Ok(current(&self.promoted()?, site))
    }

    /// The model of this name, the starter too.
    ///
    /// # Errors
    /// [`ShelfError`] when it is not here, or cannot be read whole.
    pub fn model(&self, id: &ModelId) -> Result<Model, ShelfError> {
        let path = self.path(id);
        if path.exists() {
            return read(&path);
        }
        starter().ok().filter(|starter| starter.id == *id).ok_or_else(|| ShelfError::Unknown(id.clone()))
    }

    /// Makes a model of the shelf a site's current one; the one that is so already stays it, once.
    ///
    /// # Errors
    /// [`ShelfError`] unless the model is there and whole.
    pub fn promote(&self, site: &SiteId, id: &ModelId) -> Result<(), ShelfError> {
        self.own(id)?;
        let _alone = self.lock()?;
        let mut promoted = self.promoted()?;
        if current(&promoted, site).as_ref() == Some(id) {
            return Ok(());
        }
        promoted.push((site.clone(), id.clone()));
        self.write_promoted(&promoted)
    }

    /// The model that a roll-back would bring; none: the starter.
    ///
    /// # Errors
    /// [`ShelfError::NothingBefore`] when none was promoted.
    pub fn before(&self, site: &SiteId) -> Result<Option<ModelId>, ShelfError> {
        let mut of_site = self.promoted()?.into_iter().filter(|(of, _)| of == site).rev();
        of_site.next().ok_or_else(|| ShelfError::NothingBefore(site.clone()))?;
        Ok(of_site.next().map(|(_, id)| id))
    }

    /// No model of a site's own judges it any more, and none is rolled back to.
    ///
    /// # Errors
    /// [`ShelfError`] when the list cannot be read or written.
    pub fn retire(&self, site: &SiteId) -> Result<(), ShelfError> {
        let _alone = self.lock()?;
        let mut promoted = self.promoted()?;
        promoted.retain(|(of, _)| of != site);
        self.write_promoted(&promoted)
    }

    /// Makes the model a site's current one that was so before; answers which (none: the starter).
    ///
    /// # Errors
    /// [`ShelfError::NothingBefore`] when none was promoted.
    pub fn roll_back(&self, site: &SiteId) -> Result<Option<ModelId>, ShelfError> {
        let _alone = self.lock()?;
        let mut promoted = self.promoted()?;
        let last = promoted.iter().rposition(|(of, _)| of == site).ok_or_else(|| ShelfError::NothingBefore(site.clone()))?;
        promoted.remove(last);
        self.write_promoted(&promoted)?;
        Ok(current(&promoted, site))
    }

    /// The model that stands in a site's shadow: it scores what comes in and decides nothing.
    ///
    /// # Errors
    /// [`ShelfError::Files`].
    pub fn shadow_id(&self, site: &SiteId) -> Result<Option<ModelId>, ShelfError> {
        Ok(current(&self.lines(SHADOWS)?, site))
    }

    /// Puts a model of the shelf into a site's shadow, or with none takes away the one that is there.
    ///
    /// # Errors
    /// [`ShelfError`] unless the model is there and whole.
    pub fn put_in_shadow(&self, site: &SiteId, id: Option<&ModelId>) -> Result<(), ShelfError> {
        let _alone = self.lock()?;
        let mut shadows = self.lines(SHADOWS)?;
        shadows.retain(|(of, _)| of != site);
        if let Some(id) = id {
            self.own(id)?;
            shadows.push((site.clone(), id.clone()));
        }
        self.write_lines(SHADOWS, &shadows)
    }

    /// When a site was last trained, or that was last tried; none where it never was.
    ///
    /// # Errors
    /// [`ShelfError::Files`].
    pub fn last_training(&self, site: &SiteId) -> Result<Option<LastTraining>, ShelfError> {
        let lines = self.read_lines(TRAININGS)?;
        Ok(lines.iter().filter_map(|line| LastTraining::parse(line)).find(|(of, _)| of == site).map(|(_, last)| last))
    }

    /// Writes down that a site is being trained. It stays when the model is rolled back, so that nobody's roll-back is undone by the next
    /// look at the schedule.
    ///
    /// # Errors
    /// [`ShelfError::Files`].
    pub fn note_training(&self, site: &SiteId, last: LastTraining) -> Result<(), ShelfError> {
        let _alone = self.lock()?;
        let others = self.read_lines(TRAININGS)?.into_iter().filter(|line| LastTraining::parse(line).is_none_or(|(of, _)| of != *site));
        let lines: String = others.chain([format!("{site} {} {}", last.labels, last.at)]).map(|line| line + "\n").collect();
        replace(&self.folder.join(TRAININGS), lines.as_bytes())
    }

    /// Every model that was promoted for a site, the present one last.
    ///
    /// # Errors
    /// [`ShelfError::Files`].
    pub fn history(&self, site: &SiteId) -> Result<Vec<ModelId>, ShelfError> {
        Ok(self.promoted()?.into_iter().filter(|(of, _)| of == site).map(|(_, id)| id).collect())
    }

    /// Every model's name on the shelf, in alphabetical order.
    ///
    /// # Errors
    /// [`ShelfError::Files`].
    pub fn models(&self) -> Result<Vec<ModelId>, ShelfError> {
        let files = |source| ShelfError::Files { path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(files)?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(files)?.file_name();
            ids.extend(name.to_str().and_then(|name| name.strip_suffix(".hamlet")).map(ModelId::new));
        }
        ids.sort();
        Ok(ids)
    }

    /// The key of the hashing in a site's models: nobody outside knows it, so nobody can craft words that fall on the buckets of others. It
    /// comes from a secret of this installation, which is `drawn` the first time.
    ///
    /// # Errors
    /// [`ShelfError`] when the secret can be neither read nor written.
    pub fn hashing_key(&self, site: &SiteId, drawn: [u8; SECRET_BYTES]) -> Result<u64, ShelfError> {
        let digest = Sha256::new().chain_update(self.secret(drawn)?).chain_update(site.as_str()).finalize();
        Ok(digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }

    /// While it is held nobody else changes the lists: the daemon, its trainings and an admin's command are processes of their own.
    fn lock(&self) -> Result<File, ShelfError> {
        let path = self.folder.join(LOCK);
        let locked = || -> io::Result<File> {
            fs::create_dir_all(&self.folder)?;
            let file = File::options().append(true).create(true).mode(0o600).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        locked().map_err(|source| ShelfError::Files { path: path.clone(), source })
    }

    fn secret(&self, drawn: [u8; SECRET_BYTES]) -> Result<[u8; SECRET_BYTES], ShelfError> {
        let path = self.folder.join("hashing.secret");
        let _alone = self.lock()?;
        match fs::read(&path) {
            Ok(bytes) => bytes.as_slice().try_into().map_err(|_| ShelfError::Secret { path, got: bytes.len() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => replace(&path, &drawn).map(|()| drawn),
            Err(source) => Err(ShelfError::Files { path, source }),
        }
    }

    /// A model of the shelf itself, without the starter.
    fn own(&self, id: &ModelId) -> Result<Model, ShelfError> {
        let path = self.path(id);
        if path.exists() { read(&path) } else { Err(ShelfError::Unknown(id.clone())) }
    }

    /// Promoted models with their sites, newest last: a line each.
    fn promoted(&self) -> Result<Vec<(SiteId, ModelId)>, ShelfError> {
        self.lines(PROMOTED)
    }

    fn write_promoted(&self, promoted: &[(SiteId, ModelId)]) -> Result<(), ShelfError> {
        self.write_lines(PROMOTED, promoted)
    }

    fn lines(&self, name: &str) -> Result<Vec<(SiteId, ModelId)>, ShelfError> {
        let lines = self.read_lines(name)?;
        Ok(lines.iter().filter_map(|line| line.split_once(' ')).map(|(site, id)| (SiteId::new(site), ModelId::new(id))).collect())
    }

    fn read_lines(&self, name: &str) -> Result<Vec<String>, ShelfError> {
        let path = self.folder.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(ShelfError::Files { path, source }),
        }
    }

    fn write_lines(&self, name: &str, lines: &[(SiteId, ModelId)]) -> Result<(), ShelfError> {
        let lines: String = lines.iter().map(|(site, id)| format!("{site} {id}\n")).collect();
        replace(&self.folder.join(name), lines.as_bytes())
    }

    fn path(&self, id: &ModelId) -> PathBuf {
        self.folder.join(format!("{id}.hamlet"))
    }
}

fn current(promoted: &[(SiteId, ModelId)], site: &SiteId) -> Option<ModelId> {
    promoted.iter().rfind(|(of, _)| of == site).map(|(_, id)| id.clone())
}

/// A site's promoted model, else the starter.
///
/// # Errors
/// [`ShelfError`] when the one that should be taken cannot be read.
pub fn current_or_starter(shelf: &Shelf, site: &SiteId) -> Result<Model, ShelfError> {
    if let Some(model) = shelf.current(site)? {
        return Ok(model);
    }
    starter().map_err(|source| ShelfError::Bad { path: "the starter model in this binary".into(), source })
}

/// Reads a model file, which verifies it (see [`Model::from_bytes`]).
///
/// # Errors
/// [`ShelfError`] that names the file.
pub fn read(path: &Path) -> Result<Model, ShelfError> {
    let bytes = fs::read(path).map_err(|source| ShelfError::Files { path: path.to_owned(), source })?;
    Model::from_bytes(&bytes).map_err(|source| ShelfError::Bad { path: path.to_owned(), source })
}

/// Writes a file whole or not at all: beside it, fsync, rename, fsync of the folder. For its owner alone: a model holds the key of its
/// hashing. Two processes that write the same file each write their own beside it, and one is the last.
///
/// # Errors
/// [`ShelfError::Files`] that names the file.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), ShelfError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
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
    fn who_changes_the_shelf_at_the_same_time_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(folder.path());
        let at = Timestamp::from_ms(0);
        std::thread::scope(|scope| {
            for site in 0..8 {
                let shelf = &shelf;
                scope.spawn(move || {
                    let site = SiteId::new(format!("s{site}"));
                    (0..20).for_each(|labels| shelf.note_training(&site, LastTraining { labels, at }).unwrap());
                });
            }
        });
        for site in 0..8 {
            assert_eq!(shelf.last_training(&SiteId::new(format!("s{site}"))).unwrap(), Some(LastTraining { labels: 19, at }));
        }
    }

    #[test]
    fn a_model_is_saved_promoted_and_rolled_back_for_each_site() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(folder.path());
        let [blog, shop] = ["blog", "shop"].map(SiteId::new);
        assert!(shelf.current(&blog).unwrap().is_none());
        assert!(matches!(shelf.roll_back(&blog), Err(ShelfError::NothingBefore(site)) if site == blog));
        let first = starter().unwrap();
        let mut layer = first.layer.clone();
        layer.stack.intercept += 1.0;
        let second = Model::assemble(first.card.clone(), layer, None, None);
        assert!(matches!(shelf.promote(&blog, &first.id), Err(ShelfError::Unknown(_))));
        assert!(shelf.model(&first.id).is_ok() && matches!(shelf.model(&second.id), Err(ShelfError::Unknown(_))));
        for (site, model) in [(&blog, &first), (&shop, &first), (&blog, &second)] {
            shelf.save(model).unwrap();
            shelf.promote(site, &model.id).unwrap();
        }
        let current = |site| shelf.current(site).unwrap().map(|model| model.id);
        assert_eq!((current(&blog), current(&shop)), (Some(second.id), Some(first.id.clone())));
        assert_eq!(shelf.roll_back(&blog).unwrap(), Some(first.id.clone()));
        assert_eq!(shelf.roll_back(&blog).unwrap(), None);
        assert_eq!((current(&blog), current(&shop)), (None, Some(first.id)));
    }

    #[test]
    fn a_shadow_and_the_last_training_are_each_sites_own() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(folder.path());
        let [blog, shop] = ["blog", "shop"].map(SiteId::new);
        let model = starter().unwrap();
        assert!(matches!(shelf.put_in_shadow(&blog, Some(&model.id)), Err(ShelfError::Unknown(_))));
        shelf.save(&model).unwrap();
        for site in [&blog, &shop] {
            shelf.put_in_shadow(site, Some(&model.id)).unwrap();
        }
        shelf.put_in_shadow(&shop, None).unwrap();
        assert_eq!((shelf.shadow_id(&blog).unwrap(), shelf.shadow_id(&shop).unwrap()), (Some(model.id.clone()), None));
        assert_eq!((shelf.models().unwrap(), shelf.current(&blog).unwrap().is_none()), (vec![model.id.clone()], true));
        let [first, last] = [(10, 5_000), (20, 6_000)].map(|(labels, ms)| LastTraining { labels, at: Timestamp::from_ms(ms) });
        assert_eq!(shelf.last_training(&blog).unwrap(), None);
        for (site, training) in [(&blog, first), (&shop, first), (&blog, last)] {
            shelf.note_training(site, training).unwrap();
        }
        shelf.promote(&blog, &model.id).unwrap();
        shelf.roll_back(&blog).unwrap();
        assert_eq!((shelf.last_training(&blog).unwrap(), shelf.last_training(&shop).unwrap()), (Some(last), Some(first)));
    }

    #[test]
    fn a_damaged_model_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (shelf, blog) = (Shelf::of(folder.path()), SiteId::new("blog"));
        let model = starter().unwrap();
        let path = shelf.save(&model).unwrap();
        shelf.promote(&blog, &model.id).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[1000] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(shelf.current(&blog).unwrap_err().to_string().contains(&path.display().to_string()));
        assert!(shelf.promote(&blog, &model.id).is_err());
    }

    #[test]
    fn the_secret_is_drawn_once_for_the_owner_alone_and_each_site_has_a_key_of_its_own() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (shelf, blog) = (Shelf::of(folder.path()), SiteId::new("blog"));
        let key = shelf.hashing_key(&blog, [1; 32]).unwrap();
        assert_eq!(shelf.hashing_key(&blog, [2; 32]).unwrap(), key);
        assert_ne!(shelf.hashing_key(&SiteId::new("shop"), [2; 32]).unwrap(), key);
        let path = folder.path().join("models/hashing.secret");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "short").unwrap();
        assert!(shelf.hashing_key(&blog, [3; 32]).unwrap_err().to_string().contains("5 bytes"));
    }
}
