//! Evaluating: how well a model trained as ours are would have judged comments it had not seen. Splits, trains, scores; measuring is
//! `classifier::evaluate`'s, thresholds are `budget`'s, telling is the terminal's.

use super::judge::doubts;
use super::learn::{self, CannotLearn};
use crate::classifier::curves::Step;
use crate::classifier::evaluate::{ThreeWay, measure};
use crate::classifier::splits::{self, Split};
use crate::classifier::tracker::Tracker;
use crate::classifier::train::{EXAMPLES_MIN, train};
use crate::classifier::{Contribution, Example, Features, Fold, Label, Model, Reach};
use crate::decision::{Policy, Verdict, logistic};
use crate::rules::Finding;
use crate::text::Reading;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Models trained at a time, at most: each holds tables of its own and a process that fits, some 150 MB together.
const WORKERS_MAX: usize = 4;

/// Orders in which each size of a learning curve is tried; the median of five is steady enough to plan by.
pub const ORDERS: u64 = 5;

/// Sizes of a learning curve, each about twice the last; those below 50 say something only with a base to lean on.
const SIZES: [usize; 12] = [10, 25, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];
const SIZE_MIN_ALONE: usize = 50;

/// One out-of-sample score: the place of the example, the logit, and what the prior tracker adds to it (0 where order means nothing).
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    pub index: usize,
    pub part: usize,
    pub log_odds: f64,
    pub shift: f64,
    pub label: Label,
    /// Why a person would be asked although the score decides; empty unless judged in depth.
    pub doubts: Vec<Finding>,
    /// What spoke for the wrong side; empty where the score leans right, and unless judged in depth.
    pub evidence: Vec<Contribution>,
}

impl Scored {
    /// What the daemon would say under these thresholds, by the text alone: rules on addresses and lists, and what the past says, are not in it.
    pub fn verdict(&self, policy: Policy) -> Verdict {
        if self.doubts.is_empty() { policy.verdict(logistic(self.log_odds)) } else { Verdict::Hold }
    }
}

/// How closely a comment is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The score alone, which is what bounds are made of.
    Scores,
    /// Also what the judge asks beside the score, and why a score leans the wrong way: several times the work.
    Reasons,
}

/// What became of spam and of ham under these thresholds.
pub fn three_way(scored: &[Scored], policy: Policy) -> ThreeWay {
    scored.iter().map(|one| (one.verdict(policy), one.label)).collect()
}

/// How models are trained in an evaluation.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    pub split: Split,
    pub seed: u64,
    pub base: Option<Model>,
    /// The hashing's; any is as good as another.
    pub key: u64,
    pub depth: Depth,
    pub program: &'a Path,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum CannotEvaluate {
    #[error("{spam} spam and {ham} ham among the labelled comments; measuring needs both")]
    OneClass { spam: usize, ham: usize },
    #[error(
        "{folds} parts need at least {folds} spam and {folds} ham (copies of a text count once where they are kept together), and there are \
         {spam} and {ham}: use fewer --folds, or label more"
    )]
    TooFewForParts { folds: usize, spam: usize, ham: usize },
    #[error("all labelled comments are of one group, so there is no other to learn from: give each a `group`, or use --by texts")]
    OneGroup,
    #[error(
        "part {part} would be judged by what {spam} spam and {ham} ham teach; training needs at least {EXAMPLES_MIN} of each: use \
         {advice}"
    )]
    TooFewToLearn { part: usize, spam: usize, ham: usize, advice: &'static str },
    #[error("a learning curve needs more than {needed} labelled comments, and there are {found}")]
    TooFewForCurve { needed: usize, found: usize },
    #[error(transparent)]
    Learn(#[from] CannotLearn),
}

/// (spam, ham).
pub type Classes = (usize, usize);

/// How many of each class.
pub fn classes<'a>(examples: impl IntoIterator<Item = &'a Example>) -> Classes {
    examples.into_iter().fold((0, 0), |(spam, ham), example| match example.label {
        Label::Spam => (spam + 1, ham),
        Label::Ham => (spam, ham + 1),
    })
}

