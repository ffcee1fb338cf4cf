//! The admin's door into a running daemon: a Unix socket in the data directory, one line of JSON in, one out. Whoever may open the
//! directory may speak here; nothing of it is on the network. Commands that write while the daemon runs come this way, since one process
//! owns the store.

use crate::access::{NewKey, Scope, Scopes};
use crate::config::{Config, Moderator};
use crate::decision::Ruling;
use crate::flow::forget::{self, End};
use crate::flow::import::{self, Outcome, Row};
use crate::flow::models::SiteModel;
use crate::flow::reload::{self, NotReloaded, Reloaded};
use crate::flow::retry::{self, Retried};
use crate::flow::review::{self, Ruler};
use crate::flow::{App, access, accounts, chain, digest, mailbox, spool};
use crate::id::{CommentId, DigestId, ModeratorId, SiteId};
use crate::store::{Forgotten, PausedBy, StoreError};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

/// A line longer than this is no command of ours: the longest comment there may be (16 MiB) fits, with what JSON adds to it, and a batch of
/// an import.
const LINE_BYTES_MAX: u64 = 32 << 20;

/// How long a command may take, its writing included.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// What an admin can ask.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A ruling by CLI.
    Rule { id: String, ruling: String, by: String },
    /// What the outbox holds leaves at once: one parcel, or what was given up of one site, or of all.
    Retry { parcel: Option<String>, site: Option<String> },
    /// The shelf has another current model for a site.
    SwapModel { site: String },
    /// The settings, and what they name, are to be read again.
    Reload,
    /// Comments of a site for its durable queue.
    Submit { site: String, lines: Vec<spool::Line> },
    /// A key for a site's API.
    AddKey { site: String, name: String, scopes: Vec<String> },
    /// Another key of this name; the one before is good until then.
    RotateKey { site: String, name: String, overlap_seconds: u64 },
    /// A key is good no more.
    RevokeKey { site: String, name: String },
    /// A moderator begins anew.
    ResetModerator { id: String },
    /// These comments of a site go for good; the last batch ends it.
    Forget { site: String, ids: Vec<String>, author: Option<String>, is_last: bool },
    /// What this one ruled on these comments is taken back.
    Unrule { site: String, ids: Vec<String>, by: String, is_last: bool },
    /// Comments of a file with what people decided. The last batch of a file may call for a training.
    Import { site: String, file: String, rows: Vec<Row>, is_last: bool },
    /// No digests to a moderator, or digests again.
    Mails { moderator: String, on: bool },
    /// A mail by which a moderator can show that mail arrives.
    TestMail { moderator: String },
    /// What waits is mailed to a moderator at once.
    SendDigest { moderator: String },
    /// A delivery report came in about a digest.
    Bounced { digest: String, reason: String },
    /// A delivery report came in at a return address of ours.
    BouncedMark { mark: String, reason: String },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Ruled {
        status: String,
        taken: bool,
    },
    Unknown,
    /// The site is judged by this model from now on.
    Model {
        id: String,
    },
    /// So many digests are on their way.
    Mailed {
        mails: usize,
    },
    /// Whether it was otherwise before.
    Changed {
        changed: bool,
    },
    /// What became of lines that were submitted.
    Submitted(spool::Outcome),
    /// The key, this once.
    Key(ShownKey),
    Revoked,
    /// Other settings are at work.
    Reloaded {
        added: Vec<String>,
        removed: Vec<String>,
        needs_restart: Vec<String>,
        models_refused: Vec<String>,
    },
    /// The settings have these problems; those before stay at work.
    Invalid {
        problems: Vec<String>,
    },
    /// A link that lets somebody in.
    Link {
        url: String,
    },
    Retried {
        parcels: usize,
        left: usize,
    },
    Imported(Outcome),
    Forgotten {
        comments: usize,
        labels: usize,
    },
    Failed {
        reason: String,
    },
}

/// A key on its way to the terminal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownKey {
    pub key: String,
}

