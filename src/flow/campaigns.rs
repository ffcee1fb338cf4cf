//! Campaigns as people look at them: the largest of what is remembered, each with a comment that shows what it is about. Read from the
//! store beside the daemon, by the very code that the daemon remembers with.

use super::memory::{Memory, SECRET};
use crate::campaign::Bounds;
use crate::clock::Timestamp;
use crate::comment::Campaign;
use crate::id::{CommentId, SiteId};
use crate::store::{Reader, Record, StoreError};
use std::collections::HashMap;

/// One campaign of one site.
#[derive(Debug, Clone)]
pub struct Seen {
    pub site: SiteId,
    pub campaign: Campaign,
    /// Different pages, estimated.
    pub pages: u32,
    /// Its latest member.
    pub sample: Option<Record>,
}

/// The largest campaigns of these sites, all together at most `limit`, the largest first.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn largest(reader: &Reader, sites: &[SiteId], bounds: Bounds, limit: usize, now: Timestamp) -> Result<Vec<Seen>, StoreError> {
    let Some(secret) = reader.secret(SECRET)? else { return Ok(Vec::new()) };
    let memory = Memory::read(sites.iter(), bounds, secret, reader, now);
    let mut all = Vec::new();
    for site in sites {
        let Some(known) = memory.of(site) else { continue };
        let largest = known.campaigns.largest(limit);
        let mut latest: HashMap<_, Option<CommentId>> = largest.iter().map(|(campaign, _)| (campaign.id, None)).collect();
        reader.traces(site, now.minus(bounds.age_max), bounds.comments_max, |traced| {
            for campaign in known.campaigns.of(&traced.trace) {
                latest.entry(campaign.id).and_modify(|latest| *latest = Some(traced.comment));
            }
        })?;
        for (campaign, pages) in largest {
            let sample = latest.get(&campaign.id).copied().flatten().map(|id| reader.comment(site, id)).transpose()?.flatten();
            all.push(Seen { site: site.clone(), campaign, pages, sample });
        }
    }
    all.sort_by_key(|seen| (std::cmp::Reverse(seen.campaign.size), seen.campaign.id));
    all.truncate(limit);
    Ok(all)
}
