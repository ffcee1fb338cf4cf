//! `hamlet evaluate`: how well a model trained on these comments judges comments it has not seen, or how well a finished model judges
//! them; what that means for readers and for the people who moderate. Measures in [`report`], what is drawn of them in [`plots`]; for people
//! in [`table`] and, as a page, in [`html`]; for programs in [`json`].

mod html;
mod json;
mod plots;
mod report;
pub mod table;

use crate::budget::Budget;
use crate::classifier::curves::Step;
use crate::classifier::splits::{self, GROUPS_ALONE_MAX, Split};
use crate::classifier::{Example, Label, Model};
use crate::clock::Clock;
use crate::config::settings::Settings;
use crate::flow::evaluate::{self, Depth, Plan, Scored};
use crate::flow::examples;
use crate::shelf;
use anyhow::Context;
use clap::{Args, ValueEnum};
use plots::Origin;
use report::{Asked, Input, Judged, Protocol, Report};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Evaluate {
    /// Labelled comments as JSONL (`label` spam or ham, `content`, `group`, `date`); - is stdin; more than one may be given
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    input: Vec<PathBuf>,
    /// What is judged by what [default: texts]
    #[arg(long, value_enum)]
    by: Option<By>,
    /// Parts that the comments are cut into, and so models that are trained
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(2..=1000), conflicts_with = "model")]
    folds: u16,
    /// Deals the parts out; another seed, another deal
    #[arg(long, value_name = "NUMBER", default_value_t = 0, conflicts_with = "model")]
    seed: u64,
    /// A model to lean on while the examples are few: `starter`, or a model file
    #[arg(long, value_name = "MODEL", conflicts_with = "model")]
    base: Option<PathBuf>,
    /// Measure this finished model, `starter` or a file, instead of training; comments it learnt from flatter it
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Share of all spam that may be published
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    spam_published_max: f64,
    /// Share of all ham that may be rejected
    #[arg(long, value_name = "SHARE", default_value_t = 0.005, value_parser = share)]
    ham_rejected_max: f64,
    /// How sure both shares must be
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, value_parser = share)]
    confidence: f64,
    /// How many comments come in a day, for the forecast of people's work
    #[arg(long, value_name = "N", default_value_t = 100.0, value_parser = comments_per_day)]
    comments_per_day: f64,
    /// Also: how much people would have to read for each pair of allowed errors
    #[arg(long)]
    curve: bool,
    /// Also: how good models of 50, 100, 200, 500, ... of these comments are (five draws each)
    #[arg(long, conflicts_with = "model")]
    learning_curve: bool,
    /// The result as one JSON document
    #[arg(long)]
    json: bool,
    /// Also: a page with every chart, one file that needs nothing else; it quotes comments that were judged wrongly
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// A finished model, `starter` or a file, to compare with on the same comments
    #[arg(long, value_name = "MODEL")]
    baseline: Option<PathBuf>,
    /// Writes every score as JSONL
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// Parts of equal size, copies of one text in the same
    Texts,
    /// Parts of equal size, copies wherever they fall
    Folds,
    /// Each group (page) by all others; more than 20 groups are dealt, whole, into the parts
    Groups,
    /// Each part of time by all before it, without and with the prior tracker
    Time,
}

/// A combination of arguments that means nothing.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WrongUse(&'static str);

fn share(text: &str) -> Result<f64, String> {
    let proper = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    proper.ok_or_else(|| "a share is above 0 and below 1, such as 0.01 for 1 %".to_owned())
}

fn comments_per_day(text: &str) -> Result<f64, String> {
    let proper = text.parse().ok().filter(|comments| *comments > 0.0 && *comments <= 1e6);
    proper.ok_or_else(|| "comments a day are a number above 0 and at most a million".to_owned())
}

