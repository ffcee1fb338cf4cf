//! What of an evaluation is drawn, and written for programs as well: curves, where comments are from, the worst mistakes.

use super::report::{Report, Way};
use crate::budget::{Budget, CURVE_SHARES, Outcome};
use crate::classifier::curves::{self, Drift, Heap, Kept, Threshold};
use crate::classifier::evaluate::measure;
use crate::classifier::splits::moment;
use crate::classifier::{Example, Label, Score};
use crate::clock::Timestamp;
use crate::decision::{Decision, Mode, Policy, Recent, Verdict, decide, logistic};
use crate::flow::evaluate::{Scored, three_way};
use crate::id::ModelId;
use crate::view::{Grouping, Load, Member};
use std::collections::BTreeMap;

/// Mistakes of each class that are shown: more are not read.
const MISTAKES_EACH_MAX: usize = 12;

/// Members of a grouping that are told apart; the rest stand together.
const MEMBERS_MAX: usize = 10;

/// Where an example is from, as its line says.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    pub file: String,
    pub source: Option<String>,
    pub language: Option<String>,
}

/// Scores as curves and lists.
#[derive(Debug)]
pub struct Plots {
    pub thresholds: Vec<Threshold>,
    pub heaps: Vec<Heap>,
    pub reliability: Vec<Kept>,
    pub drift: Option<Drift>,
    pub load: Vec<Load>,
    pub groupings: Vec<Grouping>,
    /// The worst first, of both classes.
    pub mistakes: Vec<Wrong>,
}

/// A comment that leant the wrong way.
#[derive(Debug)]
pub struct Wrong {
    /// Its place among all that were read, from 0.
    pub index: usize,
    pub label: Label,
    pub log_odds: f64,
    pub decision: Decision,
}

impl Plots {
    /// `policy` is the one in force, `fixed` the one that ships.
    pub fn of(all: &[Example], origins: &[Origin], scored: &[Scored], budget: Budget, (policy, fixed): (Policy, Policy)) -> Self {
        let logits: Vec<_> = scored.iter().map(|one| (one.log_odds, one.label)).collect();
        let when = |one: &Scored| all.get(one.index).and_then(moment);
        let dated: Vec<_> = scored.iter().filter_map(|one| Some((when(one)?, one.log_odds, one.label))).collect();
        Self {
            thresholds: curves::thresholds(&logits),
            heaps: curves::heaps(&logits),
            reliability: curves::reliability(&logits),
            drift: curves::drift(&dated),
            load: load(scored, budget, fixed),
            groupings: groupings(all, origins, scored, policy),
            mistakes: mistakes(scored, policy),
        }
    }
}

/// Each budget for published spam that the labels carry, the one for rejected ham as it is asked for.
fn load(scored: &[Scored], budget: Budget, fixed: Policy) -> Vec<Load> {
    let labelled: Vec<_> = scored.iter().map(|one| (logistic(one.log_odds), one.label)).collect();
    let mut shares: Vec<f64> = CURVE_SHARES.into_iter().chain([budget.spam_published_max()]).collect();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    let derived = shares.into_iter().filter_map(|share| {
        let tried = Budget::new(share, budget.ham_rejected_max(), budget.confidence())?;
        match tried.derive(&labelled, fixed) {
            Outcome::Certified(certificate) => Some(Load {
                spam_published_max: share,
                seen: three_way(scored, certificate.policy),
                is_chosen: share.total_cmp(&budget.spam_published_max()).is_eq(),
            }),
            Outcome::NotCertified { .. } => None,
        }
    });
    derived.collect()
}

