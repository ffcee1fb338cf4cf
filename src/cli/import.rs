//! `hamlet import`: comments that another program kept, with what people decided there. Tells what was taken, and of what was not, why and
//! on which lines.

use super::listing::DryRun;
use super::owner::Owner;
use super::{Environment, Partly, Place};
use crate::classifier::Label;
use crate::comment::Limits;
use crate::control::{Command, Reply};
use crate::flow::import::{Copies, Outcome, Row};
use crate::id::SiteId;
use crate::import::{self, Broken, Format, Found, Options, Reason, Skipped};
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, IsTerminal};
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Comments handed over at once: one transaction, in which the judge's own waits no longer than for a few milliseconds.
const BATCH_ROWS: usize = 200;

/// A batch is closed at so many bytes, too: long comments must not pile up.
const BATCH_BYTES: usize = 1 << 20;

/// Line numbers told of each reason.
const LINES_TOLD: usize = 20;

#[derive(Debug, Args)]
pub struct Import {
    /// The file, gzipped or not; `-` is stdin
    file: PathBuf,
    /// What kind of file it is
    #[arg(long = "from", value_enum)]
    from: From,
    /// The site that the comments belong to [default: the only one there is]
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// What all comments are that carry no label: a mailbox of spam, a table of ham
    #[arg(long, value_enum)]
    label: Option<LabelName>,
    /// A column by our name for it, as `--map body=Message`; ours are id, label, name, email, url, ip, date, body, page_url, page_title,
    /// user_agent
    #[arg(long = "map", value_name = "OURS=COLUMN", value_parser = column)]
    columns: Vec<(String, String)>,
    #[command(flatten)]
    dry: DryRun,
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    format: ReportFormat,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// What `hamlet export` writes, or labelled comments, one JSON object a line
    Jsonl,
    /// WordPress's export: approved comments, as ham; it leaves spam out
    Wxr,
    /// Disqus's XML export
    Disqus,
    /// A table whose first line names the columns; commas, semicolons or tabs
    Csv,
    /// A mailbox; needs --label
    Mbox,
    /// Isso's database file
    Isso,
    /// Remark42's backup
    Remark42,
    /// A dump of WordPress's comment tables: spam is a label where a person called it so
    WordpressSql,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LabelName {
    Ham,
    Spam,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    Table,
    Json,
}

fn column(pair: &str) -> Result<(String, String), String> {
    let (ours, column) = pair.split_once('=').ok_or("write OURS=COLUMN, as body=Message")?;
    let names: Vec<&str> = import::column_names().collect();
    if !names.contains(&ours) {
        return Err(format!("{ours:?} is no name of ours; write one of {}", names.join(", ")));
    }
    Ok((ours.to_owned(), column.to_owned()))
}

impl From {
    /// None for a database, which is no stream.
    fn format(self) -> Option<Format> {
        match self {
            Self::Jsonl => Some(Format::Jsonl),
            Self::Wxr => Some(Format::Wxr),
            Self::Disqus => Some(Format::Disqus),
            Self::Csv => Some(Format::Csv),
            Self::Mbox => Some(Format::Mbox),
            Self::Isso => None,
            Self::Remark42 => Some(Format::Remark42),
            Self::WordpressSql => Some(Format::WordpressSql),
        }
    }

    fn as_str(self) -> &'static str {
        self.format().map_or("isso", Format::as_str)
    }
}

/// What has come of the file so far.
#[derive(Default)]
struct Report {
    outcome: Outcome,
    skipped: BTreeMap<Reason, Lines>,
    copies: Copies,
}

/// Comments that were skipped for one reason.
#[derive(Default)]
struct Lines {
    count: u64,
    first: Vec<u64>,
    /// What was wrong with the first of them.
    detail: Option<String>,
}

