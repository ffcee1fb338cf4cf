//! `hamlet site` and `hamlet moderator add`: who sends and who rules. They edit the operator's settings file in place, comments and all, check
//! it whole before it is written, and have the running daemon read it. Keys with scopes are in `site_key`.

use super::listing::{DryRun, Output};
use super::site_key::KeyCommand;
use super::{Environment, Place, diff, reload};
use crate::access::NewKey;
use crate::config::edit::{Change, Written, edit};
use crate::config::{Config, Site, Thresholds};
use crate::dice::Dice;
use crate::id::SiteId;
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::Path;

#[derive(Debug, Subcommand)]
pub enum SiteCommand {
    /// The sites of the settings
    List {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        output: Output,
    },
    /// What holds for one site
    Show {
        site: String,
        #[command(flatten)]
        place: Place,
    },
    /// Add a site to the settings file; its API key is made, and shown this once, unless you set one
    Add {
        /// 1 to 40 of a-z, 0-9 and -
        site: String,
        /// Settings below [sites.SITE], like name="Our blog" mode=observe rules.links_max=5
        #[arg(value_name = "KEY=VALUE")]
        keys: Vec<Written>,
        #[command(flatten)]
        how: How,
    },
    /// Change settings of a site
    Set {
        site: String,
        /// Settings below [sites.SITE], like mode=enforce policy.reject_min=0.98
        #[arg(value_name = "KEY=VALUE")]
        keys: Vec<Written>,
        /// Take a key out, so that the default holds
        #[arg(long, value_name = "KEY", value_parser = Written::unset)]
        unset: Vec<Written>,
        #[command(flatten)]
        how: How,
    },
    /// Take a site out of the settings file; what is stored of it stays
    Remove {
        site: String,
        #[command(flatten)]
        how: How,
    },
    /// Keys for the API of a site, each with its scopes
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Debug, Args)]
pub struct AddModerator {
    /// 1 to 40 of a-z, 0-9 and -
    moderator: String,
    /// As it stands in mails
    #[arg(long)]
    name: String,
    #[arg(long)]
    email: String,
    /// A site that they rule on; may be given more than once
    #[arg(long = "site", value_name = "SITE", required = true)]
    sites: Vec<String>,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub struct How {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    dry: DryRun,
}

impl SiteCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::List { place, output } => list(&place.settings(environment)?.check()?, output),
            Self::Show { site, place } => show(&place.settings(environment)?.check()?, &site),
            Self::Add { site, keys, how } => add(site, keys, &how, environment),
            Self::Set { site, keys, unset, how } => how.change(environment, &Change::SetSite(site, [keys, unset].concat())),
            Self::Remove { site, how } => {
                how.change(environment, &Change::RemoveSite(site.clone()))?;
                eprintln!("what is stored of {site} stays; it is judged again if the site returns");
                Ok(())
            }
            Self::Key(key) => key.run(environment),
        }
    }
}

impl AddModerator {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let keys = vec![Written::text("name", &self.name), Written::text("email", &self.email), Written::texts("sites", &self.sites)];
        self.how.change(environment, &Change::AddModerator(self.moderator, keys))
    }
}

fn add(site: String, mut keys: Vec<Written>, how: &How, environment: &Environment) -> anyhow::Result<()> {
    let made = if keys.iter().any(|written| written.is("api_key") || written.is("api_key_file")) {
        None
    } else {
        let key = NewKey::made_of(Dice::system()?.bytes()).reveal();
        keys.push(Written::text("api_key", &key));
        Some(key)
    };
    how.change(environment, &Change::AddSite(site, keys))?;
    if let Some(key) = made.filter(|_| !how.dry.dry_run) {
        super::say(key)?;
        eprintln!("this is its API key, for everything; it stands in the settings file");
    }
    Ok(())
}

