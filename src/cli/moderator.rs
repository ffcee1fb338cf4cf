//! `hamlet moderator`: the people who rule, and whether they get mail. Adding one is `site`'s; mails are turned off and on through the daemon
//! that runs, else straight in the store.

use super::listing::DryRun;
use super::{Environment, Place, site};
use crate::control::{Command, Reply};
use crate::id::ModeratorId;
use crate::store::Reader;
use anyhow::bail;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum ModeratorCommand {
    /// Add a moderator to the settings file
    Add(site::AddModerator),
    /// Send a moderator no more digests
    Pause {
        /// The moderator's key in the settings
        id: String,
        #[command(flatten)]
        dry: DryRun,
        #[command(flatten)]
        place: Place,
    },
    /// Send a moderator digests again, after a pause or after mail came back
    Resume {
        /// The moderator's key in the settings
        id: String,
        #[command(flatten)]
        dry: DryRun,
        #[command(flatten)]
        place: Place,
    },
    /// Send a moderator a mail with a button by which they say that it arrived; `hamlet doctor` tells who did
    TestMail {
        /// The moderator's key in the settings
        id: String,
        #[command(flatten)]
        dry: DryRun,
        #[command(flatten)]
        place: Place,
    },
    /// Forget a moderator's password, log them out everywhere, and print a link that lets them in once, within a day
    Reset {
        /// The moderator's key in the settings: of `[moderators.ana]` it is `ana`
        id: String,
        #[command(flatten)]
        dry: DryRun,
        #[command(flatten)]
        place: Place,
    },
}

impl ModeratorCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(environment),
            Self::Pause { id, dry, place } => mails(&id, Mails::Off, dry, &place, environment),
            Self::Resume { id, dry, place } => mails(&id, Mails::On, dry, &place, environment),
            Self::TestMail { id, dry, place } => test_mail(&id, dry, &place, environment),
            Self::Reset { id, dry, place } => reset(&id, dry, &place, environment),
        }
    }
}

/// Whether a moderator gets them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mails {
    On,
    Off,
}

fn mails(moderator: &str, mails: Mails, dry: DryRun, place: &Place, environment: &Environment) -> anyhow::Result<()> {
    let on = mails == Mails::On;
    let word = if on { "on" } else { "off" };
    if dry.dry_run {
        known(moderator, place, environment)?;
        let paused = Reader::open(&place.data(environment)?)?.mailbox(&ModeratorId::new(moderator))?.paused;
        let now = if paused.is_none() { "on" } else { "off" };
        dry.ends(format_args!("turn {moderator}'s mails {word}, which are {now} now"))?;
        return Ok(());
    }
    let reply = super::queue::ask(place, environment, Command::Mails { moderator: moderator.to_owned(), on })?;
    let Reply::Changed { changed } = reply else { return Err(super::refusal(reply)) };
    if changed {
        super::say(format_args!("{moderator}: mails are {word}"))?;
    } else {
        eprintln!("{moderator}: mails were {word} before; nothing changed");
    }
    Ok(())
}

fn known(moderator: &str, place: &Place, environment: &Environment) -> anyhow::Result<()> {
    if !place.settings(environment)?.check()?.moderators.contains_key(&ModeratorId::new(moderator)) {
        bail!("the settings have no moderator {moderator}");
    }
    Ok(())
}

/// The link leads to the daemon, and the mail leaves through it.
fn test_mail(id: &str, dry: DryRun, place: &Place, environment: &Environment) -> anyhow::Result<()> {
    if dry.dry_run {
        known(id, place, environment)?;
        dry.ends(format_args!("send {id} a test mail"))?;
        return Ok(());
    }
    let command = Command::TestMail { moderator: id.to_owned() };
    let reply = super::ask_daemon(&place.data(environment)?, &command, "it sends the mail")?;
    let Reply::Changed { .. } = reply else { return Err(super::refusal(reply)) };
    super::say(format_args!("{id}: a test mail is on its way"))?;
    eprintln!("`hamlet outbox list` shows it while it waits; once its button is pressed, `hamlet doctor` says so");
    Ok(())
}

fn reset(id: &str, dry: DryRun, place: &Place, environment: &Environment) -> anyhow::Result<()> {
    if dry.dry_run {
        known(id, place, environment)?;
        dry.ends(format_args!("forget {id}'s password, log them out everywhere and print a link that lets them in"))?;
        return Ok(());
    }
    let command = Command::ResetModerator { id: id.to_owned() };
    let reply = super::ask_daemon(&place.data(environment)?, &command, "the link leads to it")?;
    if matches!(reply, Reply::Unknown) {
        bail!("the settings have no moderator {id}");
    }
    let Reply::Link { url } = reply else { return Err(super::refusal(reply)) };
    super::say(url)?;
    eprintln!("hand this to {id}; it works once, within 24 hours");
    Ok(())
}
