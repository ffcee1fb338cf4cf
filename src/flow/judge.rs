//! The judge: one comment in, one decision out. Pure; the daemon, the CLI and the tests all call this one.

use super::models::SiteModel;
use crate::classifier::Features;
use crate::comment::{Comment, Facts};
use crate::config::Site;
use crate::decision::{Decision, decide};
use crate::rules::{self, Case};
use crate::text::Reading;

/// Rules find, the model scores, the policy decides. Beside the decision stands the model's own logit, without what the past says of the
/// comment: what tells how much spam comes in. `features` is room to work in.
pub fn judge(comment: &Comment, facts: &Facts, site: &Site, model: Option<&SiteModel>, features: &mut Features) -> (Decision, Option<f64>) {
    let reading = Reading::of(&comment.body);
    let findings = rules::apply(&Case { comment, reading: &reading, facts, settings: &site.rules });
    let (score, recent) = model.map(|model| model.score(features, &reading)).unzip();
    let log_odds = score.as_ref().map(|score| score.log_odds);
    (decide(findings, score, recent.unwrap_or_default(), site.policy, site.mode, facts.now), log_odds)
}
