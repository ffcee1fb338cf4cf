//! The models at work: for each site the promoted one, frozen until the next promotion, beside it a copy that learns every ruling at once,
//! how much spam comes in just now, and, where somebody put one there, a model in the shadow, which decides nothing. The judge loop owns them. What the frozen one says is measured and decides; what the others say
//! may take a comment to the moderators and no further (see `decision`).

use super::App;
use crate::classifier::tracker::Tracker;
use crate::classifier::{Features, Model, Score};
use crate::config::Site;
use crate::decision::{Policy, Recent};
use crate::id::{ModelId, SiteId};
use crate::shelf::{self, Shelf, ShelfError};
use crate::store::{Reader, Relabelled, StoreError, Unlearnt};
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
    news: News,
    shadow: Option<Arc<Model>>,
}

/// The names of a site's models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub at_work: ModelId,
    pub shadow: Option<ModelId>,
}

/// What has become known since the frozen model was measured.
#[derive(Debug, Clone)]
enum News {
    Follows {
        /// None where nothing can be learnt between trainings, as by the starter.
        live: Option<Box<Live>>,
        tracker: Tracker,
    },
    /// As it is on record of one comment.
    Recorded(Recent),
}

/// A copy of the frozen model that goes on learning.
#[derive(Debug, Clone)]
struct Live {
    model: Model,
    /// The last ruling it knows, by its number,
    ruling: i64,
    /// and the last that it was trained on.
    trained: i64,
    /// Whether it learnt anything that the frozen one does not know.
    has_learnt: bool,
}

impl Models {
    /// The models of these sites, caught up with the rulings. One that cannot be read is told of in the log.
    pub fn load<'a>(app: &App, sites: impl Iterator<Item = &'a SiteId>) -> Self {
        let mut models = Self::default();
        for site in sites {
            match SiteModel::load(&app.shelf, app.store.read(), site) {
                Ok(model) => models.put(site.clone(), model),
                Err(error) => tracing::error!(site = %site, error = &error as &dyn std::error::Error, "model.unreadable"),
            }
        }
        models
    }

    pub fn of(&self, site: &SiteId) -> Option<&SiteModel> {
        self.0.get(site)
    }

    pub fn of_mut(&mut self, site: &SiteId) -> Option<&mut SiteModel> {
        self.0.get_mut(site)
    }

    /// From now on this judges the site's comments, and the log says so.
    pub fn take(&mut self, site: SiteId, model: SiteModel) {
        tracing::info!(site = %site, model.id = %model.id(), "model.taken");
        self.put(site, model);
    }

    /// Sites that are judged by the same model, as by the starter, share it.
    fn put(&mut self, site: SiteId, mut model: SiteModel) {
        if let Some(same) = self.0.values().find(|other| other.id() == model.id()) {
            model.frozen = Arc::clone(&same.frozen);
        }
        self.0.insert(site, model);
    }

    /// Takes the models of sites that are new, and lets those go that are not among these any more.
    pub fn follow<T>(&mut self, more: Self, sites: &BTreeMap<SiteId, T>) {
        self.0.retain(|site, _| sites.contains_key(site));
        for (site, model) in more.0 {
            self.take(site, model);
        }
    }

    /// Those that were loaded begin to judge.
    pub fn tell(&self) {
        self.ids().for_each(|(site, id)| tracing::info!(site = %site, model.id = %id, "model.taken"));
    }

    /// The models that judge, by name.
    pub fn ids(&self) -> impl Iterator<Item = (&SiteId, &ModelId)> {
        self.0.iter().map(|(site, model)| (site, model.id()))
    }

    /// Each site's models by name, those in the shadow too.
    pub fn names(&self) -> BTreeMap<SiteId, Names> {
        let of = |model: &SiteModel| Names { at_work: model.id().clone(), shadow: model.shadow.as_ref().map(|shadow| shadow.id.clone()) };
        self.0.iter().map(|(site, model)| (site.clone(), of(model))).collect()
    }
}

impl SiteModel {
    pub fn new(model: Model) -> Self {
        let tracker = Tracker::new(model.card.spam, model.card.ham);
        // Rulings are learnt over what was trained on rulings; a model from elsewhere knows none of them.
        let ruling = model.card.ruling.unwrap_or(0);
        let live = model.counts.is_some().then(|| Box::new(Live { model: model.clone(), ruling, trained: ruling, has_learnt: false }));
        // The counts are for learning, which the frozen one does not.
        Self { frozen: Arc::new(Model { counts: None, ..model }), news: News::Follows { live, tracker }, shadow: None }
    }

    /// The model as it stood before one comment: with the recent news that are on record of it, since those that moved nothing were not kept.
    pub fn recorded(frozen: Arc<Model>, recent: Recent) -> Self {
        Self { frozen, news: News::Recorded(recent), shadow: None }
    }

    /// The site's promoted model, else the starter, caught up with the rulings. Reading it verifies it: its checksum, and that this build
    /// makes of its golden examples what the one did that trained it.
    ///
    /// # Errors
    /// [`NoModel`] when the one that should be taken cannot be read.
    pub fn load(shelf: &Shelf, reader: &Reader, site: &SiteId) -> Result<Self, NoModel> {
        let mut model = Self::new(shelf::current_or_starter(shelf, site)?);
        model.catch_up(reader, site, &mut Features::default())?;
        model.shadow = in_shadow(shelf, site, model.id());
        Ok(model)
    }

    /// The model in the shadow as it judges beside this one: it hears of as much spam that comes in, and learns no rulings.
    pub fn shadow(&self) -> Option<Self> {
        let incoming = if let News::Follows { tracker, .. } = &self.news { tracker.shift() } else { 0.0 };
        let shadow = self.shadow.as_ref()?;
        Some(Self::recorded(Arc::clone(shadow), Recent { rulings: 0.0, incoming }))
    }

