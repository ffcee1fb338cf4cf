//! The daemon: starts everything, stops everything in order. What each part does is told where it lives.

use crate::clock::Clock;
use crate::config::{Config, Invalid, Secret, Site};
use crate::control;
use crate::demo;
use crate::dice::{Dice, NoEntropy};
use crate::flow::judge_loop::{self, Knowledge};
use crate::flow::memory::Memory;
use crate::flow::models::{Models, SiteModel};
use crate::flow::schedule::{self, NotTrained};
use crate::flow::{App, audit, digest, intake, lists, reload, retention};
use crate::http::{self, NoTls, Tls};
use crate::id::SiteId;
use crate::outbox::{self, Carriers};
use crate::service;
use crate::store::{self, Store};
use axum::Router;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Digests fall due by time too; looked at this often.
const DIGEST_EVERY: Duration = Duration::from_secs(2);

/// The judge loop is woken this often, in case a sick store got well.
const WAKE_EVERY: Duration = Duration::from_secs(1);

/// The answers to spot checks are looked at this often; a drift that shows after dozens of them is no matter of minutes.
const AUDIT_EVERY: Duration = Duration::from_mins(10);

/// Files of lists and of TLS are looked at this often; a look is one `stat` each.
const FILES_EVERY: Duration = Duration::from_secs(5);

/// Spans are in days, so an hour late is on time.
const RETAIN_EVERY: Duration = Duration::from_hours(1);

/// Rulings come in bunches: a training waits for so much of one.
const LEARN_EVERY: Duration = Duration::from_secs(2);

/// Whether it is night is looked at this often.
const LEARN_WITHOUT_RULINGS_EVERY: Duration = Duration::from_mins(1);

/// The demo's key, which everybody knows.
const DEMO_KEY: &str = "hamletdemo00";

/// What is to run.
#[derive(Debug)]
pub enum What {
    Sites(Box<Config>),
    /// The demo blog and its site, on this address with its data here.
    Demo {
        listen: SocketAddr,
        data: PathBuf,
    },
}

