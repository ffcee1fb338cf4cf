//! `hamlet score`: comments as JSONL in, `{"id", "score", "verdict"}` lines out, in order. No facts, no hard effects, and no
//! line knows of another, unless `--track-prior` follows the share of spam along the stream.

use super::{Environment, Place};
use crate::classifier::tracker::Tracker;
use crate::classifier::{Features, Model};
use crate::decision::{Policy, Verdict, logistic};
use crate::flow::examples;
use crate::id::SiteId;
use crate::shelf::{self, Shelf};
use crate::text::Reading;
use anyhow::Context;
use clap::Args;
use serde::Serialize;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Score {
    /// Model file [default: the starter model]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// The model that judges this site, from the data directory, and the thresholds in force with it
    #[arg(long, value_name = "SITE", conflicts_with = "model")]
    site: Option<String>,
    /// Comments as JSONL (`id`, `content`); - is stdin
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Takes the lines as one site's comments in order of time, and lets the share of spam in the hundred before a comment lean on its
    /// score; a verdict then differs from the score's own only by being `hold`
    #[arg(long)]
    track_prior: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Scored<'a> {
    id: Option<&'a str>,
    /// Probability of spam.
    score: f64,
    verdict: &'static str,
}

impl Score {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let of_all = self.place.settings(environment)?.policy()?;
        let (model, policy) = match (&self.model, &self.site) {
            (Some(path), _) => (shelf::read(path)?, of_all),
            (None, Some(site)) => self.of_site(environment, &SiteId::new(site))?,
            (None, None) => (shelf::starter()?, of_all),
        };
        let mut features = Features::default();
        let mut tracker = self.track_prior.then(|| Tracker::new(model.card.spam, model.card.ham));
        let mut output = BufWriter::new(std::io::stdout().lock());
        for line in examples::lines(super::open_input(&self.input)?) {
            let (_, line) = line.with_context(|| super::input_name(&self.input))?;
            let log_odds = model.log_odds(&mut features, &Reading::of(&line.content));
            let shift = tracker.as_ref().map_or(0.0, Tracker::shift);
            if let Some(tracker) = &mut tracker {
                tracker.observe(log_odds);
            }
            let verdict = verdict(policy, log_odds, shift);
            let scored = Scored { id: line.id.as_deref(), score: logistic(log_odds + shift), verdict: verdict.as_str() };
            serde_json::to_writer(&mut output, &scored).map_err(std::io::Error::from)?;
            output.write_all(b"\n")?;
        }
        output.flush()?;
        Ok(())
    }

    /// The model that judges there, and the thresholds that are in force with it.
    fn of_site(&self, environment: &Environment, site: &SiteId) -> anyhow::Result<(Model, Policy)> {
        let model = shelf::current_or_starter(&Shelf::of(&self.place.data(environment)?), site)?;
        let policy = self.place.site(environment, site)?.policy_with(model.card.terms.as_ref());
        Ok((model, policy))
    }
}

/// Thresholds were measured without a tracker, so that it may hold more and decide nothing.
fn verdict(policy: Policy, log_odds: f64, shift: f64) -> Verdict {
    let (own, tracked) = (policy.verdict(logistic(log_odds)), policy.verdict(logistic(log_odds + shift)));
    if own == tracked { own } else { Verdict::Hold }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tracker_moves_a_verdict_to_hold_only() {
        let policy = Policy { publish_max: 0.1, reject_min: 0.9, discard_min: 0.99 };
        let check = |log_odds, shift, expected| assert_eq!(verdict(policy, log_odds, shift), expected, "{log_odds} {shift}");
        check(-3.0, 0.0, Verdict::Publish);
        check(-3.0, 1.5, Verdict::Hold);
        check(3.0, -1.5, Verdict::Hold);
        check(1.0, 2.0, Verdict::Hold);
        check(-1.0, -2.0, Verdict::Hold);
        check(3.0, 2.0, Verdict::Reject);
    }
}
