//! `hamlet evaluate`: how well a model trained on these comments judges comments it has not seen.

use crate::classifier::evaluate::measure;
use crate::classifier::splits::Split;
use crate::flow::{evaluate, examples};
use crate::shelf;
use anyhow::Context;
use clap::{Args, ValueEnum};
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Evaluate {
    /// Labelled comments as JSONL (`label` spam or ham, `content`, `author`, `group`, `date`); - is stdin
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    input: Vec<PathBuf>,
    /// What is judged by what
    #[arg(long, value_enum, default_value_t = By::Texts)]
    by: By,
    /// Parts
    #[arg(long, default_value_t = 10)]
    folds: usize,
    /// Deals the parts out; another seed, another deal
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A model to lean on while the examples are few: `starter`, or a model file
    #[arg(long, value_name = "MODEL")]
    base: Option<PathBuf>,
    /// Writes every score as JSONL
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// Parts of equal size, copies of one text in the same
    Texts,
    /// Parts of equal size, copies wherever they fall
    Folds,
    /// Each group (page) by all others
    Groups,
    /// Each part of time by all before it
    Time,
}

impl Evaluate {
    pub fn run(self) -> anyhow::Result<()> {
        let mut all = Vec::new();
        for input in &self.input {
            all.extend(examples::read(super::open_input(input)?).with_context(|| super::input_name(input))?.0);
        }
        let split = match self.by {
            By::Texts => Split::FoldsOfTexts(self.folds),
            By::Folds => Split::Folds(self.folds),
            By::Groups => Split::Groups,
            By::Time => Split::Time(self.folds),
        };
        let program = std::env::current_exe().context("cannot find this program to run the fit in a process of its own")?;
        let base = self.base.as_deref().map(super::model_named).transpose()?;
        let plan = evaluate::Plan { split, seed: self.seed, base, program: &program };
        let scored = evaluate::scores(&all, &plan, |_, _| ())?;
        if let Some(path) = &self.scores {
            let mut lines = Vec::new();
            for one in &scored {
                writeln!(
                    lines,
                    "{{\"index\":{},\"part\":{},\"spam\":{},\"log_odds\":{}}}",
                    one.index,
                    one.part,
                    one.label == crate::classifier::Label::Spam,
                    one.log_odds
                )?;
            }
            shelf::replace(path, &lines)?;
        }
        let measures = measure(&scored.iter().map(|one| (one.log_odds, one.label)).collect::<Vec<_>>());
        super::say(format_args!("accuracy {:.4} AUC {:.4} log loss {:.4}", measures.accuracy, measures.auc, measures.log_loss))?;
        Ok(())
    }
}