/// Why it does not start.
#[derive(Debug, thiserror::Error)]
pub enum CannotServe {
    #[error("cannot listen on {listen}; is another hamlet running? --listen takes another address")]
    Listen { listen: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Config(#[from] Invalid),
    #[error(transparent)]
    Store(#[from] store::StoreError),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    Tls(#[from] NoTls),
    #[error(transparent)]
    Carrier(#[from] outbox::NoCarrier),
    #[error(transparent)]
    Demo(#[from] demo::NoBlog),
    #[error("the operating system refuses {what}")]
    System { what: &'static str, source: std::io::Error },
}

/// A daemon that listens and is about to serve.
#[derive(Debug)]
pub struct Daemon {
    app: Arc<App>,
    listener: TcpListener,
    pub address: SocketAddr,
    tls: Option<Arc<Tls>>,
    knocks: intake::Knocks,
    known: Knowledge,
    carriers: Carriers,
    control: Option<tokio::net::UnixListener>,
    blog: Option<Router>,
    metrics: Option<TcpListener>,
}

impl Daemon {
    /// Opens everything that can refuse, so that what starts also runs.
    ///
    /// # Errors
    /// [`CannotServe`], which names the part and what to do.
    pub async fn open(what: What, clock: Clock) -> Result<Self, CannotServe> {
        let listen = match &what {
            What::Sites(config) => config.listen,
            What::Demo { listen, .. } => *listen,
        };
        let dice = Dice::system()?;
        let listener = TcpListener::bind(listen).await.map_err(|source| CannotServe::Listen { listen, source })?;
        let metrics = match &what {
            What::Sites(config) => bind(config.metrics).await?,
            What::Demo { .. } => None,
        };
        let address = listener.local_addr().map_err(|source| CannotServe::System { what: "its own address", source })?;
        let (config, secret) = match what {
            What::Sites(config) => (*config, None),
            What::Demo { data, .. } => {
                let secret = Secret::new(dice.bytes());
                let webhook_url = format!("http://{address}/demo/webhook");
                (Config::demo(data, address, webhook_url, secret.clone())?, Some(secret))
            }
        };
        let tls = config.tls.clone().map(|files| Tls::open(files, clock.now())).transpose()?.map(Arc::new);
        let public_url = config.public_url.clone().unwrap_or_else(|| format!("{}://{address}", scheme(tls.as_deref())));
        let bounds = store::Bounds { wal_bytes_max: config.store.wal_bytes_max, disk_free_bytes_min: config.store.disk_free_bytes_min };
        let store = Store::open(&config.data, bounds)?;
        let control = open_control(&config);
        let blog = secret.map(|secret| blog(&config, address, secret, clock.clone())).transpose()?;
        let (app, knocks, known) = tokio::task::block_in_place(|| {
            let seen = lists::Seen::now(&config.lists);
            let config = config.with_lists()?;
            config.lists().for_each(lists::tell);
            let (app, knocks) = App::new(config, store, clock, dice, public_url)?;
            *app.lists.lock().unwrap_or_else(PoisonError::into_inner) = seen;
            let known = Knowledge { models: Models::load(&app, app.config().sites.keys()), memory: Memory::load(&app)? };
            Ok::<_, CannotServe>((app, knocks, known))
        })?;
        let carriers = Carriers::new(&app)?;
        Ok(Self { app, listener, address, tls, knocks, known, carriers, control, blog, metrics })
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Where it listens, for people.
    pub fn url(&self) -> String {
        format!("{}://{}", scheme(self.tls.as_deref()), self.address)
    }

    pub fn models(&self) -> &Models {
        &self.known.models
    }

    /// Serves until `stopped`, then ends in order: no new requests, the last verdicts, what is on its way out, the store.
    ///
    /// # Errors
    /// [`CannotServe::System`] when a thread cannot start.
    pub async fn serve(self, stopped: impl Future<Output = ()>) -> Result<(), CannotServe> {
        let system = |what| move |source| CannotServe::System { what, source };
        let app = self.app;
        let judge = judge_loop::start(&app, self.knocks, self.known).map_err(system("a thread"))?;
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let outbox = tasks.spawn(outbox::run(Arc::clone(&app), self.carriers, stopping.clone()));
        tasks.spawn(send_digests(Arc::clone(&app)));
        tasks.spawn(wake(Arc::clone(&app)));
        tasks.spawn(watch_audits(Arc::clone(&app)));
        tasks.spawn(watch_files(Arc::clone(&app), self.tls.clone()));
        tasks.spawn(learn(Arc::clone(&app)));
        tasks.spawn(retain(Arc::clone(&app)));
        if let Some(listener) = self.control {
            tasks.spawn(control::serve(Arc::clone(&app), listener));
        }
        if let Some(listener) = self.metrics {
            tasks.spawn(serve_metrics(Arc::clone(&app), listener));
        }
        let router = http::router(&app).merge(self.blog.unwrap_or_default());
        service::ready();
        tasks.spawn(service::watch(Arc::clone(&app)));
        let stopped = async {
            stopped.await;
            service::stopping();
        };
        http::server::serve(self.listener, self.tls, router, app.config().http, stopped).await;
        app.door.stop().await;
        let _ = tokio::task::spawn_blocking(move || judge.join()).await;
        let _ = stop.send(true);
        while let Some(Ok((id, ()))) = tasks.join_next_with_id().await {
            if id == outbox.id() {
                break;
            }
        }
        Ok(())
    }
}

fn scheme(tls: Option<&Tls>) -> &'static str {
    tls.map_or("http", |_| "https")
}

async fn bind(listen: Option<SocketAddr>) -> Result<Option<TcpListener>, CannotServe> {
    let Some(listen) = listen else { return Ok(None) };
    TcpListener::bind(listen).await.map(Some).map_err(|source| CannotServe::Listen { listen, source })
}

async fn serve_metrics(app: Arc<App>, listener: TcpListener) {
    http::server::serve(listener, None, http::metrics::router(&app), app.config().http, std::future::pending()).await;
}

/// Without the socket the daemon still judges; admins then stop it to write.
fn open_control(config: &Config) -> Option<tokio::net::UnixListener> {
    control::bind(&config.data).inspect_err(|error| tracing::warn!(error = %error, "control.unavailable")).ok()
}

fn blog(config: &Config, address: SocketAddr, webhook_secret: Secret, clock: Clock) -> Result<Router, demo::NoBlog> {
    demo::router(demo::Setup {
        daemon_url: format!("http://{address}"),
        api_key: DEMO_KEY.to_owned(),
        webhook_secret,
        file: config.data.join("demo-blog.json"),
        mail_folder: config.data.join("mail"),
        clock,
    })
}

async fn send_digests(app: Arc<App>) {
    let mut looked = digest::Looked::new();
    loop {
        tokio::select! {
            () = app.held.notified() => {}
            () = tokio::time::sleep(DIGEST_EVERY) => {}
        }
        // A long queue takes long to look through; whoever is being served must not wait for it.
        let ticking = Arc::clone(&app);
        let ticked = tokio::task::spawn_blocking(move || {
            let result = digest::tick(&ticking).and_then(|_| digest::weekly(&ticking, &mut looked));
            (looked, result)
        });
        let (known, result) = ticked.await.unwrap_or_else(|_| (digest::Looked::new(), Ok(0)));
        if let Err(error) = result {
            tracing::error!(error = %error, "digest.failed");
        }
        looked = known;
    }
}

async fn watch_audits(app: Arc<App>) {
    let mut warned = audit::Warned::new();
    loop {
        let watching = Arc::clone(&app);
        let watched = tokio::task::spawn_blocking(move || {
            let result = audit::watch(&watching, &mut warned);
            (warned, result)
        });
        let Ok((known, result)) = watched.await else { return };
        if let Err(error) = result {
            tracing::error!(error = %error, "audit.failed");
        }
        warned = known;
        tokio::time::sleep(AUDIT_EVERY).await;
    }
}

/// What is old enough goes, at the start and from then on every hour.
async fn retain(app: Arc<App>) {
    loop {
        if let Err(error) = retention::run(&app).await {
            tracing::error!(error = &error as &dyn std::error::Error, "retention.failed");
        }
        tokio::time::sleep(RETAIN_EVERY).await;
    }
}

/// Lists and the certificate follow their files: within seconds by themselves, so that whoever changes them need not know us. On SIGHUP
/// everything that stands in files is read again: settings, lists, models.
async fn watch_files(app: Arc<App>, tls: Option<Arc<Tls>>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            () = tokio::time::sleep(FILES_EVERY) => false,
        };
        let (watching, tls) = (Arc::clone(&app), tls.clone());
        let watched = tokio::task::spawn_blocking(move || {
            if let Some(tls) = tls {
                tls.look(watching.clock.now());
            }
            if asked && !matches!(reload::reload(&watching), Err(reload::NotReloaded::NoSource)) { Ok(()) } else { lists::tick(&watching) }
        });
        let Ok(Ok(())) = watched.await else { return };
    }
}

/// Looks after rulings whether a site's labels call for a training, at the start, in case the last ones came just before the end, and now and
/// then, since a night comes by itself.
async fn learn(app: Arc<App>) {
    loop {
        let looking = Arc::clone(&app);
        let Ok(models) = tokio::task::spawn_blocking(move || train_due(&looking)).await else { return };
        for (site, model) in models {
            if app.door.give(site, model).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(LEARN_EVERY).await;
        tokio::select! {
            () = app.ruled.notified() => {}
            () = tokio::time::sleep(LEARN_WITHOUT_RULINGS_EVERY) => {}
        }
    }
}

fn train_due(app: &App) -> Vec<(SiteId, SiteModel)> {
    let told = |site: Option<&SiteId>, error: &NotTrained| {
        let site = site.map(ToString::to_string);
        tracing::error!(site, error = error as &dyn std::error::Error, "learn.failed");
    };
    let due = schedule::due(app).inspect_err(|error| told(None, error)).unwrap_or_default();
    let Ok(program) = std::env::current_exe() else { return Vec::new() };
    let train = |site: Arc<Site>| {
        let model = schedule::train(app, &site, &program).inspect_err(|error| told(Some(&site.id), error)).ok()??;
        Some((site.id.clone(), model))
    };
    due.into_iter().filter_map(train).collect()
}

async fn wake(app: Arc<App>) {
    loop {
        tokio::time::sleep(WAKE_EVERY).await;
        app.door.wake();
    }
}

/// When the daemon was told to stop: SIGTERM, or Ctrl-C.
pub async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
