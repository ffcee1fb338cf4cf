//! Groups: the near-copies among what is held, found by the very code that the judge finds campaigns with, over what waits alone. So a
//! group is what can be ruled on together, and nothing that was decided is in it.

use crate::campaign::{Bounds, Campaigns};
use crate::clock::Timestamp;
use crate::comment::Shared;
use crate::flow::App;
use crate::flow::memory::{self, SECRET};
use crate::id::{CampaignId, SiteId};
use crate::store::{Reader, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The oldest held comments that are grouped, of one site. Of 5,000 it takes 20 ms; a flood's copies are among them, and what is beyond
/// comes up when these are decided.
pub const HELD_MAX: usize = 5_000;

/// Fewer are as quickly ruled one by one.
const SIZE_MIN: usize = 3;

/// One site's groups.
#[derive(Debug, Default)]
pub struct Groups {
    /// The comments' numbers, oldest first; the largest group first.
    pub all: Vec<Group>,
    of: HashMap<i64, usize>,
}

#[derive(Debug, Clone)]
pub struct Group {
    pub id: CampaignId,
    pub shared: Shared,
    pub numbers: Vec<i64>,
}

impl Groups {
    /// The group that a comment is in.
    pub fn of(&self, seq: i64) -> Option<&Group> {
        self.all.get(*self.of.get(&seq)?)
    }

    pub fn named(&self, id: CampaignId) -> Option<&Group> {
        self.all.iter().find(|group| group.id == id)
    }

    /// A comment stands in one group: that of its text if it has one, else of a link or contact.
    ///
    /// # Errors
    /// [`StoreError`] from the store.
    pub fn find(reader: &Reader, site: &SiteId) -> Result<Self, StoreError> {
        let Some(secret) = reader.secret(SECRET)? else { return Ok(Self::default()) };
        let traces = reader.held_traces(site, HELD_MAX)?;
        // Nothing grows old while it waits.
        let (then, bounds) = (Timestamp::from_ms(0), Bounds { comments_max: HELD_MAX, age_max: Duration::MAX });
        let mut campaigns = Campaigns::new(bounds, memory::hashing(secret));
        for (_, trace) in &traces {
            campaigns.admit(trace, false, then);
        }
        let mut found: BTreeMap<CampaignId, Group> = BTreeMap::new();
        for (seq, trace) in &traces {
            let large = |campaign: &crate::comment::Campaign| usize::try_from(campaign.size).is_ok_and(|size| size >= SIZE_MIN);
            let Some(campaign) = campaigns.of(trace).find(large) else { continue };
            let group = || Group { id: campaign.id, shared: campaign.shared, numbers: Vec::new() };
            found.entry(campaign.id).or_insert_with(group).numbers.push(*seq);
        }
        let mut all: Vec<Group> = found.into_values().filter(|group| group.numbers.len() >= SIZE_MIN).collect();
        all.sort_by_key(|group| std::cmp::Reverse(group.numbers.len()));
        let of = all.iter().enumerate().flat_map(|(index, group)| group.numbers.iter().map(move |seq| (*seq, index))).collect();
        Ok(Self { all, of })
    }
}

/// What the groups were made of: while it is the same, so are they.
type Made = (usize, Option<Timestamp>, i64);

/// The groups of each site as they were last found.
#[derive(Debug, Default)]
pub struct Cache(Mutex<HashMap<SiteId, (Made, Arc<Groups>)>>);

impl Cache {
    pub fn of(&self, app: &App, site: &SiteId) -> Result<Arc<Groups>, StoreError> {
        let reader = app.store.read();
        let waits = reader.waits(site, app.clock.now())?;
        let newest = reader.waiting(site, crate::store::Way::Earlier(i64::MAX), 1, app.clock.now(), |_| false)?.last.unwrap_or(0);
        // Beyond what is grouped, arrivals change nothing.
        let made = if waits.comments > HELD_MAX { (0, waits.oldest, 0) } else { (waits.comments, waits.oldest, newest) };
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(site).cloned();
        match known {
            Some((of, groups)) if of == made => Ok(groups),
            _ => {
                let groups = Arc::new(Groups::find(reader, site)?);
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(site.clone(), (made, Arc::clone(&groups)));
                Ok(groups)
            }
        }
    }
}
