//! `hamlet train`: labelled JSONL in, a model file out. Learns from its input alone.

use crate::classifier::train::train;
use crate::classifier::{Fold, Reach};
use crate::clock::{Clock, Timestamp};
use crate::flow::learn;
use crate::shelf;
use anyhow::Context;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Train {
    /// Labelled comments as JSONL (`label` spam or ham, `content`, `group`); - is stdin; more than one may be given
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    input: Vec<PathBuf>,
    /// The model file to write
    #[arg(long, value_name = "MODEL")]
    output: PathBuf,
    /// The time on the model's card, RFC 3339 [default: now]; name it to rebuild a model bit for bit
    #[arg(long, value_name = "TIME")]
    trained_at: Option<String>,
    /// The model will work on sites other than those the comments come from: it trusts their words less
    #[arg(long)]
    for_other_sites: bool,
    /// A model to lean on while the examples are few: `starter`, or a model file
    #[arg(long, value_name = "MODEL", conflicts_with = "for_other_sites")]
    base: Option<PathBuf>,
    /// Key of the hashing: who does not know it cannot craft words that collide with others; the same key rebuilds the same model
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    hashing_key: u64,
}

impl Train {
    pub fn run(self) -> anyhow::Result<()> {
        let trained_at = self.trained_at.as_deref().map(Timestamp::parse).transpose()?.unwrap_or_else(|| Clock::System.now());
        let reach = if self.for_other_sites { Reach::Abroad } else { Reach::Home };
        let mut fold = Fold::new(reach, self.hashing_key);
        if let Some(base) = &self.base {
            fold = fold.over(super::model_named(base)?);
        }
        let (mut sources, mut skipped) = (Vec::new(), 0);
        for input in &self.input {
            let (source, of_others) = learn::fold_in(&mut fold, super::input_name(input), super::open_input(input)?)?;
            sources.push(source);
            skipped += of_others;
        }
        let program = std::env::current_exe().context("cannot find this program to run the fit in a process of its own")?;
        let model = train(fold, sources, trained_at.to_string(), |folded| learn::fit_apart(&program, folded))?;
        shelf::replace(&self.output, &model.to_bytes())?;
        let card = &model.card;
        eprintln!("learnt from {} spam and {} ham, skipped {skipped} lines of other labels", card.spam, card.ham);
        if card.copies > 0 {
            eprintln!("left out {} near copies: of one text ten count under each label", card.copies);
        }
        let figures = card.figures;
        eprintln!("each scored unseen: accuracy {:.4}, AUC {:.4}, log loss {:.4}", figures.accuracy, figures.auc, figures.log_loss);
        super::say(format_args!("{} {}", model.id, self.output.display()))?;
        Ok(())
    }
}
