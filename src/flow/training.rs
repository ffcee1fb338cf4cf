//! A site's training: from its rulings to a model on the shelf, which is set against the one at work, and judges, waits in its shadow or is
//! kept beside. Runs in the process of `hamlet retrain`, or in one of its own for the daemon (see `schedule`).

use super::certify::{self, Asked, Procedure};
use super::learn::{self, CannotLearn};
use super::{contest, forget, guarding};
use crate::classifier::contest::{Contest, Place, Promote};
use crate::classifier::train::train;
use crate::classifier::{Fold, Model, Reach, Source};
use crate::clock::Timestamp;
use crate::id::SiteId;
use crate::shelf::{self, SECRET_BYTES, Shelf};
use crate::store::{Labelled, Reader};
use sha2::{Digest, Sha256};
use std::path::Path;

/// What came of it.
#[derive(Debug)]
pub struct Trained {
    pub model: Model,
    pub place: Place,
    /// Labels that were put in quarantine now.
    pub put_aside: usize,
}

/// What is trained, and how.
#[derive(Debug)]
pub struct Training<'a> {
    pub reader: &'a Reader,
    pub shelf: &'a Shelf,
    pub site: &'a SiteId,
    /// This binary.
    pub program: &'a Path,
    /// Becomes the secret of the hashing where there is none yet.
    pub drawn: [u8; SECRET_BYTES],
    pub at: Timestamp,
    /// Labels of comments that came before then are left out.
    pub since: Option<Timestamp>,
    pub asked: Asked,
    pub promote: Promote,
}

impl Training<'_> {
    /// Trains on a site's own labels over the starter model and puts the model on the shelf and into its place. What the labels say of the
    /// budget, and how it did against the champion, goes on its card.
    ///
    /// # Errors
    /// [`CannotLearn`]; the shelf is then as it was.
    pub fn run(&self) -> Result<Trained, CannotLearn> {
        let Self { reader, shelf, site, program, .. } = self;
        let mut labelled = reader.labelled(site)?;
        let champion = shelf::current_or_starter(shelf, site).ok();
        let put_aside = guarding::guard(shelf, site, &mut labelled, champion.as_ref(), self.at)?;
        if let Some(since) = self.since {
            labelled.keep(|given| given.received_at >= since);
        }
        let starter = shelf::starter().map_err(CannotLearn::Starter)?;
        let key = shelf.hashing_key(site, self.drawn)?;
        let procedure = Procedure { base: Some(starter), key, program };
        let mut model = fit(&labelled, &procedure, self.at)?;
        model.card.terms = Some(certify::terms(reader, site, &labelled, &self.asked, procedure.clone())?);
        model.card.contest = self.contest(&labelled, champion, &model, &procedure)?;
        shelf.save(&model)?;
        let place = self.promote.place(model.card.contest.as_ref().map(|contest| contest.outcome));
        match place {
            // Whatever stood in the shadow knows less than this one.
            Place::AtWork => shelf.promote(site, &model.id).and_then(|()| shelf.put_in_shadow(site, None))?,
            Place::Shadow => shelf.put_in_shadow(site, Some(&model.id))?,
            Place::Shelf => {}
        }
        Ok(Trained { model, place, put_aside })
    }

    /// None where the model is the champion itself, as after a training that had nothing new to learn.
    fn contest(
        &self,
        labelled: &Labelled,
        champion: Option<Model>,
        challenger: &Model,
        procedure: &Procedure<'_>,
    ) -> Result<Option<Contest>, CannotLearn> {
        // A champion that cannot be read judges nobody, and any model is better than none.
        let Some(champion) = champion else { return Ok(None) };
        // Nor may one go on that knows what was forgotten since, however good it is.
        if forget::known_to(self.reader, self.site, &champion)?.is_some() {
            return Ok(None);
        }
        if champion.id == challenger.id {
            return Ok(champion.card.contest);
        }
        contest::contest(labelled, &champion, self.asked.fixed, procedure).map(Some)
    }
}

fn fit(labelled: &Labelled, procedure: &Procedure<'_>, at: Timestamp) -> Result<Model, CannotLearn> {
    let mut fold = Fold::new(Reach::Home, procedure.key);
    if let Some(base) = &procedure.base {
        fold = fold.over(base.clone());
    }
    let mut digest = Sha256::new();
    for example in &labelled.examples {
        digest.update(&example.body);
        digest.update([0]);
        fold.add(example);
    }
    let sha256 = learn::hex(&digest.finalize());
    let source = Source { name: "rulings".to_owned(), sha256, examples: labelled.examples.len(), origin: None };
    let mut model = train(fold, vec![source], at.to_string(), |folded| learn::fit_apart(procedure.program, folded))?;
    model.card.ruling = Some(labelled.ruling);
    Ok(model)
}
