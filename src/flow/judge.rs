//! The judge: one comment in, one decision out. Pure; the daemon, the CLI and the tests all call this one.

use super::models::SiteModel;
use crate::classifier::Features;
use crate::comment::{Comment, Facts};
use crate::config::Site;
use crate::decision::{Decision, Verdict, decide, logistic};
use crate::rules::{self, Case, Effect, Finding};
use crate::text::Reading;

/// Rules find, the model scores, the policy decides. Beside the decision stands the model's own logit, without what the past says of the
/// comment: what tells how much spam comes in. `features` is room to work in.
pub fn judge(
    (comment, reading): (&Comment, &Reading),
    facts: &Facts,
    site: &Site,
    model: Option<&SiteModel>,
    features: &mut Features,
) -> (Decision, Option<f64>) {
    let mut findings = rules::apply(&Case { comment, reading, facts, settings: &site.rules });
    let (score, recent) = model.map(|model| model.score(features, reading)).unzip();
    let log_odds = score.as_ref().map(|score| score.log_odds);
    let policy = model.map_or(site.policy, |model| model.policy(site));
    if let Some(model) = model
        && log_odds.is_some_and(|log_odds| policy.verdict(logistic(log_odds)) == Verdict::Publish)
    {
        findings.extend(model.worst_part(features, &comment.body).filter(|part| *part >= PART_LOG_ODDS_MIN).map(|_| part_like_spam()));
        findings.extend(model.is_stranger_to(features, reading).then(unfamiliar));
    }
    (decide(findings, score, recent.unwrap_or_default(), policy, site.mode, facts.now), log_odds)
}

/// A stretch at .8 and above: at .9 an attack that appends good words gets through half as often again, below .8 more ham is held.
const PART_LOG_ODDS_MIN: f64 = 1.386;

/// Good words around spam make a comment look harmless; a person should see it.
fn part_like_spam() -> Finding {
    Finding::new("part_like_spam", Effect::Hold, "a part of it reads like spam")
}

/// A young site's model that has met nothing like it does not know; a person does. Of 17,336 ham outside the corpus it
/// holds three: see `models/README.md`.
fn unfamiliar() -> Finding {
    Finding::new("unfamiliar", Effect::Hold, "its writing is unlike anything the filter has learnt from")
}