impl std::fmt::Debug for ShownKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ShownKey(***)")
    }
}

pub fn path(data: &Path) -> PathBuf {
    data.join("hamlet.sock")
}

/// Binds the socket; one that a crash left behind is replaced, since the store's lock says that we are alone.
///
/// # Errors
/// The operating system's; a path over about 100 bytes is too long for a socket.
pub fn bind(data: &Path) -> io::Result<UnixListener> {
    let path = path(data);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}

/// Answers commands one connection after another, until the task is dropped.
pub async fn serve(app: Arc<App>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = tokio::time::timeout(COMMAND_TIMEOUT, answer(&app, stream)).await.unwrap_or(Ok(())) {
                    tracing::warn!(error = %error, "control.failed");
                }
            }
            Err(error) => {
                tracing::error!(error = %error, "control.accept_failed");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn answer(app: &Arc<App>, stream: UnixStream) -> io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reading.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    if line.is_empty() {
        // Somebody only looked whether we are here.
        return Ok(());
    }
    let reply = match serde_json::from_str(&line) {
        Ok(command) => obey(app, command).await,
        Err(error) => Reply::Failed { reason: format!("no command: {error}") },
    };
    let mut line = serde_json::to_string(&reply)?;
    line.push('\n');
    writing.write_all(line.as_bytes()).await
}

/// Carries a command out.
pub async fn obey(app: &Arc<App>, command: Command) -> Reply {
    match command {
        Command::Reload => reload(app).await,
        Command::Submit { site, lines } => match app.config().sites.get(&SiteId::new(&site)) {
            None => Reply::Failed { reason: format!("the settings have no site {site}") },
            Some(site) => match spool::take_in(app, site, lines).await {
                Ok(outcome) => Reply::Submitted(outcome),
                Err(error) => Reply::Failed { reason: chain(&error) },
            },
        },
        Command::AddKey { site, name, scopes } => {
            let scopes: Vec<Scope> = scopes.iter().filter_map(|word| Scope::parse(word)).collect();
            shown(access::add(app, SiteId::new(site), name, Scopes::of(&scopes)).await)
        }
        Command::RotateKey { site, name, overlap_seconds } => {
            shown(access::rotate(app, SiteId::new(site), name, Duration::from_secs(overlap_seconds)).await)
        }
        Command::RevokeKey { site, name } => match access::revoke(app, SiteId::new(site), name).await {
            Ok(()) => Reply::Revoked,
            Err(error) => Reply::Failed { reason: chain(&error) },
        },
        Command::SwapModel { site } => match swap_model(app, &SiteId::new(site)).await {
            Ok(id) => Reply::Model { id },
            Err(reason) => Reply::Failed { reason },
        },
        Command::ResetModerator { id } => match accounts::reset(app, &ModeratorId::new(id)).await {
            Ok(url) => url.map_or(Reply::Unknown, |url| Reply::Link { url }),
            Err(error) => Reply::Failed { reason: error.to_string() },
        },
        Command::Retry { parcel, site } => match retry(app, parcel.as_deref(), site.map(SiteId::new)).await {
            Ok(Retried { parcels, left }) => Reply::Retried { parcels, left },
            Err(reason) => Reply::Failed { reason },
        },
        Command::Import { site, file, rows, is_last } => match take_in(app, &SiteId::new(site), file, rows).await {
            Ok(outcome) => {
                if is_last {
                    app.ruled.notify_one();
                }
                Reply::Imported(outcome)
            }
            Err(reason) => Reply::Failed { reason },
        },
        Command::Forget { site, ids, author, is_last } => {
            forgotten(&site, forget::forget(app, &SiteId::new(&site), comment_ids(&ids), author, end(is_last)).await)
        }
        Command::Unrule { site, ids, by, is_last } => {
            forgotten(&site, forget::unrule(app, &SiteId::new(&site), comment_ids(&ids), by, end(is_last)).await)
        }
        Command::Mails { moderator, on } => blocking(app, move |app| mails(app, &moderator, on)).await,
        Command::SendDigest { moderator } => blocking(app, move |app| send_digest(app, &moderator)).await,
        Command::TestMail { moderator } => blocking(app, move |app| test_mail(app, &moderator)).await,
        Command::Bounced { digest, reason } => blocking(app, move |app| bounced(app, digest.parse().ok(), &reason)).await,
        Command::BouncedMark { mark, reason } => blocking(app, move |app| bounced(app, app.keys.verify_mark(&mark).ok(), &reason)).await,
        Command::Rule { id, ruling, by } => match rule(app, &id, &ruling, by).await {
            Ok(reply) => reply,
            Err(reason) => Reply::Failed { reason },
        },
    }
}

