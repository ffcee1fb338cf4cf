//! `hamlet model show`: the model that judges a site, and what its labels were measured to bear.

use super::evaluate::table::{percent, threshold};
use super::{Environment, Place};
use crate::budget::terms::{ASSUMPTION, Terms};
use crate::budget::{Certificate, Outcome};
use crate::classifier::Model;
use crate::config::{Site, Thresholds};
use crate::id::SiteId;
use crate::shelf::{self, Shelf};
use clap::Subcommand;
use std::fmt::Write;

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// The model that judges a site: what it learnt from, which thresholds it was certified for, how much work that makes
    Show {
        #[arg(long, value_name = "SITE")]
        site: String,
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    /// The model's card as it is in the file
    Json,
}

impl ModelCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let Self::Show { site, format, place } = self;
        let id = SiteId::new(site);
        let model = shelf::current_or_starter(&Shelf::of(&place.data(environment)?), &id)?;
        if format == Format::Json {
            super::say(serde_json::to_string_pretty(&model.card)?)?;
            return Ok(());
        }
        super::say(shown(&model, &place.site(environment, &id)?).trim_end())?;
        Ok(())
    }
}

fn shown(model: &Model, site: &Site) -> String {
    let (card, mut text) = (&model.card, String::new());
    // Writing to a string does not fail.
    let _ = writeln!(text, "model {}, trained {}, from {} spam and {} ham", model.id, card.trained_at, card.spam, card.ham);
    if let Some(base) = &model.base {
        let _ = writeln!(text, "the starter's word counts {:.0} %", 100.0 * base.blend.share);
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
    if sample.share > 0.0 {
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
        let _ = writeln!(text, "about {:.0} comments a day go to moderators; four days of five {low} to {high}", forecast.expected_per_day);
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
