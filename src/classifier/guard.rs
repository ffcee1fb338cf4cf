//! The guard: which labels are not learnt until an admin has looked at them. Whoever can label can teach: a moderator's stolen password, or a script
//! at a site's key, can turn a filter round in an afternoon. Pure; where labels come from, and where what is found is kept, is `flow::guarding`'s.
//!
//! Three questions are asked, each of labels that no training has learnt yet:
//!
//! - **Does a source contradict what is known?** A source is a person by one way of ruling. Its labels are held against what a model says that
//!   has not learnt them, where that model is sure, each text once: of honest people few contradict it, since what they teach that is new is mostly
//!   what the model was unsure of. The same is asked of every burst alone, so that a hundred wrong labels in an hour do not hide behind a thousand
//!   right ones. Speed itself is no sign: who empties a blog's spam folder rules thousands in a second.
//! - **Does a label contradict a canary?** A text is one when people agreed on it: two of them, or one a second time without knowing. One
//!   label that says otherwise waits until a second source says so too.
//! - **Do one author, or one campaign, teach too much?** Of the labels of a site one author, and one link or contact, make up only a share under each
//!   label; more than that is not learnt.
//!
//! What it cannot see: who labels slowly, mostly rightly, and wrongly only where the model is unsure. See `models/README.md` for what that costs.

use super::Label;
use crate::budget::binomial::lower_bound;
use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// A model is sure from odds of nineteen to one on.
pub const SURE: f64 = 2.944;

/// A source contradicts what is known if more than this share of what the model is sure of is labelled otherwise, for certain: see `models/README.md` for
/// how many honest sources reach that.
pub const CONTRADICTING_MAX: f64 = 0.25;

/// The chance that a source is accused which contradicts no more than that.
const ACCUSED_BY_CHANCE: f64 = 0.01;

/// So many labels of one source within an hour are a burst.
pub const BURST_MIN: usize = 20;
const BURST_WITHIN: Duration = Duration::from_hours(1);

/// Labels that one author, or one link or contact, may have under each label: the greater of so many and so much of all.
pub const CAP_MIN: usize = 50;
pub const CAP_SHARE: f64 = 0.05;

/// Why a label is not learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Its source contradicts what is known.
    Source,
    /// It came in a burst that contradicts what is known.
    Burst,
    /// People agreed on the text, and this says otherwise.
    Canary,
    /// Its author has enough labels.
    Author,
    /// The link or contact in it has enough labels.
    Campaign,
}

impl Reason {
    pub const ALL: [Self; 5] = [Self::Source, Self::Burst, Self::Canary, Self::Author, Self::Campaign];

    /// As it stands in commands and the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Burst => "burst",
            Self::Canary => "canary",
            Self::Author => "author",
            Self::Campaign => "campaign",
        }
    }

    /// For a person, after "because".
    pub fn words(self) -> &'static str {
        match self {
            Self::Source => "its source contradicts what the model is sure of",
            Self::Burst => "it came in a burst that contradicts what the model is sure of",
            Self::Canary => "people agreed on this text before, and it says otherwise",
            Self::Author => "its author has as many labels as one may",
            Self::Campaign => "the link or contact in it has as many labels as one may",
        }
    }
}

/// How far a label has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing {
    /// A training learnt it, or may.
    Known,
    /// It is not learnt; an admin has not released it.
    Quarantined,
    /// Nobody has asked about it yet.
    New {
        /// What a model says of its text that has not learnt it: the logit of spam.
        log_odds: f64,
        /// Whether its source is held against that: not what admins bring themselves.
        source_asked: bool,
    },
}

/// One label, as the guard sees it. Sources, texts, authors and marks are numbers that mean nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    pub label: Label,
    pub at: Timestamp,
    pub source: u64,
    pub text: u64,
    pub author: Option<u64>,
    /// Links and contacts in it.
    pub marks: Vec<u64>,
    /// Somebody said the same a second time without knowing.
    pub is_confirmed: bool,
    pub standing: Standing,
}

impl Given {
    fn is_new(&self) -> bool {
        matches!(self.standing, Standing::New { .. })
    }

    /// Whether the model is sure, and says otherwise; none where it is not sure.
    fn contradicts(&self) -> Option<bool> {
        let Standing::New { log_odds, source_asked: true } = self.standing else { return None };
        (log_odds.abs() >= SURE).then_some((log_odds > 0.0) != (self.label == Label::Spam))
    }
}

/// The new labels that are not to be learnt, by their places, each for the first reason found. `given` is in the order in which they were given.
pub fn guard(given: &[Given]) -> BTreeMap<usize, Reason> {
    let mut found = BTreeMap::new();
    contradicting_sources(given, &mut found);
    contradicting_canaries(given, &mut found);
    beyond_caps(given, &mut found);
    found
}

