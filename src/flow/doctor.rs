//! The doctor: looks at everything that a daemon leans on, and says of each what is well and what is not, with what to do. It changes
//! nothing. What takes the network is asked elsewhere (`outbox`).

use super::mailbox::Confirmed;
use super::models::SiteModel;
use super::{audit, forget, guarding};
use crate::clock::Timestamp;
use crate::config::{Config, Invalid, Moderator, Site, Transport};
use crate::rules::span;
use crate::shelf::{self, Shelf};
use crate::store::{Health, Mailbox, PausedBy, Reader, Store, StoreError, VERSION};
use crate::view::count;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How well a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Good,
    /// It works, and somebody should look.
    Doubtful,
    /// It does not work, or will not for long.
    Broken,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Doubtful => "doubtful",
            Self::Broken => "broken",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub area: &'static str,
    pub level: Level,
    pub what: String,
    /// What to do about it; empty where all is well.
    pub fix: String,
}

impl Finding {
    pub fn good(area: &'static str, what: impl Into<String>) -> Self {
        Self { area, level: Level::Good, what: what.into(), fix: String::new() }
    }

    pub fn doubtful(area: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, level: Level::Doubtful, what: what.into(), fix: fix.into() }
    }

    pub fn broken(area: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, level: Level::Broken, what: what.into(), fix: fix.into() }
    }
}

/// Whether one was met at the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    Answers,
    Silent,
}

/// A comment that waits for people longer than this has been overlooked: digests remind after a day.
const HELD_MAX: Duration = Duration::from_hours(72);

/// A parcel that waits longer than this is tried again and again: a target was down for hours.
const PARCEL_MAX: Duration = Duration::from_hours(3);

/// A model older than this has not seen how people write, and advertise, today.
const MODEL_AGE_MAX: Duration = Duration::from_hours(24 * 365);

/// Everything that can be looked at without the network.
pub fn examine(config: Result<&Config, &Invalid>, data: &Path, now: Timestamp, daemon: Daemon) -> Vec<Finding> {
    let mut findings = settings(config);
    findings.extend(files(data));
    match Reader::open(data) {
        Err(error @ StoreError::Missing(_)) => findings.push(Finding::doubtful("store", error.to_string(), "start `hamlet serve` once")),
        Err(error) => findings.push(unreadable(&error)),
        Ok(reader) => {
            findings.extend(store(&reader, data, config.ok()));
            match reader.health() {
                Ok(health) => findings.extend(waiting(&health, now)),
                Err(error) => findings.push(unreadable(&error)),
            }
            let shelf = Shelf::of(data);
            for site in config.iter().flat_map(|config| config.sites.values()) {
                findings.extend(model(&reader, &shelf, site, now));
            }
            findings.extend(config.iter().flat_map(|config| mailboxes(&reader, config)));
        }
    }
    findings.push(match daemon {
        Daemon::Answers => Finding::good("daemon", "it runs and answers its socket"),
        Daemon::Silent => {
            Finding::doubtful("daemon", "none answers on this data directory", "start `hamlet serve`; without it nothing is judged")
        }
    });
    findings.extend(config.iter().flat_map(|config| people(config)));
    findings.extend(config.iter().filter_map(|config| sender(config)));
    findings
}

/// Whether mails arrive is for the receivers to say, who look at the sender's domain. What they find there is told by `doctor --online`.
fn sender(config: &Config) -> Option<Finding> {
    let Transport::Smtp(smtp) = &config.mail.transport else { return None };
    let (from, domain) = (&config.mail.from, config.mail.from.rsplit('@').next()?);
    let what = format!(
        "mails come from {from} by {}: receivers look for an SPF record of {domain} that allows that server, a DKIM signature and a DMARC \
         record (`hamlet doctor --online` looks them up)",
        smtp.host
    );
    Some(Finding::good("mail", what))
}

fn unreadable(error: &StoreError) -> Finding {
    Finding::broken("store", error.to_string(), "stop the daemon, keep a copy of the files, and `hamlet restore` the last back-up")
}

fn settings(config: Result<&Config, &Invalid>) -> Vec<Finding> {
    match config {
        Ok(config) => {
            vec![Finding::good(
                "settings",
                format!(
                    "sound: {}, {}",
                    count(config.sites.len(), "site", "sites"),
                    count(config.moderators.len(), "moderator", "moderators")
                ),
            )]
        }
        Err(invalid) => {
            let broken = |problem: &crate::config::Problem| {
                Finding::broken("settings", format!("{} is {}", problem.key, problem.value), &problem.instead)
            };
            invalid.problems.iter().map(broken).collect()
        }
    }
}

