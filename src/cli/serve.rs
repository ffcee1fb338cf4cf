//! `hamlet serve`: the daemon in the foreground.

use super::{Environment, Place, log};
use crate::clock::Clock;
use crate::config::{Source, Transport};
use crate::daemon::{Daemon, What, told_to_stop};
use crate::id::{ModelId, SiteId};
use anyhow::Context;
use clap::Args;
use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    /// Address and port to listen on [default: 127.0.0.1:8025]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// A demo blog with its own site and moderator; needs no settings, mail is written as files
    #[arg(long)]
    demo: bool,
}

/// Worker threads at most; half the cores otherwise. The judge and the writer have threads of their own, and on two cores one worker beside
/// them took a tenth to a third more comments per second than two.
const WORKERS_MAX: usize = 4;

/// At the end a training, which may take minutes, is left behind: the shelf takes a model whole or not at all, and the next start trains again.
const LEFT_BEHIND_MAX: Duration = Duration::from_secs(1);

pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tokio::runtime::Builder::new_multi_thread().worker_threads((cores / 2).clamp(1, WORKERS_MAX)).enable_all().build()
}

impl Serve {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        install_tls();
        let _log = log::start(environment);
        let what = self.what(environment)?;
        let runtime = runtime().context("the runtime cannot start")?;
        let served = runtime.block_on(async {
            let daemon = Daemon::open(what, Clock::System).await?;
            // A closed stdout (a unit without one) is no reason not to serve.
            let _ = std::io::stdout().write_all(banner(&daemon).as_bytes());
            daemon.serve(told_to_stop()).await?;
            anyhow::Ok(())
        });
        runtime.shutdown_timeout(LEFT_BEHIND_MAX);
        served
    }

    fn what(&self, environment: &Environment) -> anyhow::Result<What> {
        if self.demo {
            let settings = self.place.settings(environment)?;
            let listen = self.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8025)));
            let data = self.place.data.clone().unwrap_or_else(|| settings.data_dir());
            return Ok(What::Demo { listen, data });
        }
        let source = Source { listen: self.listen, ..self.place.source(environment) };
        Ok(What::Sites(Box::new(source.read()?)))
    }
}

/// One provider for all of TLS; two in one program panic.
pub fn install_tls() {
    // A second call finds the first one's, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What a person reads when the daemon stands ready: where things are.
fn banner(daemon: &Daemon) -> String {
    let (app, url) = (daemon.app(), daemon.url());
    let config = &app.config();
    let model = models(daemon);
    let mail = match &config.mail.transport {
        Transport::None => "none: held comments wait for `hamlet queue list` and the API".to_owned(),
        Transport::Files(folder) => format!("files in {}", absolute(folder)),
        Transport::Smtp(smtp) => format!("{} port {}", smtp.host, smtp.port),
    };
    let is_demo = config.sites.get(&SiteId::new("demo")).is_some_and(|site| site.loopback_only);
    let demo = if is_demo { format!("  demo blog  {url}/demo/\n  API key    hamletdemo00  (this machine only)\n") } else { String::new() };
    let data = absolute(&config.data);
    format!(
        "\n  Hamlet listens on {url}\n\n{demo}  API        {url}/v1/comments\n  desk       {url}/desk/\n  mail       {mail}\n  data       {data}\n  \
         model      {model}\n\n  Ctrl-C stops it; nothing that was acknowledged is lost.\n\n"
    )
}

/// Each site with its model; one name where all have the same.
fn models(daemon: &Daemon) -> String {
    let ids: BTreeSet<&ModelId> = daemon.models().ids().map(|(_, id)| id).collect();
    let config = daemon.app().config();
    let unread = config.sites.keys().filter(|site| daemon.models().of(site).is_none());
    let unread = unread.map(|site| format!("{site}: none can be read, rules alone decide"));
    let read = match ids.first() {
        Some(only) if ids.len() == 1 => vec![only.to_string()],
        _ => daemon.models().ids().map(|(site, id)| format!("{site}: {id}")).collect(),
    };
    read.into_iter().chain(unread).collect::<Vec<_>>().join("\n             ")
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
