//! `hamlet reload`: the running daemon reads its settings again, and what came of it is told here.

use super::listing::DryRun;
use super::{Environment, Place};
use crate::control::{self, Command, Reply};
use crate::id::SiteId;
use anyhow::Context;
use clap::Args;
use std::path::Path;

#[derive(Debug, Args)]
pub struct Reload {
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    place: Place,
}

/// Why other settings are not at work.
#[derive(Debug, thiserror::Error)]
pub enum NotReloaded {
    #[error("no daemon runs on {0}; it reads its settings when it starts")]
    NoDaemon(String),
    #[error("the daemon did not take the settings, and goes on with those before:\n{0}")]
    Invalid(String),
    #[error("the daemon did not take the settings, and goes on with those before: {0}")]
    Failed(String),
}

impl NotReloaded {
    pub fn code(&self) -> u8 {
        match self {
            Self::NoDaemon(_) => 4,
            Self::Invalid(_) => 3,
            Self::Failed(_) => 1,
        }
    }
}

impl Reload {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        if self.dry.dry_run {
            let config = self.place.settings(environment)?.check()?.with_lists()?;
            let sites: Vec<&str> = config.sites.keys().map(SiteId::as_str).collect();
            self.dry.ends(format_args!("have the daemon take sound settings, of these sites: {}", sites.join(", ")))?;
            return Ok(());
        }
        let told = ask(&self.place.data(environment)?)?;
        super::say(told.trim_end())?;
        Ok(())
    }
}

/// Has the daemon of this data directory read its settings, and tells what changed, a line each.
pub fn ask(data: &Path) -> anyhow::Result<String> {
    let Some(reply) = control::ask(data, &Command::Reload).context("the daemon does not answer")? else {
        return Err(NotReloaded::NoDaemon(data.display().to_string()).into());
    };
    if let Reply::Invalid { problems } = reply {
        return Err(NotReloaded::Invalid(problems.join("\n")).into());
    }
    let Reply::Reloaded { added, removed, needs_restart, models_refused } = reply else {
        return Err(NotReloaded::Failed(super::refusal(reply).to_string()).into());
    };
    let line = |what: &str, names: &[String]| if names.is_empty() { String::new() } else { format!("{what}: {}\n", names.join(", ")) };
    Ok([
        "the daemon has taken the settings\n".to_owned(),
        line("new sites", &added),
        line("sites that left", &removed),
        line("changed, but read only at a start: restart it for", &needs_restart),
        line("the model before judges on, for the one on the shelf cannot be read (see the log)", &models_refused),
    ]
    .concat())
}