impl Evaluate {
    pub fn run(self) -> anyhow::Result<()> {
        if self.model.is_some() && self.by.is_some_and(|by| by != By::Time) {
            return Err(WrongUse("a finished model needs no parts: with --model only --by time means something").into());
        }
        let (all, origins, inputs) = self.read()?;
        let by = self.by.unwrap_or(By::Texts);
        let mut notes = read_notes(&inputs);
        let mut card = None;
        let (scored, protocol, learning_curve) = match &self.model {
            Some(name) => {
                let model = super::model_named(name)?;
                notes.push("the model is taken as it is: comments that it learnt from, and copies of them, flatter it".to_owned());
                notes.extend(met_before(&model, &inputs, "the model's card"));
                let scored = evaluate::scores_of(&model, &all, self.by.is_some())?;
                let by = if self.by.is_some() { "model, in order of time" } else { "model" };
                let protocol = Protocol { by, parts: 1, models: 0, seed: None, base: None, model: Some(model.id.to_string()) };
                card = Some(model.card);
                (scored, protocol, None)
            }
            None => self.train_and_judge(&all, by, &inputs, &mut notes)?,
        };
        if self.by == Some(By::Time) {
            notes.extend(time_note(&all));
        }
        if let Some(path) = &self.scores {
            write_scores(path, &scored)?;
        }
        let budget = Budget::new(self.spam_published_max, self.ham_rejected_max, self.confidence).context("no proper budget")?;
        let shipped = Settings::load(None, std::iter::empty())?.policy()?;
        let asked =
            Asked { budget, shipped, comments_per_day: self.comments_per_day, curve: self.curve, tracked: self.by == Some(By::Time) };
        let baseline = self.baseline.as_deref().map(|name| self.baseline(name, &all, &inputs, &mut notes)).transpose()?;
        let judged = Judged { all: &all, origins: &origins, scored: &scored, baseline };
        let report = Report::of(judged, inputs, protocol, &asked, learning_curve, notes);
        if let Some(path) = &self.html {
            let page = html::page(&report, &all, card.as_ref(), Clock::System.now());
            shelf::replace(path, page.as_bytes())?;
        }
        if self.json {
            report.notes.iter().for_each(|note| eprintln!("hamlet: {note}"));
            super::say(json::document(&report)?)?;
        } else {
            super::say(table::text(&report))?;
        }
        Ok(())
    }

    fn train_and_judge(&self, all: &[Example], by: By, inputs: &[Input], notes: &mut Vec<String>) -> anyhow::Result<Measured> {
        let folds = usize::from(self.folds);
        let (split, name) = match by {
            By::Texts => (Split::FoldsOfTexts(folds), "texts"),
            By::Folds => (Split::Folds(folds), "folds"),
            By::Groups => (Split::Groups(folds), "groups"),
            By::Time => (Split::Time(folds), "time"),
        };
        let base = self.base.as_deref().map(super::model_named).transpose()?;
        if let Some(base) = &base {
            notes.extend(met_before(base, inputs, "the base's card"));
        }
        notes.extend(split_note(by, all));
        let program = std::env::current_exe().context("cannot find this program to run the fit in a process of its own")?;
        let base_id = base.as_ref().map(|base| base.id.to_string());
        // Of a base only its tables are read.
        let plan = Plan {
            split,
            seed: self.seed,
            base: base.map(|base| Model { counts: None, ..base }),
            key: 0,
            depth: Depth::Reasons,
            program: &program,
        };
        let scored = evaluate::scores(all, &plan, |done, of| progress("judged", done, of))?;
        let judged = scored.iter().map(|one| one.part).collect::<HashSet<_>>().len();
        let parts = judged + usize::from(by == By::Time);
        let protocol = Protocol { by: name, parts, models: judged, seed: Some(self.seed), base: base_id, model: None };
        let curve = self
            .learning_curve
            .then(|| evaluate::learning_curve(all, &plan, by != By::Folds, |done, of| progress("learning curve", done, of)));
        Ok((scored, protocol, curve.transpose()?))
    }

    /// The baseline's name and scores.
    fn baseline(&self, name: &Path, all: &[Example], inputs: &[Input], notes: &mut Vec<String>) -> anyhow::Result<(String, Vec<Scored>)> {
        let model = super::model_named(name)?;
        notes.extend(met_before(&model, inputs, "the baseline's card"));
        Ok((model.id.to_string(), evaluate::scores_of(&model, all, self.by == Some(By::Time))?))
    }