    /// The thresholds that judge with it: those that it was certified for, if it was for this site's budget. So they come and go with it.
    pub fn policy(&self, site: &Site) -> Policy {
        site.policy_with(self.frozen.card.terms.as_ref())
    }

    pub fn id(&self) -> &ModelId {
        &self.frozen.id
    }

    /// What the frozen model says with its evidence, and what has become known since.
    pub fn score(&self, features: &mut Features, reading: &Reading) -> (Score, Recent) {
        let score = self.frozen.score(features, reading);
        let recent = match &self.news {
            News::Recorded(recent) => *recent,
            News::Follows { live, tracker } => {
                let live = live.as_ref().filter(|live| live.has_learnt);
                let rulings = live.map_or(0.0, |live| live.model.log_odds(features, reading) - score.log_odds);
                Recent { rulings, incoming: tracker.shift() }
            }
        };
        (score, recent)
    }

    /// The one that was measured and decides.
    pub fn frozen(&self) -> &Model {
        &self.frozen
    }

    /// A comment came in of which the frozen model said this.
    pub fn observe(&mut self, log_odds: f64) {
        if let News::Follows { tracker, .. } = &mut self.news {
            tracker.observe(log_odds);
        }
    }

    /// Takes labels out again that were forgotten, those that it knows. The frozen model keeps its share in them until the next training.
    pub fn unlearn(&mut self, labels: &[Unlearnt], features: &mut Features) {
        let News::Follows { live: Some(live), .. } = &mut self.news else { return };
        for Unlearnt { body, label, ruling, is_imported } in labels {
            let last_known = if *is_imported { live.trained } else { live.ruling };
            if *ruling <= last_known {
                live.has_learnt |= live.model.unlearn(features, &Reading::of(body), *label);
            }
        }
    }

    /// Learns the rulings that it does not know yet.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read; it then knows those before.
    pub fn catch_up(&mut self, reader: &Reader, site: &SiteId, features: &mut Features) -> Result<(), StoreError> {
        let News::Follows { live: Some(live), .. } = &mut self.news else { return Ok(()) };
        loop {
            let news = reader.relabelled(site, (live.ruling, live.trained), RULINGS_AT_ONCE)?;
            if news.is_empty() {
                return Ok(());
            }
            for news in &news {
                live.learn(news, features);
            }
        }
    }
}

/// One that cannot be read, or that judges already, stands in nobody's shadow: comments are judged all the same.
fn in_shadow(shelf: &Shelf, site: &SiteId, at_work: &ModelId) -> Option<Arc<Model>> {
    let read = shelf.shadow_id(site).and_then(|id| id.filter(|id| id != at_work).map(|id| shelf.model(&id)).transpose());
    let told = |error: &ShelfError| tracing::error!(site = %site, error = error as &dyn std::error::Error, "model.shadow_unreadable");
    read.inspect_err(told).ok().flatten().map(|model| Arc::new(Model { counts: None, ..model }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::train::{fit, train};
    use crate::classifier::{Example, Fold, Label, Reach};
    use Label::{Ham, Spam};

    fn own_model() -> Model {
        let mut fold = Fold::new(Reach::Home, 7);
        for (body, label) in [("cheap pills now", Spam), ("win money fast", Spam), ("thanks, this helped", Ham), ("a small grinder", Ham)] {
            fold.add(&Example { body: body.into(), label, group: None, time: None });
        }
        train(fold, Vec::new(), String::new(), |folded| folded.iter().map(fit).collect()).unwrap()
    }

    fn relabelled(ruling: i64, before: Option<Label>, now: Option<Label>) -> Relabelled {
        Relabelled { ruling, body: "quillon sharpeners for the garden".into(), before, now }
    }

    #[test]
    fn what_is_ruled_moves_the_recent_word_alone_and_what_is_taken_back_moves_nothing() {
        let mut model = SiteModel::new(own_model());
        let (mut features, reading) = (Features::default(), Reading::of("quillon sharpeners"));
        let (measured, before) = model.score(&mut features, &reading);
        assert_eq!(before, Recent::default());
        let mut learn = |model: &mut SiteModel, news: Relabelled| {
            let News::Follows { live: Some(live), .. } = &mut model.news else { panic!("it cannot learn") };
            live.learn(&news, &mut features);
            live.ruling
        };
        learn(&mut model, relabelled(1, None, Some(Spam)));
        let (score, recent) = model.score(&mut Features::default(), &reading);
        assert!(score == measured && recent.rulings > 0.1, "{recent:?}");
        assert_eq!(learn(&mut model, relabelled(2, Some(Spam), None)), 2);
        let (_, recent) = model.score(&mut Features::default(), &reading);
        assert!(recent.rulings.abs() < 1e-9, "{recent:?}");
    }

    #[test]
    fn a_wave_of_spam_moves_the_recent_word_alone() {
        let mut model = SiteModel::new(shelf::starter().unwrap());
        let (mut features, reading) = (Features::default(), Reading::of("A word about the kettle."));
        let (measured, _) = model.score(&mut features, &reading);
        (0..200).for_each(|_| model.observe(4.0));
        let (score, recent) = model.score(&mut features, &reading);
        assert!(score == measured && recent.incoming > 0.5 && recent.rulings == 0.0, "{recent:?}");
    }

    #[test]
    fn sites_share_the_model_that_they_share() {
        let mut models = Models::default();
        for site in ["blog", "shop"] {
            models.take(SiteId::new(site), SiteModel::new(shelf::starter().unwrap()));
        }
        let [blog, shop] = ["blog", "shop"].map(|site| &models.of(&SiteId::new(site)).unwrap().frozen);
        assert!(Arc::ptr_eq(blog, shop));
    }
}
