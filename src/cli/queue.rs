//! `hamlet queue`: what waits for a person, and ruling on it from the terminal.

use super::listing::{DryRun, Output};
use super::owner::Owner;
use super::{Environment, Place};
use crate::clock::Clock;
use crate::control::{Command, Reply};
use crate::flow::document::Document;
use crate::id::CommentId;
use crate::store::{Objected, Reader, Record, Ruled};
use crate::text::cut;
use crate::view::{Ink, Sheet, mask_email, terminal_text};
use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub enum QueueCommand {
    /// Comments that wait, oldest first
    List {
        #[command(flatten)]
        place: Place,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        output: Output,
    },
    /// One comment: how it stands, what it says, and what people said of it
    Show {
        /// The comment's id, as the list and the API give it
        id: String,
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        place: Place,
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
        dry: DryRun,
        #[command(flatten)]
        place: Place,
    },
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
            Self::List { place, limit, output } => list(&Reader::open(&place.data(environment)?)?, limit, output),
            Self::Show { id, output, place } => show(&Reader::open(&place.data(environment)?)?, &id, output, super::ink(environment)),
            Self::Rule { id, ruling, by, dry, place } => {
                let ruling = match ruling {
                    Ruling::Publish => "publish",
                    Ruling::Spam => "spam",
                    Ruling::Remove => "remove",
                };
                if dry.dry_run {
                    let record = find(&Reader::open(&place.data(environment)?)?, &id)?;
                    dry.ends(format_args!("rule {ruling} on {id}, which is {} now", record.status.as_str()))?;
                    return Ok(());
                }
                rule(&place, environment, Command::Rule { id, ruling: ruling.to_owned(), by })
            }
        }
    }
}

/// Characters of a comment in a list: one line of a terminal holds the rest beside it.
const BODY_BYTES_MAX: usize = 72;

/// Fields of a comment's document that make a table.
const COLUMNS: [&str; 9] = ["id", "site", "received_at", "status", "verdict", "score", "band", "model", "reasons"];

/// As the API answers, with what tells comments of several sites apart.
fn document(record: &Record) -> Value {
    let document = serde_json::to_value(Document::of_record(record)).unwrap_or_default();
    with(document, json!({ "site": record.comment.site.as_str(), "received_at": record.comment.received_at.to_string() }))
}

/// A document with the fields of another beside its own.
fn with(mut document: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (document.as_object_mut(), more) {
        fields.extend(more);
    }
    document
}

fn list(reader: &Reader, limit: usize, output: Output) -> anyhow::Result<()> {
    let held = reader.held(None, limit)?;
    let now = Clock::System.now();
    output.list(&held, &COLUMNS, document, |record| row(record, now))?;
    match held.len() {
        0 => eprintln!("nothing waits"),
        1 => eprintln!("1 comment waits"),
        n => eprintln!("{n} comments wait"),
    }
    Ok(())
}

fn find(reader: &Reader, id: &str) -> anyhow::Result<Record> {
    let id: CommentId = id.parse()?;
    let record = reader.site_of(id)?.map(|site| reader.comment(&site, id)).transpose()?.flatten();
    record.context("no comment has this id; `hamlet queue list` shows those that wait")
}

fn show(reader: &Reader, id: &str, output: Output, ink: Ink) -> anyhow::Result<()> {
    let record = find(reader, id)?;
    let said =
        Said { rulings: reader.rulings(record.seq)?, objections: reader.objections(record.seq)?, edits: reader.earlier(record.seq)?.len() };
    let whole = |record: &Record| {
        let rulings: Value = said.rulings.iter().map(ruling).collect();
        let objections: Value = said.objections.iter().map(objection).collect();
        with(document(record), json!({ "rulings": rulings, "objections": objections, "edits": said.edits }))
    };
    output.one(&record, &COLUMNS, whole, |record| sheet(record, &said, ink))
}

/// What people said of a comment.
struct Said {
    rulings: Vec<Ruled>,
    objections: Vec<Objected>,
    edits: usize,
}

fn ruling(ruled: &Ruled) -> Value {
    json!({ "ruling": ruled.ruling.as_str(), "by": ruled.by, "via": ruled.via, "at": ruled.at.to_string() })
}

fn objection(objected: &Objected) -> Value {
    json!({ "objection": objected.objection.as_str(), "text": objected.text, "at": objected.at.to_string() })
}

fn sheet(record: &Record, said: &Said, ink: Ink) -> String {
    let comment = &record.comment;
    let mut sheet = Sheet::new(ink);
    let waits = if record.waits() { ", waits for a person" } else { "" };
    sheet.ends(&format!("{} on {}{waits}", record.status.as_str(), comment.site), &comment.received_at.to_string());
    let name = terminal_text(comment.author.name.as_deref().unwrap_or("no name"));
    let email = comment.author.email.as_deref().map(|email| mask_email(email, "...")).unwrap_or_default();
    sheet.line(format_args!("{name} {email}"));
    if let Some(title) = comment.page.title.as_deref().or(comment.page.url.as_deref()) {
        sheet.words("on ", &terminal_text(title));
    }
    sheet.quote(&terminal_text(&comment.body));
    if let Some(decision) = &record.decision {
        let verdict = format!("the machine says {} ({})", decision.verdict.as_str(), decision.band.as_str());
        sheet.words("", &format!("{verdict}; `hamlet explain {}` says why", comment.id));
    }
    for ruled in &said.rulings {
        sheet.words("", &format!("{} by {} via {}, {}", ruled.ruling.as_str(), terminal_text(&ruled.by), ruled.via, ruled.at));
    }
    for objected in &said.objections {
        sheet.words(
            "",
            &format!(
                "{}, {}: {}",
                objected.objection.as_str(),
                objected.at,
                terminal_text(objected.text.as_deref().unwrap_or("no reason"))
            ),
        );
    }
    if said.edits > 0 {
        sheet.line(format_args!("edited; earlier texts kept: {} (`hamlet export` has them)", said.edits));
    }
    sheet.finish()
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
