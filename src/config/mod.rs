//! Configuration: what runs. [`Settings`] is what was written, by layers; a [`Config`] is made of it only by a check that
//! reports every problem at once. `config/default.toml` is the manual: every key with its unit, range and reason.

use crate::budget::Budget;
use crate::budget::audit::Rates;
use crate::budget::terms::Terms;
use crate::campaign;
use crate::clock::{TimeOfDay, TimeOfWeek, Zone};
use crate::comment::Limits;
use crate::decision::{Mode, Policy};
use crate::delivery::Reach;
use crate::id::{ModeratorId, SiteId};
use crate::rules;
use crate::rules::lists::Networks;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

mod akismet;
mod behaviour;
mod check;
mod demo;
mod dns;
pub mod edit;
mod form;
mod learning;
mod lists;
mod mail;
pub mod origins;
mod people;
mod problem;
mod retention;
mod secret;
pub mod settings;
mod source;
mod timing;
mod webhook;

pub use form::Form;
pub use learning::{Learning, Schedule};
pub use lists::{ListFile, NoList, unnamed};
pub use problem::{Invalid, Problem};
pub use secret::Secret;
pub use settings::{INIT, Settings};
pub use source::Source;

/// The settings that run: typed, in range, every secret read.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    /// Where Prometheus reads; none: nowhere.
    pub metrics: Option<SocketAddr>,
    /// Where moderators reach us, without a slash at the end; none: the address that was bound.
    pub public_url: Option<String>,
    /// None: plain HTTP.
    pub tls: Option<TlsFiles>,
    pub data: PathBuf,
    pub http: Http,
    pub limits: Limits,
    /// The header in which the proxy in front names who it speaks for.
    pub client_address_header: Option<String>,
    /// Of one API key; 0 is no limit.
    pub key_requests_per_minute_max: u32,
    pub intake: Intake,
    pub store: Store,
    /// What is remembered of recent comments, all sites together.
    pub memory: campaign::Bounds,
    pub outbox: Outbox,
    pub mail: Mail,
    pub review: Review,
    /// Read by [`Config::with_lists`] and whenever a file changes.
    pub lists: Vec<ListFile>,
    pub dns: crate::dns::Settings,
    pub learning: Learning,
    pub sites: BTreeMap<SiteId, Arc<Site>>,
    keys: Keys,
    pub moderators: BTreeMap<ModeratorId, Moderator>,
    /// Where this was read and can be read again; none: nowhere.
    pub source: Option<Source>,
}

/// Sites by the SHA-256 of their keys.
#[derive(Debug, Clone, Default)]
struct Keys {
    api: HashMap<[u8; 32], SiteId>,
    akismet: HashMap<[u8; 32], SiteId>,
}

impl Keys {
    fn of<'a>(sites: impl Iterator<Item = &'a Arc<Site>>) -> Self {
        let mut keys = Self::default();
        for site in sites {
            keys.api.extend(site.keys.iter().map(|key| (*key, site.id.clone())));
            keys.akismet.extend(site.akismet.key.map(|key| (key, site.id.clone())));
        }
        keys
    }
}

impl Config {
    /// The site whose API key this is. Compared by hash, so time tells nothing about the key.
    pub fn site_of_key(&self, key: &str) -> Option<&Arc<Site>> {
        self.sites.get(self.keys.api.get(&sha256(key))?)
    }

    /// The site whose Akismet key this is; host names lose capitals on the way.
    pub fn site_of_akismet_key(&self, key: &str) -> Option<&Arc<Site>> {
        self.sites.get(self.keys.akismet.get(&sha256(&key.to_ascii_lowercase()))?)
    }
}

fn sha256(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// Bounds of the connections to us.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    pub connections_max: usize,
    /// From the first byte of a request's head to its last.
    pub head_max: Duration,
    pub body_max: Duration,
    /// From one answer to the head of the next request.
    pub idle_max: Duration,
}

/// What the daemon shows to who speaks https. Read by `http`, since only it knows what a certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Where comments wait to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Intake {
    /// Callers that wait for their verdict, all sites together.
    pub waiting_max: usize,
    /// Comments judged and written in one transaction.
    pub batch_max: usize,
    /// Comments in the durable queue, all sites together.
    pub queued_max: usize,
}

/// Bounds of the store's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    pub wal_bytes_max: u64,
    pub disk_free_bytes_min: u64,
}

/// How parcels leave.
#[derive(Debug, Clone, Copy)]
pub struct Outbox {
    /// Undelivered parcels of one site before its submissions are put off.
    pub waiting_max: usize,
    pub attempts_max: u32,
    pub retry_first: Duration,
    pub retry_max: Duration,
    /// For one attempt, connecting included.
    pub timeout: Duration,
    /// Parcels carried side by side.
    pub at_once_max: usize,
}

/// How mail is sent and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// A bare address.
    pub from: String,
    /// Hears of trouble with mail; a bare address.
    pub admin: Option<String>,
    /// Gets delivery reports, each digest's with a mark of its own in it; a bare address.
    pub bounces: Option<String>,
    pub transport: Transport,
    pub dkim: Option<Dkim>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// No mail: held comments wait to be ruled by CLI or API.
    None,
    /// One `.eml` file a mail.
    Files(PathBuf),
    Smtp(Smtp),
}

/// What signs mail, and under whose name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dkim {
    pub domain: String,
    pub selector: String,
    pub key: Secret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub login: Option<(String, Secret)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    None,
    Starttls,
    Implicit,
}

