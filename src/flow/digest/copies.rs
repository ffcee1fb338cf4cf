//! Near-copies in a mail and on its page: one stands for all, and they are ruled on together. Which are near-copies is the desk's to say;
//! spot checks and what was decided are in none of its groups.

use crate::flow::desk::Groups;
use crate::id::CampaignId;
use crate::store::Record;
use crate::view::{Item, Section};
use std::collections::{BTreeMap, BTreeSet};

/// In the order of a mail: what waits, then spot checks, then the near-copies of what stands before, so that what the mail shows is numbered
/// from 1 without a gap.
pub fn arranged(records: Vec<Record>, groups: &Groups) -> Vec<Record> {
    let mut seen: BTreeSet<CampaignId> = BTreeSet::new();
    let mut place = |record: &Record| match groups.of(record.seq) {
        Some(group) if !seen.insert(group.id) => 2,
        Some(_) | None => u8::from(record.is_open_check()),
    };
    let mut placed: Vec<(u8, Record)> = records.into_iter().map(|record| (place(&record), record)).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, record)| record).collect()
}

/// Tells of each item which one stands for it: of its group the first. `records` are those of the digest, in the order of its numbers.
pub fn mark(items: &mut [Item<'_>], records: &[Record], groups: &Groups) {
    let mut leads: BTreeMap<CampaignId, usize> = BTreeMap::new();
    for item in items.iter_mut().filter(|item| item.section() == Section::Waits) {
        let record = item.number.checked_sub(1).and_then(|index| records.get(index));
        let Some(group) = record.and_then(|record| groups.of(record.seq)) else { continue };
        let lead = *leads.entry(group.id).or_insert(item.number);
        item.copy_of = (lead != item.number).then_some(lead);
    }
}
