//! The figures of a site: what the store counted, grouped as the page shows it, and what its model's card promises. Reads only; who may see
//! them is the shells', how they look the view's.

use crate::budget::terms::Terms;
use crate::classifier::curves::LOG_ODDS_SHOWN;
use crate::clock::Timestamp;
use crate::config::Site;
use crate::decision::{Ruling, Verdict};
use crate::id::{ModelId, SiteId};
use crate::shelf::Shelf;
use crate::store::{Day, MailHealth, Reader, Record, Scored, StoreError, Way, Work};
use crate::view::{Agreement, DayCounts, ScoreHeap};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const DAY_MS: i64 = 86_400_000;

/// What has waited longest: as much as somebody will open.
const OLDEST_MAX: usize = 5;

/// Groups of scores, and how wide each is.
const HEAPS: u32 = 24;
const HEAP_WIDTH: f64 = 2.0 * LOG_ODDS_SHOWN / HEAPS as f64;

/// How far back a page looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    Seven,
    Thirty,
    Ninety,
}

impl Days {
    /// A number that is none of the three is the middle one.
    pub fn of(days: Option<u32>) -> Self {
        match days {
            Some(7) => Self::Seven,
            Some(90) => Self::Ninety,
            Some(_) | None => Self::Thirty,
        }
    }

    fn count(self) -> i64 {
        match self {
            Self::Seven => 7,
            Self::Thirty => 30,
            Self::Ninety => 90,
        }
    }
}

/// What was counted of a site.
#[derive(Debug)]
pub struct Counted {
    pub days: Vec<DayCounts>,
    pub heaps: Vec<ScoreHeap>,
    pub work: Work,
    /// What has waited longest, the oldest first.
    pub oldest: Vec<Record>,
    pub agreement: Vec<Agreement>,
    /// Second looks that were answered, and those that differed.
    pub second_looks: (u64, u64),
    /// Why comments were held, the most frequent first, and how many were looked at.
    pub reasons: Vec<(String, u64)>,
    pub held_read: u64,
    pub mails: MailHealth,
}

/// Counts a site's figures as they are now.
///
/// # Errors
/// [`StoreError`] when the store cannot be read.
pub fn count(reader: &Reader, site: &SiteId, days: Days, now: Timestamp) -> Result<Counted, StoreError> {
    let today = now.ms().div_euclid(DAY_MS);
    let first = today - days.count() + 1;
    let since = Timestamp::from_ms(first * DAY_MS);
    let counted = reader.days(site, first)?;
    let held = reader.held_for(site, since)?;
    let by_score = (held.by_score > 0).then(|| ("its score, between the thresholds".to_owned(), held.by_score));
    let mut reasons: Vec<(String, u64)> = held.rules.into_iter().map(|(_, text, count)| (text, count)).chain(by_score).collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let looks = reader.second_looks(site)?;
    let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Ok(Counted {
        days: (first..=today).map(|day| of_day(day, &counted)).collect(),
        heaps: heaps(&reader.scores(site, since)?),
        work: reader.work(site, since)?,
        oldest: reader.waiting(site, Way::Later(0), OLDEST_MAX, now, |_| true)?.records,
        agreement: agreement(&counted),
        second_looks: (wide(looks.answered), wide(looks.differing)),
        reasons,
        held_read: held.decisions,
        mails: reader.mail_health(site, since)?,
    })
}

/// What the card of each site's promoted model says of its budget. A model has some megabytes and its file never changes: it is read once.
#[derive(Debug, Default)]
pub struct Promises(Mutex<HashMap<SiteId, Card>>);

/// What was read, and of which model.
type Card = (ModelId, Option<Arc<Terms>>);

impl Promises {
    /// For the budget that is set; none where no model was measured for it. One that cannot be read has been told of where it should judge.
    pub fn of(&self, shelf: &Shelf, site: &Site) -> Option<Arc<Terms>> {
        let current = shelf.current_id(&site.id).ok().flatten()?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&site.id).filter(|(id, _)| *id == current).cloned();
        let (_, terms) = known.unwrap_or_else(|| {
            let terms = shelf.model(&current).ok().and_then(|model| model.card.terms).map(Arc::new);
            let read = (current, terms);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(site.id.clone(), read.clone());
            read
        });
        terms.filter(|terms| terms.budget == site.budget)
    }
}

/// Scores in groups of equal log-odds, every group of the axis.
fn heaps(scores: &[Scored]) -> Vec<ScoreHeap> {
    if scores.is_empty() {
        return Vec::new();
    }
    let empty = |group: u32| {
        let from = f64::from(group) * HEAP_WIDTH - LOG_ODDS_SHOWN;
        ScoreHeap { from, to: from + HEAP_WIDTH, published: 0, held: 0, rejected: 0 }
    };
    let mut heaps: Vec<ScoreHeap> = (0..HEAPS).map(empty).collect();
    for Scored { score, verdict } in scores {
        let log_odds = (score / (1.0 - score)).ln().clamp(-LOG_ODDS_SHOWN, LOG_ODDS_SHOWN);
        let at = heaps.partition_point(|heap| heap.to <= log_odds).min(heaps.len() - 1);
        let Some(heap) = heaps.get_mut(at) else { continue };
        match verdict {
            Verdict::Publish => heap.published += 1,
            Verdict::Hold => heap.held += 1,
            Verdict::Reject => heap.rejected += 1,
        }
    }
    heaps
}