/// Scores of every example that some model did not learn from, part after part, in a part by time or by place. `tell` hears how many
/// models of how many are done.
///
/// # Errors
/// [`CannotEvaluate`]: what the labels cannot carry before anything is trained, then the first failure.
pub fn scores(examples: &[Example], plan: &Plan<'_>, tell: impl Fn(usize, usize) + Sync) -> Result<Vec<Scored>, CannotEvaluate> {
    both_classes(examples)?;
    let parts = splits::parts(examples, plan.split, plan.seed);
    let judged = judged_parts(&parts, plan.split);
    check(examples, &parts, &judged, plan.split)?;
    let by_time = matches!(plan.split, Split::Time(_));
    let judge_part = |job: usize| {
        let part = judged.get(job).copied().unwrap_or_default();
        let of = |wanted: &dyn Fn(usize) -> bool| places(&parts, wanted);
        let learnt = of(&|other| if by_time { other < part } else { other != part });
        let model = model_of(examples, &learnt, plan)?;
        let scored = judge(examples, &of(&|other| other == part), part, &model, plan.depth);
        Ok(((part, (model.card.spam, model.card.ham)), scored))
    };
    let (trained, scored): (BTreeMap<usize, Classes>, Vec<_>) = each(judged.len(), &tell, judge_part)?.into_iter().unzip();
    let mut scored = scored.concat();
    if by_time {
        let mut rank = vec![0; examples.len()];
        splits::in_time(examples).into_iter().zip(0_usize..).for_each(|(place, at)| {
            if let Some(rank) = rank.get_mut(place) {
                *rank = at;
            }
        });
        scored.sort_by_key(|one| rank.get(one.index).copied());
        track(&mut scored, |part| trained.get(&part).copied().unwrap_or_default());
    }
    Ok(scored)
}

/// Scores by a finished model of every example, in order of time with the tracker, if `in_time`.
///
/// # Errors
/// [`CannotEvaluate::OneClass`].
pub fn scores_of(model: &Model, examples: &[Example], in_time: bool) -> Result<Vec<Scored>, CannotEvaluate> {
    both_classes(examples)?;
    let order = if in_time { splits::in_time(examples) } else { (0..examples.len()).collect() };
    let mut scored = judge(examples, &order, 0, model, Depth::Reasons);
    if in_time {
        track(&mut scored, |_| (model.card.spam, model.card.ham));
    }
    Ok(scored)
}

/// Runs the tracker over a stream of scores. A new model's tracker takes over what the last ones said of the comments before, as a daemon's
/// does when it swaps models.
fn track(scored: &mut [Scored], trained: impl Fn(usize) -> Classes) {
    let mut before: Vec<f64> = Vec::with_capacity(scored.len());
    for stretch in scored.chunk_by_mut(|a, b| a.part == b.part) {
        let (spam, ham) = trained(stretch.first().map_or(0, |one| one.part));
        let mut tracker = Tracker::new(spam, ham);
        for log_odds in &before {
            tracker.observe(*log_odds);
        }
        for one in stretch {
            one.shift = tracker.shift();
            tracker.observe(one.log_odds);
            before.push(one.log_odds);
        }
    }
}

/// How measures grow with the number of labels: models of so many examples drawn at random, each judging the rest. With `apart`, copies
/// of what was learnt are not judged.
///
/// # Errors
/// [`CannotEvaluate`], the first.
pub fn learning_curve(
    examples: &[Example],
    plan: &Plan<'_>,
    apart: bool,
    tell: impl Fn(usize, usize) + Sync,
) -> Result<Vec<Step>, CannotEvaluate> {
    both_classes(examples)?;
    let least = if plan.base.is_some() { 0 } else { SIZE_MIN_ALONE };
    // At least a fifth is left to be judged.
    let sizes: Vec<usize> = SIZES.into_iter().filter(|size| *size >= least && size * 5 <= examples.len() * 4).collect();
    if sizes.is_empty() {
        return Err(CannotEvaluate::TooFewForCurve { needed: least.max(10) * 5 / 4, found: examples.len() });
    }
    let texts = apart.then(|| splits::texts(examples));
    let jobs: Vec<(usize, u64)> = sizes.iter().flat_map(|size| (0..ORDERS).map(|order| (*size, order))).collect();
    let tried = each(jobs.len(), &tell, |job| {
        let (size, order) = jobs.get(job).copied().unwrap_or_default();
        let (learnt, judged) = splits::learnt_and_judged(examples.len(), size, plan.seed.wrapping_add(order), texts.as_deref());
        let (spam, ham) = classes(learnt.iter().filter_map(|place| examples.get(*place)));
        if spam.min(ham) < EXAMPLES_MIN {
            return Ok(None);
        }
        let model = model_of(examples, &learnt, plan)?;
        let scored: Vec<_> = judge(examples, &judged, 0, &model, Depth::Scores).iter().map(|one| (one.log_odds, one.label)).collect();
        Ok(Some(measure(&scored)))
    })?;
    let steps = sizes.iter().zip(tried.chunks(usize::try_from(ORDERS).unwrap_or(1))).filter_map(|(size, tried)| {
        let tried: Vec<_> = tried.iter().flatten().collect();
        let of = |value: fn(&crate::classifier::evaluate::Measures) -> f64| median(tried.iter().map(|measures| value(measures)).collect());
        let (auc, accuracy, log_loss) = (of(|m| m.auc)?, of(|m| m.accuracy)?, of(|m| m.log_loss)?);
        Some(Step { examples: *size, orders: tried.len(), auc, accuracy, log_loss })
    });
    Ok(steps.collect())
}

