//! The flow: the stories a comment goes through, where core and keepers meet. Shells call these and translate; nothing here knows a wire.

pub mod access;
pub mod accounts;
pub mod alert;
pub mod audit;
pub mod backup;
pub mod campaigns;
pub mod certify;
pub mod contest;
pub mod desk;
pub mod digest;
pub mod doctor;
pub mod document;
pub mod edit;
pub mod evaluate;
pub mod examples;
pub mod explain;
pub mod figures;
pub mod forget;
pub mod guarding;
pub mod import;
pub mod intake;
pub mod judge;
pub mod judge_loop;
pub mod learn;
pub mod lists;
pub mod mailbox;
pub mod memory;
pub mod models;
pub mod objection;
pub mod reload;
pub mod replay;
pub mod report;
pub mod retention;
pub mod retry;
pub mod review;
pub mod schedule;
pub mod spool;
pub mod submission;
pub mod tell;
pub mod training;

use crate::action::Keys;
use crate::clock::Clock;
use crate::config::Config;
use crate::dice::Dice;
use crate::dns::Dns;
use crate::id::SiteId;
use crate::meters::Meters;
use crate::shelf::Shelf;
use crate::store::{Store, StoreError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::Notify;

/// An error with its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Everything the daemon holds, built once and passed by reference.
#[derive(Debug)]
pub struct App {
    pub store: Store,
    pub clock: Clock,
    pub dice: Dice,
    pub shelf: Shelf,
    pub dns: Dns,
    /// Where moderators reach us, without a slash at the end.
    pub public_url: String,
    pub keys: Keys,
    /// API keys beside those of the settings.
    api_keys: access::Keyring,
    pub door: intake::Door,
    /// Something was put into the outbox.
    pub parcels: Notify,
    /// Something came to be held.
    pub held: Notify,
    /// A person ruled.
    pub ruled: Notify,
    /// What is counted for those who watch.
    pub meters: Meters,
    /// How often the judge came round: what the service manager's watchdog is fed by.
    turns: AtomicU64,
    /// The files of lists as they were last read. Held while lists or settings are being read, so that one change follows the other.
    pub lists: Mutex<lists::Seen>,
    /// What runs, replaced as a whole; never locked for longer than to take or to put it.
    config: RwLock<Arc<Config>>,
    /// Tries to get to the desk.
    pub attempts: accounts::Attempts,
    /// What the desk remembers and need not write down.
    pub desk: desk::Desk,
    /// Held while digests are made: those whose time it is, and those that somebody asked for, must not both have the same comment.
    digests: Mutex<()>,
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
        let api_keys = access::Keyring::load(store.read())?;
        store.salt(clock.now(), &dice)?;
        let (door, knocks) = intake::door(&config);
        let app = Self {
            shelf: Shelf::of(&config.data),
            dns: Dns::new(&config.dns),
            parcels: Notify::new(),
            held: Notify::new(),
            ruled: Notify::new(),
            meters: Meters::default(),
            turns: AtomicU64::new(0),
            lists: Mutex::default(),
            config: RwLock::new(Arc::new(config)),
            attempts: accounts::Attempts::default(),
            desk: desk::Desk::default(),
            digests: Mutex::default(),
            store,
            clock,
            dice,
            public_url,
            keys,
            api_keys,
            door,
        };
        Ok((Arc::new(app), knocks))
    }

    /// What runs now. Take it once for one piece of work: the next call may answer with other settings.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on this runs. What only a start reads is as it was: see `reload`, which alone puts settings to work.
    fn put_config(&self, config: Arc<Config>) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// The judge came round once more.
    fn turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the judge came round.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// A person ruled on this site: its model at work learns that, and perhaps a training is due.
    fn has_ruled(&self, site: &SiteId) {
        self.door.ruled(site);
        self.ruled.notify_one();
    }
}
