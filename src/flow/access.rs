//! Access: whose key a caller has and what it allows; keys that are made, rotated and revoked while the daemon runs. Keys stand in the
//! settings, with every scope, or in the store, with some; the store's are kept in memory, since every request asks.

use super::App;
use crate::access::{self, KeyHash, NewKey, Scopes};
use crate::clock::Timestamp;
use crate::config::Site;
use crate::id::SiteId;
use crate::store::{ApiKey, NewApiKey, Reader, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// A name stands in lists for people.
const NAME_CHARS_MAX: usize = 60;

/// Whose key it was, and what it allows.
#[derive(Debug)]
pub struct Caller {
    pub site: Arc<Site>,
    pub scopes: Scopes,
}

/// The store's keys by their hashes.
#[derive(Debug, Default)]
pub struct Keyring(RwLock<Arc<HashMap<KeyHash, Held>>>);

#[derive(Debug)]
struct Held {
    key: ApiKey,
    /// The last day of which the store knows, so that a day costs it one write.
    used_day: Mutex<Option<String>>,
}

/// Why a key was not made or ended.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    #[error("the settings have no site {0}")]
    NoSite(SiteId),
    #[error("the site {site} has no key named {name:?} that is good; `hamlet site key list` shows those there are")]
    Unknown { site: SiteId, name: String },
    #[error("the site {site} has a good key named {name:?}; rotate it, or choose another name")]
    Taken { site: SiteId, name: String },
    #[error("the name {0:?} is not 1 to {NAME_CHARS_MAX} characters on one line")]
    Name(String),
    #[error("a key needs at least one scope: submit, rule or admin")]
    NoScope,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keyring {
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    pub fn load(reader: &Reader) -> Result<Self, StoreError> {
        let keyring = Self::default();
        keyring.reload(reader)?;
        Ok(keyring)
    }

    fn reload(&self, reader: &Reader) -> Result<(), StoreError> {
        let held = |key: ApiKey| (key.hash, Held { used_day: Mutex::new(key.used_day.clone()), key });
        let keys = reader.api_keys()?.into_iter().map(held).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    fn all(&self) -> Arc<HashMap<KeyHash, Held>> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Who has this key; none when nobody does, or it has ended, or its site left the settings.
pub fn caller(app: &App, key: &str) -> Option<Caller> {
    let config = app.config();
    if let Some(site) = config.site_of_key(key) {
        return Some(Caller { site: Arc::clone(site), scopes: Scopes::ALL });
    }
    let keys = app.api_keys.all();
    let held = keys.get(&access::hash(key))?;
    let now = app.clock.now();
    let site = config.sites.get(&held.key.site).filter(|_| held.key.is_good(now))?;
    note_use(app, held, now);
    Some(Caller { site: Arc::clone(site), scopes: held.key.scopes })
}

/// The day alone: it tells an admin which keys can go, and nobody when somebody wrote.
fn note_use(app: &App, held: &Held, now: Timestamp) {
    let today = now.date();
    let mut used_day = held.used_day.lock().unwrap_or_else(PoisonError::into_inner);
    if used_day.as_ref() != Some(&today) {
        // Nobody waits for it, and a day that is lost in a crash comes again with the next call.
        drop(app.store.use_api_key(held.key.id, today.clone()));
        *used_day = Some(today);
    }
}

/// Makes a key, which is shown this once.
///
/// # Errors
/// [`NoKey`].
pub async fn add(app: &App, site: SiteId, name: String, scopes: Scopes) -> Result<NewKey, NoKey> {
    let good = good(app, &site, &name)?;
    if !good.is_empty() {
        return Err(NoKey::Taken { site, name });
    }
    if scopes == Scopes::of(&[]) {
        return Err(NoKey::NoScope);
    }
    keep(app, site, name, scopes, None).await
}

/// Makes another key of this name with the same scopes; the one before is good for `overlap` more.
///
/// # Errors
/// [`NoKey`].
pub async fn rotate(app: &App, site: SiteId, name: String, overlap: Duration) -> Result<NewKey, NoKey> {
    let Some(scopes) = good(app, &site, &name)?.last().map(|key| key.scopes) else { return Err(NoKey::Unknown { site, name }) };
    keep(app, site, name, scopes, Some(app.clock.now().plus(overlap))).await
}

/// From now on the keys of this name open nothing.
///
/// # Errors
/// [`NoKey`].
pub async fn revoke(app: &App, site: SiteId, name: String) -> Result<(), NoKey> {
    let now = app.clock.now();
    if app.store.end_api_keys(site.clone(), name.clone(), now).done().await? == 0 {
        return Err(NoKey::Unknown { site, name });
    }
    Ok(app.api_keys.reload(app.store.read())?)
}

async fn keep(app: &App, site: SiteId, name: String, scopes: Scopes, others_end_at: Option<Timestamp>) -> Result<NewKey, NoKey> {
    let key = NewKey::made_of(app.dice.bytes());
    let kept = NewApiKey { site, name, hash: key.hash(), scopes, ends_at: None };
    app.store.add_api_key(kept, others_end_at, app.clock.now()).done().await?;
    app.api_keys.reload(app.store.read())?;
    Ok(key)
}

/// The good keys of this name, oldest first.
fn good(app: &App, site: &SiteId, name: &str) -> Result<Vec<ApiKey>, NoKey> {
    if !app.config().sites.contains_key(site) {
        return Err(NoKey::NoSite(site.clone()));
    }
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(NoKey::Name(name.to_owned()));
    }
    let now = app.clock.now();
    let keys = app.store.read().api_keys()?;
    Ok(keys.into_iter().filter(|key| key.site == *site && key.name == name && key.is_good(now)).collect())
}