fn shown(made: Result<NewKey, access::NoKey>) -> Reply {
    match made {
        Ok(key) => Reply::Key(ShownKey { key: key.reveal() }),
        Err(error) => Reply::Failed { reason: chain(&error) },
    }
}

async fn reload(app: &Arc<App>) -> Reply {
    let reading = Arc::clone(app);
    let names = |sites: &[SiteId]| sites.iter().map(ToString::to_string).collect();
    match tokio::task::spawn_blocking(move || reload::reload(&reading)).await {
        Ok(Ok(Reloaded { added, removed, needs_restart, models_refused })) => Reply::Reloaded {
            added: names(&added),
            removed: names(&removed),
            needs_restart: needs_restart.into_iter().map(str::to_owned).collect(),
            models_refused: names(&models_refused),
        },
        Ok(Err(NotReloaded::Invalid(invalid))) => Reply::Invalid { problems: invalid.problems.iter().map(ToString::to_string).collect() },
        Ok(Err(error)) => Reply::Failed { reason: chain(&error) },
        Err(error) => Reply::Failed { reason: error.to_string() },
    }
}

async fn blocking(app: &Arc<App>, work: impl FnOnce(&App) -> Result<Reply, String> + Send + 'static) -> Reply {
    let app = Arc::clone(app);
    let done = tokio::task::spawn_blocking(move || work(&app)).await;
    done.unwrap_or_else(|error| Err(error.to_string())).unwrap_or_else(|reason| Reply::Failed { reason })
}

fn moderator<'a>(config: &'a Config, name: &str) -> Result<&'a Moderator, String> {
    config.moderators.get(&ModeratorId::new(name)).ok_or_else(|| {
        let known: Vec<&str> = config.moderators.keys().map(ModeratorId::as_str).collect();
        format!("no moderator is called {name:?}; the settings have: {}", known.join(", "))
    })
}

fn test_mail(app: &App, name: &str) -> Result<Reply, String> {
    let config = app.config();
    let is_sent = mailbox::ask_to_confirm(app, moderator(&config, name)?).map_err(|error| error.to_string())?;
    if is_sent { Ok(Reply::Changed { changed: true }) } else { Err("no mail is sent: mail.transport is none".to_owned()) }
}

fn send_digest(app: &App, name: &str) -> Result<Reply, String> {
    let config = app.config();
    let mails = digest::send_now(app, moderator(&config, name)?).map_err(|error| error.to_string())?;
    Ok(Reply::Mailed { mails })
}

fn mails(app: &App, name: &str, on: bool) -> Result<Reply, String> {
    let config = app.config();
    let moderator = moderator(&config, name)?;
    let changed = if on { mailbox::resume(app, &moderator.id) } else { mailbox::pause(app, moderator, PausedBy::Cli) };
    Ok(Reply::Changed { changed: changed.map_err(|error| error.to_string())? })
}

fn bounced(app: &App, digest: Option<DigestId>, reason: &str) -> Result<Reply, String> {
    let known = digest.map(|digest| mailbox::bounced(app, digest, reason)).transpose().map_err(|error| error.to_string())?;
    Ok(if known == Some(true) { Reply::Changed { changed: true } } else { Reply::Unknown })
}

