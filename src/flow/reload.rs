//! Reload: the settings are read again while the daemon runs, with all their checks and all their lists. On any problem the old ones stay
//! at work, whole; else the judge loop takes the new ones first, with model and memory for sites that are new, and everybody else follows.

use super::App;
use super::lists::{self, Seen};
use super::memory::Memory;
use super::models::{Models, Names, SiteModel};
use crate::config::{Config, Invalid};
use crate::id::{ModelId, SiteId};
use crate::shelf;
use crate::store::StoreError;
use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use tokio::sync::oneshot;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    pub added: Vec<SiteId>,
    pub removed: Vec<SiteId>,
    /// Keys and tables that were changed and only a start reads.
    pub needs_restart: Vec<&'static str>,
    /// Sites whose model on the shelf could not be taken, with the reason in the log; the one before judges on.
    pub models_refused: Vec<SiteId>,
}

/// Why the old settings stay at work.
#[derive(Debug, thiserror::Error)]
pub enum NotReloaded {
    #[error("these settings stand in no file: there is nothing to read again")]
    NoSource,
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the judge loop is given, and gives back once it has it: the models that judge.
#[derive(Debug)]
pub struct News {
    pub config: Arc<Config>,
    /// Of new sites.
    pub models: Models,
    pub memory: Memory,
    pub taken: oneshot::Sender<BTreeMap<SiteId, Names>>,
}

/// Reads the settings and all that they name, and puts them to work. Blocks while files are read; for threads outside the runtime.
///
/// # Errors
/// [`NotReloaded`]; then nothing has changed.
pub fn reload(app: &App) -> Result<Reloaded, NotReloaded> {
    let result = read_and_put(app);
    match &result {
        Ok(done) => {
            let (added, removed) = (names(&done.added), names(&done.removed));
            tracing::info!(added, removed, "settings.taken");
            if !done.needs_restart.is_empty() {
                tracing::warn!(changed = done.needs_restart.join(", "), "settings.need_restart");
            }
        }
        // Nobody did anything wrong: the demo and the like have only lists, which are looked at all the same.
        Err(NotReloaded::NoSource) => tracing::info!("settings.have_no_file"),
        Err(error @ (NotReloaded::Invalid(_) | NotReloaded::Store(_))) => {
            tracing::error!(error = error as &dyn std::error::Error, "settings.not_taken: those before stay at work");
        }
    }
    result
}

fn read_and_put(app: &App) -> Result<Reloaded, NotReloaded> {
    // One change follows the other.
    let mut seen = app.lists.lock().unwrap_or_else(PoisonError::into_inner);
    let old = app.config();
    let mut config = old.source.as_ref().ok_or(NotReloaded::NoSource)?.read()?;
    let needs_restart = config.keep_until_restart(&old);
    let found = Seen::now(&config.lists);
    let config = Arc::new(config.with_lists()?);
    config.lists().filter(|list| !found.agrees(&seen, &list.spec.name)).for_each(lists::tell);
    let added: Vec<SiteId> = config.sites.keys().filter(|site| !old.sites.contains_key(site)).cloned().collect();
    let removed = old.sites.keys().filter(|site| !config.sites.contains_key(site)).cloned().collect();
    let (taken, at_work) = oneshot::channel();
    let models = Models::load(app, added.iter());
    let memory = Memory::load_more(app, &added, config.sites.len())?;
    app.door.give_settings(News { config: Arc::clone(&config), models, memory, taken })?;
    let at_work = at_work.blocking_recv().map_err(|_| StoreError::Stopped)?;
    app.put_config(Arc::clone(&config));
    *seen = found;
    // The queue may hold what waited for a site to return.
    app.door.wake();
    Ok(Reloaded { added, removed, needs_restart, models_refused: follow_shelf(app, &config, &at_work)? })
}

/// Gives the judge what the shelf has, where that is another model than the one at work. Answers the sites where it could not be read.
fn follow_shelf(app: &App, config: &Config, at_work: &BTreeMap<SiteId, Names>) -> Result<Vec<SiteId>, StoreError> {
    // Reading the starter takes longer than all the rest, and seldom is it asked for.
    let starter = LazyCell::new(|| shelf::starter().ok().map(|model| model.id));
    let mut refused = Vec::new();
    for site in config.sites.keys() {
        let names = app.shelf.current_id(site).and_then(|current| Ok((current, app.shelf.shadow_id(site)?)));
        let is_at_work = |(current, shadow): &(Option<ModelId>, Option<ModelId>)| {
            let at_work = at_work.get(site);
            at_work.is_some_and(|names| current.as_ref().or_else(|| starter.as_ref()) == Some(&names.at_work) && *shadow == names.shadow)
        };
        if names.is_ok_and(|names| is_at_work(&names)) {
            continue;
        }
        match SiteModel::load(&app.shelf, app.store.read(), site) {
            Ok(model) => app.door.give_model(site.clone(), model)?,
            Err(error) => {
                tracing::error!(site = %site, error = &error as &dyn std::error::Error, "model.refused");
                refused.push(site.clone());
            }
        }
    }
    Ok(refused)
}

fn names(sites: &[SiteId]) -> String {
    sites.iter().map(SiteId::as_str).collect::<Vec<_>>().join(", ")
}
