//! What an evaluation found, before it is told: measures, verdicts under two policies with their bounds, people's work.

use super::plots::{Origin, Plots};
use crate::budget::audit::Rates;
use crate::budget::binomial::{lower_bound, upper_bound};
use crate::budget::workload::{FORECAST_LEVEL, Forecast, Traffic};
use crate::budget::{self, Bounds, Budget, Outcome, Point};
use crate::classifier::curves::Step;
use crate::classifier::evaluate::{Measures, Tally, ThreeWay, compare, measure};
use crate::classifier::{Example, Label};
use crate::decision::{Policy, logistic};
use crate::dice::Dice;
use crate::flow::evaluate::{Classes, Scored, three_way};
use crate::view::Baseline;
use std::collections::BTreeMap;

/// Half of what a 95 % interval leaves out.
const INTERVAL_TAIL: f64 = 0.025;

/// A file that was read.
#[derive(Debug)]
pub struct Input {
    pub name: String,
    pub sha256: String,
    pub spam: usize,
    pub ham: usize,
    pub skipped: usize,
}

/// What was judged by what.
#[derive(Debug)]
pub struct Protocol {
    pub by: &'static str,
    pub parts: usize,
    pub models: usize,
    /// None where nothing was dealt.
    pub seed: Option<u64>,
    pub base: Option<String>,
    pub model: Option<String>,
}

/// What the report was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub budget: Budget,
    pub shipped: Policy,
    pub comments_per_day: f64,
    pub curve: bool,
    pub tracked: bool,
}

/// A count out of others, with the exact 95 % interval of the share.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    pub hits: usize,
    pub of: usize,
    pub low: f64,
    pub high: f64,
}

impl Share {
    fn of(hits: usize, of: usize) -> Self {
        Self { hits, of, low: lower_bound(hits, of, INTERVAL_TAIL), high: upper_bound(hits, of, INTERVAL_TAIL) }
    }
}

/// How good one set of scores is.
#[derive(Debug)]
pub struct Quality {
    pub measures: Measures,
    pub spam_caught: Share,
    pub ham_blocked: Share,
    pub right: Share,
    /// Mean AUC over the groups that hold both classes, and how many these are; none for fewer than two.
    pub group_auc: Option<(f64, usize)>,
}

/// What thresholds make of the comments.
#[derive(Debug)]
pub struct Way {
    pub policy: Policy,
    pub seen: ThreeWay,
    pub bounds: Bounds,
    pub forecast: Option<Forecast>,
}

#[derive(Debug)]
pub struct Report {
    pub inputs: Vec<Input>,
    pub protocol: Protocol,
    pub judged: Classes,
    /// In the files and not judged: what came first in time, or has no date.
    pub not_judged: usize,
    pub alone: Quality,
    pub tracked: Option<Quality>,
    pub budget: Budget,
    pub comments_per_day: f64,
    pub shipped: Way,
    /// None where the labels carry no certificate; `needed` then says what is missing.
    pub certified: Option<Way>,
    /// (spam, ham).
    pub needed: Classes,
    pub curve: Option<Vec<Point>>,
    pub learning_curve: Option<Vec<Step>>,
    pub baseline: Option<Baseline>,
    pub plots: Plots,
    pub notes: Vec<String>,
}

/// What was read and judged, before anything is measured.
#[derive(Debug)]
pub struct Judged<'a> {
    pub all: &'a [Example],
    pub origins: &'a [Origin],
    pub scored: &'a [Scored],
    /// The name of another model, and its scores of all examples.
    pub baseline: Option<(String, Vec<Scored>)>,
}

