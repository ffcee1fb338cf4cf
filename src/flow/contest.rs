//! Champion against challenger: what is held out, and how both are scored on it. The test is `classifier::contest`'s, what follows `learn`'s.
//!
//! The champion is scored on what came after its training alone: whatever it learnt from would flatter it. So the challenger cannot be scored
//! itself, which learnt from all of it. In its place stand models made in the same way of what came before: the labels since the champion's
//! training are cut in order of time, and each cut but the first is judged by a model of all labels before it, as if one had trained then. They
//! know less than the challenger that is to judge, so the contest leans to the champion. What repeats a text that either side had learnt by then is no test and left out.

use super::certify::Procedure;
use super::evaluate::{self, Depth, Plan};
use super::learn::CannotLearn;
use crate::classifier::Model;
use crate::classifier::contest::{Contest, HeldOut};
use crate::classifier::splits::{self, Split};
use crate::classifier::train::{CannotTrain, EXAMPLES_MIN};
use crate::decision::Policy;
use crate::dice::Dice;
use crate::store::Labelled;
use std::collections::HashSet;

/// Cuts of the time since the champion's training. The first is only learnt from; more would hold out more and train more models.
const CUTS: usize = 4;

/// Labels held out at most, the last ones: a bound on the time of the test, which draws each text a thousand times.
const HELD_OUT_MAX: usize = 10_000;

/// The same labels give the same contest.
const SEED: u64 = 0;

/// Holds the contest.
///
/// # Errors
/// [`CannotLearn`] from a fit.
pub fn contest(labelled: &Labelled, champion: &Model, policy: Policy, procedure: &Procedure<'_>) -> Result<Contest, CannotLearn> {
    let plan = Plan {
        split: Split::Time(CUTS),
        seed: SEED,
        base: procedure.base.clone(),
        key: procedure.key,
        depth: Depth::Scores,
        program: procedure.program,
    };
    let stretch = Stretch::since(champion, labelled);
    let mut held_out = Vec::new();
    // One after the other: models trained side by side would take the processors that judge.
    for cut in stretch.cuts() {
        let challenger = match evaluate::model_of(&labelled.examples, &cut.learnt, &plan) {
            Ok(model) => model,
            // What came before knows one class only: nobody would have trained then.
            Err(CannotLearn::Train(CannotTrain::TooFew { .. })) => continue,
            Err(error) => return Err(error),
        };
        held_out.extend(scored(labelled, &cut, champion, &challenger));
    }
    let dice = Dice::seeded(SEED);
    Ok(Contest::of(champion.id.as_str(), &held_out, policy, || dice.unit()))
}

/// Labels in order of time, and where the champion's knowledge ends.
struct Stretch {
    /// Places of labels that the champion had, or that are not to be judged.
    before: Vec<usize>,
    /// Places of those since, in order of time.
    since: Vec<usize>,
    /// Each label's text.
    texts: Vec<u64>,
}

/// What was learnt by a moment, and what is judged then.
struct Cut {
    learnt: Vec<usize>,
    judged: Vec<usize>,
    texts: Vec<u64>,
}

impl Stretch {
    fn since(champion: &Model, labelled: &Labelled) -> Self {
        let texts = splits::texts(&labelled.examples);
        // A model that is not of this site's rulings has seen none of them.
        let trained = champion.card.ruling.unwrap_or(0);
        let (mut before, mut since): (Vec<usize>, Vec<usize>) =
            (0..labelled.examples.len()).partition(|place| labelled.given.get(*place).is_none_or(|given| given.first_ruling <= trained));
        since.sort_by_key(|place| labelled.given.get(*place).map(|given| (given.received_at, given.ruling)));
        let too_many = since.len().saturating_sub(HELD_OUT_MAX * CUTS / (CUTS - 1));
        before.extend(since.drain(..too_many));
        Self { before, since, texts }
    }

    fn cuts(&self) -> impl Iterator<Item = Cut> {
        let size = self.since.len().div_ceil(CUTS).max(1);
        (1..CUTS).filter_map(move |cut| {
            let judged = self.since.get(cut * size..)?;
            let judged = judged.get(..size.min(judged.len()))?;
            let learnt: Vec<usize> = self.before.iter().chain(self.since.get(..cut * size)?).copied().collect();
            let text = |place: &usize| self.texts.get(*place).copied();
            let known: HashSet<u64> = learnt.iter().filter_map(text).collect();
            let judged: Vec<usize> =
                judged.iter().copied().filter(|place| text(place).is_some_and(|text| !known.contains(&text))).collect();
            let texts = judged.iter().filter_map(text).collect();
            (!judged.is_empty() && learnt.len() >= 2 * EXAMPLES_MIN).then_some(Cut { learnt, judged, texts })
        })
    }
}

fn scored(labelled: &Labelled, cut: &Cut, champion: &Model, challenger: &Model) -> Vec<HeldOut> {
    let log_odds = |model: &Model| evaluate::judge(&labelled.examples, &cut.judged, 0, model, Depth::Scores);
    let came = |place: usize| labelled.given.get(place).map(|given| given.received_at.to_string()).unwrap_or_default();
    let both = log_odds(champion).into_iter().zip(log_odds(challenger)).zip(&cut.texts);
    both.map(|((champion, challenger), text)| HeldOut {
        champion: champion.log_odds,
        challenger: challenger.log_odds,
        label: champion.label,
        text: *text,
        came: came(champion.index),
    })
    .collect()
}
