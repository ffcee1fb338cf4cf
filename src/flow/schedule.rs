//! When the daemon trains by itself: a site's first own model once people have ruled enough, and another each time the labels have doubled,
//! so that a young site learns at once and an old one is seldom bothered. How it is trained is `learn`'s.

use super::certify::Asked;
use super::forget;
use super::learn::{self, CannotLearn};
use super::models::{NoModel, SiteModel};
use super::{App, chain};
use crate::budget::Budget;
use crate::budget::audit::Rates;
use crate::classifier::train::{CannotTrain, EXAMPLES_MIN};
use crate::clock::Timestamp;
use crate::config::Site;
use crate::decision::Policy;
use crate::id::SiteId;
use crate::shelf::{SECRET_BYTES, Shelf, ShelfError};
use crate::store::{Reader, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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

/// How many labels each site had when it was last trained, or when that was last tried: who rolls a model back is not overruled at once.
#[derive(Debug, Default)]
pub struct Trained(BTreeMap<SiteId, usize>);

impl Trained {
    /// The sites whose labels call for a training, each then taken as trained.
    ///
    /// # Errors
    /// [`NotTrained`] when labels or the shelf cannot be read.
    pub fn due(&mut self, app: &App) -> Result<Vec<Arc<Site>>, NotTrained> {
        let mut due = Vec::new();
        for site in app.config().sites.values() {
            let (spam, ham) = app.store.read().labels(&site.id)?;
            let trained = match self.0.get(&site.id) {
                Some(trained) => *trained,
                None => app.shelf.current(&site.id)?.map_or(0, |model| model.card.spam + model.card.ham + model.card.copies),
            };
            let is_due = is_due(app.config().learning.labels_min, trained, (spam, ham));
            if is_due || app.config().learning.labels_min > 0 && knows_forgotten(app, &site.id)? {
                self.0.insert(site.id.clone(), spam + ham);
                due.push(Arc::clone(site));
            } else {
                self.0.insert(site.id.clone(), trained);
            }
        }
        Ok(due)
    }
}

/// Whether a site's current model learnt from what has been forgotten since.
fn knows_forgotten(app: &App, site: &SiteId) -> Result<bool, NotTrained> {
    // Reading a model takes its time, and hardly ever was anything forgotten.
    if app.store.read().forgotten_since(site, Timestamp::from_ms(0), i64::MAX)?.is_none() {
        return Ok(false);
    }
    let current = app.shelf.current(site)?;
    Ok(current.map(|model| forget::known_to(app.store.read(), site, &model)).transpose()?.flatten().is_some())
}

/// `labels_min` is what the first training takes, 0 is never; both classes must be there.
fn is_due(labels_min: usize, trained: usize, (spam, ham): (usize, usize)) -> bool {
    labels_min > 0 && spam.min(ham) >= EXAMPLES_MIN && spam + ham >= labels_min.max(2 * trained)
}

/// The hidden subcommand that [`train`] runs.
pub const TRAIN_COMMAND: &str = "train-site";

/// What the process that trains is told, in one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    data: PathBuf,
    site: String,
    trained_at: String,
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
    /// The model is on the shelf and the site's current one.
    Trained,
    /// Of copies few count, so that many labels may be few examples.
    TooFew,
    Failed {
        reason: String,
    },
}

impl Order {
    fn of(app: &App, site: &Site) -> Self {
        let (budget, fixed, rates) = (site.budget, site.policy, site.audit.rates);
        Self {
            data: app.config().data.clone(),
            site: site.id.to_string(),
            trained_at: app.clock.now().to_string(),
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
        let trained = Reader::open(&self.data).map_err(CannotLearn::Store).and_then(|reader| {
            let shelf = Shelf::of(&self.data);
            learn::retrain((&reader, &shelf), &SiteId::new(&self.site), program, drawn, self.trained_at.clone(), &asked)
        });
        match trained {
            Ok(_) => Answer::Trained,
            Err(CannotLearn::Train(CannotTrain::TooFew { .. })) => Answer::TooFew,
            Err(error) => Answer::Failed { reason: chain(&error) },
        }
    }
}

/// Has a site's model trained and promoted, in a process of its own and of low priority: at a hundred thousand labels it takes half a gigabyte,
/// which is the system's again when it ends. Then reads the model for the judge. Blocks for as long as that takes.
///
/// # Errors
/// [`NotTrained`].
pub fn train(app: &App, site: &Site, program: &Path) -> Result<Option<SiteModel>, NotTrained> {
    match ask(program, &Order::of(app, site)).map_err(NotTrained::Process)? {
        // A model that knows what was forgotten goes, although there is no better one yet.
        Answer::TooFew if knows_forgotten(app, &site.id)? => {
            app.shelf.retire(&site.id)?;
            Ok(Some(SiteModel::load(&app.shelf, app.store.read(), &site.id)?))
        }
        Answer::TooFew => Ok(None),
        Answer::Failed { reason } => Err(NotTrained::Failed(reason)),
        Answer::Trained => Ok(Some(SiteModel::load(&app.shelf, app.store.read(), &site.id)?)),
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

    #[test]
    fn a_training_is_due_at_the_first_labels_and_whenever_they_have_doubled() {
        let check =
            |labels_min, trained, labels, expected| assert_eq!(is_due(labels_min, trained, labels), expected, "{trained} {labels:?}");
        check(10, 0, (5, 4), false);
        check(10, 0, (5, 5), true);
        check(10, 0, (1, 50), false);
        check(10, 10, (9, 10), false);
        check(10, 10, (10, 10), true);
        check(0, 0, (500, 500), false);
    }
}