impl Report {
    /// The tracker's scores are measured beside; verdicts and bounds are those of the model alone, since the tracker may only hold more.
    pub fn of(
        judged: Judged<'_>,
        inputs: Vec<Input>,
        protocol: Protocol,
        asked: &Asked,
        learning_curve: Option<Vec<Step>>,
        notes: Vec<String>,
    ) -> Self {
        let Judged { all, origins, scored, baseline } = judged;
        let quality = |logit: fn(&Scored) -> f64| Quality::of(all, scored, logit);
        let probabilities: Vec<f64> = scored.iter().map(|one| logistic(one.log_odds)).collect();
        let labelled: Vec<_> = probabilities.iter().zip(scored).map(|(probability, one)| (*probability, one.label)).collect();
        let traffic = Traffic { probabilities: &probabilities, comments_per_day: asked.comments_per_day, audit: Rates::NONE };
        let confidence = asked.budget.confidence();
        let way =
            |policy, bounds: fn(ThreeWay, f64) -> Bounds| Way::of(scored, policy, asked, bounds(three_way(scored, policy), confidence));
        let (certified, needed) = match asked.budget.derive(&labelled, asked.shipped) {
            Outcome::Certified(certificate) => {
                let way = way(certificate.policy, Bounds::of);
                // What the thresholds were chosen by binds them; that the judge holds some more takes nothing from it.
                let Bounds { spam_published_max, ham_rejected_max, .. } = certificate.bounds;
                (Some(Way { bounds: Bounds { spam_published_max, ham_rejected_max, ..way.bounds }, ..way }), (0, 0))
            }
            Outcome::NotCertified { spam_needed, ham_needed, .. } => (None, (spam_needed, ham_needed)),
        };
        let in_force = certified.as_ref().map_or(asked.shipped, |way| way.policy);
        Self {
            judged: count(scored),
            not_judged: all.len() - scored.len(),
            alone: quality(|one| one.log_odds),
            tracked: asked.tracked.then(|| quality(|one| one.log_odds + one.shift)),
            budget: asked.budget,
            comments_per_day: asked.comments_per_day,
            shipped: way(asked.shipped, Bounds::of),
            certified,
            needed,
            curve: asked.curve.then(|| budget::curve(&labelled, confidence, asked.shipped, &traffic, FORECAST_LEVEL)),
            baseline: baseline.map(|(name, other)| beside(name, &other, scored, in_force)),
            plots: Plots::of(all, origins, scored, asked.budget, (in_force, asked.shipped)),
            inputs,
            protocol,
            learning_curve,
            notes,
        }
    }
}

impl Way {
    fn of(scored: &[Scored], policy: Policy, asked: &Asked, bounds: Bounds) -> Self {
        let seen = three_way(scored, policy);
        let all: Tally = scored.iter().map(|one| one.verdict(policy)).collect();
        Self { policy, seen, bounds, forecast: Forecast::of(all, Rates::NONE, asked.comments_per_day, FORECAST_LEVEL) }
    }
}

/// What of the comments another model made, those alone that were judged here too, and by how much the two differ: (less the other).
fn beside(name: String, other: &[Scored], scored: &[Scored], policy: Policy) -> Baseline {
    let by_index: BTreeMap<usize, &Scored> = other.iter().map(|one| (one.index, one)).collect();
    let pairs: Vec<(&Scored, &Scored)> = scored.iter().filter_map(|one| Some((*by_index.get(&one.index)?, one))).collect();
    let logits: Vec<_> = pairs.iter().map(|(other, _)| (other.log_odds, other.label)).collect();
    let compared: Vec<_> = pairs.iter().map(|(other, one)| (other.log_odds, one.log_odds, one.label)).collect();
    // One seed: the same files give the same report.
    let dice = Dice::seeded(0);
    Baseline {
        name,
        measures: measure(&logits),
        seen: pairs.iter().map(|(other, _)| (other.verdict(policy), other.label)).collect(),
        comparison: compare(&compared, 1.0 - 2.0 * INTERVAL_TAIL, || dice.unit()),
    }
}

fn count(scored: &[Scored]) -> Classes {
    let spam = scored.iter().filter(|one| one.label == Label::Spam).count();
    (spam, scored.len() - spam)
}

impl Quality {
    fn of(all: &[Example], scored: &[Scored], logit: fn(&Scored) -> f64) -> Self {
        let logits: Vec<_> = scored.iter().map(|one| (logit(one), one.label)).collect();
        let called_spam = |label| logits.iter().filter(|(logit, of)| *of == label && *logit >= 0.0).count();
        let (caught, blocked, (spam, ham)) = (called_spam(Label::Spam), called_spam(Label::Ham), count(scored));
        Self {
            measures: measure(&logits),
            spam_caught: Share::of(caught, spam),
            ham_blocked: Share::of(blocked, ham),
            right: Share::of(caught + ham - blocked, spam + ham),
            group_auc: group_auc(all, scored, logit),
        }
    }
}

fn group_auc(all: &[Example], scored: &[Scored], logit: fn(&Scored) -> f64) -> Option<(f64, usize)> {
    let mut groups: BTreeMap<&str, Vec<(f64, Label)>> = BTreeMap::new();
    for one in scored {
        if let Some(group) = all.get(one.index).and_then(|example| example.group.as_deref()) {
            groups.entry(group).or_default().push((logit(one), one.label));
        }
    }
    let both = |scored: &&Vec<(f64, Label)>| [Label::Spam, Label::Ham].iter().all(|label| scored.iter().any(|(_, of)| of == label));
    let aucs: Vec<f64> = groups.values().filter(both).map(|scored| measure(scored).auc).collect();
    let n = f64::from(u32::try_from(aucs.len()).unwrap_or(u32::MAX));
    (aucs.len() > 1).then(|| (aucs.iter().sum::<f64>() / n, aucs.len()))
}
