//! `hamlet quarantine`: labels that were put aside before they were learnt, who gave them and why they wait; and their release.

use super::listing::DryRun;
use super::{Environment, Place};
use crate::classifier::guard::Reason;
use crate::clock::Clock;
use crate::flow::guarding;
use crate::id::SiteId;
use crate::shelf::{Put, Shelf};
use crate::store::{Reader, RulingOn};
use crate::text::cut;
use crate::view::terminal_text;
use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// Labels that are not learnt until you release them: by source and reason, or each
    List {
        #[command(flatten)]
        place: Place,
        /// Of this site only
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Let labels be learnt, by the next training
    Release {
        #[command(flatten)]
        place: Place,
        #[arg(long, value_name = "SITE")]
        site: String,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        dry: DryRun,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    /// One label a line
    Jsonl,
}

/// Which labels.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// Those of this source, as `quarantine list` names it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Those that wait for this reason: source, burst, canary, author or campaign
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Option<Reason>,
    /// The label of this ruling, by its number
    #[arg(long, value_name = "NUMBER")]
    ruling: Option<i64>,
    /// All of them
    #[arg(long)]
    all: bool,
}

fn reason(text: &str) -> Result<Reason, String> {
    let words = || Reason::ALL.map(Reason::as_str).join(", ");
    Reason::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or_else(|| format!("write one of {}", words()))
}

/// Characters of a comment: what is left of a line.
const EXCERPT_CHARS_MAX: usize = 60;

impl QuarantineCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::List { place, site, format } => {
                let data = place.data(environment)?;
                let (reader, shelf) = (Reader::open(&data)?, Shelf::of(&data));
                let sites = site.map_or_else(|| reader.ruled_sites(), |site| Ok(vec![SiteId::new(site)]))?;
                let mut waiting = 0;
                for site in &sites {
                    let labels = guarding::waiting(&reader, &shelf, site)?;
                    waiting += labels.len();
                    list(site, &labels, format)?;
                }
                eprintln!("{waiting} labels wait; `hamlet quarantine release` lets them be learnt");
                Ok(())
            }
            Self::Release { place, site, which, dry } => {
                let data = place.data(environment)?;
                release((&Reader::open(&data)?, &Shelf::of(&data)), &SiteId::new(site), &which, dry)
            }
        }
    }
}

fn list(site: &SiteId, labels: &[(i64, Put, RulingOn)], format: Format) -> anyhow::Result<()> {
    for (number, Put { reason, at, .. }, RulingOn { comment, body, ruled }) in labels {
        let (ruling, id, way) = (ruled.ruling.as_str(), comment.to_string(), &ruled.via);
        let by = terminal_text(&ruled.by);
        if format == Format::Jsonl {
            let line = json!({
                "site": site.as_str(), "ruling_number": number, "comment": id, "ruling": ruling, "by": ruled.by, "via": way,
                "ruled_at": ruled.at.to_string(), "reason": reason.as_str(), "put_at": at,
            });
            super::say(line)?;
            continue;
        }
        let text: String = terminal_text(cut(body, EXCERPT_CHARS_MAX * 8)).chars().take(EXCERPT_CHARS_MAX).collect();
        super::say(format_args!("{number}  {site}  {ruling} by {by} ({way}), {}: {}", ruled.at.date(), reason.words()))?;
        super::say(format_args!("    {id}  {text}"))?;
    }
    Ok(())
}

fn release((reader, shelf): (&Reader, &Shelf), site: &SiteId, which: &Which, dry: DryRun) -> anyhow::Result<()> {
    let mut quarantine = shelf.quarantine(site)?;
    let now = Clock::System.now().to_string();
    let mut released = 0;
    for (number, put) in quarantine.labels.iter_mut().filter(|(_, put)| put.released_at.is_none()) {
        let is_by = match &which.by {
            Some(by) => reader.ruling(*number)?.is_some_and(|on| on.ruled.by == *by),
            None => false,
        };
        if which.all || is_by || which.reason == Some(put.reason) || which.ruling == Some(*number) {
            put.released_at = Some(now.clone());
            released += 1;
        }
    }
    if released == 0 {
        bail!("no label of {site} in quarantine is meant by that");
    }
    if dry.ends(format_args!("let {released} labels of {site} be learnt"))? {
        return Ok(());
    }
    shelf.keep_quarantine(site, &quarantine)?;
    eprintln!("{site}: {released} labels are learnt by the next training, or at once by `hamlet retrain --site {site}`");
    Ok(())
}
