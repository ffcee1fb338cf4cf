//! `hamlet doctor`: what is well and what is not, each with what to do. 1 when something is broken.

mod sender;

use super::listing::Output;
use super::{Environment, Place};
use crate::clock::Clock;
use crate::config::origins::{self, Setting};
use crate::config::{Config, Transport};
use crate::control;
use crate::dice::Dice;
use crate::flow::doctor::{Daemon, Finding, Level, examine, secrets};
use crate::outbox;
use crate::view::{Ink, Sheet, Tone, kept};
use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct Doctor {
    /// Also ask what takes the network: the mail server (TLS and login), what DNS says of the mails' sender (SPF, DKIM, DMARC), and the
    /// blogs' webhook addresses. Nothing is sent
    #[arg(long)]
    online: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    place: Place,
}

impl Doctor {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        // Settings that cannot run are a finding, and the rest is looked at all the same.
        let config = self.place.settings(environment).and_then(crate::config::settings::Settings::check);
        let data = match (&self.place.data, &config) {
            (Some(data), _) => data.clone(),
            (None, Ok(config)) => config.data.clone(),
            (None, Err(_)) => self.place.data(environment).unwrap_or_else(|_| "./data".into()),
        };
        let daemon = if control::answers(&data) { Daemon::Answers } else { Daemon::Silent };
        let mut findings = examine(config.as_ref(), &data, Clock::System.now(), daemon);
        findings.extend(secrets(&self.secret_files(environment)));
        if let (true, Ok(config)) = (self.online, &config) {
            super::serve::install_tls();
            let dice = Dice::system()?;
            findings.extend(super::serve::runtime()?.block_on(async { [ask(config).await, sender::ask(config, &dice).await].concat() }));
        }
        let ink = super::ink(environment);
        self.output.list(&findings, &["area", "level", "what", "fix"], document, |finding| line(finding, ink))?;
        match findings.iter().filter(|finding| finding.level == Level::Broken).count() {
            0 => Ok(()),
            1 => bail!("1 thing is broken"),
            broken => bail!("{broken} things are broken"),
        }
    }
}

impl Doctor {
    /// Files that hold secrets. What the service manager hands over it has also locked up.
    fn secret_files(&self, environment: &Environment) -> Vec<PathBuf> {
        let file = self.place.config.as_deref();
        let settings = origins::settings(file, environment.iter().cloned()).unwrap_or_default();
        let own = file.filter(|_| settings.iter().any(Setting::is_secret_of_file)).map(Path::to_owned);
        let named = settings.iter().filter_map(Setting::secret_file);
        own.into_iter().chain(named).filter(|path| !path.starts_with("/run")).collect()
    }
}

/// What only the other side can tell.
async fn ask(config: &Config) -> Vec<Finding> {
    let (mut findings, timeout) = (Vec::new(), config.outbox.timeout);
    if let Transport::Smtp(smtp) = &config.mail.transport {
        let place = format!("{} port {}", smtp.host, smtp.port);
        let login = if smtp.login.is_some() { ", and took the login" } else { "" };
        findings.push(match outbox::try_mail(smtp, timeout).await {
            Ok(()) => Finding::good("mail", format!("{place} answers as mail.smtp.tls says{login}")),
            Err(reason) => Finding::broken("mail", format!("{place}: {reason}"), "see mail.smtp: host, port, tls, username, password"),
        });
    }
    for site in config.sites.values() {
        let Some(webhook) = &site.webhook else { continue };
        findings.push(match outbox::try_webhook(&webhook.url, &site.reach, timeout).await {
            Ok(status) => Finding::good("webhooks", format!("{}: the blog answers ({status} to a HEAD, which says nothing more)", site.id)),
            Err(reason) => Finding::broken("webhooks", format!("{}: {reason}", site.id), "see webhook_url, and whether the blog is up"),
        });
    }
    findings
}

fn document(finding: &Finding) -> Value {
    json!({ "area": finding.area, "level": finding.level.as_str(), "what": finding.what, "fix": finding.fix })
}

/// Columns before the words.
const LEAD: usize = 20;

fn line(Finding { area, level, what, fix }: &Finding, ink: Ink) -> String {
    let mut sheet = Sheet::new(ink);
    let (tone, sign) = match level {
        Level::Good => (Tone::Ham, "ok"),
        Level::Doubtful => (Tone::Doubt, "doubtful"),
        Level::Broken => (Tone::Spam, "BROKEN"),
    };
    let padding = " ".repeat(LEAD.saturating_sub(10 + sign.len()));
    sheet.words(&format!("{area:<10}{}{padding}", ink.dye(tone, sign)), &kept(what));
    if !fix.is_empty() {
        sheet.words(&" ".repeat(LEAD), &format!("-> {}", kept(fix)));
    }
    sheet.finish()
}
