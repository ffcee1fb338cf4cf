//! What an evaluation found, before it is told: measures, verdicts under two policies with their bounds, people's work.

use crate::budget::audit::Rates;
use crate::budget::binomial::{lower_bound, upper_bound};
use crate::budget::workload::{FORECAST_LEVEL, Forecast, Traffic};
use crate::budget::{self, Bounds, Budget, Outcome, Point};
use crate::classifier::evaluate::{Measures, ThreeWay, measure, three_way};
use crate::classifier::{Example, Label};
use crate::decision::{Policy, logistic};
use crate::flow::evaluate::{Classes, Scored, Step};
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
    pub notes: Vec<String>,
}

impl Report {
    /// The tracker's scores are measured beside; verdicts and bounds are those of the model alone, since the tracker may only hold more.
    pub fn of(
        all: &[Example],
        scored: &[Scored],
        inputs: Vec<Input>,
        protocol: Protocol,
        asked: &Asked,
        learning_curve: Option<Vec<Step>>,
        notes: Vec<String>,
    ) -> Self {
        let quality = |logit: fn(&Scored) -> f64| Quality::of(all, scored, logit);
        let probabilities: Vec<f64> = scored.iter().map(|one| logistic(one.log_odds)).collect();
        let labelled: Vec<_> = probabilities.iter().zip(scored).map(|(probability, one)| (*probability, one.label)).collect();
        let traffic = Traffic { probabilities: &probabilities, comments_per_day: asked.comments_per_day, audit: Rates::NONE };
        let confidence = asked.budget.confidence();
        let logits: Vec<_> = scored.iter().map(|one| (one.log_odds, one.label)).collect();
        let seen = three_way(&logits, asked.shipped);
        let way = |policy, seen, bounds| Way { policy, seen, bounds, forecast: traffic.forecast(policy, FORECAST_LEVEL) };
        let (certified, needed) = match asked.budget.derive(&labelled, asked.shipped) {
            Outcome::Certified(certificate) => (Some(way(certificate.policy, certificate.seen, certificate.bounds)), (0, 0)),
            Outcome::NotCertified { spam_needed, ham_needed, .. } => (None, (spam_needed, ham_needed)),
        };
        Self {
            judged: count(scored),
            not_judged: all.len() - scored.len(),
            alone: quality(|one| one.log_odds),
            tracked: asked.tracked.then(|| quality(|one| one.log_odds + one.shift)),
            budget: asked.budget,
            comments_per_day: asked.comments_per_day,
            shipped: way(asked.shipped, seen, Bounds::of(seen, confidence)),
            certified,
            needed,
            curve: asked.curve.then(|| budget::curve(&labelled, confidence, asked.shipped, &traffic, FORECAST_LEVEL)),
            inputs,
            protocol,
            learning_curve,
            notes,
        }
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
