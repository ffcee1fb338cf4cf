//! When the daemon trains by itself: a site's first own model once people have ruled enough, and another each time the labels have doubled,
//! so that a young site learns at once and an old one is seldom bothered. How it is trained is `learn`'s.

use super::App;
use super::certify::Asked;
use super::learn::{self, CannotLearn};
use super::models::{NoModel, SiteModel};
use crate::classifier::train::{CannotTrain, EXAMPLES_MIN};
use crate::config::Site;
use crate::id::SiteId;
use crate::shelf::ShelfError;
use crate::store::StoreError;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Why a training that was due gave no model that judges; the one at work goes on.
#[derive(Debug, thiserror::Error)]
pub enum NotTrained {
    #[error(transparent)]
    Learn(#[from] CannotLearn),
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
            if is_due(app.config().learning.labels_min, trained, (spam, ham)) {
                self.0.insert(site.id.clone(), spam + ham);
                due.push(Arc::clone(site));
            } else {
                self.0.insert(site.id.clone(), trained);
            }
        }
        Ok(due)
    }
}

/// `labels_min` is what the first training takes, 0 is never; both classes must be there.
fn is_due(labels_min: usize, trained: usize, (spam, ham): (usize, usize)) -> bool {
    labels_min > 0 && spam.min(ham) >= EXAMPLES_MIN && spam + ham >= labels_min.max(2 * trained)
}

/// Trains a site's model, promotes it and reads it for the judge. Blocks for as long as that takes.
///
/// # Errors
/// [`NotTrained`].
pub fn train(app: &App, site: &Site, program: &Path) -> Result<Option<SiteModel>, NotTrained> {
    let asked = Asked { budget: site.budget, fixed: site.policy, rates: site.audit.rates };
    let (reader, now) = (app.store.read(), app.clock.now().to_string());
    match learn::retrain((reader, &app.shelf), &site.id, program, app.dice.bytes(), now, &asked) {
        // Of copies few count, so that many labels may be few examples.
        Err(CannotLearn::Train(CannotTrain::TooFew { .. })) => Ok(None),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(Some(SiteModel::load(&app.shelf, reader, &site.id)?)),
    }
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
