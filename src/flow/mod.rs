//! The flow: the stories a comment goes through, where core and keepers meet. Shells call these and translate; nothing here knows a wire.

pub mod audit;
pub mod campaigns;
pub mod certify;
pub mod digest;
pub mod document;
pub mod evaluate;
pub mod examples;
pub mod explain;
pub mod intake;
pub mod judge;
pub mod judge_loop;
pub mod learn;
pub mod lists;
pub mod memory;
pub mod models;
pub mod replay;
pub mod report;
pub mod review;
pub mod schedule;

use crate::action::Keys;
use crate::clock::Clock;
use crate::config::{Config, Site};
use crate::dice::Dice;
use crate::dns::Dns;
use crate::id::SiteId;
use crate::shelf::Shelf;
use crate::store::{Store, StoreError};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// Everything the daemon holds, built once and passed by reference.
#[derive(Debug)]
pub struct App {
    pub config: Config,
    pub store: Store,
    pub clock: Clock,
    pub dice: Dice,
    pub shelf: Shelf,
    pub dns: Dns,
    /// Where moderators reach us, without a slash at the end.
    pub public_url: String,
    pub keys: Keys,
    pub door: intake::Door,
    /// Something was put into the outbox.
    pub parcels: Notify,
    /// Something came to be held.
    pub held: Notify,
    /// A person ruled.
    pub ruled: Notify,
    sites_by_key: HashMap<[u8; 32], SiteId>,
    sites_by_akismet_key: HashMap<[u8; 32], SiteId>,
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
            sites_by_akismet_key: config.sites.values().filter_map(|site| Some((site.akismet.key?, site.id.clone()))).collect(),
            shelf: Shelf::of(&config.data),
            dns: Dns::new(&config.dns),
            parcels: Notify::new(),
            held: Notify::new(),
            ruled: Notify::new(),
            config,
            store,
            clock,
            dice,
            public_url,
            keys,
            door,
        };
        Ok((Arc::new(app), knocks))
    }

    /// The site whose API key this is. Compared by hash, so time tells nothing about the key.
    pub fn site_of_key(&self, key: &str) -> Option<&Site> {
        self.site_under(&self.sites_by_key, key)
    }

    /// The site whose Akismet key this is; host names lose capitals on the way.
    pub fn site_of_akismet_key(&self, key: &str) -> Option<&Site> {
        self.site_under(&self.sites_by_akismet_key, &key.to_ascii_lowercase())
    }

    /// A person ruled on this site: its model at work learns that, and perhaps a training is due.
    fn has_ruled(&self, site: &SiteId) {
        self.door.ruled(site);
        self.ruled.notify_one();
    }

    fn site_under(&self, sites: &HashMap<[u8; 32], SiteId>, key: &str) -> Option<&Site> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        sites.get(&hash).and_then(|id| self.config.sites.get(id))
    }
}
