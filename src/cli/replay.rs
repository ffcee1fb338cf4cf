//! `hamlet replay`: what another configuration or model would have made of the comments of the last days, before it goes live. Reads only;
//! the daemon may run.

use super::evaluate::table::percent;
use super::model::card::share;
use super::since::Since;
use super::{Environment, Place};
use crate::classifier::Model;
use crate::clock::Clock;
use crate::flow::explain::{FindingDocument, findings};
use crate::flow::replay::{Bench, By, Flip, Pair, Skipped, Summary, replay};
use crate::id::{ModelId, SiteId};
use crate::shelf::Shelf;
use crate::store::{Reader, Span};
use crate::view::{FlipView, Ink, Ruled, Sheet, changes};
use anyhow::bail;
use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, Args)]
pub struct Replay {
    #[command(flatten)]
    place: Place,
    /// Comments that came since then: a while like 30d or 12h, a date, or an RFC 3339 time
    #[arg(long, value_name = "TIME", default_value = "30d")]
    since: Since,
    /// Only this site
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// Judge by this model: `starter`, `current` (the one that judges each site now), one of the shelf by its name, or a file [default: the
    /// one that judged each then]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Judge by these settings instead of those of the file, such as rules.links_max=5 or sites.blog.policy.reject_min=0.9; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    /// One document: `flips` and `summary`
    Json,
    /// One flip a line, the summary last
    Jsonl,
}

impl Replay {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let environment: Environment = environment.iter().chain(&self.set).cloned().collect();
        let config = self.place.settings(&environment)?.check()?.with_lists()?;
        let data = self.place.data(&environment)?;
        let (reader, shelf) = (Reader::open(&data)?, Shelf::of(&data));
        if let Some(unknown) = self.site.as_ref().filter(|site| !config.sites.contains_key(&SiteId::new(*site))) {
            bail!("no site is called {unknown:?}; the settings have: {}", super::site_names(&config));
        }
        let span = Span { site: self.site.as_ref().map(SiteId::new), since: self.since.time(Clock::System.now()) };
        let by = self.by(&shelf)?;
        let notes = notes(&by);
        let mut bench = Bench::new(&reader, &config, &shelf, by);
        let mut report = Report { output: std::io::stdout().lock(), format: self.format, ink: super::ink(&environment), flips: 0 };
        let summary = replay(&mut bench, &span, |flip| report.flip(flip))?;
        if summary.judged == 0 {
            bail!("there is nothing to replay since {}{}", span.since, skipped(&summary).map(|why| format!(": {why}")).unwrap_or_default());
        }
        report.end(&summary, &notes)
    }

    fn by(&self, shelf: &Shelf) -> anyhow::Result<By> {
        let on_shelf = |name: &Path| name.to_str().and_then(|name| shelf.model(&ModelId::new(name)).ok());
        Ok(match &self.model {
            None => By::Then,
            Some(name) if name == Path::new("current") => By::Now,
            Some(name) if !name.exists() && on_shelf(name).is_some() => {
                By::Named(Arc::new(Model { counts: None, ..shelf.model(&ModelId::new(name.to_string_lossy()))? }))
            }
            Some(name) => By::Named(Arc::new(Model { counts: None, ..super::model_named(name)? })),
        })
    }
}

/// A setting as the environment would have it.
fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is no setting; write KEY=VALUE, like rules.links_max=5"))?;
    Ok((format!("HAMLET__{}", key.trim().to_uppercase().replace('.', "__")), value.trim().to_owned()))
}

/// What who reads the figures should know.
fn notes(by: &By) -> Vec<String> {
    let ruled = "errors are counted among what people ruled on, which is mostly what was held: of all comments they are fewer";
    let learnt = "the model may have learnt from rulings on these very comments: then the errors after flatter it";
    let recent = "how much spam came in and what recent rulings had taught is taken from the record, where it moved a verdict";
    let learnt = match by {
        By::Then => None,
        By::Named(model) if model.card.ruling.is_none() => None,
        By::Now | By::Named(_) => Some(learnt.to_owned()),
    };
    learnt.into_iter().chain([ruled.to_owned(), recent.to_owned()]).collect()
}

/// What is printed, as it is found.
struct Report<W: Write> {
    output: W,
    format: Format,
    ink: Ink,
    flips: usize,
}

#[derive(Serialize)]
struct FlipDocument<'a> {
    id: String,
    site: &'a str,
    received_at: String,
    before: DecisionDocument<'a>,
    after: DecisionDocument<'a>,
    changes: Vec<String>,
    ruling: Option<&'static str>,
}

#[derive(Serialize)]
struct DecisionDocument<'a> {
    verdict: &'static str,
    discard: bool,
    score: Option<f64>,
    model: Option<&'a str>,
    findings: Vec<FindingDocument<'a>>,
}

impl<'a> DecisionDocument<'a> {
    fn of(decision: &'a crate::decision::Decision) -> Self {
        Self {
            verdict: decision.verdict.as_str(),
            discard: decision.discard,
            score: decision.score,
            model: decision.model.as_ref().map(ModelId::as_str),
            findings: findings(decision),
        }
    }
}

