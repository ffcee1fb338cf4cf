//! The quarantine: labels of a site that are not learnt until an admin has looked at them, by the numbers of their rulings. One small file a
//! site, beside its models. Why a label is in it is `classifier::guard`'s.

use super::{Shelf, ShelfError, replace};
use crate::classifier::guard::Reason;
use crate::id::SiteId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::{fs, io};

/// What is in a site's quarantine, and how far the guard has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Quarantine {
    /// The last ruling that the guard looked at, by its number.
    pub through: i64,
    /// By the numbers of their rulings.
    pub labels: BTreeMap<i64, Put>,
}

/// A label that was put aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Put {
    pub reason: Reason,
    /// RFC 3339.
    pub at: String,
    /// When an admin said that it may be learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<String>,
}

impl Quarantine {
    /// Whether the label of this ruling is not to be learnt.
    pub fn holds(&self, ruling: i64) -> bool {
        self.labels.get(&ruling).is_some_and(|put| put.released_at.is_none())
    }

    /// Those that are not to be learnt.
    pub fn held(&self) -> impl Iterator<Item = (i64, &Put)> {
        self.labels.iter().filter(|(_, put)| put.released_at.is_none()).map(|(ruling, put)| (*ruling, put))
    }
}

impl Shelf {
    /// A site's quarantine; an empty one where nothing was ever looked at.
    ///
    /// # Errors
    /// [`ShelfError::Files`] when it cannot be read: it is not taken for empty, since what it holds would be learnt.
    pub fn quarantine(&self, site: &SiteId) -> Result<Quarantine, ShelfError> {
        let path = self.folder.join(format!("quarantine-{site}.json"));
        let read = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Quarantine::default()),
            read => read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(io::Error::from)),
        };
        read.map_err(|source| ShelfError::Files { path, source })
    }

    /// Keeps a site's quarantine.
    ///
    /// # Errors
    /// [`ShelfError::Files`].
    pub fn keep_quarantine(&self, site: &SiteId, quarantine: &Quarantine) -> Result<(), ShelfError> {
        let path = self.folder.join(format!("quarantine-{site}.json"));
        let bytes = serde_json::to_vec(quarantine).map_err(|error| ShelfError::Files { path: path.clone(), source: error.into() })?;
        replace(&path, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_aside_stays_until_it_is_released_and_a_damaged_file_is_not_taken_for_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let (shelf, blog) = (Shelf::of(folder.path()), SiteId::new("blog"));
        let mut quarantine = shelf.quarantine(&blog).unwrap();
        assert_eq!(quarantine, Quarantine::default());
        let put = Put { reason: Reason::Burst, at: "2026-11-25T12:00:00Z".into(), released_at: None };
        quarantine.labels.extend([(7, put.clone()), (9, put)]);
        quarantine.through = 12;
        shelf.keep_quarantine(&blog, &quarantine).unwrap();
        let mut kept = shelf.quarantine(&blog).unwrap();
        assert_eq!((&kept, kept.holds(7), kept.holds(8)), (&quarantine, true, false));
        kept.labels.get_mut(&7).unwrap().released_at = Some("2026-11-26T12:00:00Z".into());
        assert_eq!((kept.holds(7), kept.held().map(|(ruling, _)| ruling).collect::<Vec<_>>()), (false, vec![9]));
        fs::write(folder.path().join("models/quarantine-blog.json"), "{").unwrap();
        assert!(shelf.quarantine(&blog).unwrap_err().to_string().contains("quarantine-blog.json"));
    }
}
