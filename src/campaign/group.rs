//! A group: what is kept of a campaign as a whole, whatever its members share.

use crate::classifier::Label;
use crate::clock::Timestamp;
use crate::comment::{Campaign, Rulings, Shared};
use crate::id::CampaignId;
use crate::trace::Trace;

/// What is counted of a campaign. Members leave with the window; sources and rulings stay while it lasts.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    pub id: CampaignId,
    pub size: u32,
    pub published: u32,
    pub rulings: Rulings,
    first_at: Timestamp,
    last_at: Timestamp,
    addresses: Distinct,
    emails: Distinct,
    pub pages: Distinct,
}

impl Group {
    pub fn founded(id: u64, now: Timestamp) -> Self {
        let (none, rulings) = (Distinct::default(), Rulings::default());
        let id = CampaignId(id);
        Self { id, size: 0, published: 0, rulings, first_at: now, last_at: now, addresses: none, emails: none, pages: none }
    }

    pub fn admit(&mut self, trace: &Trace, is_published: bool, now: Timestamp) {
        self.size += 1;
        self.published += u32::from(is_published);
        self.last_at = now;
        self.addresses.add(trace.address);
        self.emails.add(trace.email);
        self.pages.add(trace.page);
    }

    /// A member left.
    pub fn leave(&mut self, is_published: bool) {
        self.size = self.size.saturating_sub(1);
        self.published = self.published.saturating_sub(u32::from(is_published));
    }

    pub fn told(&self, shared: Shared) -> Campaign {
        Campaign {
            id: self.id,
            shared,
            size: self.size,
            published: self.published,
            sources: self.addresses.count().max(self.emails.count()),
            first_at: self.first_at,
            last_at: self.last_at,
            rulings: self.rulings,
        }
    }
}

impl Rulings {
    /// A person said `now` where people said `before`.
    pub fn change(&mut self, before: Option<Label>, now: Option<Label>) {
        for (label, by) in [(before, -1), (now, 1)] {
            match label {
                Some(Label::Spam) => self.spam = self.spam.saturating_add_signed(by),
                Some(Label::Ham) => self.publish = self.publish.saturating_add_signed(by),
                None => {}
            }
        }
        // What was taken back says nothing; the last word is then with those that still stand.
        self.is_last_spam = match now {
            Some(label) => label == Label::Spam,
            None => self.spam > 0 && (self.is_last_spam || self.publish == 0),
        };
    }
}

/// How many different keys, by which of 64 places they fall on (linear counting: Whang and others, 1990). Up to ten it errs by one at most
/// mostly, from 60 by a tenth; it ends at 266, which is many.
#[derive(Debug, Clone, Copy, Default)]
pub struct Distinct(u64);

impl Distinct {
    pub fn add(&mut self, key: Option<u64>) {
        if let Some(key) = key {
            self.0 |= 1 << (key >> 58);
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 266")]
    pub fn count(self) -> u32 {
        let free = f64::from(self.0.count_zeros().max(1));
        (-64.0 * (free / 64.0).ln()).round() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::hashing::Hashing;

    #[test]
    fn few_sources_are_counted_nearly_exactly_and_many_are_many() {
        let hashing = Hashing::of(3);
        for (many, within) in [(0, 0..=0), (1, 1..=1), (5, 4..=6), (10, 8..=12), (40, 32..=48), (100, 75..=130), (1000, 200..=266)] {
            let mut distinct = Distinct::default();
            (0..many).for_each(|n| distinct.add(Some(hashing.word(&format!("source {n}")))));
            assert!(within.contains(&distinct.count()), "{many} are {}", distinct.count());
        }
    }

    #[test]
    fn the_last_ruling_has_the_last_word_and_one_that_was_taken_back_has_none() {
        let check = |changes: &[(Option<Label>, Option<Label>)], expected: (u32, u32, bool)| {
            let mut rulings = Rulings::default();
            changes.iter().for_each(|(before, now)| rulings.change(*before, *now));
            assert_eq!((rulings.spam, rulings.publish, rulings.is_last_spam), expected, "{changes:?}");
        };
        let (spam, ham) = (Some(Label::Spam), Some(Label::Ham));
        check(&[(None, spam)], (1, 0, true));
        check(&[(None, spam), (None, ham)], (1, 1, false));
        check(&[(None, ham), (None, spam)], (1, 1, true));
        check(&[(None, spam), (spam, ham)], (0, 1, false));
        check(&[(None, spam), (spam, None)], (0, 0, false));
        check(&[(None, spam), (None, spam), (spam, None)], (1, 0, true));
        check(&[(None, spam), (None, ham), (ham, None)], (1, 0, true));
        check(&[(ham, None)], (0, 0, false));
    }
}