impl<W: Write> Report<W> {
    fn flip(&mut self, flip: &Flip) -> anyhow::Result<()> {
        let Flip { record, before, after } = flip;
        let first = self.flips == 0;
        self.flips += 1;
        if self.format == Format::Table {
            let ruled = record.ruled.as_ref().map(|ruled| Ruled { ruling: ruled.ruling, by: &ruled.by, at: ruled.at });
            let mut sheet = Sheet::new(self.ink);
            FlipView { comment: &record.comment, before, after, ruled }.write(&mut sheet);
            writeln!(self.output, "{}\n", sheet.finish())?;
            return Ok(());
        }
        let document = FlipDocument {
            id: record.comment.id.to_string(),
            site: record.comment.site.as_str(),
            received_at: record.comment.received_at.to_string(),
            before: DecisionDocument::of(before),
            after: DecisionDocument::of(after),
            changes: changes(before, after),
            ruling: record.ruled.as_ref().map(|ruled| ruled.ruling.as_str()),
        };
        let lead = match (self.format, first) {
            (Format::Json, true) => "{\"flips\":[",
            (Format::Json, false) => ",\n",
            (Format::Table | Format::Jsonl, _) => "",
        };
        let end = if self.format == Format::Jsonl { "\n" } else { "" };
        write!(self.output, "{lead}{}{end}", serde_json::to_string(&document)?)?;
        Ok(())
    }

    fn end(mut self, summary: &Summary, notes: &[String]) -> anyhow::Result<()> {
        match self.format {
            Format::Table => writeln!(self.output, "{}", table(summary, notes, self.ink))?,
            Format::Json if self.flips == 0 => writeln!(self.output, "{{\"flips\":[],\"summary\":{}}}", document(summary, notes))?,
            Format::Json => writeln!(self.output, "],\"summary\":{}}}", document(summary, notes))?,
            Format::Jsonl => writeln!(self.output, "{}", json!({ "summary": document(summary, notes) }))?,
        }
        Ok(())
    }
}

fn document(summary: &Summary, notes: &[String]) -> Value {
    let pair = |Pair { before, after }| json!({ "before": before, "after": after });
    let flips: BTreeMap<String, usize> = summary.flips.iter().map(|((from, to), n)| (format!("{from} -> {to}"), *n)).collect();
    let skipped: usize = summary.skipped.values().sum();
    json!({
        "comments": summary.judged, "skipped": skipped, "flips": flips, "days": summary.days,
        "held": pair(summary.held_in_all()), "held_on_worst_day": pair(summary.held_on_worst_day()),
        "ruled_spam": summary.ruled_spam, "ruled_spam_published": pair(summary.spam_published),
        "ruled_ham": summary.ruled_ham, "ruled_ham_rejected": pair(summary.ham_rejected), "ruled_ham_held": pair(summary.ham_held),
        "notes": skipped_note(summary).into_iter().chain(notes.iter().cloned()).collect::<Vec<_>>(),
    })
}

fn table(summary: &Summary, notes: &[String], ink: Ink) -> String {
    let mut sheet = Sheet::new(ink);
    let counted = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let (comments, flips) = (counted(summary.judged, "comment", "comments"), counted(summary.flipped(), "flip", "flips"));
    sheet.heading(&format!("{comments} judged again, {flips}"));
    for ((from, to), n) in &summary.flips {
        sheet.line(format_args!("  {:<34} {n:>9}", format!("{from} → {to}")));
    }
    sheet.line(format_args!("  {:<30} {:>16} {:>16}", "", "before", "after"));
    let mut row = |what: &str, before: String, after: String| sheet.line(format_args!("  {what:<30} {before:>16} {after:>16}"));
    let (all, worst) = (summary.held_in_all(), summary.held_on_worst_day());
    row("held a day", a_day(all.before, summary.days), a_day(all.after, summary.days));
    row("held on the worst day", worst.before.to_string(), worst.after.to_string());
    row("held of all", with_rate(all.before, summary.judged), with_rate(all.after, summary.judged));
    for (label, done, ruled, errors) in [
        ("spam", "published", summary.ruled_spam, summary.spam_published),
        ("ham", "rejected", summary.ruled_ham, summary.ham_rejected),
        ("ham", "held", summary.ruled_ham, summary.ham_held),
    ] {
        row(&format!("of {ruled} ruled {label}, {done}"), with_rate(errors.before, ruled), with_rate(errors.after, ruled));
    }
    skipped_note(summary).iter().chain(notes).for_each(|note| sheet.words("! ", note));
    sheet.finish()
}

/// Of nothing there is no rate.
fn with_rate(part: usize, whole: usize) -> String {
    if whole == 0 { part.to_string() } else { format!("{part}, {}", percent(share(part, whole))) }
}

fn a_day(count: usize, days: usize) -> String {
    let real = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    format!("{:.1}", real(count) / real(days.max(1)))
}

fn skipped_note(summary: &Summary) -> Option<String> {
    skipped(summary).map(|why| format!("not judged again: {why}"))
}

fn skipped(summary: &Summary) -> Option<String> {
    let told = |(why, n): (&Skipped, &usize)| format!("{n} ({why})");
    let all: Vec<String> = summary.skipped.iter().map(told).collect();
    (!all.is_empty()).then(|| all.join(", "))
}
