//! The flow: the stories a comment goes through, where core and keepers meet. Shells call these and translate; nothing here knows a wire.

pub mod digest;
pub mod document;
pub mod evaluate;
pub mod examples;
pub mod intake;
pub mod judge;
pub mod learn;
pub mod review;

use crate::action::Keys;
use crate::classifier::Model;
use crate::clock::Clock;
use crate::config::{Config, Site};
use crate::dice::Dice;
use crate::id::SiteId;
use crate::shelf::{self, Shelf};
use crate::store::{Store, StoreError};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;

/// Everything the daemon holds, built once and passed by reference.
#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub store: Store,
    pub clock: Clock,
    pub dice: Dice,
    pub shelf: Shelf,
    /// Where moderators reach us, without a slash at the end.
    pub public_url: String,
    pub keys: Keys,
    pub door: intake::Door,
    /// Something was put into the outbox.
    pub parcels: Notify,
    /// Something came to be held.
    pub held: Notify,
    model: RwLock<Option<Arc<Model>>>,
    sites_by_key: HashMap<[u8; 32], SiteId>,
}

impl App {
    /// `public_url` is where moderators reach us; the receiver is the judge loop's end of the door.
    ///
    /// # Errors
    /// [`StoreError`] when the signing keys cannot be read or made.
    pub fn new(
        config: Config,
        store: Store,
        clock: Clock,
        dice: Dice,
        public_url: String,
    ) -> Result<(Arc<Self>, intake::Knocks), StoreError> {
        let keys = Keys::new(store.keys("action", clock.now(), &dice).wait()?);
        let (door, knocks) = intake::door(&config);
        let by_key = |site: &Site| site.keys.iter().map(|key| (*key, site.id.clone())).collect::<Vec<_>>();
        let app = Self {
            sites_by_key: config.sites.values().flat_map(by_key).collect(),
            shelf: Shelf::of(&config.data),
            model: RwLock::new(None),
            parcels: Notify::new(),
            held: Notify::new(),
            config,
            store,
            clock,
            dice,
            public_url,
            keys,
            door,
        };
        app.swap_model();
        Ok((Arc::new(app), knocks))
    }

    /// The model that judges now; none: the rules alone decide.
    pub fn model(&self) -> Option<Arc<Model>> {
        self.model.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the shelf's current model, else the starter. One that cannot be read leaves the judge with the model it has; without any,
    /// the rules alone decide and nothing is published that no rule vouches for.
    pub fn swap_model(&self) {
        match shelf_or_starter(&self.shelf) {
            Ok(model) => {
                tracing::info!(model.id = %model.id, "model.taken");
                *self.model.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(model));
            }
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "model.unreadable"),
        }
    }

    /// The site whose API key this is. Compared by hash, so time tells nothing about the key.
    pub fn site_of_key(&self, key: &str) -> Option<&Site> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        self.sites_by_key.get(&hash).and_then(|id| self.config.sites.get(id))
    }
}

/// The shelf's current model, else the one in the binary.
///
/// # Errors
/// [`shelf::ShelfError`] when the one that should be taken cannot be read.
pub fn shelf_or_starter(shelf: &Shelf) -> Result<Model, shelf::ShelfError> {
    if let Some(model) = shelf.current()? {
        return Ok(model);
    }
    shelf::starter().map_err(|source| shelf::ShelfError::Bad { path: "the starter model in this binary".into(), source })
}
