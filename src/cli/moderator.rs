//! `hamlet moderator`: the people who rule.

use super::{Environment, Place, site};
use crate::control::{self, Command, Reply};
use anyhow::{Context, bail};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum ModeratorCommand {
    /// Add a moderator to the settings file
    Add(site::AddModerator),
    /// Forget a moderator's password, log them out everywhere, and print a link that lets them in once, within a day
    Reset {
        /// The moderator's key in the settings: of `[moderators.ana]` it is `ana`
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

impl ModeratorCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(environment),
            Self::Reset { id, place } => reset(&id, &place, environment),
        }
    }
}

fn reset(id: &str, place: &Place, environment: &Environment) -> anyhow::Result<()> {
    let data = place.data(environment)?;
    let command = Command::ResetModerator { id: id.to_owned() };
    let Some(reply) = control::ask(&data, &command).context("the daemon does not answer")? else {
        bail!("no daemon runs on {}; start `hamlet serve` first, since the link leads to it", data.display());
    };
    if matches!(reply, Reply::Unknown) {
        bail!("the settings have no moderator {id}");
    }
    let Reply::Link { url } = reply else { return Err(super::refusal(reply)) };
    super::say(url)?;
    eprintln!("hand this to {id}; it works once, within 24 hours");
    Ok(())
}
