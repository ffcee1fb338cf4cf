//! The judge: one comment in, one decision out. Pure; the daemon, the CLI and the tests all call this one.

use crate::classifier::{Features, Model};
use crate::comment::{Comment, Facts};
use crate::config::Site;
use crate::decision::{Decision, decide};
use crate::rules::{self, Case};
use crate::text::Reading;

/// Rules find, the model scores, the policy decides. `features` is room to work in.
pub fn judge(comment: &Comment, facts: &Facts, site: &Site, model: Option<&Model>, features: &mut Features) -> Decision {
    let reading = Reading::of(&comment.body);
    let findings = rules::apply(&Case { comment, reading: &reading, facts, settings: &site.rules });
    let score = model.map(|model| model.score(features, &reading));
    decide(findings, score, site.policy, site.mode, facts.now)
}
