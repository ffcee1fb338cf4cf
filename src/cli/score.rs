//! `hamlet score`: comments as JSONL in, `{"id", "score", "verdict"}` lines out, in order. Stateless: no facts, no hard effects.

use super::{Environment, Place};
use crate::classifier::Features;
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
    /// The model that judges this site, from the data directory
    #[arg(long, value_name = "SITE", conflicts_with = "model")]
    site: Option<String>,
    /// Comments as JSONL (`id`, `content`); - is stdin
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
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
        let policy = self.place.settings(environment)?.policy()?;
        let model = match (&self.model, &self.site) {
            (Some(path), _) => shelf::read(path)?,
            (None, Some(site)) => shelf::current_or_starter(&Shelf::of(&self.place.data(environment)?), &SiteId::new(site))?,
            (None, None) => shelf::starter()?,
        };
        let mut features = Features::default();
        let mut output = BufWriter::new(std::io::stdout().lock());
        for line in examples::lines(super::open_input(&self.input)?) {
            let (_, line) = line.with_context(|| super::input_name(&self.input))?;
            let score = model.probability(&mut features, &Reading::of(&line.content));
            let scored = Scored { id: line.id.as_deref(), score, verdict: policy.verdict(score).as_str() };
            serde_json::to_writer(&mut output, &scored).map_err(std::io::Error::from)?;
            output.write_all(b"\n")?;
        }
        output.flush()?;
        Ok(())
    }
}