fn contradicting_sources(given: &[Given], found: &mut BTreeMap<usize, Reason>) {
    let mut by_source: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (place, one) in given.iter().enumerate() {
        if matches!(one.standing, Standing::New { source_asked: true, .. }) {
            by_source.entry(one.source).or_default().push(place);
        }
    }
    for places in by_source.values_mut() {
        places.sort_by_key(|place| given.get(*place).map(|one| one.at));
        for burst in bursts(given, places) {
            if contradicts(given, burst) {
                found.extend(burst.iter().map(|place| (*place, Reason::Burst)));
            }
        }
        if contradicts(given, places) {
            places.iter().for_each(|place| {
                found.entry(*place).or_insert(Reason::Source);
            });
        }
    }
}

/// Stretches of a source's labels, in order of time, each begun within an hour: as long as they can be, none twice.
fn bursts<'a>(given: &'a [Given], places: &'a [usize]) -> impl Iterator<Item = &'a [usize]> {
    let at = |place: &usize| given.get(*place).map_or(Timestamp::from_ms(0), |one| one.at);
    let mut rest = places;
    std::iter::from_fn(move || {
        let first = at(rest.first()?);
        let within = rest.partition_point(|place| at(place).since(first) <= BURST_WITHIN).max(1);
        let (burst, after) = rest.split_at(within);
        rest = after;
        Some(burst)
    })
    .filter(|burst| burst.len() >= BURST_MIN)
}

/// Whether more of these contradict the model than honest labels do, for certain. A text counts once, so that a wave of new spam is one surprise.
fn contradicts(given: &[Given], places: &[usize]) -> bool {
    let mut texts = HashSet::new();
    let sure = places.iter().filter_map(|place| given.get(*place)).filter_map(|one| Some((one.text, one.contradicts()?)));
    let (mut asked, mut contradicting) = (0, 0);
    for (_, is_contradiction) in sure.filter(|(text, _)| texts.insert(*text)) {
        asked += 1;
        contradicting += usize::from(is_contradiction);
    }
    lower_bound(contradicting, asked, ACCUSED_BY_CHANCE) > CONTRADICTING_MAX
}

fn contradicting_canaries(given: &[Given], found: &mut BTreeMap<usize, Reason>) {
    let mut said: HashMap<(u64, Label), HashSet<u64>> = HashMap::new();
    let mut settled: HashMap<u64, Label> = HashMap::new();
    for one in given.iter().filter(|one| one.standing == Standing::Known) {
        let sources = said.entry((one.text, one.label)).or_default();
        sources.insert(one.source);
        if one.is_confirmed || sources.len() > 1 {
            settled.insert(one.text, one.label);
        }
    }
    // On what people were of two minds nothing is settled.
    settled.retain(|text, label| !said.contains_key(&(*text, other(*label))));
    let mut against: HashMap<u64, HashSet<u64>> = HashMap::new();
    let says_otherwise = |one: &Given| settled.get(&one.text).is_some_and(|label| *label != one.label);
    for one in given.iter().filter(|one| one.standing != Standing::Known && says_otherwise(one)) {
        against.entry(one.text).or_default().insert(one.source);
    }
    for (place, one) in given.iter().enumerate().filter(|(_, one)| one.is_new()) {
        if says_otherwise(one) && against.get(&one.text).is_none_or(|sources| sources.len() < 2) {
            found.entry(place).or_insert(Reason::Canary);
        }
    }
}

fn other(label: Label) -> Label {
    match label {
        Label::Ham => Label::Spam,
        Label::Spam => Label::Ham,
    }
}