/// The settings file, where it holds secrets, and the files that it names for them. A group may read them: whoever administers does so by one.
pub fn secrets(paths: &[PathBuf]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in paths {
        match fs::metadata(path).map(|file| file.permissions().mode() & 0o777) {
            Ok(mode) if mode & 0o007 != 0 => {
                let what = format!("{} holds a secret and can be opened by everybody (mode {mode:o})", path.display());
                findings.push(Finding::broken("files", what, format!("chmod o= {}", path.display())));
            }
            Ok(_) => {}
            Err(error) => findings.push(Finding::broken("files", format!("{}: {error}", path.display()), "see the setting that names it")),
        }
    }
    findings
}

/// Readers' addresses and the keys that sign links are for the daemon's user alone.
fn files(data: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in ["", "hamlet.db", "models/hashing.secret", "hamlet.sock"] {
        let path = data.join(name);
        let Ok(mode) = fs::metadata(&path).map(|file| file.permissions().mode() & 0o777) else { continue };
        if mode & 0o077 != 0 {
            let what = format!("{} can be opened by others (mode {mode:o})", path.display());
            findings.push(Finding::broken("files", what, format!("chmod go= {}", path.display())));
        }
    }
    if findings.is_empty() && data.exists() {
        findings.push(Finding::good("files", format!("{} is for this user alone", data.display())));
    }
    findings
}

fn store(reader: &Reader, data: &Path, config: Option<&Config>) -> Vec<Finding> {
    let mut findings = Vec::new();
    match reader.problems() {
        Ok(problems) if problems.is_empty() => {
            let bytes = fs::metadata(Store::file(data)).map_or(0, |file| file.len());
            findings.push(Finding::good("store", format!("sound, {} MiB", bytes.div_ceil(1 << 20))));
        }
        Ok(problems) => findings.push(unreadable(&StoreError::Row(problems.join("; ")))),
        Err(error) => findings.push(unreadable(&error)),
    }
    if let (Some(free), Some(config)) = (Store::disk_free_bytes(data), config) {
        let (floor, mebibytes) = (config.store.disk_free_bytes_min, free >> 20);
        findings.push(if free < floor {
            let what = format!("{mebibytes} MiB of disk are left, under the floor of {} MiB: nothing new is taken", floor >> 20);
            Finding::broken("disk", what, "make room, or lower store.disk_free_bytes_min")
        } else if free < floor.saturating_mul(3) {
            Finding::doubtful("disk", format!("{mebibytes} MiB of disk are left; intake stops at {} MiB", floor >> 20), "make room")
        } else {
            Finding::good("disk", format!("{mebibytes} MiB left"))
        });
    }
    findings
}

fn waiting(health: &Health, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    if usize::try_from(health.schema).is_ok_and(|schema| schema < VERSION) {
        let what = format!("the store has taken {} of {VERSION} steps", health.schema);
        findings.push(Finding::doubtful("store", what, "the next start of `hamlet serve` takes them, and copies the store before"));
    }
    if let Some(newest) = health.newest.filter(|newest| *newest > now) {
        let what = format!("it is {now}, and the last comment came at {newest}");
        findings.push(Finding::broken("clock", what, "set the clock; let chrony or systemd-timesyncd keep it"));
    } else {
        findings.push(Finding::good("clock", now.to_string()));
    }
    let late = |since: Option<Timestamp>, max| since.map(|since| now.since(since)).filter(|waited| *waited > max);
    findings.push(match late(health.held_since, HELD_MAX) {
        Some(waited) => {
            let what = format!("waiting for people: {}, the oldest for {}", health.held, span(waited));
            Finding::doubtful("queue", what, "`hamlet queue list` shows them; see whether the mails arrive")
        }
        None => Finding::good("queue", format!("waiting for people: {}, for the judge: {}", health.held, health.queued)),
    });
    let parcels = late(health.parcels_since, PARCEL_MAX).map(|waited| {
        let what = format!("webhooks and mails waiting to leave: {}, the oldest for {}", health.parcels, span(waited));
        Finding::doubtful("outbox", what, "look in the log for what the other side says")
    });
    findings.push(parcels.unwrap_or_else(|| Finding::good("outbox", format!("webhooks and mails waiting to leave: {}", health.parcels))));
    if health.dead > 0 {
        let reason = health.dead_reason.as_deref().unwrap_or("unknown");
        let what = format!("webhooks and mails that were given up: {}; the last one: {reason}", health.dead);
        findings.push(Finding::doubtful("outbox", what, "mend the other side, then `hamlet outbox retry --all`"));
    }
    findings
}

