//! The world of one seed: a daemon that can die and start again, a clock that a hand turns, and the dice that all chance comes from.
//! Requests to the daemon and the turns of its judge follow one another here, so that it can die between any two of them.

use super::invariants::{Row, Shown};
use super::outgoing::Peers;
use super::told::Told;
use hamlet::classifier::{Example, Features, Fold, Label, Reach, train};
use hamlet::clock::{Clock, Timestamp};
use hamlet::config::Source;
use hamlet::dice::Dice;
use hamlet::flow::App;
use hamlet::flow::judge_loop::{Judge, Knowledge, Turn};
use hamlet::flow::memory::Memory;
use hamlet::flow::models::{Models, SiteModel};
use hamlet::store::{Bounds, Store, StoreError};
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Two blogs and three moderators. Strangers are held, published or rejected by what they say; editors are published, `blockedword` is rejected.
const SETTINGS: &str = r#"
[store]
disk_free_bytes_min = 0
[outbox]
attempts_max = 6
retry_seconds_max = 600
[mail]
from = "review@hamlet.example"
admin = "admin@hamlet.example"
transport = "smtp"
smtp = { host = "127.0.0.1", tls = "none" }
[learning]
schedule = "off"
[digest]
items_min = 3
interval_minutes_min = 10
[policy]
thresholds = "fixed"
publish_max = 0.3
reject_min = 0.9
audit_published_share = 0.2
audit_rejected_share = 0.2
[retention]
bodies_days = 2
addresses_days = 1
ips_days = 1
[rules]
flood_address_hold = 1000000
flood_address_reject = 1000000
flood_network_hold = 1000000
flood_email_hold = 1000000
repeats_hold = 1000000
campaign_hold = 1000000
blocklist = ["blockedword"]
[sites.kettle]
api_key = "kettle-key-0000"
akismet_key = "akismetkettl"
webhook_url = "https://kettle.example/webhook"
webhook_secret = "whsec_YmxvZy1zZWNyZXQtb2YtMzItYnl0ZXMtZXhhY3RseSE="
[sites.garden]
api_key = "garden-key-0000"
webhook_url = "https://garden.example/webhook"
webhook_secret = "whsec_YmxvZy1zZWNyZXQtb2YtMzItYnl0ZXMtZXhhY3RseSE="
[moderators.ana]
name = "Ana"
email = "ana@moderators.example"
sites = ["kettle"]
[moderators.bob]
name = "Bob"
email = "bob@moderators.example"
sites = ["kettle", "garden"]
digest = { quiet_hours = "22:00-07:00", time_zone = "Europe/Berlin" }
[moderators.cleo]
name = "Cleo"
email = "cleo@moderators.example"
sites = ["garden"]
duty = "standby"
"#;

/// A Wednesday.
const START: &str = "2026-03-25T08:00:00Z";

/// Steps after which somebody should long have been answered.
const STEPS_MAX: usize = 1_000;

/// More than any request has written, one after the other.
const WRITES_MAX: usize = 4;

/// What happened, for whoever has to find out why.
#[derive(Debug, Default, Clone)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl fmt::Display for Log {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.lock().unwrap().join("\n"))
    }
}

/// What the dice say.
pub struct Chance(Dice);