fn groupings(all: &[Example], origins: &[Origin], scored: &[Scored], policy: Policy) -> Vec<Grouping> {
    let origin = |one: &Scored| origins.get(one.index).cloned().unwrap_or_default();
    let by = [
        grouping("file", scored, policy, |one| Some(origin(one).file)),
        grouping("source", scored, policy, |one| origin(one).source),
        grouping("language", scored, policy, |one| origin(one).language),
        grouping("page or group", scored, policy, |one| all.get(one.index)?.group.clone()),
    ];
    let mut told: Vec<Grouping> = Vec::new();
    for grouping in by.into_iter().flatten() {
        // Files that are one source each would say the same thing twice.
        let same = |other: &Grouping| other.members.iter().map(|member| member.seen).eq(grouping.members.iter().map(|member| member.seen));
        if !told.iter().any(same) {
            told.push(grouping);
        }
    }
    told
}

/// None where all are of one. Those without a name stand together.
fn grouping(by: &'static str, scored: &[Scored], policy: Policy, name: impl Fn(&Scored) -> Option<String>) -> Option<Grouping> {
    let mut groups: BTreeMap<Option<String>, Vec<&Scored>> = BTreeMap::new();
    for one in scored {
        groups.entry(name(one)).or_default().push(one);
    }
    if groups.len() < 2 {
        return None;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    // By name among equals, since the sort is stable.
    groups.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    let rest = groups.split_off(groups.len().min(MEMBERS_MAX));
    let mut members: Vec<Member> =
        groups.into_iter().map(|(name, scored)| member(name.unwrap_or_else(|| "without one".to_owned()), &scored, policy)).collect();
    if !rest.is_empty() {
        let count = rest.len();
        let scored: Vec<&Scored> = rest.into_iter().flat_map(|(_, scored)| scored).collect();
        members.push(member(format!("{count} others"), &scored, policy));
    }
    Some(Grouping { by, members })
}

fn member(name: String, scored: &[&Scored], policy: Policy) -> Member {
    let logits: Vec<_> = scored.iter().map(|one| (one.log_odds, one.label)).collect();
    let both = [Label::Spam, Label::Ham].iter().all(|label| logits.iter().any(|(_, of)| of == label));
    let seen = scored.iter().map(|one| (one.verdict(policy), one.label)).collect();
    Member { name, seen, auc: both.then(|| measure(&logits).auc) }
}

/// Those that leant the wrong way: first what was published or rejected wrongly, then by how sure the score was.
fn mistakes(scored: &[Scored], policy: Policy) -> Vec<Wrong> {
    let worst = |label| {
        let leans_wrong = move |one: &&Scored| one.label == label && (one.log_odds < 0.0) == (label == Label::Spam);
        let mut wrong: Vec<_> = scored.iter().filter(leans_wrong).map(|one| (one.verdict(policy) == Verdict::Hold, one)).collect();
        wrong.sort_by(|(a_held, a), (b_held, b)| {
            a_held.cmp(b_held).then(b.log_odds.abs().total_cmp(&a.log_odds.abs())).then(a.index.cmp(&b.index))
        });
        wrong.truncate(MISTAKES_EACH_MAX);
        wrong
    };
    let mut both: Vec<_> = [worst(Label::Spam), worst(Label::Ham)].concat();
    both.sort_by_key(|(is_held, _)| *is_held);
    both.into_iter()
        .map(|(_, one)| Wrong { index: one.index, label: one.label, log_odds: one.log_odds, decision: decision(one, policy) })
        .collect()
}

/// The judge's decision, as far as the text alone makes one.
fn decision(one: &Scored, policy: Policy) -> Decision {
    let score = Score { log_odds: one.log_odds, model: ModelId::new(""), evidence: one.evidence.clone() };
    let policy = if one.doubts.is_empty() { policy } else { policy.without_rejecting() };
    decide(one.doubts.clone(), Some(score), Recent::default(), policy, Mode::Enforce, Timestamp::from_ms(0))
}

impl Report {
    /// The thresholds in force: the budget's where it is certified, else those that ship.
    pub fn in_force(&self) -> &Way {
        self.certified.as_ref().unwrap_or(&self.shipped)
    }
}
