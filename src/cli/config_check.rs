//! `hamlet config check`: every problem of the settings at once.

use super::{Environment, Place};
use crate::clock::Clock;
use crate::http::Tls;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Name every problem with its key, its value and what to write instead
    Check(Place),
}

impl ConfigCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let Self::Check(place) = self;
        let config = place.settings(environment)?.check()?.with_lists()?;
        if let Some(files) = &config.tls {
            super::serve::install_tls();
            Tls::open(files.clone(), Clock::System.now())?;
        }
        let (sites, moderators) = (config.sites.len(), config.moderators.len());
        let data = config.data.display();
        super::say(format_args!("the configuration is good (sites: {sites}, moderators: {moderators}, data in {data})"))?;
        let bad_lines: usize = config.lists().map(|list| list.bad_count).sum();
        if bad_lines > 0 {
            eprintln!("bad lines in lists, which are passed over: {bad_lines}; `hamlet lists check` names them");
        }
        Ok(())
    }
}
