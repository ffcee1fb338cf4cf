//! The judge: one comment in, one decision out. Pure; the daemon, the CLI and the tests all call this one.

use crate::classifier::Model;
use crate::comment::{Comment, Facts};
use crate::config::Site;
use crate::decision::{Decision, decide};
use crate::rules::{self, Case};
use crate::text::Reading;

/// Rules find, the model scores, the policy decides.
pub fn judge(comment: &Comment, facts: &Facts, site: &Site, model: Option<&Model>) -> Decision {
    let reading = Reading::of(&comment.body);
    let findings = rules::apply(&Case { comment, reading: &reading, facts, settings: &site.rules });
    let score = model.map(|model| model.score(&reading));
    decide(findings, score, site.policy, site.mode, facts.now)
}
