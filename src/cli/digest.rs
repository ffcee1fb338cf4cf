//! `hamlet digest preview`: the mail a moderator would get now, on the terminal. Sends nothing.

use super::{Environment, Place};
use crate::clock::Clock;
use crate::flow::digest::{Preview, preview};
use crate::id::ModeratorId;
use crate::store::Reader;
use anyhow::bail;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum DigestCommand {
    /// Print the next digest of a moderator; its links give no right
    Preview {
        /// The moderator's key in the settings
        #[arg(long, value_name = "MODERATOR")]
        to: String,
        /// Print the HTML part instead of the text
        #[arg(long)]
        html: bool,
        /// Print the weekly mail about what was rejected near the line
        #[arg(long)]
        weekly: bool,
        #[command(flatten)]
        place: Place,
    },
}

impl DigestCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let Self::Preview { to, html, weekly, place } = self;
        let which = if weekly { Preview::Weekly } else { Preview::Digest };
        let config = place.settings(environment)?.check()?;
        let reader = Reader::open(&place.data(environment)?)?;
        let Some(moderator) = config.moderators.get(&ModeratorId::new(&to)) else {
            let known: Vec<&str> = config.moderators.keys().map(ModeratorId::as_str).collect();
            bail!("no moderator is called {to:?}; the settings have: {}", known.join(", "));
        };
        let now = Clock::System.now();
        for site in moderator.sites.iter().filter_map(|site| config.sites.get(site)) {
            match preview(&config, &reader, site, moderator, (which, now))? {
                None if weekly => eprintln!("{}: nothing was rejected near the line lately", site.name),
                None => eprintln!("{}: nothing waits that {} was not shown", site.name, moderator.name),
                Some(mail) if html => super::say(mail.html)?,
                Some(mail) => super::say(format_args!("Subject: {}\n\n{}", mail.subject, mail.text))?,
            }
        }
        Ok(())
    }
}
