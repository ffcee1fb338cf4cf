//! When the daemon trains by itself, as `[learning]` says: by default a site's first own model once people have ruled enough, and another each
//! time the labels have doubled, so that a young site learns at once and an old one is seldom bothered. How it is trained is `training`'s.

use super::certify::Asked;
use super::forget;
use super::learn::CannotLearn;
use super::models::{NoModel, SiteModel};
use super::training::{Trained, Training};
use super::{App, chain};
use crate::budget::Budget;
use crate::budget::audit::Rates;
use crate::classifier::Model;
use crate::classifier::contest::{Outcome, Place, Promote};
use crate::classifier::train::{CannotTrain, EXAMPLES_MIN};
use crate::clock::Timestamp;
use crate::config::{Learning, Schedule, Site};
use crate::decision::Policy;
use crate::id::SiteId;
use crate::shelf::{LastTraining, SECRET_BYTES, Shelf, ShelfError};
use crate::store::{Reader, StoreError};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Why a training that was due gave no model that judges; the one at work goes on.
#[derive(Debug, thiserror::Error)]
pub enum NotTrained {
    #[error("{0}")]
    Failed(String),
    #[error("the process that trains did not come to its end")]
    Process(#[source] io::Error),
    #[error(transparent)]
    Model(#[from] NoModel),
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The sites whose labels call for a training, each then noted as trained: who rolls a model back, or keeps one from judging, is not
/// overruled at once, nor after a restart.
///
/// # Errors
/// [`NotTrained`] when labels or the shelf cannot be read.
pub fn due(app: &App) -> Result<Vec<Arc<Site>>, NotTrained> {
    let (config, now, mut due) = (app.config(), app.clock.now(), Vec::new());
    for site in config.sites.values() {
        let (spam, ham) = app.store.read().labels(&site.id)?;
        let must_forget = config.learning.schedule != Schedule::Off && knows_forgotten(app, &site.id)?;
        if must_forget || is_due(&config.learning, last_training(app, &site.id)?, (spam, ham), now) {
            app.shelf.note_training(&site.id, LastTraining { labels: spam + ham, at: now })?;
            due.push(Arc::clone(site));
        }
    }
    Ok(due)
}

/// Whether a model of a site, at work or in the shadow, learnt from what has been forgotten since.
fn knows_forgotten(app: &App, site: &SiteId) -> Result<bool, NotTrained> {
    // Reading a model takes its time, and hardly ever was anything forgotten.
    if app.store.read().forgotten_since(site, Timestamp::from_ms(0), i64::MAX)?.is_none() {
        return Ok(false);
    }
    let shadow = app.shelf.shadow_id(site)?.map(|id| app.shelf.model(&id)).transpose()?;
    for model in app.shelf.current(site)?.iter().chain(&shadow) {
        if forget::known_to(app.store.read(), site, model)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// As noted; of a model that was trained before there were notes, as its card has it.
fn last_training(app: &App, site: &SiteId) -> Result<Option<LastTraining>, NotTrained> {
    if let Some(last) = app.shelf.last_training(site)? {
        return Ok(Some(last));
    }
    let of_card = |model: Model| {
        let at = Timestamp::parse(&model.card.trained_at).unwrap_or(Timestamp::from_ms(0));
        LastTraining { labels: model.card.spam + model.card.ham + model.card.copies, at }
    };
    Ok(app.shelf.current(site)?.map(of_card))
}

/// Both classes must be there, and labels enough for any training.
fn is_due(learning: &Learning, last: Option<LastTraining>, (spam, ham): (usize, usize), now: Timestamp) -> bool {
    if spam.min(ham) < EXAMPLES_MIN || spam + ham < learning.labels_min {
        return false;
    }
    let Some(last) = last else { return learning.schedule != Schedule::Off };
    match &learning.schedule {
        Schedule::Off => false,
        Schedule::Doubled => spam + ham >= 2 * last.labels,
        Schedule::Labels(new) => spam + ham >= last.labels + new,
        Schedule::Nightly { at, zone } => spam + ham != last.labels && zone.last(*at, now) > last.at,
    }
}

/// The hidden subcommand that [`train`] runs.
pub const TRAIN_COMMAND: &str = "train-site";

/// What the process that trains is told, in one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    data: PathBuf,
    site: String,
    at: String,
    promote: Promote,
    /// At most so much spam published and ham rejected, and how sure.
    budget: [f64; 3],
    /// Published up to, rejected from, discarded from.
    fixed: [f64; 3],
    /// Share of what is published and of what is rejected that is checked.
    rates: [f64; 2],
}

/// What it answers, in one line of JSON too.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The model is on the shelf and in its place.
    Trained {
        model: String,
        place: Place,
        outcome: Option<Outcome>,
        put_aside: usize,
    },
    /// Of copies few count, so that many labels may be few examples.
    TooFew,
    Failed {
        reason: String,
    },
}

impl Order {
    fn of(app: &App, site: &Site, promote: Promote) -> Self {
        let (budget, fixed, rates) = (site.budget, site.policy, site.audit.rates);
        Self {
            data: app.config().data.clone(),
            site: site.id.to_string(),
            at: app.clock.now().to_string(),
            promote,
            budget: [budget.spam_published_max(), budget.ham_rejected_max(), budget.confidence()],
            fixed: [fixed.publish_max, fixed.reject_min, fixed.discard_min],
            rates: [rates.published, rates.rejected],
        }
    }

    /// The other side of [`train`]: in the process of its own. `drawn` becomes the secret of the hashing where there is none yet.
    pub fn obey(&self, program: &Path, drawn: [u8; SECRET_BYTES]) -> Answer {
        let ([spam, ham, confidence], [publish_max, reject_min, discard_min]) = (self.budget, self.fixed);
        let asked = Asked {
            budget: Budget::new(spam, ham, confidence).unwrap_or_default(),
            fixed: Policy { publish_max, reject_min, discard_min },
            rates: Rates { published: self.rates[0], rejected: self.rates[1] },
        };
        match self.train(program, drawn, asked) {
            Ok(Trained { model, place, put_aside }) => {
                let outcome = model.card.contest.map(|contest| contest.outcome);
                Answer::Trained { model: model.id.to_string(), place, outcome, put_aside }
            }
            Err(CannotLearn::Train(CannotTrain::TooFew { .. })) => Answer::TooFew,
            Err(error) => Answer::Failed { reason: chain(&error) },
        }
    }

    fn train(&self, program: &Path, drawn: [u8; SECRET_BYTES], asked: Asked) -> Result<Trained, CannotLearn> {
        let (reader, shelf, site) = (Reader::open(&self.data)?, Shelf::of(&self.data), SiteId::new(&self.site));
        let at = Timestamp::parse(&self.at).unwrap_or(Timestamp::from_ms(0));
        let training =
            Training { reader: &reader, shelf: &shelf, site: &site, program, drawn, at, since: None, asked, promote: self.promote };
        training.run()
    }
}

/// Has a site's model trained and put into its place, in a process of its own and of low priority: at a hundred thousand labels it takes half a
/// gigabyte, which is the system's again when it ends. Then reads the site's models for the judge; none where those at work go on. Blocks for as
/// long as that takes.
///
/// # Errors
/// [`NotTrained`].
pub fn train(app: &App, site: &Site, program: &Path) -> Result<Option<SiteModel>, NotTrained> {
    let must_forget = knows_forgotten(app, &site.id)?;
    // What knows too much goes, however well it does.
    let promote = if must_forget { Promote::Force } else { app.config().learning.promote };
    match ask(program, &Order::of(app, site, promote)).map_err(NotTrained::Process)? {
        // A model that knows what was forgotten goes, although there is no better one yet.
        Answer::TooFew if must_forget => {
            app.shelf.retire(&site.id)?;
            app.shelf.put_in_shadow(&site.id, None)?;
            Ok(Some(SiteModel::load(&app.shelf, app.store.read(), &site.id)?))
        }
        Answer::TooFew => Ok(None),
        Answer::Failed { reason } => Err(NotTrained::Failed(reason)),
        Answer::Trained { model, place, outcome, put_aside } => {
            if put_aside > 0 {
                tracing::warn!(site = %site.id, labels = put_aside, "learn.quarantined: look with `hamlet quarantine list`");
            }
            let outcome = outcome.map(Outcome::as_str);
            match place {
                Place::AtWork => tracing::info!(site = %site.id, model.id = model, outcome, "learn.promoted"),
                Place::Shadow => tracing::info!(site = %site.id, model.id = model, outcome, "learn.in_shadow"),
                Place::Shelf => tracing::warn!(site = %site.id, model.id = model, outcome, "learn.not_promoted"),
            }
            if place == Place::Shelf { Ok(None) } else { Ok(Some(SiteModel::load(&app.shelf, app.store.read(), &site.id)?)) }
        }
    }
}

fn ask(program: &Path, order: &Order) -> io::Result<Answer> {
    let mut process = Command::new(program).arg(TRAIN_COMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = process.stdin.take() {
        stdin.write_all(serde_json::to_string(order)?.as_bytes())?;
    }
    let output = process.wait_with_output()?;
    // Killed for want of memory, say, it leaves no word.
    if !output.status.success() {
        return Err(io::Error::other(format!("it ended with {}", output.status)));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{TimeOfDay, Zone};

    fn check(schedule: &Schedule, last: Option<(usize, &str)>, labels: (usize, usize), now: &str, expected: bool) {
        let learning = Learning { schedule: schedule.clone(), labels_min: 10, promote: Promote::IfBetter };
        let at = |text| Timestamp::parse(text).unwrap();
        let noted = last.map(|(labels, text)| LastTraining { labels, at: at(text) });
        assert_eq!(is_due(&learning, noted, labels, at(now)), expected, "{schedule:?} {last:?} {labels:?} {now}");
    }

    const NOON: &str = "2026-11-25T12:00:00Z";

    #[test]
    fn a_training_is_due_at_the_first_labels_and_whenever_they_have_doubled() {
        let doubled = Schedule::Doubled;
        check(&doubled, None, (5, 4), NOON, false);
        check(&doubled, None, (5, 5), NOON, true);
        check(&doubled, None, (1, 50), NOON, false);
        check(&doubled, Some((10, NOON)), (9, 10), NOON, false);
        check(&doubled, Some((10, NOON)), (10, 10), NOON, true);
    }

    #[test]
    fn or_after_so_many_labels_or_never() {
        check(&Schedule::Labels(3), None, (5, 5), NOON, true);
        check(&Schedule::Labels(3), Some((10, NOON)), (6, 6), NOON, false);
        check(&Schedule::Labels(3), Some((10, NOON)), (7, 6), NOON, true);
        check(&Schedule::Labels(3), Some((100, NOON)), (7, 6), NOON, false);
        check(&Schedule::Off, None, (500, 500), NOON, false);
        check(&Schedule::Off, Some((10, NOON)), (500, 500), NOON, false);
    }

    #[test]
    fn or_once_a_night_where_people_live_if_they_ruled() {
        let at = TimeOfDay::parse("03:00").unwrap();
        let nightly = Schedule::Nightly { at, zone: Zone::parse("Europe/Berlin").unwrap() };
        let evening = Some((10, "2026-11-24T20:00:00Z"));
        check(&nightly, evening, (6, 6), "2026-11-25T01:59:00Z", false);
        check(&nightly, evening, (6, 6), "2026-11-25T02:00:00Z", true);
        check(&nightly, evening, (5, 5), "2026-11-25T02:00:00Z", false);
        // A night that was slept through is made up for.
        check(&nightly, evening, (6, 6), NOON, true);
        check(&nightly, Some((10, "2026-11-25T02:00:01Z")), (6, 6), NOON, false);
        check(&nightly, None, (5, 5), NOON, true);
    }
}