/// The middle one, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let high = values.get(values.len() / 2)?;
    let low = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*low, *high))
}

fn both_classes(examples: &[Example]) -> Result<(), CannotEvaluate> {
    let (spam, ham) = classes(examples);
    if spam.min(ham) == 0 { Err(CannotEvaluate::OneClass { spam, ham }) } else { Ok(()) }
}

/// All parts, but in order of time the first, which nothing came before.
fn judged_parts(parts: &[Option<usize>], split: Split) -> Vec<usize> {
    let all = parts.iter().flatten().max().map_or(0, |last| last + 1);
    (usize::from(matches!(split, Split::Time(_)))..all).collect()
}

fn places(parts: &[Option<usize>], wanted: &dyn Fn(usize) -> bool) -> Vec<usize> {
    parts.iter().enumerate().filter(|(_, part)| part.is_some_and(wanted)).map(|(place, _)| place).collect()
}

/// Whether the labels carry the split, before hours go into it.
fn check(examples: &[Example], parts: &[Option<usize>], judged: &[usize], split: Split) -> Result<(), CannotEvaluate> {
    if let Split::Folds(folds) | Split::FoldsOfTexts(folds) = split {
        let mut known = HashSet::new();
        let texts = if matches!(split, Split::FoldsOfTexts(_)) { splits::texts(examples) } else { (0..).take(examples.len()).collect() };
        let (spam, ham) = classes(examples.iter().zip(texts).filter(|(_, text)| known.insert(*text)).map(|(example, _)| example));
        if spam.min(ham) < folds {
            return Err(CannotEvaluate::TooFewForParts { folds, spam, ham });
        }
    }
    if matches!(split, Split::Groups(_)) && judged.len() < 2 {
        return Err(CannotEvaluate::OneGroup);
    }
    let of = |wanted: &dyn Fn(usize) -> bool| classes(places(parts, wanted).into_iter().filter_map(|place| examples.get(place)));
    for part in judged {
        let (by_time, advice) = match split {
            Split::Time(_) => (true, "fewer --folds, which makes the first part longer"),
            Split::Groups(_) => (false, "--by texts"),
            Split::Folds(_) | Split::FoldsOfTexts(_) => (false, "more labelled comments"),
        };
        let (spam, ham) = of(&|other| if by_time { other < *part } else { other != *part });
        if spam.min(ham) < EXAMPLES_MIN {
            return Err(CannotEvaluate::TooFewToLearn { part: part + 1, spam, ham, advice });
        }
    }
    Ok(())
}

pub(super) fn model_of(examples: &[Example], learnt: &[usize], plan: &Plan<'_>) -> Result<Model, CannotLearn> {
    let mut fold = Fold::new(Reach::Home, plan.key);
    if let Some(base) = &plan.base {
        fold = fold.over(base.clone());
    }
    learnt.iter().filter_map(|place| examples.get(*place)).for_each(|example| fold.add(example));
    Ok(train(fold, Vec::new(), String::new(), |folded| learn::fit_apart(plan.program, folded))?)
}

pub(super) fn judge(examples: &[Example], asked: &[usize], part: usize, model: &Model, depth: Depth) -> Vec<Scored> {
    let mut features = Features::default();
    let asked = asked.iter().filter_map(|index| Some((*index, examples.get(*index)?)));
    asked
        .map(|(index, example)| {
            let (label, reading) = (example.label, Reading::of(&example.body));
            let log_odds = model.log_odds(&mut features, &reading);
            let mut scored = Scored { index, part, log_odds, shift: 0.0, label, doubts: Vec::new(), evidence: Vec::new() };
            if depth == Depth::Reasons {
                // Thresholds lie on either side of one half, so this is the only way that its score could decide it.
                let leaning = if log_odds < 0.0 { Verdict::Publish } else { Verdict::Reject };
                scored.doubts = doubts(model, &mut features, (&example.body, &reading), leaning);
                if (leaning == Verdict::Publish) == (label == Label::Spam) {
                    scored.evidence = model.score(&mut features, &reading).evidence;
                }
            }
            scored
        })
        .collect()
}