fn of_day(day: i64, counted: &[Day]) -> DayCounts {
    let sum = |verdict| counted.iter().filter(|one| one.day == day && one.verdict == verdict).map(|one| one.comments).sum();
    let start = Timestamp::from_ms(day * DAY_MS);
    DayCounts { day: start, published: sum(Verdict::Publish), held: sum(Verdict::Hold), rejected: sum(Verdict::Reject) }
}

/// What people said, by what the machine had said; those drawn by chance apart, since people rule on the others for a reason.
fn agreement(counted: &[Day]) -> Vec<Agreement> {
    let kinds = [
        ("Published, spot checks", Verdict::Publish, true),
        ("Published, looked at", Verdict::Publish, false),
        ("Held", Verdict::Hold, false),
        ("Rejected, looked at", Verdict::Reject, false),
        ("Rejected, spot checks", Verdict::Reject, true),
    ];
    let of = |(said, verdict, is_check)| {
        // What is held is shown to people anyway: drawn or not makes no difference there.
        let here = |one: &&Day| one.verdict == verdict && (verdict == Verdict::Hold || one.is_audited == is_check);
        let sum = |ruling| counted.iter().filter(here).filter(|one| one.ruled == Some(ruling)).map(|one| one.comments).sum();
        Agreement { said, verdict, is_check, published: sum(Ruling::Publish), spam: sum(Ruling::Spam), removed: sum(Ruling::Remove) }
    };
    kinds.map(of).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_s_card_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let (shelf, blog) = (Shelf::of(folder.path()), SiteId::new("blog"));
        let config = crate::config::Config::demo(
            folder.path().into(),
            ([127, 0, 0, 1], 0).into(),
            String::new(),
            crate::config::Secret::new([0; 32]),
        );
        let demo = config.unwrap().sites.into_values().next().unwrap();
        let site = Site { id: blog.clone(), ..Site::clone(&demo) };
        let promises = Promises::default();
        assert_eq!(promises.of(&shelf, &site), None, "nothing was promoted");
        let mut model = crate::shelf::starter().unwrap();
        let sample = crate::budget::terms::Measured {
            share: 0.0,
            comments: 0,
            asked: 0,
            spam: 3,
            ham: 4,
            checks: 0,
            answered: 0,
            since: String::new(),
            until: String::new(),
        };
        let outcome = site.budget.not_certified(3, 4, site.policy);
        model.card.terms = Some(Terms { budget: site.budget, outcome, sample, forecast: None });
        let model = crate::classifier::Model::assemble(model.card, model.layer, model.base, model.counts);
        let path = shelf.save(&model).unwrap();
        shelf.promote(&blog, &model.id).unwrap();
        let terms = promises.of(&shelf, &site).unwrap();
        assert_eq!((terms.sample.spam, terms.sample.ham), (3, 4));
        std::fs::remove_file(path).unwrap();
        assert_eq!(promises.of(&shelf, &site).as_deref(), Some(&*terms), "the file is not read again");
        let other = Site { budget: crate::budget::Budget::new(0.02, 0.02, 0.9).unwrap(), ..site };
        assert_eq!(promises.of(&shelf, &other), None, "it was measured for another budget");
    }

    #[test]
    fn every_score_stands_in_a_heap() {
        let scored = |score, verdict| Scored { score, verdict };
        let all = [(0.0, Verdict::Publish), (0.5, Verdict::Hold), (1.0, Verdict::Reject), (f64::NAN, Verdict::Hold)];
        let heaps = heaps(&all.map(|(score, verdict)| scored(score, verdict)));
        assert_eq!(heaps.len(), 24);
        assert_eq!((heaps[0].published, heaps[12].held, heaps[23].rejected), (1, 1, 1));
        assert_eq!(heaps.iter().map(|heap| heap.published + heap.held + heap.rejected).sum::<u64>(), 4);
    }

    #[test]
    fn rulings_stand_beside_what_the_machine_said() {
        let day = |verdict, ruled, is_audited, comments| Day { day: 3, verdict, ruled, is_audited, comments };
        let counted = [
            day(Verdict::Publish, None, false, 900),
            day(Verdict::Publish, Some(Ruling::Publish), true, 9),
            day(Verdict::Publish, Some(Ruling::Spam), true, 1),
            day(Verdict::Publish, Some(Ruling::Remove), false, 2),
            day(Verdict::Hold, Some(Ruling::Spam), true, 4),
            day(Verdict::Hold, Some(Ruling::Spam), false, 5),
        ];
        let told: Vec<_> = agreement(&counted).iter().map(|one| (one.published, one.spam, one.removed)).collect();
        assert_eq!(told, [(9, 1, 0), (0, 0, 2), (0, 9, 0), (0, 0, 0), (0, 0, 0)]);
        let day = of_day(3, &counted);
        assert_eq!((day.published, day.held, day.rejected), (912, 9, 0));
    }
}