impl Import {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        if self.from == From::Mbox && self.label.is_none() {
            bail!("a mailbox does not say what its mails are; say --label spam or --label ham");
        }
        let config = self.place.settings(environment)?.check()?;
        let site = match &self.site {
            Some(site) if config.sites.contains_key(&SiteId::new(site)) => site.clone(),
            Some(site) => bail!("the settings have no site {site}; they have {}", super::site_names(&config)),
            None => match config.sites.keys().next() {
                Some(only) if config.sites.len() == 1 => only.to_string(),
                _ => bail!("say --site; the settings have {}", super::site_names(&config)),
            },
        };
        let owner = (!self.dry.dry_run).then(|| Owner::of_store_to_be(&self.place, environment)).transpose()?;
        let name = super::input_name(&self.file);
        let sink = Sink {
            owner,
            site: site.clone(),
            file: name.clone(),
            rows: Vec::new(),
            bytes: 0,
            report: Report::default(),
            limits: config.limits,
        };
        let (report, ended) = self.read(sink);
        self.tell(&name, &site, &report, ended.as_ref())?;
        match ended {
            None => Ok(()),
            Some(ended) => Err(Partly(format!("{name}: {ended}")).into()),
        }
    }

    /// Reads to the end, or until something stops it; both leave what was taken before.
    fn read(&self, mut sink: Sink) -> (Report, Option<String>) {
        let mut stopped: Option<anyhow::Error> = None;
        let format = self.from.as_str();
        let mut take = |line: u64, entry: Result<Found, Skipped>| match sink.take(line, entry, format) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                stopped = Some(error);
                ControlFlow::Break(())
            }
        };
        let label = self.label.map(|label| match label {
            LabelName::Ham => Label::Ham,
            LabelName::Spam => Label::Spam,
        });
        let options = Options { label, columns: self.columns.iter().cloned().collect() };
        let read = match self.from.format() {
            None => import::read_isso(&self.file, &mut take).map_err(|Broken { line, reason }| format!("row {line}: {reason}")),
            Some(format) => self
                .open()
                .map_err(|error| format!("{error:#}"))
                .and_then(|input| import::read(format, input, &options, &mut take).map_err(|broken| broken.to_string())),
        };
        let stopped = stopped.or_else(|| sink.hand_over(IsLast::Yes).err());
        let ended = stopped.map(|error| format!("{error:#}; what was taken stays, and a second run takes up the rest")).or(read.err());
        (sink.report, ended)
    }

    /// With a bar where somebody looks on.
    fn open(&self) -> anyhow::Result<Box<dyn BufRead>> {
        if self.file.as_os_str() == "-" {
            return super::open_input(&self.file);
        }
        let file = std::fs::File::open(&self.file).with_context(|| format!("cannot read {}", self.file.display()))?;
        let bar = ProgressBar::new(file.metadata().map_or(0, |file| file.len()));
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left") {
            bar.set_style(style);
        }
        Ok(Box::new(BufReader::with_capacity(1 << 16, bar.wrap_read(file))))
    }

    fn tell(&self, name: &str, site: &str, report: &Report, ended: Option<&String>) -> anyhow::Result<()> {
        let Outcome { publish, spam, remove, known, .. } = report.outcome;
        let (copies, groups) = (report.copies.copies, report.copies.groups());
        if self.format == ReportFormat::Json {
            let skipped = report.skipped.iter().map(
                |(reason, lines)| json!({ "reason": reason.as_str(), "count": lines.count, "lines": lines.first, "detail": lines.detail }),
            );
            let document = json!({
                "file": name, "from": self.from.as_str(), "site": site, "dry_run": self.dry.dry_run,
                "added": { "publish": publish, "spam": spam, "remove": remove }, "known": known,
                "near_copies": copies, "near_copy_groups": groups, "skipped": skipped.collect::<serde_json::Value>(), "ended_early": ended,
            });
            return Ok(super::say(serde_json::to_string_pretty(&document)?)?);
        }
        let added = publish + spam + remove;
        let verb = if self.dry.dry_run { "would be added" } else { "added" };
        super::say(format_args!("{added:>9}  {verb} to {site}: {publish} ham, {spam} spam, {remove} removed (no label)"))?;
        if known > 0 {
            super::say(format_args!("{known:>9}  known already"))?;
        }
        if copies > 0 {
            super::say(format_args!(
                "{copies:>9}  like another of the same file (different texts among them: {groups}); a training counts few of them"
            ))?;
        }
        for (reason, lines) in &report.skipped {
            super::say(format_args!("{:>9}  skipped: {}", lines.count, reason.words()))?;
            let first: Vec<String> = lines.first.iter().map(u64::to_string).collect();
            let more = if lines.count > lines.first.len() as u64 { ", ..." } else { "" };
            super::say(format_args!("           line {}{more}", first.join(", ")))?;
            if let Some(detail) = &lines.detail {
                super::say(format_args!("           the first: {}", crate::view::kept(detail)))?;
            }
        }
        if added > 0 && !self.dry.dry_run {
            eprintln!("learnt from at the next training: hamlet retrain --site {site}");
        }
        Ok(())
    }
}

/// Whether the file is at its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IsLast {
    Yes,
    No,
}

/// Where comments of the file go, a batch at a time.
struct Sink {
    /// None where nothing is to be taken in.
    owner: Option<Owner>,
    site: String,
    file: String,
    rows: Vec<Row>,
    bytes: usize,
    report: Report,
    limits: Limits,
}

impl Sink {
    fn take(&mut self, line: u64, entry: Result<Found, Skipped>, format: &str) -> anyhow::Result<()> {
        match entry {
            Err(skipped) => self.report.skip(line, skipped.reason, skipped.detail),
            Ok(found) => {
                let row = Row::of(line, found, format);
                self.report.copies.meet(&row, self.limits);
                self.bytes += row.bytes();
                self.rows.push(row);
            }
        }
        if self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES { self.hand_over(IsLast::No) } else { Ok(()) }
    }

    fn hand_over(&mut self, last: IsLast) -> anyhow::Result<()> {
        let (rows, site, file) = (std::mem::take(&mut self.rows), self.site.clone(), self.file.clone());
        self.bytes = 0;
        let Some(owner) = &self.owner else {
            self.report.pretend(&rows);
            return Ok(());
        };
        let command = Command::Import { site, file, rows, is_last: last == IsLast::Yes };
        let Reply::Imported(outcome) = owner.obeys(command)? else { bail!("the daemon answered something else") };
        self.report.add(outcome);
        Ok(())
    }
}

impl Report {
    fn skip(&mut self, line: u64, reason: Reason, detail: Option<String>) {
        let lines = self.skipped.entry(reason).or_default();
        if lines.count == 0 {
            lines.detail = detail;
        }
        lines.count += 1;
        if lines.first.len() < LINES_TOLD {
            lines.first.push(line);
        }
    }

    fn add(&mut self, outcome: Outcome) {
        self.outcome.publish += outcome.publish;
        self.outcome.spam += outcome.spam;
        self.outcome.remove += outcome.remove;
        self.outcome.known += outcome.known;
        for (line, reason, detail) in outcome.skipped {
            self.skip(line, Reason::parse(&reason).unwrap_or(Reason::Malformed), detail);
        }
    }

    /// What would become of it, as far as the file alone tells.
    fn pretend(&mut self, rows: &[Row]) {
        let count = |ruling| rows.iter().filter(|row| row.ruling == ruling).count() as u64;
        let (publish, spam, remove) = (count("publish"), count("spam"), count("remove"));
        self.add(Outcome { publish, spam, remove, ..Outcome::default() });
    }
}
