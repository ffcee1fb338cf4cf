//! `hamlet digest`: the mail that a moderator would get now, on the terminal or, through the daemon, on its way.

use super::listing::DryRun;
use super::{Environment, Place};
use crate::clock::Clock;
use crate::config::{Config, Moderator};
use crate::control::{Command, Reply};
use crate::delivery::Mail;
use crate::flow::digest::{Preview, preview};
use crate::id::{DigestId, ModeratorId};
use crate::outbox;
use crate::store::Reader;
use crate::view::DigestMail;
use anyhow::bail;
use clap::Subcommand;
use std::io::Write;

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
        /// Print the whole message, for a mail program to open
        #[arg(long, conflicts_with = "html")]
        eml: bool,
        /// Print the weekly mail about what was rejected near the line
        #[arg(long)]
        weekly: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Mail a moderator at once what waits and they were not shown, whatever the hour
    Send {
        /// The moderator's key in the settings
        #[arg(long, value_name = "MODERATOR")]
        to: String,
        #[command(flatten)]
        dry: DryRun,
        #[command(flatten)]
        place: Place,
    },
}

impl DigestCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::Preview { to, html, eml, weekly, place } => {
                let which = if weekly { Preview::Weekly } else { Preview::Digest };
                let mails = Mails::read(&place, environment, &to)?;
                for (site, mail) in mails.of(which)? {
                    match mail {
                        None if weekly => eprintln!("{site}: nothing was rejected near the line lately"),
                        None => eprintln!("{site}: nothing waits that {to} was not shown"),
                        Some(mail) if html => super::say(mail.html)?,
                        Some(mail) if eml => std::io::stdout().lock().write_all(&mails.message(&site, mail)?)?,
                        Some(mail) => super::say(format_args!("Subject: {}\n\n{}", mail.subject, mail.text))?,
                    }
                }
                Ok(())
            }
            Self::Send { to, dry, place } => send(&to, dry, &place, environment),
        }
    }
}

/// What a moderator would be mailed.
struct Mails {
    config: Config,
    reader: Reader,
    moderator: Moderator,
}

impl Mails {
    fn read(place: &Place, environment: &Environment, to: &str) -> anyhow::Result<Self> {
        let config = place.settings(environment)?.check()?;
        let Some(moderator) = config.moderators.get(&ModeratorId::new(to)).cloned() else {
            let known: Vec<&str> = config.moderators.keys().map(ModeratorId::as_str).collect();
            bail!("no moderator is called {to:?}; the settings have: {}", known.join(", "));
        };
        Ok(Self { reader: Reader::open(&place.data(environment)?)?, config, moderator })
    }

    fn message(&self, site_name: &str, shown: DigestMail) -> anyhow::Result<Vec<u8>> {
        let DigestMail { subject, text, html } = shown;
        let (to_name, to_address) = (self.moderator.name.clone(), self.moderator.email.clone());
        let (digest, from_name) = (DigestId::from_bytes([0; 16]), format!("{site_name} comments"));
        let mail = Mail { digest, to_name, to_address, from_name, subject, text, html, list: None };
        outbox::eml(&self.config.mail, &mail, Clock::System.now()).map_err(anyhow::Error::msg)
    }

    /// Of each of their sites, by its name.
    fn of(&self, which: Preview) -> anyhow::Result<Vec<(String, Option<DigestMail>)>> {
        let now = Clock::System.now();
        let sites = self.moderator.sites.iter().filter_map(|site| self.config.sites.get(site));
        sites.map(|site| Ok((site.name.clone(), preview(&self.config, &self.reader, site, &self.moderator, (which, now))?))).collect()
    }
}

fn send(to: &str, dry: DryRun, place: &Place, environment: &Environment) -> anyhow::Result<()> {
    if dry.dry_run {
        let mails = Mails::read(place, environment, to)?.of(Preview::Digest)?;
        for mail in mails.into_iter().filter_map(|(_, mail)| mail) {
            dry.ends(format_args!("mail {to}: {}", mail.subject))?;
        }
        return Ok(());
    }
    let command = Command::SendDigest { moderator: to.to_owned() };
    let reply = super::ask_daemon(&place.data(environment)?, &command, "it sends the mail")?;
    let Reply::Mailed { mails } = reply else { return Err(super::refusal(reply)) };
    if mails == 0 {
        bail!("nothing waits that {to} was not shown, or no mail is sent to them: see `hamlet doctor`");
    }
    super::say(format_args!("{to}: {mails} on the way"))?;
    Ok(())
}
