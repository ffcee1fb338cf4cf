//! Settings as written, from three layers: the embedded `config/default.toml`, the operator's file, the environment. Only shape is looked
//! at here (TOML, known keys, types); whether values make sense is `check`'s. Nothing here reads the process: the environment is handed in.

use super::problem::{Invalid, Problem};
use super::secret::Secret;
use ::config::{ConfigError, Environment, File, FileFormat};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The manual, and the lowest layer.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");
/// A short start for an operator, with placeholders.
pub const INIT: &str = include_str!("../../config/init.toml");

/// Everything that can be written. Numbers are wide and words are text, so that the check can name all that is wrong at once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Settings {
    pub(super) http: Http,
    pub(super) data: Data,
    pub(super) intake: Intake,
    pub(super) store: Store,
    pub(super) metrics: Metrics,
    pub(super) memory: Memory,
    pub(super) outbox: Outbox,
    pub(super) mail: Mail,
    pub(super) digest: Digest,
    pub(super) review: Review,
    pub(super) learning: Learning,
    pub(super) policy: Policy,
    pub(super) retention: Retention,
    pub(super) rules: Rules,
    pub(super) dns: Dns,
    #[serde(default)]
    pub(super) dns_lists: BTreeMap<String, DnsList>,
    #[serde(default)]
    pub(super) lists: BTreeMap<String, List>,
    #[serde(default)]
    pub(super) sites: BTreeMap<String, Site>,
    #[serde(default)]
    pub(super) moderators: BTreeMap<String, Moderator>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Http {
    pub listen: String,
    pub public_url: String,
    pub body_bytes_max: i64,
    pub field_bytes_max: i64,
    pub excerpt_bytes_max: i64,
    pub tls: HttpTls,
    pub connections_max: i64,
    pub head_seconds_max: i64,
    pub body_seconds_max: i64,
    pub idle_seconds_max: i64,
    pub key_requests_per_minute_max: i64,
    pub client_address_header: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Metrics {
    pub listen: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct HttpTls {
    pub certificate_file: String,
    pub key_file: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Data {
    pub dir: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[expect(clippy::struct_field_names, reason = "the fields are the keys as written")]
pub(super) struct Intake {
    pub waiting_max: i64,
    pub batch_max: i64,
    pub queued_max: i64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Store {
    pub wal_bytes_max: i64,
    pub disk_free_bytes_min: i64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Memory {
    pub comments_max: i64,
    pub days: i64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Outbox {
    pub waiting_max: i64,
    pub attempts_max: i64,
    pub retry_seconds_first: i64,
    pub retry_seconds_max: i64,
    pub timeout_seconds: i64,
    pub at_once_max: i64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Mail {
    pub from: String,
    pub admin: String,
    pub bounces: String,
    pub transport: String,
    pub files: Files,
    pub smtp: Smtp,
    pub dkim: Dkim,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Dkim {
    pub domain: String,
    pub selector: String,
    pub key: Secret,
    pub key_file: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Files {
    pub dir: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Smtp {
    pub host: String,
    pub port: i64,
    pub tls: String,
    pub username: String,
    pub password: Secret,
    pub password_file: String,
}

/// For all moderators every key is there, by the defaults; for one only what it overrides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Digest {
    pub items_min: Option<i64>,
    pub age_hours_max: Option<i64>,
    pub daily_at: Option<String>,
    pub quiet_hours: Option<String>,
    pub time_zone: Option<String>,
    pub interval_minutes_min: Option<i64>,
    pub per_day_max: Option<i64>,
    pub flood_items_min: Option<i64>,
    pub items_max: Option<i64>,
    pub excerpt: Option<String>,
    pub weekly: Option<String>,
    pub reminder_hours: Option<i64>,
    pub handover_hours: Option<i64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Review {
    pub link_days: i64,
    pub nonce_minutes: i64,
    pub undo_seconds: i64,
    pub second_look_share: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Learning {
    pub schedule: String,
    pub labels_min: i64,
    pub labels_new: i64,
    pub nightly_at: String,
    pub time_zone: String,
    pub promote: String,
}

/// For all sites every key is there, by the defaults; for one site only what it overrides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Policy {
    pub thresholds: Option<String>,
    pub spam_published_max: Option<f64>,
    pub ham_rejected_max: Option<f64>,
    pub confidence: Option<f64>,
    pub publish_max: Option<f64>,
    pub reject_min: Option<f64>,
    pub discard_min: Option<f64>,
    pub audit_published_share: Option<f64>,
    pub audit_rejected_share: Option<f64>,
    pub published_spam_share_max: Option<f64>,
    pub rejected_ham_share_max: Option<f64>,
}

/// Like [`Policy`]: what is not written comes from the layer below.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Rules {
    pub require_name: Option<bool>,
    pub require_email: Option<bool>,
    pub require: Option<Vec<String>>,
    pub links_max: Option<i64>,
    pub hold_first_link: Option<bool>,
    pub known_domains: Option<Vec<String>>,
    pub known_domain_comments_min: Option<i64>,
    pub honeypot: Option<String>,
    pub require_form_token: Option<bool>,
    pub form_seconds_min: Option<i64>,
    pub form_hours_max: Option<i64>,
    pub member_comments_min: Option<i64>,
    pub member_days_min: Option<i64>,
    pub page_days_old: Option<i64>,
    pub page_days_quiet: Option<i64>,
    pub flood_address_hold: Option<i64>,
    pub flood_address_reject: Option<i64>,
    pub flood_network_hold: Option<i64>,
    pub flood_email_hold: Option<i64>,
    pub busy_page_comments: Option<i64>,
    pub repeats_hold: Option<i64>,
    pub campaign_hold: Option<i64>,
    pub blocklist: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Dns {
    pub resolver: String,
    pub timeout_ms: i64,
    pub cache_max: i64,
    pub ttl_seconds_min: i64,
    pub ttl_seconds_max: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct DnsList {
    pub zone: String,
    pub asks: String,
    pub answers: Option<Vec<String>>,
    pub effect: Option<String>,
    pub log_odds: Option<f64>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct List {
    pub file: String,
    pub kind: String,
    pub effect: String,
    pub sites: Option<Vec<String>>,
    pub looks_at: Option<Vec<String>>,
    pub log_odds: Option<f64>,
    pub whole_words: Option<bool>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Site {
    pub name: Option<String>,
    pub api_key: Secret,
    pub api_key_file: String,
    pub akismet_key: Secret,
    pub akismet_key_file: String,
    pub akismet: Akismet,
    pub mode: Option<String>,
    pub webhook_url: String,
    pub webhook_secret: Secret,
    pub webhook_secret_file: String,
    pub webhook_secret_old: Secret,
    pub webhook_secret_old_file: String,
    pub webhook_private: Option<bool>,
    pub webhook_networks: Option<Vec<String>>,
    pub rules: Rules,
    pub policy: Policy,
    pub form: Form,
    pub retention: Retention,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Form {
    pub origins: Vec<String>,
    pub comments_per_minute_max: Option<i64>,
}

/// Like [`Policy`]: what is not written comes from the layer below.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
#[expect(clippy::struct_field_names, reason = "the unit is part of a key's name")]
pub(super) struct Retention {
    pub bodies_days: Option<i64>,
    pub addresses_days: Option<i64>,
    pub ips_days: Option<i64>,
}

/// What is not written is the default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Akismet {
    pub hold: Option<String>,
    pub discard: Option<bool>,
    pub networks: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table")]
pub(super) struct Moderator {
    pub name: String,
    pub email: String,
    pub sites: Vec<String>,
    pub admin: bool,
    pub duty: Option<String>,
    pub digest: Digest,
}

impl Settings {
    /// Defaults, then the operator's file, then those of the environment's variables that begin with `HAMLET__`.
    ///
    /// # Errors
    /// [`Invalid`] with one problem: a file that cannot be read or is no TOML, a key that does not exist, a value of the wrong type.
    pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self, Invalid> {
        match file {
            None => Self::layered("", "the settings", environment),
            Some(path) => Self::layered(&read(path)?, &path.display().to_string(), environment),
        }
    }

    /// `text` is the operator's layer, and `place` what errors call it.
    pub(super) fn layered(text: &str, place: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Self, Invalid> {
        // Without `try_parsing`: it would turn the secret 00123 into 123. Numbers are read from text by their type.
        let variables = Environment::with_prefix("HAMLET").prefix_separator("__").separator("__").source(Some(environment.collect()));
        let layers = ::config::Config::builder()
            .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
            .add_source(File::from_str(text, FileFormat::Toml))
            .add_source(variables)
            .build()
            .map_err(|error| not_toml(&error, place))?;
        Ok(serde_path_to_error::deserialize(layers).map_err(|error| mistyped(&error, place))?)
    }
}

pub(super) fn read(path: &Path) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|error| {
        let value = format!("not readable ({error})");
        Problem::new(path.display().to_string(), value, "name another file, or write one with `hamlet init`")
    })
}

/// The parser's message is its place, three lines that quote the file, and the reason. The quote may hold a secret: it is left out.
pub(super) fn not_toml(error: &ConfigError, place: &str) -> Problem {
    let message = error.to_string();
    let mut lines = message.lines();
    let position = lines.next().and_then(|first| first.strip_prefix("TOML parse error at "));
    let value = match position {
        Some(position) => format!("not TOML at {position} ({})", lines.skip(3).collect::<Vec<_>>().join(", ")),
        None => format!("not TOML ({message})"),
    };
    Problem::new(place, value, "correct that line")
}

fn mistyped(error: &serde_path_to_error::Error<ConfigError>, place: &str) -> Problem {
    let key = error.path().to_string();
    let cause = innermost(error.inner());
    if let ConfigError::Type { origin, unexpected, expected, .. } = cause {
        let place = origin.as_deref().unwrap_or(place);
        // serde's names of types are for programmers.
        let expected = match *expected {
            "floating point" | "a floating point" => "a number",
            "an integer" => "a whole number",
            other => other,
        };
        return Problem::new(key, format!("{unexpected} in {place}"), format!("write {expected}"));
    }
    let message = cause.to_string();
    let expected = message.rsplit_once("expected ").map_or("what the manual says", |(_, expected)| expected);
    let expected = match expected {
        "a map" => "a table",
        "a sequence" => "a list",
        other => other,
    };
    let value = if message.starts_with("unknown field") { "no key that hamlet knows" } else { "of the wrong type" };
    Problem::new(key, value, format!("write {expected}"))
}

/// Without the layers that add the path, which `serde_path_to_error` knows better.
fn innermost(error: &ConfigError) -> &ConfigError {
    if let ConfigError::At { error, .. } = error { innermost(error) } else { error }
}
