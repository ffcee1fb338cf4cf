//! A model's card in words: what it learnt from, how it did against the one before, what its labels were measured to bear.

use crate::budget::terms::{ASSUMPTION, Terms};
use crate::budget::{Certificate, Outcome};
use crate::classifier::Model;
use crate::classifier::contest::{self, Contest, Side, Test};
use crate::cli::evaluate::table::{percent, threshold};
use crate::config::{Site, Thresholds};
use std::fmt::Write;

/// All of it, in lines.
pub fn shown(model: &Model, site: &Site) -> String {
    let (card, mut text) = (&model.card, String::new());
    // Writing to a string does not fail.
    let _ = writeln!(text, "model {}, trained {}, from {} spam and {} ham", model.id, card.trained_at, card.spam, card.ham);
    if let Some(base) = &model.base {
        let _ = writeln!(text, "the starter's word counts {:.0} %", 100.0 * base.blend.share);
    }
    if let Some(contest) = &card.contest {
        text += &against(contest);
    }
    match &card.terms {
        Some(terms) => text += &told(terms),
        None => text += "no budget was measured with it; `hamlet retrain` does\n",
    }
    let policy = site.policy_with(card.terms.as_ref());
    let is_certified = card.terms.as_ref().is_some_and(|terms| terms.policy(site.budget).is_some());
    let whose = match (site.thresholds, is_certified) {
        (Thresholds::Fixed, _) => "fixed, as `policy.thresholds` says",
        (Thresholds::Budget, true) => "those of the budget",
        (Thresholds::Budget, false) => "fixed, until a model is certified for the budget that is set",
    };
    let (publish_max, reject_min) = (threshold(policy.publish_max), threshold(policy.reject_min));
    let _ = writeln!(text, "thresholds in force: published up to {publish_max}, rejected from {reject_min} ({whose})");
    text
}

/// What the card says of the budget, for a person, in lines.
pub fn told(terms: &Terms) -> String {
    let budget = terms.budget;
    let allowed = format!(
        "at most {} of spam published, {} of ham rejected, {} sure",
        percent(budget.spam_published_max()),
        percent(budget.ham_rejected_max()),
        percent(budget.confidence())
    );
    let sample = &terms.sample;
    let mut text = String::new();
    match &terms.outcome {
        Outcome::Certified(certificate) => {
            let _ = writeln!(text, "budget ({allowed}): CERTIFIED");
            certified(&mut text, certificate);
        }
        Outcome::NotCertified { spam_needed, ham_needed, .. } => {
            let _ = writeln!(text, "budget ({allowed}): NOT CERTIFIED, the fixed thresholds stay");
            let needed = [(*spam_needed, "spam"), (*ham_needed, "ham")].into_iter().filter(|(needed, _)| *needed > 0);
            let needed: Vec<String> = needed.map(|(needed, of)| format!("{needed} more labels of {of}")).collect();
            if !needed.is_empty() {
                let _ = writeln!(text, "  {} needed", needed.join(" and "));
            }
        }
    }
    if sample.share > 0.0 && sample.spam + sample.ham == 0 {
        text += "  nothing is measured yet: only labels of comments that came in and were judged here stand for all of them\n";
    } else if sample.share > 0.0 {
        let (share, of) = (percent(sample.share), sample.comments);
        let _ = writeln!(text, "  measured on {} spam and {} ham, a sample of {share} of {of} comments", sample.spam, sample.ham);
        let _ = writeln!(text, "  that came from {} to {}; people were asked about {}", sample.since, sample.until, sample.asked);
    } else {
        text += "  no label stands for all comments: spot checks were off, or the site only observes\n";
    }
    if !sample.is_answered() {
        let (checks, answered) = (sample.checks, sample.answered);
        let _ = writeln!(text, "  of {checks} spot checks {answered} were answered: while it is fewer than half, nothing is certified");
    }
    if terms.certificate().is_some() {
        let _ = writeln!(text, "  {ASSUMPTION}");
    }
    if let Some(forecast) = &terms.forecast {
        let (low, high) = (forecast.low_per_day, forecast.high_per_day);
        let _ = writeln!(text, "about {:.0} a day go to moderators; four days of five {low} to {high}", forecast.expected_per_day);
    }
    text
}

fn certified(text: &mut String, certificate: &Certificate) {
    let (policy, bounds) = (certificate.policy, certificate.bounds);
    let (publish_max, reject_min) = (threshold(policy.publish_max), threshold(policy.reject_min));
    let _ = writeln!(text, "  published up to {publish_max}, rejected from {reject_min}");
    let (spam, ham) = (percent(bounds.spam_published_max), percent(bounds.ham_rejected_max));
    let _ = writeln!(text, "  bounds: at most {spam} of spam published, at most {ham} of ham rejected");
    let shares = bounds.spam_among_published().map(|(spam, most)| format!("{} where {} of all is", percent(most), percent(spam)));
    let _ = writeln!(text, "  spam among what is published, at most: {}", shares.join(", "));
}

/// How it did against the model that judged before it, in lines.
pub fn against(contest: &Contest) -> String {
    let Contest { champion, outcome, spam, ham, test } = contest;
    let mut text = String::new();
    let Some(test) = test else {
        let (needed, since) = (contest::EACH_MIN, "labels that came since its training, of texts that neither had learnt");
        let _ = writeln!(
            text,
            "against {champion}: NOT TESTED, which takes {needed} spam and {needed} ham held out, and there are {spam} and {ham}"
        );
        let _ = writeln!(text, "  ({since})");
        return text;
    };
    let _ = writeln!(text, "against {champion}, on {spam} spam and {ham} ham that neither had learnt from, {} texts,", test.texts);
    let _ = writeln!(text, "  that came from {} to {}:", test.since, test.until);
    rows(&mut text, test);
    let word = match outcome {
        contest::Outcome::Better => "BETTER",
        contest::Outcome::Alike => "ALIKE, as far as these can tell",
        contest::Outcome::Worse => "WORSE",
        contest::Outcome::Untested => "NOT TESTED",
    };
    let contest::Interval { estimate, low, high } = test.log_loss;
    let _ = writeln!(text, "  {word}: log loss {estimate:+.3} (nine times in ten between {low:+.3} and {high:+.3}; less is better)");
    text
}

fn rows(text: &mut String, test: &Test) {
    let _ = writeln!(text, "  {:<40} {:>12} {:>12}", "", "before", "new");
    let mut row = |what: &str, of: &dyn Fn(&Side) -> String| {
        let _ = writeln!(text, "  {what:<40} {:>12} {:>12}", of(&test.champion), of(&test.challenger));
    };
    row("log loss", &|side| format!("{:.4}", side.log_loss));
    row("area under the curve", &|side| format!("{:.4}", side.auc));
    row("spam caught where .5 % of ham is lost", &|side| percent(side.recall));
    row("held for people", &|side| {
        let (spam, ham) = (side.verdicts.spam, side.verdicts.ham);
        percent(share(spam.held + ham.held, spam.comments() + ham.comments()))
    });
    row("spam published", &|side| format!("{} of {}", side.verdicts.spam.published, side.verdicts.spam.comments()));
    row("ham rejected", &|side| format!("{} of {}", side.verdicts.ham.rejected, side.verdicts.ham.comments()));
    let (before, new) = (test.only_champion_right, test.only_challenger_right);
    let _ = writeln!(text, "  {:<40} {before:>12} {new:>12}", "right at one half where the other errs");
}

/// Of a whole that may be nothing.
pub fn share(part: usize, whole: usize) -> f64 {
    let real = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    real(part) / real(whole.max(1))
}