fn model(reader: &Reader, shelf: &Shelf, site: &Site, now: Timestamp) -> Vec<Finding> {
    let retrain = format!("hamlet retrain --site {}", site.id);
    let model = match shelf::current_or_starter(shelf, &site.id) {
        Ok(model) => model,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            return vec![Finding::broken("model", format!("{}: {error}{cause}; only rules decide there", site.id), retrain)];
        }
    };
    let (card, mut findings) = (&model.card, Vec::new());
    let trained_at = Timestamp::parse(&card.trained_at).ok();
    if let Ok(Some(at)) = forget::known_to(reader, &site.id, &model) {
        let what = format!("{}: model {} learnt from what was forgotten on {}", site.id, model.id, at.date());
        findings.push(Finding::broken("model", what, &retrain));
    }
    if card.ruling.is_some() && trained_at.is_some_and(|at| now.since(at) > MODEL_AGE_MAX) {
        let what = format!("{}: model {} was trained on {}", site.id, model.id, card.trained_at);
        findings.push(Finding::doubtful("model", what, &retrain));
    }
    for (id, alarm) in audit::alarms_of(reader, shelf, site).unwrap_or_default() {
        findings.push(Finding::doubtful("model", format!("{}: model {id}: {alarm}", site.id), &retrain));
    }
    match guarding::waiting(reader, shelf, &site.id).as_deref() {
        Ok([]) => {}
        Ok(labels) => {
            let what = format!("{}: {} labels look like poison and are not learnt", site.id, labels.len());
            findings.push(Finding::doubtful("model", what, format!("hamlet quarantine list --site {}", site.id)));
        }
        Err(error) => {
            findings.push(Finding::broken("model", format!("{}: {error}; nothing is learnt there", site.id), "restore it from a back-up"));
        }
    }
    if findings.is_empty() {
        let certified = card.terms.as_ref().is_some_and(|terms| terms.policy(site.budget).is_some());
        let budget = if certified { "certified for its budget" } else { "not certified for its budget, so the fixed thresholds decide" };
        let policy = SiteModel::new(model.clone()).policy(site);
        let thresholds = format!("published up to {}, rejected from {}", policy.publish_max, policy.reject_min);
        findings.push(Finding::good("model", format!("{}: {}, whole, {budget}: {thresholds}", site.id, model.id)));
    }
    findings
}

/// Whether mail is known to reach each moderator. That one was opened nobody can know; that a button was pressed is an answer. What lands in
/// files goes to nobody.
fn mailboxes(reader: &Reader, config: &Config) -> Vec<Finding> {
    if !matches!(config.mail.transport, Transport::Smtp(_)) {
        return Vec::new();
    }
    let look = |moderator: &Moderator| match reader.mailbox(&moderator.id) {
        Ok(mailbox) => reached(moderator, &mailbox),
        Err(error) => unreadable(&error),
    };
    config.moderators.values().map(look).collect()
}

fn reached(moderator: &Moderator, mailbox: &Mailbox) -> Finding {
    let id = &moderator.id;
    if let Some((at, by)) = mailbox.paused {
        let why = match by {
            PausedBy::Link | PausedBy::Desk => "turned off by themselves",
            PausedBy::Cli => "turned off on the command line",
            PausedBy::Bounces => "turned off, since two in a row came back",
        };
        return Finding::doubtful("mail", format!("{id}: mails are {why} on {}", at.date()), format!("hamlet moderator resume {id}"));
    }
    let fix = format!("hamlet moderator test-mail {id}, and have them press its button");
    match Confirmed::of(mailbox, moderator) {
        Confirmed::At(at) => Finding::good("mail", format!("{id}: confirmed on {} that mail arrives", at.date())),
        Confirmed::Elsewhere(at) => {
            let what = format!("{id}: confirmed on {} under another address; the present one never", at.date());
            Finding::doubtful("mail", what, fix)
        }
        Confirmed::Never => Finding::doubtful("mail", format!("{id}: never confirmed that mail arrives"), fix),
    }
}

/// Whether somebody can be asked, and whether the blogs hear of it.
fn people(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for site in config.sites.values() {
        let asked = config.moderators.values().filter(|moderator| moderator.sites.contains(&site.id)).count();
        if asked == 0 {
            let what = format!("{}: nobody is asked about held comments", site.id);
            findings.push(Finding::doubtful(
                "people",
                what,
                "add [moderators.NAME] with this site, or look at `hamlet queue list` yourself",
            ));
        } else if matches!(config.mail.transport, Transport::None) {
            let what = format!("{}: {}, and no mail goes out", site.id, count(asked, "moderator", "moderators"));
            findings.push(Finding::doubtful("people", what, "set mail.transport"));
        } else {
            findings
                .push(Finding::good("people", format!("{}: {} asked by mail", site.id, count(asked, "moderator is", "moderators are"))));
        }
        if site.webhook.is_none() {
            let fix = "set webhook_url, or let the blog ask GET /v1/comments/{id}";
            findings.push(Finding::doubtful("webhooks", format!("{}: the blog is not told of rulings", site.id), fix));
        }
    }
    findings
}
