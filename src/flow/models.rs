//! The models at work: for each site the promoted one, frozen until the next promotion, beside it a copy that learns every ruling at once,
//! and how much spam comes in just now. The judge loop owns them. What the frozen one says is measured and decides; what the others say
//! may take a comment to the moderators and no further (see `decision`).

use super::App;
use crate::classifier::tracker::Tracker;
use crate::classifier::{Features, Model, Score};
use crate::decision::Recent;
use crate::id::{ModelId, SiteId};
use crate::shelf::{self, Shelf, ShelfError};
use crate::store::{Reader, Relabelled, StoreError};
use crate::text::Reading;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rulings read at a time when a model catches up: a bound on memory.
const RULINGS_AT_ONCE: usize = 500;

/// Why a site gets no new model; it keeps the one it has.
#[derive(Debug, thiserror::Error)]
pub enum NoModel {
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// By site. Of a site that is not here no model could be read: the rules alone decide, and nothing is published that no rule vouches for.
#[derive(Debug, Default)]
pub struct Models(BTreeMap<SiteId, SiteModel>);

/// What judges one site's comments.
#[derive(Debug, Clone)]
pub struct SiteModel {
    frozen: Arc<Model>,
    /// None where nothing can be learnt between trainings, as by the starter.
    live: Option<Live>,
    tracker: Tracker,
}

/// A copy of the frozen model that goes on learning.
#[derive(Debug, Clone)]
struct Live {
    model: Model,
    /// The last ruling it knows, by its number.
    ruling: i64,
    /// Whether it learnt anything that the frozen one does not know.
    has_learnt: bool,
}

impl Models {
    /// Every site's model, caught up with the rulings. One that cannot be read is told of in the log.
    pub fn load(app: &App) -> Self {
        let model = |site: &SiteId| match SiteModel::load(&app.shelf, app.store.read(), site) {
            Ok(model) => Some((site.clone(), model)),
            Err(error) => {
                tracing::error!(site = %site, error = &error as &dyn std::error::Error, "model.unreadable");
                None
            }
        };
        Self(app.config.sites.keys().filter_map(model).collect())
    }

    pub fn of(&self, site: &SiteId) -> Option<&SiteModel> {
        self.0.get(site)
    }

    pub fn of_mut(&mut self, site: &SiteId) -> Option<&mut SiteModel> {
        self.0.get_mut(site)
    }

    /// From now on this judges the site's comments.
    pub fn take(&mut self, site: SiteId, model: SiteModel) {
        tracing::info!(site = %site, model.id = %model.id(), "model.taken");
        self.0.insert(site, model);
    }

    /// Each site's model by name.
    pub fn ids(&self) -> impl Iterator<Item = (&SiteId, &ModelId)> {
        self.0.iter().map(|(site, model)| (site, model.id()))
    }
}

impl SiteModel {
    pub fn new(model: Model) -> Self {
        let tracker = Tracker::new(model.card.spam, model.card.ham);
        // Rulings are learnt over what was trained on rulings; a model from elsewhere knows none of them.
        let ruling = model.card.ruling.unwrap_or(0);
        let live = model.counts.is_some().then(|| Live { model: model.clone(), ruling, has_learnt: false });
        // The counts are for learning, which the frozen one does not.
        Self { frozen: Arc::new(Model { counts: None, ..model }), live, tracker }
    }

    /// The site's promoted model, else the starter, caught up with the rulings. Reading it verifies it: its checksum, and that this build
    /// makes of its golden examples what the one did that trained it.
    ///
    /// # Errors
    /// [`NoModel`] when the one that should be taken cannot be read.
    pub fn load(shelf: &Shelf, reader: &Reader, site: &SiteId) -> Result<Self, NoModel> {
        let mut model = Self::new(shelf::current_or_starter(shelf, site)?);
        model.catch_up(reader, site, &mut Features::default())?;
        Ok(model)
    }

    pub fn id(&self) -> &ModelId {
        &self.frozen.id
    }

    /// What the frozen model says with its evidence, and what has become known since.
    pub fn score(&self, features: &mut Features, reading: &Reading) -> (Score, Recent) {
        let score = self.frozen.score(features, reading);
        let live = self.live.as_ref().filter(|live| live.has_learnt);
        let rulings = live.map_or(0.0, |live| live.model.log_odds(features, reading) - score.log_odds);
        (score, Recent { rulings, incoming: self.tracker.shift() })
    }

    /// A comment came in of which the frozen model said this.
    pub fn observe(&mut self, log_odds: f64) {
        self.tracker.observe(log_odds);
    }

    /// Learns the rulings that it does not know yet.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read; it then knows those before.
    pub fn catch_up(&mut self, reader: &Reader, site: &SiteId, features: &mut Features) -> Result<(), StoreError> {
        let Some(live) = &mut self.live else { return Ok(()) };
        loop {
            let news = reader.relabelled(site, live.ruling, RULINGS_AT_ONCE)?;
            if news.is_empty() {
                return Ok(());
            }
            for news in &news {
                live.learn(news, features);
            }
        }
    }
}

impl Live {
    fn learn(&mut self, news: &Relabelled, features: &mut Features) {
        self.ruling = news.ruling;
        if news.before == news.now {
            return;
        }
        let reading = Reading::of(&news.body);
        if let Some(label) = news.before {
            self.has_learnt |= self.model.unlearn(features, &reading, label);
        }
        if let Some(label) = news.now {
            self.has_learnt |= self.model.learn(features, &reading, label);
        }
    }
}
