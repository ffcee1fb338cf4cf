//! Guarding: before a site's labels are learnt, those that look like poison are put aside (see `classifier::guard` for which), on the shelf and by
//! their rulings' numbers alone. They stay aside until an admin releases them, or the comment is ruled on anew.

use super::learn::CannotLearn;
use crate::classifier::guard::{self, Given, Reason, Standing};
use crate::classifier::hashing::Hashing;
use crate::classifier::{Features, Model};
use crate::clock::Timestamp;
use crate::id::SiteId;
use crate::shelf::{Put, Quarantine, Shelf};
use crate::store::{GivenLabel, Labelled, Reader, RulingOn};
use crate::text::Reading;
use crate::trace::marks;

/// Ways that take a shell on this machine. Who has that needs no labels to do harm, and imports are full of what a young model has yet to learn.
const TRUSTED_WAYS: [&str; 2] = ["cli", "import"];

/// A site's own model of fewer labels is sure of what it cannot know: one of sixteen called honest remarks spam at nineteen to one, because none of
/// their words had been ham. The starter, which stands for thousands, is asked.
const REFERENCE_LABELS_MIN: usize = 100;

fn is_experienced(model: &Model) -> bool {
    model.card.ruling.is_none() || model.card.spam + model.card.ham + model.card.copies >= REFERENCE_LABELS_MIN
}

/// Takes what is in quarantine out of the labels, after the new ones were looked at; answers how many new ones were put aside.
///
/// # Errors
/// [`CannotLearn::Shelf`] when the quarantine can be neither read nor written.
pub fn guard(
    shelf: &Shelf,
    site: &SiteId,
    labelled: &mut Labelled,
    champion: Option<&Model>,
    now: Timestamp,
) -> Result<usize, CannotLearn> {
    let mut quarantine = shelf.quarantine(site)?;
    let found = guard::guard(&given(labelled, &quarantine, champion));
    let put = |(place, reason): (usize, Reason)| Some((labelled.given.get(place)?.ruling, reason));
    let found: Vec<(i64, Reason)> = found.into_iter().filter_map(put).collect();
    let put = |(ruling, reason): &(i64, Reason)| (*ruling, Put { reason: *reason, at: now.to_string(), released_at: None });
    quarantine.labels.extend(found.iter().map(put));
    quarantine.through = labelled.ruling;
    // Before anything is learnt: what is on the shelf as a model must not know what is not yet aside.
    shelf.keep_quarantine(site, &quarantine)?;
    labelled.keep(|given| !quarantine.holds(given.ruling));
    Ok(found.len())
}

/// The labels that wait in a site's quarantine, with what they are; without those that were forgotten, taken back or ruled on anew.
///
/// # Errors
/// [`CannotLearn`] when quarantine or store cannot be read.
pub fn waiting(reader: &Reader, shelf: &Shelf, site: &SiteId) -> Result<Vec<(i64, Put, RulingOn)>, CannotLearn> {
    let mut waiting = Vec::new();
    for (ruling, put) in shelf.quarantine(site)?.held() {
        waiting.extend(reader.ruling(ruling)?.map(|on| (ruling, put.clone(), on)));
    }
    Ok(waiting)
}

fn given(labelled: &Labelled, quarantine: &Quarantine, champion: Option<&Model>) -> Vec<Given> {
    let mut features = Features::default();
    let champion = champion.filter(|champion| is_experienced(champion));
    let hashing = Hashing::of(0);
    let mut one = |place: usize, from: &GivenLabel| -> Option<Given> {
        let example = labelled.examples.get(place)?;
        let reading = Reading::of(&example.body);
        let marks = marks::in_text(&reading, example.group.as_deref(), &hashing).map(marks::Mark::bits).collect();
        let standing = if quarantine.holds(from.ruling) {
            Standing::Quarantined
        } else if from.ruling <= quarantine.through {
            Standing::Known
        } else {
            let source_asked = champion.is_some() && !TRUSTED_WAYS.contains(&from.via.as_str());
            Standing::New { log_odds: champion.map_or(0.0, |champion| champion.log_odds(&mut features, &reading)), source_asked }
        };
        Some(Given {
            label: example.label,
            at: from.at,
            source: hashing.word(&format!("{} {}", from.via, from.by)),
            text: hashing.word(&reading.folded),
            author: from.author.map(|author| u64::from_le_bytes(*author.first_chunk().unwrap_or(&[0; 8]))),
            marks,
            is_confirmed: from.is_confirmed,
            standing,
        })
    };
    labelled.given.iter().enumerate().filter_map(|(place, from)| one(place, from)).collect()
}