/// When a digest is due for a moderator, and how much it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// Due when this many comments wait,
    pub items_min: usize,
    /// or when the oldest has waited this long,
    pub age_max: Duration,
    /// or at this time of day, whatever waits,
    pub daily_at: Option<TimeOfDay>,
    /// but never in these hours,
    pub quiet: Option<Quiet>,
    /// which are those of this zone,
    pub zone: Zone,
    /// nor sooner after the last one than this,
    pub interval_min: Duration,
    /// nor more often than this in 24 hours.
    pub per_day_max: usize,
    /// When this many wait, one summary is sent in place of many digests.
    pub flood_items_min: usize,
    /// Comments shown in one mail; the rest stand on the page.
    pub items_max: usize,
    pub excerpt: Excerpt,
    /// When a week's rejections near the line are summed up; none: never.
    pub weekly: Option<TimeOfWeek>,
    /// After so long what was mailed and not decided is mailed once more; zero: never.
    pub reminder: Duration,
    /// After so long it goes to those on standby, and the admin hears of it; zero: never.
    pub handover: Duration,
}

/// Hours without mail, by the clock on the wall; they may span midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    pub from: TimeOfDay,
    pub until: TimeOfDay,
}

impl Quiet {
    pub fn holds(self, time: TimeOfDay) -> bool {
        if self.from <= self.until { (self.from..self.until).contains(&time) } else { time >= self.from || time < self.until }
    }
}

/// How much of a comment's text a mail quotes: mail that quotes spam may be taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excerpt {
    Full,
    Short,
    None,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Is written to as comments come to be held.
    First,
    /// Only of what the first left undecided, or at once while none of them gets mail.
    Standby,
}

/// Signed links and rulings.
#[derive(Debug, Clone, Copy)]
pub struct Review {
    pub link_valid: Duration,
    pub nonce_valid: Duration,
    /// How long the blog's webhook waits after a ruling by link or at the desk.
    pub undo: Duration,
    /// Of what people decide so many are put before somebody again.
    pub second_look_share: f64,
}

#[derive(Debug, Clone)]
pub struct Site {
    pub id: SiteId,
    pub name: String,
    /// SHA-256 of each API key.
    pub keys: Vec<[u8; 32]>,
    pub akismet: Akismet,
    /// The key itself: a callback must carry it, since clients take no other word for who calls.
    pub akismet_key: Option<Secret>,
    /// The only networks from which its Akismet key is good; none: any.
    pub akismet_from: Option<Networks>,
    /// Its keys are refused from other machines: the demo's, which everybody knows.
    pub loopback_only: bool,
    pub mode: Mode,
    pub rules: rules::Settings,
    /// Thresholds as written.
    pub policy: Policy,
    /// The errors that are allowed.
    pub budget: Budget,
    pub thresholds: Thresholds,
    pub audit: Audit,
    pub retention: Retention,
    pub webhook: Option<Webhook>,
    /// How far webhooks and callbacks may go.
    pub reach: Reach,
    /// None: no page posts to it by itself.
    pub form: Option<Form>,
}

impl Site {
    /// The thresholds in force while a model judges whose card has these terms: so those of a budget come and go with it.
    pub fn policy_with(&self, terms: Option<&Terms>) -> Policy {
        match self.thresholds {
            Thresholds::Fixed => self.policy,
            Thresholds::Budget => terms.and_then(|terms| terms.policy(self.budget)).unwrap_or(self.policy),
        }
    }
}

/// How long what a comment says of a person is kept, from when it came; none: for as long as the comment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    pub bodies: Option<Duration>,
    pub addresses: Option<Duration>,
    pub ips: Option<Duration>,
}

/// How a site is answered that speaks Akismet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Akismet {
    /// SHA-256 of the key, which opens nothing else; none: the site does not speak it.
    pub key: Option<[u8; 32]>,
    pub hold: HoldAs,
    /// Whether blatant spam is told to be fit for dropping unseen.
    pub discard: bool,
}

impl Akismet {
    /// A site that does not speak it.
    pub const SILENT: Self = Self { key: None, hold: HoldAs::Spam, discard: true };
}

/// Akismet knows no doubt, so a held comment is called one or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldAs {
    Spam,
    Ham,
}

/// Which thresholds are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thresholds {
    /// Those that follow from the budget, where the site's model is certified for it; else those written.
    Budget,
    /// Those written.
    Fixed,
}

/// Spot checks of automatic decisions, and what they must not show; shares in `0.0..=1.0`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Audit {
    pub rates: Rates,
    /// Spam among what is published.
    pub published_spam_max: f64,
    /// Ham among what is rejected.
    pub rejected_ham_max: f64,
}

#[derive(Debug, Clone)]
pub struct Webhook {
    pub url: String,
    /// The raw bytes that sign, all of them at once, the present secret first; written `whsec_` and base64 in the settings.
    pub secrets: Vec<Secret>,
}

#[derive(Debug, Clone)]
pub struct Moderator {
    pub id: ModeratorId,
    pub name: String,
    pub email: String,
    pub sites: Vec<SiteId>,
    pub role: Role,
    pub duty: Duty,
    pub digest: Digest,
}

/// What a moderator may do at the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Rules on comments of its sites.
    Moderator,
    /// Rules on comments of every site.
    Admin,
}

impl Config {
    /// The sites whose comments a moderator may rule on at the desk.
    pub fn sites_at_desk(&self, moderator: &Moderator) -> Vec<SiteId> {
        match moderator.role {
            Role::Admin => self.sites.keys().cloned().collect(),
            Role::Moderator => moderator.sites.iter().filter(|site| self.sites.contains_key(site)).cloned().collect(),
        }
    }
}
