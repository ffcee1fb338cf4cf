//! What is remembered of recent comments, site by site: their traffic and their campaigns. The judge loop owns it; it sees every comment in
//! order, those of one batch included, and every ruling before the next comment. At a start it is made anew from the traces in the store.

use super::App;
use crate::campaign::{Bounds, Campaigns};
use crate::classifier::hashing::Hashing;
use crate::clock::Timestamp;
use crate::comment::{Comment, Facts};
use crate::id::SiteId;
use crate::store::{Reader, StoreError};
use crate::text::Reading;
use crate::trace::Trace;
use crate::traffic::Traffic;
use std::collections::BTreeMap;

/// The name under which the store keeps the secret of the traces' hashes.
pub const SECRET: &str = "trace";

/// Rulings read at a time: a bound on memory.
const RULINGS_AT_ONCE: usize = 500;

/// All sites' memories. They are apart: what happens on one is unknown on the others, and cannot push anything of theirs out.
#[derive(Debug)]
pub struct Memory {
    hashing: Hashing,
    /// Of each site.
    bounds: Bounds,
    sites: BTreeMap<SiteId, SiteMemory>,
}

/// What is remembered of one site.
#[derive(Debug)]
pub struct SiteMemory {
    traffic: Traffic,
    pub campaigns: Campaigns,
    /// The last ruling it knows, by its number.
    ruling: i64,
}

impl Memory {
    /// Every site's memory, with traces dropped that are older than it reaches back.
    ///
    /// # Errors
    /// [`StoreError`] when the secret of the traces cannot be read or made.
    pub fn load(app: &App) -> Result<Self, StoreError> {
        let (now, bounds) = (app.clock.now(), app.config().memory);
        let secrets = app.store.keys(SECRET, now, &app.dice).wait()?;
        let dropped = app.store.forget_traces(now.minus(bounds.age_max)).wait()?;
        let secret = secrets.first().map_or([0; 32], |(_, secret)| *secret);
        let memory = Self::read(app.config().sites.keys(), bounds, secret, app.store.read(), now);
        let comments: usize = memory.sites.values().map(|site| site.campaigns.comments()).sum();
        tracing::info!(comments, dropped, duration_ms = app.clock.now().ms() - now.ms(), "memory.loaded");
        Ok(memory)
    }

