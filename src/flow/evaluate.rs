//! Evaluating: how well a model trained as ours are would have judged comments it had not seen. Splits, trains, scores; measuring is
//! `classifier::evaluate`'s, telling is the terminal's.

use super::learn::{self, CannotLearn};
use crate::classifier::splits::{self, Split};
use crate::classifier::train::train;
use crate::classifier::{Example, Features, Fold, Label, Model, Reach};
use crate::text::Reading;
use std::path::Path;

/// One out-of-sample score: the place of the example, and the logit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    pub index: usize,
    pub part: usize,
    pub log_odds: f64,
    pub label: Label,
}

/// How models are trained in an evaluation.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    pub split: Split,
    pub seed: u64,
    pub base: Option<Model>,
    pub program: &'a Path,
}

/// Scores of every example that some model did not learn from, in the order of the parts. `tell` hears of each part that is done.
///
/// # Errors
/// [`CannotLearn`], the first.
pub fn scores(examples: &[Example], plan: &Plan<'_>, tell: impl Fn(usize, usize) + Sync) -> Result<Vec<Scored>, CannotLearn> {
    let parts = splits::parts(examples, plan.split, plan.seed);
    let n = parts.iter().max().map_or(0, |last| last + 1);
    let first = usize::from(matches!(plan.split, Split::Time(_)));
    let next = std::sync::atomic::AtomicUsize::new(first);
    let done = std::sync::Mutex::new((Vec::new(), 0));
    let work = || -> Result<(), CannotLearn> {
        loop {
            let part = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if part >= n {
                return Ok(());
            }
            let scored = score_part(examples, &parts, part, plan)?;
            let mut done = done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            done.0.extend(scored);
            done.1 += 1;
            tell(done.1, n - first);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Err(CannotLearn::Stopped)))
    })?;
    let (mut scored, _) = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    scored.sort_by_key(|scored: &Scored| (scored.part, scored.index));
    Ok(scored)
}

fn score_part(examples: &[Example], parts: &[usize], part: usize, plan: &Plan<'_>) -> Result<Vec<Scored>, CannotLearn> {
    let learns = |of: usize| if matches!(plan.split, Split::Time(_)) { of < part } else { of != part };
    let mut fold = Fold::new(Reach::Home, 0);
    if let Some(base) = &plan.base {
        fold = fold.over(base.clone());
    }
    examples.iter().zip(parts).filter(|(_, of)| learns(**of)).for_each(|(example, _)| fold.add(example));
    let model = train(fold, Vec::new(), String::new(), |folded| learn::fit_apart(plan.program, folded))?;
    let mut features = Features::default();
    let mut judge = |index: usize, example: &Example| {
        let reading = Reading::of(&example.body);
        let log_odds = model.log_odds(&mut features, &reading);
        Scored { index, part, log_odds, label: example.label }
    };
    let asked = examples.iter().zip(parts).enumerate().filter(|(_, (_, of))| **of == part);
    Ok(asked.map(|(index, (example, _))| judge(index, example)).collect())
}