    fn read(&self) -> anyhow::Result<(Vec<Example>, Vec<Origin>, Vec<Input>)> {
        let (mut all, mut origins, mut inputs) = (Vec::new(), Vec::new(), Vec::new());
        for path in &self.input {
            let name = super::input_name(path);
            let mut bytes = Vec::new();
            super::open_input(path)?.read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
            let file = name.rsplit('/').next().unwrap_or_default().to_owned();
            let (mut examples, mut skipped) = (Vec::new(), 0);
            for line in examples::lines(bytes.as_slice()) {
                let (_, line) = line.with_context(|| name.clone())?;
                let origin = Origin { file: file.clone(), source: line.source.clone(), language: line.language.clone() };
                match line.example() {
                    Some(example) => {
                        examples.push(example);
                        origins.push(origin);
                    }
                    None => skipped += 1,
                }
            }
            let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            let (spam, ham) = evaluate::classes(&examples);
            inputs.push(Input { name, sha256, spam, ham, skipped });
            all.extend(examples);
        }
        Ok((all, origins, inputs))
    }
}

type Measured = (Vec<Scored>, Protocol, Option<Vec<Step>>);

/// One line that is written over; on a terminal only.
fn progress(what: &str, done: usize, of: usize) {
    if std::io::stderr().is_terminal() {
        let ended = if done == of { "\r\x1b[K" } else { "" };
        eprint!("\r\x1b[K{what}: {done} of {of} models{ended}");
    }
}

fn read_notes(inputs: &[Input]) -> Vec<String> {
    let skipped: usize = inputs.iter().map(|input| input.skipped).sum();
    let note = (skipped > 0).then(|| format!("{} lines labelled neither spam nor ham were left out", table::count(skipped)));
    note.into_iter().collect()
}

/// The file itself is among a model's sources.
fn met_before(model: &Model, inputs: &[Input], whose: &str) -> Vec<String> {
    let known = inputs.iter().filter(|input| model.card.sources.iter().any(|source| source.sha256 == input.sha256));
    known
        .map(|input| {
            format!("WARNING: IT LEARNT FROM THIS VERY FILE. {whose} names {}, so these figures say nothing of new comments", input.name)
        })
        .collect()
}

fn split_note(by: By, all: &[Example]) -> Option<String> {
    let counted = |n: usize, what: &str| (n > 0).then(|| format!("{} {what}", table::count(n)));
    match by {
        By::Folds => {
            let copies = all.len() - splits::texts(all).into_iter().collect::<HashSet<_>>().len();
            counted(copies, "comments repeat a text, and copies may stand on both sides: --by texts keeps them together")
        }
        By::Groups => {
            let groups: HashSet<_> = all.iter().map(|example| example.group.as_deref()).collect();
            if groups.len() > GROUPS_ALONE_MAX {
                return Some(format!("{} groups were dealt, whole, into the parts", table::count(groups.len())));
            }
            counted(all.iter().filter(|example| example.group.is_none()).count(), "comments without a group are one together")
        }
        By::Texts | By::Time => None,
    }
}

fn time_note(all: &[Example]) -> Option<String> {
    let undated = all.iter().filter(|example| splits::moment(example).is_none()).count();
    if undated == all.len() {
        return Some("no comment has a date that can be read, so the order is that of the file".to_owned());
    }
    (undated > 0).then(|| format!("{} comments without a date that can be read were left out", table::count(undated)))
}

fn write_scores(path: &Path, scored: &[Scored]) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for Scored { index, part, log_odds, shift, label, .. } in scored {
        let spam = *label == Label::Spam;
        writeln!(lines, "{{\"index\":{index},\"part\":{part},\"spam\":{spam},\"log_odds\":{log_odds},\"shift_log_odds\":{shift}}}")?;
    }
    shelf::replace(path, &lines)?;
    Ok(())
}