    /// The memory of these sites as the store has it; each gets an equal share of `bounds`. One that cannot be read begins empty, which is
    /// told in the log: comments are judged all the same.
    pub fn read<'a>(
        sites: impl ExactSizeIterator<Item = &'a SiteId>,
        bounds: Bounds,
        secret: [u8; 32],
        reader: &Reader,
        now: Timestamp,
    ) -> Self {
        let hashing = hashing(secret);
        let bounds = Bounds { comments_max: (bounds.comments_max / sites.len().max(1)).max(1), ..bounds };
        let load = |site: &SiteId| {
            SiteMemory::load(site, bounds, &hashing, reader, now).unwrap_or_else(|error| {
                tracing::error!(site = %site, error = &error as &dyn std::error::Error, "memory.unreadable");
                SiteMemory::empty(bounds, &hashing)
            })
        };
        let sites = sites.map(|site| (site.clone(), load(site))).collect();
        Self { hashing, bounds, sites }
    }

    /// Reads a site's memory again, after comments left the store.
    pub fn reload(&mut self, site: &SiteId, reader: &Reader, now: Timestamp) {
        match SiteMemory::load(site, self.bounds, &self.hashing, reader, now) {
            Ok(memory) => _ = self.sites.insert(site.clone(), memory),
            Err(error) => tracing::error!(site = %site, error = &error as &dyn std::error::Error, "memory.unreadable"),
        }
    }

    /// The memory of sites that come to others, `sites` in all.
    ///
    /// # Errors
    /// [`StoreError`] when the secret of the traces cannot be read.
    pub fn load_more(app: &App, added: &[SiteId], sites: usize) -> Result<Self, StoreError> {
        let (now, bounds) = (app.clock.now(), app.config().memory);
        let secrets = app.store.keys(SECRET, now, &app.dice).wait()?;
        let secret = secrets.first().map_or([0; 32], |(_, secret)| *secret);
        let share = (bounds.comments_max / sites.max(1)).max(1);
        let of_all = Bounds { comments_max: share * added.len(), ..bounds };
        let more = Self::read(added.iter(), of_all, secret, app.store.read(), now);
        Ok(Self { bounds: Bounds { comments_max: share, ..bounds }, ..more })
    }

    /// Takes the memory of sites that are new, and forgets those that are not among these any more. The share of each is that of the new ones.
    pub fn follow<T>(&mut self, more: Self, sites: &BTreeMap<SiteId, T>) {
        self.bounds = more.bounds;
        self.sites.retain(|site, _| sites.contains_key(site));
        self.sites.values_mut().for_each(|memory| memory.campaigns.bound(more.bounds));
        self.sites.extend(more.sites);
    }

    pub fn trace(&self, comment: &Comment, reading: &Reading) -> Trace {
        Trace::of(comment, reading, &self.hashing)
    }

    /// The facts with what is remembered added.
    pub fn recall(&mut self, site: &SiteId, trace: &Trace, facts: Facts) -> Facts {
        let Some(memory) = self.sites.get_mut(site) else { return facts };
        Facts { lately: memory.traffic.before(trace, facts.now), alike: memory.campaigns.alike(trace), ..facts }
    }

    /// The comment came, and the machine published it or did not.
    pub fn admit(&mut self, site: &SiteId, trace: &Trace, is_published: bool, now: Timestamp) {
        if let Some(memory) = self.sites.get_mut(site) {
            memory.admit(trace, is_published, now);
        }
    }

    /// A comment of the last batch was none: it had come before, or could not be written down.
    pub fn retract(&mut self, site: &SiteId, trace: &Trace) {
        if let Some(memory) = self.sites.get_mut(site) {
            memory.traffic.retract(trace);
            memory.campaigns.retract(trace);
        }
    }

    /// Learns a site's rulings that it does not know yet.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read; it then knows those before.
    pub fn catch_up(&mut self, reader: &Reader, site: &SiteId) -> Result<(), StoreError> {
        self.sites.get_mut(site).map_or(Ok(()), |memory| memory.catch_up(reader, site))
    }

    pub fn of(&self, site: &SiteId) -> Option<&SiteMemory> {
        self.sites.get(site)
    }
}

impl SiteMemory {
    fn empty(bounds: Bounds, hashing: &Hashing) -> Self {
        Self { traffic: Traffic::default(), campaigns: Campaigns::new(bounds, hashing.clone()), ruling: 0 }
    }

    fn load(site: &SiteId, bounds: Bounds, hashing: &Hashing, reader: &Reader, now: Timestamp) -> Result<Self, StoreError> {
        let mut memory = Self::empty(bounds, hashing);
        reader.traces(site, now.minus(bounds.age_max), bounds.comments_max, |traced| {
            memory.admit(&traced.trace, traced.is_published, traced.at);
        })?;
        memory.catch_up(reader, site)?;
        Ok(memory)
    }

    fn admit(&mut self, trace: &Trace, is_published: bool, now: Timestamp) {
        self.traffic.admit(trace, now);
        self.campaigns.admit(trace, is_published, now);
    }

    fn catch_up(&mut self, reader: &Reader, site: &SiteId) -> Result<(), StoreError> {
        loop {
            let news = reader.ruled_traces(site, self.ruling, RULINGS_AT_ONCE)?;
            for news in &news {
                self.ruling = news.ruling;
                if let Some(trace) = &news.trace {
                    self.campaigns.rule(trace, news.before, news.now);
                }
            }
            if news.len() < RULINGS_AT_ONCE {
                return Ok(());
            }
        }
    }
}

/// Keyed by a secret of this store, so that nobody outside can make two texts seem one.
pub(super) fn hashing(secret: [u8; 32]) -> Hashing {
    let (keys, _) = secret.as_chunks();
    Hashing::of(keys.iter().map(|key| u64::from_le_bytes(*key)).fold(0, |all, key| all ^ key))
}