fn beyond_caps(given: &[Given], found: &mut BTreeMap<usize, Reason>) {
    let learnt =
        given.iter().enumerate().filter(|(place, one)| one.standing != Standing::Quarantined && !found.contains_key(place)).count();
    let cap = cap(learnt);
    let (mut authors, mut marks) = (HashMap::new(), HashMap::new());
    for (place, one) in given.iter().enumerate() {
        if one.standing == Standing::Quarantined || found.contains_key(&place) {
            continue;
        }
        let is_full = |counts: &HashMap<(u64, Label), usize>, key: u64| counts.get(&(key, one.label)).is_some_and(|count| *count >= cap);
        let reason = if one.author.is_some_and(|author| is_full(&authors, author)) {
            Some(Reason::Author)
        } else if one.marks.iter().any(|mark| is_full(&marks, *mark)) {
            Some(Reason::Campaign)
        } else {
            None
        };
        if let Some(reason) = reason.filter(|_| one.is_new()) {
            found.insert(place, reason);
            continue;
        }
        one.author.into_iter().for_each(|author| *authors.entry((author, one.label)).or_default() += 1);
        one.marks.iter().for_each(|mark| *marks.entry((*mark, one.label)).or_default() += 1);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count is a count")]
fn cap(labels: usize) -> usize {
    let share = f64::from(u32::try_from(labels).unwrap_or(u32::MAX)) * CAP_SHARE;
    CAP_MIN.max(share as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Ham, Spam};

    /// A new label of a text of its own.
    fn new(source: u64, minute: i64, text: u64, label: Label, log_odds: f64) -> Given {
        Given {
            label,
            at: Timestamp::from_ms(minute * 60_000),
            source,
            text,
            author: None,
            marks: Vec::new(),
            is_confirmed: false,
            standing: Standing::New { log_odds, source_asked: true },
        }
    }

    fn known(source: u64, text: u64, label: Label) -> Given {
        Given { standing: Standing::Known, ..new(source, 0, text, label, 0.0) }
    }

    #[track_caller]
    fn check(given: &[Given], expected: &[(Reason, usize)]) {
        let mut counts: BTreeMap<Reason, usize> = BTreeMap::new();
        guard(given).into_values().for_each(|reason| *counts.entry(reason).or_default() += 1);
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
    }

    /// Two labels in a day, of which the model is sure, rightly or not.
    fn history(source: u64, texts: std::ops::Range<u64>, contradicts: bool) -> Vec<Given> {
        let at = |text: u64| i64::try_from(text).unwrap() * 720;
        texts.map(|text| new(source, at(text), text, Spam, if contradicts { -4.0 } else { 4.0 })).collect()
    }

    #[test]
    fn a_source_that_contradicts_what_is_known_is_not_learnt_from_and_others_are() {
        check(&[history(1, 0..50, false), history(2, 50..70, true)].concat(), &[(Reason::Source, 20)]);
        // One in five is what honest people may come to; four wrong labels prove nothing.
        check(&[history(1, 0..40, false), history(1, 40..50, true)].concat(), &[]);
        check(&history(1, 0..2, true), &[]);
        // Where the model is not sure people teach it, as often as they like.
        let unsure: Vec<Given> = (0..50).map(|text| new(1, 0, text, Spam, -2.9)).collect();
        check(&unsure, &[]);
        let admins = |one: Given| Given { standing: Standing::New { log_odds: -4.0, source_asked: false }, ..one };
        check(&history(1, 0..50, true).into_iter().map(admins).collect::<Vec<_>>(), &[]);
    }

    #[test]
    fn a_burst_of_wrong_labels_does_not_hide_behind_right_ones() {
        let burst: Vec<Given> = (1000..1030).map(|text| new(1, 900_000, text, Spam, -4.0)).collect();
        check(&[history(1, 0..500, false), burst].concat(), &[(Reason::Burst, 30)]);
        // A wave is one text, however often people call it spam; and who empties a spam folder is quick and right.
        let wave: Vec<Given> = (0..500).map(|_| new(1, 900_000, 7, Spam, -4.0)).collect();
        let folder: Vec<Given> = (1000..3000).map(|text| new(1, 900_000, text, Spam, 4.0)).collect();
        check(&[wave, folder].concat(), &[]);
    }

    #[test]
    fn one_label_against_a_text_that_people_agreed_on_waits_for_a_second() {
        let agreed = [known(1, 7, Spam), known(2, 7, Spam)];
        let check = |more: &[Given], expected: &[(Reason, usize)]| check(&[&agreed[..], more].concat(), expected);
        check(&[new(3, 0, 7, Ham, 0.0)], &[(Reason::Canary, 1)]);
        check(&[new(3, 0, 7, Spam, 0.0), new(3, 0, 8, Ham, 0.0)], &[]);
        check(&[new(3, 0, 7, Ham, 0.0), new(4, 0, 7, Ham, 0.0)], &[]);
        check(&[Given { standing: Standing::Quarantined, ..new(3, 0, 7, Ham, 0.0) }, new(4, 0, 7, Ham, 0.0)], &[]);
        check(&[known(3, 7, Ham), new(4, 0, 7, Ham, 0.0)], &[]);
        let confirmed = Given { is_confirmed: true, ..known(1, 9, Ham) };
        check(&[confirmed.clone(), new(1, 0, 9, Spam, 0.0)], &[(Reason::Canary, 1)]);
        check(&[Given { is_confirmed: false, ..confirmed }, new(1, 0, 9, Spam, 0.0)], &[]);
    }

    #[test]
    fn one_author_and_one_campaign_teach_their_share_and_no_more() {
        let by = |author: Option<u64>, marks: &[u64], n: u64| -> Vec<Given> {
            (0..n).map(|text| Given { author, marks: marks.to_vec(), ..new(1, 0, 10_000 + text, Ham, 0.0) }).collect()
        };
        check(&by(Some(1), &[], 60), &[(Reason::Author, 10)]);
        check(&by(None, &[1], 60), &[(Reason::Campaign, 10)]);
        check(&by(None, &[], 60), &[]);
        // A share of many labels is more than fifty; and labels that are known already are not gone back upon.
        let others: Vec<Given> = (0..2000).map(|text| known(1, text, Ham)).collect();
        check(&[others, by(Some(1), &[], 120)].concat(), &[(Reason::Author, 14)]);
        let known: Vec<Given> = by(Some(1), &[], 60).into_iter().map(|one| Given { standing: Standing::Known, ..one }).collect();
        check(&[known, by(Some(1), &[], 5)].concat(), &[(Reason::Author, 5)]);
    }
}