/// What `work` makes of every job, in their order. After a failure no new job is begun.
pub(super) fn each<T: Send>(
    jobs: usize,
    tell: &(impl Fn(usize, usize) + Sync),
    work: impl Fn(usize) -> Result<T, CannotLearn> + Sync,
) -> Result<Vec<T>, CannotLearn> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(jobs));
    let worker = || -> Result<(), CannotLearn> {
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                return Ok(());
            }
            let made = work(job).inspect_err(|_| next.store(jobs, Ordering::Relaxed))?;
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((job, made));
            tell(done.len(), jobs);
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Err(CannotLearn::Stopped)))
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(job, _)| *job);
    Ok(done.into_iter().map(|(_, made)| made).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Ham, Spam};

    fn examples(spam: usize, ham: usize) -> Vec<Example> {
        let of = |label, n| (0..n).map(move |at| Example { body: format!("{label:?} {at}"), label, group: None, time: None });
        of(Spam, spam).chain(of(Ham, ham)).collect()
    }

    #[track_caller]
    fn check(examples: &[Example], split: Split, expected: &str) {
        let plan = Plan { split, seed: 0, base: None, key: 0, depth: Depth::Scores, program: Path::new("/never/run") };
        let said = scores(examples, &plan, |_, _| ()).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn what_the_labels_cannot_carry_is_said_with_numbers_before_anything_is_trained() {
        check(&examples(0, 9), Split::Folds(3), "0 spam and 9 ham");
        check(&examples(4, 300), Split::Folds(10), "10 parts need at least 10 spam and 10 ham");
        check(&examples(40, 300), Split::Groups(10), "all labelled comments are of one group");
        check(&examples(2, 9), Split::Folds(2), "part 1 would be judged by what 1 spam");
        // In the order of the file all spam comes first.
        check(&examples(50, 50), Split::Time(5), "fewer --folds");
        let copies = vec![examples(1, 1); 20].concat();
        check(&copies, Split::FoldsOfTexts(2), "there are 1 and 1");
        let plan = Plan { split: Split::Folds(2), seed: 0, base: None, key: 0, depth: Depth::Scores, program: Path::new("/never/run") };
        assert!(matches!(
            learning_curve(&examples(31, 31), &plan, true, |_, _| ()),
            Err(CannotEvaluate::TooFewForCurve { needed: 62, found: 62 })
        ));
    }

    #[test]
    fn jobs_come_back_in_order_and_a_failure_stops_them() {
        let told = AtomicUsize::new(0);
        let tell = |_, _| {
            told.fetch_add(1, Ordering::Relaxed);
        };
        assert_eq!(each(50, &tell, Ok).unwrap(), (0..50).collect::<Vec<_>>());
        assert_eq!(told.load(Ordering::Relaxed), 50);
        let begun = AtomicUsize::new(0);
        let failed = each(10_000, &|_, _| (), |job| {
            begun.fetch_add(1, Ordering::Relaxed);
            if job >= 3 { Err(CannotLearn::Stopped) } else { Ok(job) }
        });
        assert!(failed.is_err() && begun.load(Ordering::Relaxed) <= 3 + WORKERS_MAX);
    }

    /// The tracker knows the past only: what it adds to a comment does not depend on that comment or on later ones.
    #[test]
    fn the_tracker_looks_back_only_and_over_a_change_of_models() {
        let stream = |last: f64| -> Vec<Scored> {
            let logits = [3.0; 30].into_iter().chain([last; 30]);
            (0..)
                .zip(logits)
                .map(|(index, log_odds)| Scored {
                    index,
                    part: index / 30,
                    log_odds,
                    shift: 0.0,
                    label: Spam,
                    doubts: vec![],
                    evidence: vec![],
                })
                .collect()
        };
        let tracked = |last| {
            let mut stream = stream(last);
            track(&mut stream, |_| (500, 500));
            stream.iter().map(|one| one.shift).collect::<Vec<_>>()
        };
        let (up, down) = (tracked(3.0), tracked(-3.0));
        assert_eq!(up[..=30], down[..=30]);
        assert!(up[0].abs() < 1e-12 && up[30] > up[1] && up[59] > up[30] && down[59] < 0.1, "{up:?} {down:?}");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0, 2.0, 3.0]), median(vec![])), (Some(2.0), Some(2.5), None));
    }

    #[test]
    fn a_finished_model_judges_everything_in_order_of_time() {
        let model = crate::shelf::starter().unwrap();
        let mut examples = examples(3, 3);
        examples.iter_mut().zip(["05", "04", "03", "02", "01"]).for_each(|(example, day)| example.time = Some(format!("2024-01-{day}")));
        let order = |scored: Vec<Scored>| scored.iter().map(|one| one.index).collect::<Vec<_>>();
        assert_eq!(order(scores_of(&model, &examples, true).unwrap()), [4, 3, 2, 1, 0]);
        assert_eq!(order(scores_of(&model, &examples, false).unwrap()), [0, 1, 2, 3, 4, 5]);
        assert!(matches!(scores_of(&model, &examples[..3], false), Err(CannotEvaluate::OneClass { spam: 3, ham: 0 })));
    }
}