impl Chance {
    pub fn one_in(&self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// A number under `n`.
    pub fn below(&self, n: usize) -> usize {
        let bytes = self.0.bytes();
        u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize % n
    }

    pub fn pick<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// Up to so long, by the second.
    pub fn up_to(&self, longest: Duration) -> Duration {
        Duration::from_secs(self.below(usize::try_from(longest.as_secs()).unwrap() + 1) as u64)
    }
}

/// What the sender of a request learns by its answer.
pub type Heard = Box<dyn FnOnce(&mut Told)>;

/// Somebody asks the daemon for something.
pub struct Request {
    pub answer: Pin<Box<dyn Future<Output = Heard>>>,
    /// What nobody knows if the daemon dies before it answers.
    pub doubt: super::told::Doubt,
}

/// How long those who ask are waited for.
#[derive(Clone, Copy)]
pub enum Until {
    Answered,
    /// The daemon dies after so many steps, if it takes as many.
    Dead(usize),
}

/// A daemon between its start and its death.
pub struct Daemon {
    pub app: Arc<App>,
    judge: Judge,
    /// Its store, as an admin sees it with `sqlite3`.
    pub look: Connection,
}

pub struct World {
    pub chance: Chance,
    log: Log,
    clock: Clock,
    /// How much time has passed, whatever the clock says.
    pub passed: Duration,
    /// When the outbox last saw that the clock had been set back.
    pub set_back: Duration,
    is_set_back: bool,
    daemon: Option<Daemon>,
    pub told: Told,
    pub peers: Peers,
    pub shown: Shown,
    /// Comments as they were when they were last looked at.
    pub checked: BTreeSet<Row>,
    seed: u64,
    starts: u64,
    runtime: Runtime,
    folder: TempDir,
}

impl World {
    pub fn begin(seed: u64, log: &Log) -> Self {
        // Nothing here outlives a power cut, so nothing need reach a disk.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let mut world = Self {
            chance: Chance(Dice::seeded(seed)),
            log: log.clone(),
            clock: Clock::manual(Timestamp::parse(START).unwrap()),
            passed: Duration::ZERO,
            set_back: Duration::ZERO,
            is_set_back: false,
            daemon: None,
            told: Told::default(),
            peers: Peers::default(),
            shown: Shown::default(),
            checked: BTreeSet::new(),
            seed,
            starts: 0,
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            folder: folder.unwrap(),
        };
        world.start();
        world
    }

