//! `hamlet queue`: what waits for a person, and ruling on it from the terminal.

use super::owner::Owner;
use super::{Environment, Place};
use crate::clock::Clock;
use crate::control::{Command, Reply};
use crate::store::{Reader, Record};
use crate::text::cut;
use crate::view::{mask_email, terminal_text};
use anyhow::bail;
use clap::{Subcommand, ValueEnum};
use std::io::Write;

#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// Comments that wait, oldest first
    List {
        #[command(flatten)]
        place: Place,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Rule on one comment; any comment, whatever its verdict
    Rule {
        /// The comment's id, as the list and the API give it
        id: String,
        #[arg(long = "as", value_enum)]
        ruling: Ruling,
        /// Who rules, for the record
        #[arg(long, default_value = "admin")]
        by: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Jsonl,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Ruling {
    /// Also written `ham`
    #[value(alias = "ham")]
    Publish,
    Spam,
    /// Unwanted but not spam; teaches nothing
    Remove,
}

impl QueueCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::List { place, limit, format } => list(&Reader::open(&place.data(environment)?)?, limit, format),
            Self::Rule { id, ruling, by, place } => {
                let ruling = match ruling {
                    Ruling::Publish => "publish",
                    Ruling::Spam => "spam",
                    Ruling::Remove => "remove",
                };
                rule(&place, environment, Command::Rule { id, ruling: ruling.to_owned(), by })
            }
        }
    }
}

/// Characters of a comment in a list: one line of a terminal holds the rest beside it.
const BODY_BYTES_MAX: usize = 72;

fn list(reader: &Reader, limit: usize, format: Format) -> anyhow::Result<()> {
    let held = reader.held(None, limit)?;
    let now = Clock::System.now();
    let mut output = std::io::stdout().lock();
    for record in &held {
        match format {
            Format::Table => writeln!(output, "{}", row(record, now))?,
            Format::Jsonl => {
                let document = crate::flow::document::Document::of_record(record);
                writeln!(output, "{}", serde_json::to_string(&document)?)?;
            }
        }
    }
    match held.len() {
        0 => eprintln!("nothing waits"),
        1 => eprintln!("1 comment waits"),
        n => eprintln!("{n} comments wait"),
    }
    Ok(())
}

fn row(record: &Record, now: crate::clock::Timestamp) -> String {
    let comment = &record.comment;
    let band = record.decision.as_ref().map_or("", |decision| decision.band.as_str());
    let hours = now.since(comment.received_at).as_secs() / 3600;
    let name = terminal_text(comment.author.name.as_deref().unwrap_or("no name"));
    let email = comment.author.email.as_deref().map(|email| mask_email(email, "...")).unwrap_or_default();
    let body = terminal_text(cut(&comment.body, BODY_BYTES_MAX * 4));
    let body: String = body.chars().take(BODY_BYTES_MAX).collect();
    format!("{}  {:<11} {hours:>3} h  {}  {} {email}  {body}", comment.id, band, comment.site, cut(&name, 24))
}

/// Through the running daemon, else straight into the store.
pub(super) fn ask(place: &Place, environment: &Environment, command: Command) -> anyhow::Result<Reply> {
    Owner::of_store(place, environment)?.ask(command)
}

fn rule(place: &Place, environment: &Environment, command: Command) -> anyhow::Result<()> {
    let reply = ask(place, environment, command)?;
    if matches!(reply, Reply::Unknown) {
        bail!("no comment has this id; `hamlet queue list` shows those that wait");
    }
    let Reply::Ruled { status, taken } = reply else { return Err(super::refusal(reply)) };
    super::say(status)?;
    if !taken {
        eprintln!("it was ruled so before; nothing changed");
    }
    Ok(())
}
