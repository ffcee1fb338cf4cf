//! The judge: one comment in, one decision out. Pure; the daemon, the CLI and the tests all call this one.

use super::models::SiteModel;
use crate::classifier::{Features, Model};
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
    let mut policy = model.map_or(site.policy, |model| model.policy(site));
    if let (Some(model), Some(log_odds)) = (model, log_odds) {
        let verdict = policy.verdict(logistic(log_odds));
        if verdict == Verdict::Publish || is_mere_words(comment, &findings) {
            let doubts = doubts(model.frozen(), features, (&comment.body, reading), verdict);
            if verdict == Verdict::Reject && !doubts.is_empty() {
                policy = policy.without_rejecting();
            }
            findings.extend(doubts);
        }
    }
    (decide(findings, score, recent.unwrap_or_default(), policy, site.mode, facts.now), log_odds)
}

/// Why a person should see what the score alone would publish or reject, as far as the text and the model tell: also what an evaluation asks.
pub fn doubts(model: &Model, features: &mut Features, (body, reading): (&str, &Reading), verdict: Verdict) -> Vec<Finding> {
    match verdict {
        Verdict::Publish => {
            let part = model.worst_part(features, body).filter(|part| *part >= PART_LOG_ODDS_MIN);
            part.map(|_| part_like_spam()).into_iter().chain(model.is_stranger_to(features, reading).then(unfamiliar)).collect()
        }
        Verdict::Reject if model.is_mostly_foreign() && reading.leads_nowhere() => vec![mere_words()],
        Verdict::Hold | Verdict::Reject => Vec::new(),
    }
}

/// A stretch at .8 and above: at .9 an attack that appends good words gets through half as often again, below .8 more ham is held.
const PART_LOG_ODDS_MIN: f64 = 1.386;

/// Good words around spam make a comment look harmless; a person should see it.
fn part_like_spam() -> Finding {
    Finding::new("part_like_spam", Effect::Hold, "a part of it reads like spam")
}

/// Beside its text nothing speaks against it: it names no website, and no rule and no fact leans to spam.
fn is_mere_words(comment: &Comment, findings: &[Finding]) -> bool {
    let leans_to_ham = |finding: &Finding| finding.effect == Effect::Trust || finding.log_odds < 0.0;
    comment.author.url.is_none() && findings.iter().all(leans_to_ham)
}

/// Whoever thanks warmly writes as flatterers do, and a model of other sites cannot tell them apart: "Great post, thanks for sharing!" had .98.
/// Without a place to go such a text harms nobody while it waits, so it is not lost unseen. Of the spam that the starter rejects, 5 of 56 on YouTube, 18 of
/// 214 SMS and 84 of 252 on Telegram are mere words; of the ham, 7 of 53.
fn mere_words() -> Finding {
    Finding::new("mere_words", Effect::Hold, "reads like spam, by its words alone")
}

/// A young site's model that has met nothing like it does not know; a person does. Of 17,336 ham outside the corpus it
/// holds three: see `models/README.md`.
fn unfamiliar() -> Finding {
    Finding::new("unfamiliar", Effect::Hold, "its writing is unlike anything the filter has learnt from")
}