    pub fn say(&self, what: &str) {
        let line = format!("{:>8} s  {}  {what}", self.passed.as_secs(), self.clock.now());
        self.log.0.lock().unwrap().push(line);
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// How long ago something was, whatever the clock says.
    pub fn since(&self, then: Duration) -> Duration {
        self.passed.saturating_sub(then)
    }

    pub fn pass(&mut self, time: Duration) {
        self.passed += time;
        self.clock.advance(time);
    }

    /// Somebody, or a time server, sets the clock.
    pub fn set_clock(&mut self, now: Timestamp) {
        self.say(&format!("the clock is set to {now}"));
        self.is_set_back |= now < self.now();
        let Clock::Manual(hand) = &self.clock else { unreachable!() };
        hand.store(now.ms(), Ordering::SeqCst);
    }

    /// The outbox looks at the clock.
    pub fn notices_clock(&mut self) {
        if std::mem::take(&mut self.is_set_back) {
            self.set_back = self.passed;
        }
    }

    pub fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().expect("it runs")
    }

    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.daemon().app)
    }

    /// Waits for what needs no judge.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn start(&mut self) {
        let source = Source { file: None, environment: Vec::new(), listen: None, data: Some(self.folder.path().to_owned()) };
        let config = source.read_with(SETTINGS).unwrap().with_lists().unwrap();
        let store = open(&config.data);
        let dice = Dice::seeded(self.seed << 16 | self.starts);
        let (app, knocks) = App::new(config, store, self.clock.clone(), dice, "https://hamlet.example".to_owned()).unwrap();
        let mut models = Models::default();
        for site in app.config().sites.keys() {
            let mut model = own_model();
            model.catch_up(app.store.read(), site, &mut Features::default()).unwrap();
            models.take(site.clone(), model);
        }
        let memory = Memory::load(&app).unwrap();
        let judge = Judge::new(&app, knocks, Knowledge { models, memory });
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let look = Connection::open_with_flags(Store::file(self.folder.path()), flags).unwrap();
        look.execute_batch("PRAGMA query_only = ON").unwrap();
        self.starts += 1;
        self.daemon = Some(Daemon { app, judge, look });
    }

    /// The daemon is gone with all that it had in hand, and another starts on what it wrote down.
    pub fn crash(&mut self) {
        self.say("the daemon dies and starts again");
        self.peers.let_go();
        self.daemon = None;
        self.start();
        self.told.find_out(self.daemon.as_ref().expect("it runs").app.store.read());
    }

    /// Answers requests. Where the daemon dies over them, those that are not answered by then are in doubt.
    pub fn ask(&mut self, requests: Vec<Request>, until: Until) {
        let mut open = VecDeque::from(requests);
        let steps = if let Until::Dead(steps) = until { steps } else { STEPS_MAX };
        if !self.answer_all(&mut open, steps) {
            assert!(matches!(until, Until::Dead(_)), "somebody waits for an answer that never comes");
            self.told.doubts.extend(open.into_iter().map(|request| request.doubt));
            self.crash();
        }
    }

    /// The same while another program holds the store, so that all writing waits: nobody is answered before it is done, and the judge, which must
    /// have been at rest, writes on what it read before.
    pub fn ask_while_held(&mut self, mut requests: Vec<Request>) {
        let other = Connection::open(Store::file(self.folder.path())).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let wait = |requests: &mut Vec<Request>| {
            assert!(requests.iter_mut().all(|request| poll(request).is_pending()), "somebody was answered before it was written");
        };
        wait(&mut requests);
        self.daemon.as_mut().expect("it runs").judge.turn(None);
        wait(&mut requests);
        drop(other);
        self.ask(requests, Until::Answered);
    }

    /// Requests and the judge take turns; whether all were answered in so many steps. An answer at the last of them reaches nobody.
    fn answer_all(&mut self, open: &mut VecDeque<Request>, steps: usize) -> bool {
        let mut left = steps;
        while !open.is_empty() {
            for _ in 0..open.len() {
                let mut request = open.pop_front().expect("it is counted");
                let answer = self.serve(&mut request);
                match (left.checked_sub(1), answer) {
                    (Some(fewer), Some(heard)) => {
                        left = fewer;
                        heard(&mut self.told);
                    }
                    (fewer, _) => {
                        open.push_back(request);
                        let Some(fewer) = fewer else { return false };
                        left = fewer;
                    }
                }
            }
            self.judge_turns();
        }
        true
    }

    /// Goes on with a request until it is answered or waits for the judge; whatever it waits for beside that is soon there.
    pub fn serve(&self, request: &mut Request) -> Option<Heard> {
        for _ in 0..WRITES_MAX {
            if let Poll::Ready(heard) = poll(request) {
                return Some(heard);
            }
            self.settle();
        }
        None
    }

    fn judge_turns(&mut self) -> Turn {
        let turn = self.daemon.as_mut().expect("it runs").judge.turn(None);
        self.settle();
        turn
    }

    /// The judge goes on until nothing is left to be judged.
    pub fn judge_all(&mut self) {
        let rests = (0..STEPS_MAX).any(|_| self.judge_turns() == Turn::Rests);
        assert!(rests, "the judge never rests");
    }

    /// Waits until the store's writer has done what it was given, so that what follows does not depend on its thread's pace.
    fn settle(&self) {
        let app = &self.daemon().app;
        // It has its keys, so nothing of these dice is used; how often those of the daemon are thrown must not depend on a thread's pace either.
        app.store.keys("action", app.clock.now(), &Dice::seeded(0)).wait().unwrap();
    }
}

fn poll(request: &mut Request) -> Poll<Heard> {
    request.answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// A daemon that died may still be at its last write.
fn open(data: &Path) -> Store {
    loop {
        match Store::open(data, Bounds { wal_bytes_max: u64::MAX, disk_free_bytes_min: 0 }) {
            Err(StoreError::Locked(_)) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
}

/// A small model that learns rulings; trained once, since it is the same for all.
fn own_model() -> SiteModel {
    static MODEL: OnceLock<SiteModel> = OnceLock::new();
    let model = || {
        let mut fold = Fold::new(Reach::Home, 7);
        for (number, word) in ["garden", "kettle", "grinder", "lamp"].into_iter().enumerate() {
            for (body, label) in
                [(format!("a good {word} indeed {number}"), Label::Ham), (format!("cheap pills {word} {number}"), Label::Spam)]
            {
                fold.add(&Example { body, label, group: None, time: None });
            }
        }
        SiteModel::new(train::train(fold, Vec::new(), String::new(), |folded| folded.iter().map(train::fit).collect()).unwrap())
    };
    MODEL.get_or_init(model).clone()
}