/// Reads and verifies a site's current model, then hands it to the judge; on any error the one at work goes on.
async fn swap_model(app: &Arc<App>, site: &SiteId) -> Result<String, String> {
    if !app.config().sites.contains_key(site) {
        return Err(format!("the settings have no site {site}; retrain one that they name, or restart the daemon with it"));
    }
    let (reading, of) = (Arc::clone(app), site.clone());
    let read = tokio::task::spawn_blocking(move || SiteModel::load(&reading.shelf, reading.store.read(), &of)).await;
    let model = read.map_err(|error| error.to_string())?.map_err(|error| {
        tracing::error!(site = %site, error = &error as &dyn std::error::Error, "model.refused");
        chain(&error)
    })?;
    let id = model.id().to_string();
    app.door.give(site.clone(), model).await.map_err(|error| error.to_string())?;
    Ok(id)
}

async fn retry(app: &Arc<App>, parcel: Option<&str>, site: Option<SiteId>) -> Result<Retried, String> {
    let retried = match parcel {
        Some(id) => retry::one(app, id.parse().map_err(|error: crate::id::NotAnId| error.to_string())?).await,
        None => retry::dead(app, site.as_ref()).await,
    };
    retried.map_err(|error| error.to_string())
}

fn end(is_last: bool) -> End {
    if is_last { End::Here } else { End::Later }
}

fn comment_ids(ids: &[String]) -> Vec<CommentId> {
    ids.iter().filter_map(|id| id.parse().ok()).collect()
}

fn forgotten(site: &str, result: Result<Forgotten, StoreError>) -> Reply {
    match result {
        Ok(forgotten) => Reply::Forgotten { comments: forgotten.comments.len(), labels: forgotten.labels.len() },
        Err(error) => Reply::Failed { reason: format!("{site}: {}", chain(&error)) },
    }
}

async fn take_in(app: &App, site: &SiteId, file: String, rows: Vec<Row>) -> Result<Outcome, String> {
    if !app.config().sites.contains_key(site) {
        return Err(format!("the settings have no site {site}"));
    }
    app.store.room(app.clock.now()).map_err(|full| full.to_string())?;
    import::take_in(app, site, file, rows).await.map_err(|error| chain(&error))
}

async fn rule(app: &Arc<App>, id: &str, ruling: &str, by: String) -> Result<Reply, String> {
    let id: CommentId = id.parse().map_err(|error: crate::id::NotAnId| error.to_string())?;
    let ruling = Ruling::parse(ruling).ok_or_else(|| format!("{ruling:?} is no ruling; write publish, spam or remove"))?;
    let Some(site) = app.store.read().site_of(id).map_err(|error| error.to_string())? else { return Ok(Reply::Unknown) };
    let ruler = Ruler { by, via: "cli" };
    let ruled = review::rule(app, &site, id, ruling, ruler, (None, Duration::ZERO)).await.map_err(|error| error.to_string())?;
    Ok(ruled.map_or(Reply::Unknown, |(record, taken)| Reply::Ruled { status: record.status.as_str().to_owned(), taken }))
}

/// Whether a daemon runs on this data directory.
pub fn answers(data: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path(data)).is_ok()
}

/// Asks the daemon that runs on this data directory; none when no daemon does.
///
/// # Errors
/// The operating system's, when a daemon is there and the talk breaks off.
pub fn ask(data: &Path, command: &Command) -> io::Result<Option<Reply>> {
    use std::io::{BufRead, Write};
    let mut stream = match std::os::unix::net::UnixStream::connect(path(data)) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) => return Err(error),
    };
    stream.set_read_timeout(Some(COMMAND_TIMEOUT))?;
    let mut line = serde_json::to_string(command)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut reply = String::new();
    io::BufReader::new(stream).read_line(&mut reply)?;
    Ok(Some(serde_json::from_str(&reply)?))
}