impl How {
    /// Edits the settings file, if what comes of it is good, and has the daemon read it.
    fn change(&self, environment: &Environment, change: &Change) -> anyhow::Result<()> {
        let file = self.place.config.as_deref().context("name the settings file that is to be changed: --config FILE")?;
        let before = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let after = edit(&before, change).with_context(|| format!("{} is not changed", file.display()))?;
        self.place.source(environment).read_with(&after)?.with_lists()?;
        if self.dry.dry_run {
            print!("{}", diff::diff(&before, &after));
            return Ok(());
        }
        write_whole(file, &after).with_context(|| format!("cannot write {}; nothing was changed", file.display()))?;
        let data = self.place.data(environment)?;
        match reload::ask(&data) {
            Ok(told) => eprint!("{told}"),
            Err(error) if matches!(error.downcast_ref(), Some(reload::NotReloaded::NoDaemon(_))) => {
                eprintln!("{} is changed; no daemon runs on {}, the next one reads it", file.display(), data.display());
            }
            Err(error) => return Err(error.context(format!("{} is changed", file.display()))),
        }
        Ok(())
    }
}

/// Puts the text in the file's place whole or not at all, for the same owner with the same rights: the daemon must still read it.
fn write_whole(file: &Path, text: &str) -> anyhow::Result<()> {
    let file = fs::canonicalize(file)?;
    let old = fs::metadata(&file)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = file.with_file_name(name);
    let write = || -> std::io::Result<()> {
        let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        new.write_all(text.as_bytes())?;
        new.set_permissions(old.permissions())?;
        let made = new.metadata()?;
        if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
            chown(&beside, Some(old.uid()), Some(old.gid()))?;
        }
        new.sync_all()?;
        fs::rename(&beside, &file)
    };
    if let Err(error) = write() {
        let _ = fs::remove_file(&beside);
        return Err(error.into());
    }
    // The name is on disk once its folder is.
    Ok(file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?)
}

fn moderators(config: &Config, site: &SiteId) -> Vec<String> {
    config.moderators.values().filter(|moderator| moderator.sites.contains(site)).map(|moderator| moderator.id.to_string()).collect()
}

const COLUMNS: [&str; 6] = ["site", "name", "mode", "moderators", "akismet", "webhook"];

fn list(config: &Config, output: Output) -> anyhow::Result<()> {
    let sites: Vec<&Site> = config.sites.values().map(AsRef::as_ref).collect();
    let document = |site: &&Site| {
        json!({
            "site": site.id.as_str(), "name": site.name, "mode": site.mode.as_str(), "moderators": moderators(config, &site.id),
            "akismet": site.akismet.key.is_some(), "webhook": site.webhook.is_some(),
        })
    };
    output.list(&sites, &COLUMNS, document, |site| {
        let moderators = moderators(config, &site.id);
        let ruled_by = if moderators.is_empty() { "nobody".to_owned() } else { moderators.join(", ") };
        format!("{:<20} {:<8} ruled by {ruled_by}  {}", site.id.as_str(), site.mode.as_str(), site.name)
    })
}

fn show(config: &Config, name: &str) -> anyhow::Result<()> {
    let site = config.sites.get(&SiteId::new(name));
    let site = site.with_context(|| format!("no site is called {name:?}; the settings have: {}", super::site_names(config)))?;
    for (what, value) in facts(config, site) {
        super::say(format_args!("{what:<12} {value}"))?;
    }
    Ok(())
}

fn facts(config: &Config, site: &Site) -> Vec<(&'static str, String)> {
    let listed = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let thresholds = match site.thresholds {
        Thresholds::Fixed => "as written",
        Thresholds::Budget => "of the budget, where the model is certified for it (`hamlet model show`); else as written",
    };
    let policy = site.policy;
    let lists = config.lists.iter().filter(|list| list.sites.contains(&site.id)).map(|list| list.spec.name.clone()).collect();
    vec![
        ("name", site.name.clone()),
        ("mode", site.mode.as_str().to_owned()),
        ("thresholds", thresholds.to_owned()),
        (
            "as written",
            format!("publish to {}, reject from {}, discard from {}", policy.publish_max, policy.reject_min, policy.discard_min),
        ),
        (
            "budget",
            format!(
                "spam published {}, ham rejected {}, at confidence {}",
                site.budget.spam_published_max(),
                site.budget.ham_rejected_max(),
                site.budget.confidence()
            ),
        ),
        ("moderators", listed(moderators(config, &site.id))),
        ("lists", listed(lists)),
        ("webhook", site.webhook.as_ref().map_or_else(|| "none".to_owned(), |webhook| webhook.url.clone())),
        ("akismet", if site.akismet.key.is_some() { "spoken" } else { "not spoken" }.to_owned()),
    ]
}
