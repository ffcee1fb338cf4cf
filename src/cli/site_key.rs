//! `hamlet site key`: keys for a site's API that are kept as hashes, each with its scopes. Through the running daemon, else straight into the store.

use super::listing::{DryRun, Output};
use super::{Environment, Place, queue};
use crate::access::Scope;
use crate::clock::Clock;
use crate::control::{Command, Reply};
use crate::store::{ApiKey, Reader};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key; it is shown this once
    Add {
        #[command(flatten)]
        which: Which,
        /// What it is for; may be given more than once
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_parser = PossibleValuesParser::new(Scope::ALL.map(Scope::as_str)))]
        scopes: Vec<String>,
    },
    /// The keys, good ones and ended ones, with the last day of use
    List {
        /// Of this site alone
        #[arg(long)]
        site: Option<String>,
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        place: Place,
    },
    /// Make another key of the same name and scopes; the one before ends later
    Rotate {
        #[command(flatten)]
        which: Which,
        /// Days for which the key before is still good
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(0..=365))]
        overlap_days: u32,
    },
    /// End a key at once
    Revoke {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, Args)]
pub struct Which {
    site: String,
    /// Where the key is used, for people: up to 60 characters
    #[arg(long)]
    name: String,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    place: Place,
}

const DAY_SECONDS: u64 = 24 * 60 * 60;

impl KeyCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let (Which { site, name, dry, place }, verb, command) = match self {
            Self::List { site, output, place } => return list(&Reader::open(&place.data(environment)?)?, site.as_deref(), output),
            Self::Add { which, scopes } => {
                let (site, name) = (which.site.clone(), which.name.clone());
                (which, "add", Command::AddKey { site, name, scopes })
            }
            Self::Rotate { which, overlap_days } => {
                let (site, name) = (which.site.clone(), which.name.clone());
                (which, "rotate", Command::RotateKey { site, name, overlap_seconds: u64::from(overlap_days) * DAY_SECONDS })
            }
            Self::Revoke { which } => {
                let (site, name) = (which.site.clone(), which.name.clone());
                (which, "revoke", Command::RevokeKey { site, name })
            }
        };
        if dry.ends(format_args!("{verb} the key {name:?} of {site}"))? {
            return Ok(());
        }
        let reply = queue::ask(&place, environment, command)?;
        if let Reply::Key(shown) = reply {
            super::say(shown.key)?;
            eprintln!("this is the key {name:?} of {site}; it is not shown again");
        } else if reply == Reply::Revoked {
            eprintln!("the key {name:?} of {site} opens nothing any more");
        } else {
            return Err(super::refusal(reply));
        }
        Ok(())
    }
}

const COLUMNS: [&str; 7] = ["site", "name", "scopes", "made_on", "used_on", "ends_at", "good"];

fn list(reader: &Reader, site: Option<&str>, output: Output) -> anyhow::Result<()> {
    let keys: Vec<ApiKey> = reader.api_keys()?.into_iter().filter(|key| site.is_none_or(|site| key.site.as_str() == site)).collect();
    let now = Clock::System.now();
    let document = |key: &ApiKey| {
        json!({
            "site": key.site.as_str(), "name": key.name, "scopes": key.scopes.to_string(), "made_on": key.created_at.date(),
            "used_on": key.used_day, "ends_at": key.ends_at.map(|at| at.to_string()), "good": key.is_good(now),
        })
    };
    output.list(&keys, &COLUMNS, document, |key| {
        let ends = match key.ends_at {
            None => "good".to_owned(),
            Some(at) if key.is_good(now) => format!("good until {}", at.date()),
            Some(at) => format!("ended {}", at.date()),
        };
        let used = key.used_day.as_deref().map_or_else(|| "never used".to_owned(), |day| format!("last used {day}"));
        let (site, name, scopes, made) = (key.site.as_str(), &key.name, key.scopes, key.created_at.date());
        format!("{site:<20} {name:<20} {scopes}; made {made}, {used}, {ends}")
    })?;
    if keys.is_empty() {
        eprintln!("no keys; those of the settings file are not listed here");
    }
    Ok(())
}
