//! `hamlet moderator`: the people who rule.

use super::{Environment, site};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum ModeratorCommand {
    /// Add a moderator to the settings file
    Add(site::AddModerator),
}

impl ModeratorCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(environment),
        }
    }
}
