//! `hamlet outbox`: webhooks and mails that have not arrived, and sending them once more.

use super::listing::{DryRun, Output};
use super::{Environment, Place};
use crate::clock::{Clock, Timestamp};
use crate::control::{Command, Reply};
use crate::delivery::{Listed, Parcel};
use crate::id::SiteId;
use crate::store::{Reader, Shown};
use crate::view::{mask_email, terminal_text};
use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum OutboxCommand {
    /// What has not arrived: waiting for its next attempt, or dead
    List {
        #[command(flatten)]
        place: Place,
        /// Only what was given up
        #[arg(long)]
        dead: bool,
        /// Only of this site
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        output: Output,
    },
    /// Send again: one parcel, or all that was given up. A webhook then tells how its comment stands now
    Retry {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        dry: DryRun,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The parcel's id, as the list and `webhook-id` give it; it need not be dead
    id: Option<String>,
    /// All that was given up of this site
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// All that was given up
    #[arg(long)]
    all: bool,
}

impl OutboxCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::List { place, dead, site, limit, output } => {
                let shown = Shown { site: site.map(SiteId::new), only_dead: dead, limit };
                list(&Reader::open(&place.data(environment)?)?, &shown, output)
            }
            Self::Retry { which, dry, place } => retry(&place, environment, which, dry),
        }
    }
}

const COLUMNS: [&str; 9] = ["id", "site", "kind", "comment", "to", "state", "attempts", "due_at", "error"];

fn list(reader: &Reader, shown: &Shown, output: Output) -> anyhow::Result<()> {
    let now = Clock::System.now();
    output.list(&reader.outbox(shown)?, &COLUMNS, document, |listed| row(listed, now))?;
    let (waiting, dead) = reader.parcels()?;
    eprintln!("{waiting} waiting, {dead} dead in all");
    Ok(())
}

/// What a parcel is of: a comment, or a mail to somebody whose address is masked.
fn of(parcel: &Parcel) -> (&'static str, String) {
    match parcel {
        Parcel::Webhook(webhook) => ("webhook", webhook.comment.to_string()),
        Parcel::Callback(callback) => ("callback", callback.comment.to_string()),
        Parcel::Mail(mail) => ("mail", mask_email(&mail.to_address, "...")),
    }
}

fn row(listed: &Listed, now: Timestamp) -> String {
    let (kind, of) = of(&listed.parcel);
    let wait = listed.due_at.since(now).as_secs();
    let state = if listed.dead { "dead".to_owned() } else { format!("in {wait} s") };
    let attempts = listed.attempts;
    let error = terminal_text(listed.error.as_deref().unwrap_or("not tried yet"));
    format!("{}  {kind:<8}  {state:<9}  {attempts:>3} tried  {}  {of}  {error}", listed.id, listed.site)
}

fn document(listed: &Listed) -> serde_json::Value {
    let (kind, of) = of(&listed.parcel);
    let (webhook, mail) = if kind == "mail" { (None, Some(&of)) } else { (Some(&of), None) };
    json!({
        "id": listed.id.to_string(), "site": listed.site.as_str(), "kind": kind, "comment": webhook, "to": mail,
        "state": if listed.dead { "dead" } else { "waiting" }, "attempts": listed.attempts, "error": listed.error,
        "created_at": listed.created_at.to_string(), "due_at": (!listed.dead).then(|| listed.due_at.to_string()),
    })
}

fn retry(place: &Place, environment: &Environment, which: Which, dry: DryRun) -> anyhow::Result<()> {
    let by_id = which.id.is_some();
    if dry.dry_run {
        let shown = Shown { site: which.site.map(SiteId::new), only_dead: !by_id, limit: usize::MAX >> 1 };
        let listed = Reader::open(&place.data(environment)?)?.outbox(&shown)?;
        let meant = listed.iter().filter(|listed| which.id.as_ref().is_none_or(|id| *id == listed.id.to_string())).count();
        dry.ends(format_args!("send again: {meant}"))?;
        return Ok(());
    }
    let reply = super::queue::ask(place, environment, Command::Retry { parcel: which.id, site: which.site })?;
    let Reply::Retried { parcels, left } = reply else { return Err(super::refusal(reply)) };
    if parcels == 0 && by_id {
        bail!("no parcel with this id lies in the outbox, or it is on its way just now");
    }
    super::say(parcels)?;
    if left > 0 {
        eprintln!("{left} stay dead for now: more would fill half of the outbox, or their comments are gone; try again later");
    }
    Ok(())
}
