//! Sites and moderators: who may send, who hears of it, who rules. A site's thresholds and rules are those of all sites, with what it
//! overrides laid on top.

use super::problem::{Invalid, Problems};
use super::retention::retention;
use super::secret::HIDDEN;
use super::settings::{self, Settings};
use super::{Akismet, Audit, Duty, Moderator, Retention, Role, Site, Thresholds, akismet, behaviour, form, lists, timing, webhook};
use crate::budget::Budget;
use crate::budget::audit::Rates;
use crate::decision::{Mode, Policy};
use crate::delivery::Reach;
use crate::id::{ModeratorId, SiteId};
use crate::rules::{self, Field};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Short enough for a column, and safe in a URL, a file name and a metric's label.
const ID_CHARS_MAX: usize = 40;
/// Akismet's keys have twelve, and some of its clients take no shorter one.
const API_KEY_CHARS_MIN: usize = 12;

impl Settings {
    /// The thresholds of all sites, for scores made away from any site.
    ///
    /// # Errors
    /// [`Invalid`] when they are out of range or order.
    pub fn policy(&self) -> Result<Policy, Invalid> {
        let mut problems = Problems::default();
        let policy = policy(&mut problems, "policy", &self.policy, NO_POLICY);
        problems.settle(policy)
    }

    /// A site that overrides nothing, for comments away from any site.
    ///
    /// # Errors
    /// [`Invalid`] when the thresholds or rules of all sites make no sense.
    pub fn site_of_defaults(&self) -> Result<Site, Invalid> {
        let mut problems = Problems::default();
        let all = Judging::of(&mut problems, "policy", &self.policy, Judging::none());
        let site = Site {
            id: SiteId::new("any-site"),
            name: "any site".to_owned(),
            keys: Vec::new(),
            akismet: Akismet::SILENT,
            akismet_key: None,
            akismet_from: None,
            loopback_only: false,
            mode: Mode::Enforce,
            rules: of_all(&mut problems, self),
            policy: all.policy,
            budget: all.budget,
            thresholds: all.thresholds,
            audit: all.audit,
            retention: retention(&mut problems, "retention", &self.retention, Retention::default()),
            webhook: None,
            reach: Reach::default(),
            form: None,
        };
        problems.settle(site)
    }

    /// The command line's word over the file's.
    #[must_use]
    pub fn listening_on(mut self, listen: std::net::SocketAddr) -> Self {
        self.http.listen = listen.to_string();
        self
    }

    /// The command line's word over the file's.
    #[must_use]
    pub fn with_data(mut self, data: &std::path::Path) -> Self {
        self.data.dir = data.to_string_lossy().into_owned();
        self
    }

    /// Where the store and the models lie.
    pub fn data_dir(&self) -> std::path::PathBuf {
        self.data.dir.as_str().into()
    }
}

/// Below every layer: nobody checks, and nothing warns.
const NO_AUDIT: Audit = Audit { rates: Rates::NONE, published_spam_max: 1.0, rejected_ham_max: 1.0 };

/// Below every layer: nothing is published or rejected by a score.
const NO_POLICY: Policy = Policy { publish_max: 0.0, reject_min: 1.0, discard_min: 1.0 };

pub(super) fn sites(problems: &mut Problems, settings: &Settings) -> BTreeMap<SiteId, Arc<Site>> {
    let judging = Judging::of(problems, "policy", &settings.policy, Judging::none());
    let rules = rules::Settings { dns_lists: super::dns::rules(problems, settings), ..of_all(problems, settings) };
    let kept = retention(problems, "retention", &settings.retention, Retention::default());
    if settings.sites.is_empty() {
        let instead = "no site is configured: add [sites.NAME] with an api_key, or try `hamlet serve --demo`";
        problems.add("sites", "empty", instead);
    }
    let mut sites = BTreeMap::new();
    let mut keys: BTreeMap<[u8; 32], String> = BTreeMap::new();
    for (id, written) in &settings.sites {
        let site = site(problems, id, written, (judging, &rules, kept));
        let own = site.keys.iter().map(|key| ("api_key", *key)).chain(site.akismet.key.map(|key| ("akismet_key", key)));
        for (name, key) in own {
            let place = format!("sites.{id}.{name}");
            if let Some(other) = keys.get(&key) {
                problems.add(&place, HIDDEN, format!("write a key of its own: {other} is the same"));
            }
            keys.insert(key, place);
        }
        sites.insert(site.id.clone(), Arc::new(site));
    }
    sites
}

/// The rules of all sites.
fn of_all(problems: &mut Problems, settings: &Settings) -> rules::Settings {
    rules(problems, "rules", &settings.rules, &rules::Settings::default())
}

/// What a table `policy` says.
#[derive(Debug, Clone, Copy)]
struct Judging {
    policy: Policy,
    budget: Budget,
    thresholds: Thresholds,
    audit: Audit,
}

impl Judging {
    /// Below every layer.
    fn none() -> Self {
        Self { policy: NO_POLICY, budget: Budget::default(), thresholds: Thresholds::Budget, audit: NO_AUDIT }
    }

    fn of(problems: &mut Problems, key: &str, written: &settings::Policy, base: Self) -> Self {
        Self {
            policy: policy(problems, key, written, base.policy),
            budget: budget(problems, key, written, base.budget),
            thresholds: thresholds(problems, key, written, base.thresholds),
            audit: audit(problems, key, written, base.audit),
        }
    }
}

type OfAll<'a> = (Judging, &'a rules::Settings, Retention);

fn site(problems: &mut Problems, id: &str, written: &settings::Site, (base, rules_base, kept): OfAll<'_>) -> Site {
    let key = format!("sites.{id}");
    let judging = Judging::of(problems, &format!("{key}.policy"), &written.policy, base);
    check_id(problems, &key, id);
    let akismet_key = akismet::key(problems, &key, written);
    let reach = webhook::reach(problems, &key, written);
    Site {
        id: SiteId::new(id),
        name: problems.name(&format!("{key}.name"), written.name.as_deref().unwrap_or(id)),
        keys: api_key(problems, &format!("{key}.api_key"), written).into_iter().collect(),
        akismet: akismet::akismet(problems, &key, written, akismet_key.as_ref()),
        akismet_key,
        akismet_from: akismet::networks(problems, &key, written),
        loopback_only: false,
        mode: mode(problems, &format!("{key}.mode"), written.mode.as_deref()),
        rules: rules(problems, &format!("{key}.rules"), &written.rules, rules_base),
        policy: judging.policy,
        budget: judging.budget,
        thresholds: judging.thresholds,
        audit: judging.audit,
        retention: retention(problems, &format!("{key}.retention"), &written.retention, kept),
        webhook: webhook::webhook(problems, &key, written, &reach),
        reach,
        form: form::form(problems, &key, &written.form),
    }
}

pub(super) fn check_id(problems: &mut Problems, key: &str, id: &str) {
    let is_sound = id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !is_sound || !(1..=ID_CHARS_MAX).contains(&id.len()) {
        problems.add(key, format!("named {id:?}"), format!("write a name of 1 to {ID_CHARS_MAX} of a-z, 0-9 and -"));
    }
}

fn api_key(problems: &mut Problems, key: &str, site: &settings::Site) -> Option<[u8; 32]> {
    let Some(secret) = problems.secret(key, &site.api_key, &site.api_key_file) else {
        problems.add(
            key,
            "missing",
            format!("write {API_KEY_CHARS_MIN} characters or more, or the path of a file with them as api_key_file"),
        );
        return None;
    };
    // An HTTP header carries nothing else reliably.
    let is_visible = secret.bytes().iter().all(u8::is_ascii_graphic);
    if !is_visible || secret.bytes().len() < API_KEY_CHARS_MIN {
        // An unreadable file has been named already.
        if !secret.is_empty() {
            problems.add(key, HIDDEN, format!("write {API_KEY_CHARS_MIN} visible ASCII characters or more"));
        }
        return None;
    }
    Some(Sha256::digest(secret.bytes()).into())
}

fn mode(problems: &mut Problems, key: &str, written: Option<&str>) -> Mode {
    let Some(word) = written else { return Mode::Enforce };
    Mode::parse(word).unwrap_or_else(|| {
        problems.add(key, format!("{word:?}"), "write enforce or observe");
        Mode::Observe
    })
}

fn policy(problems: &mut Problems, key: &str, written: &settings::Policy, base: Policy) -> Policy {
    let mut threshold = |name, value: Option<f64>, base| value.map_or(base, |value| problems.probability(&format!("{key}.{name}"), value));
    let policy = Policy {
        publish_max: threshold("publish_max", written.publish_max, base.publish_max),
        reject_min: threshold("reject_min", written.reject_min, base.reject_min),
        discard_min: threshold("discard_min", written.discard_min, base.discard_min),
    };
    let Policy { publish_max, reject_min, discard_min } = policy;
    let overrides = written.publish_max.or(written.reject_min).or(written.discard_min).is_some();
    if overrides && (publish_max >= reject_min || reject_min > discard_min) {
        let value = format!("publish_max {publish_max}, reject_min {reject_min}, discard_min {discard_min}");
        problems.add(key, value, "write them so that publish_max < reject_min <= discard_min");
    }
    policy
}

fn thresholds(problems: &mut Problems, key: &str, written: &settings::Policy, base: Thresholds) -> Thresholds {
    match written.thresholds.as_deref() {
        None => base,
        Some("budget") => Thresholds::Budget,
        Some("fixed") => Thresholds::Fixed,
        Some(other) => {
            problems.add(&format!("{key}.thresholds"), format!("{other:?}"), "write budget or fixed");
            base
        }
    }
}

fn budget(problems: &mut Problems, key: &str, written: &settings::Policy, base: Budget) -> Budget {
    let mut share = |name: &str, value: Option<f64>, base: f64| {
        let value = value.unwrap_or(base);
        if value > 0.0 && value < 1.0 {
            return value;
        }
        problems.add(&format!("{key}.{name}"), value.to_string(), "write a share above 0 and below 1");
        base
    };
    let spam_published_max = share("spam_published_max", written.spam_published_max, base.spam_published_max());
    let ham_rejected_max = share("ham_rejected_max", written.ham_rejected_max, base.ham_rejected_max());
    let confidence = share("confidence", written.confidence, base.confidence());
    Budget::new(spam_published_max, ham_rejected_max, confidence).unwrap_or(base)
}

fn audit(problems: &mut Problems, key: &str, written: &settings::Policy, base: Audit) -> Audit {
    let mut share = |name, value: Option<f64>, base| value.map_or(base, |value| problems.probability(&format!("{key}.{name}"), value));
    Audit {
        rates: Rates {
            published: share("audit_published_share", written.audit_published_share, base.rates.published),
            rejected: share("audit_rejected_share", written.audit_rejected_share, base.rates.rejected),
        },
        published_spam_max: share("published_spam_share_max", written.published_spam_share_max, base.published_spam_max),
        rejected_ham_max: share("rejected_ham_share_max", written.rejected_ham_share_max, base.rejected_ham_max),
    }
}

fn rules(problems: &mut Problems, key: &str, written: &settings::Rules, base: &rules::Settings) -> rules::Settings {
    let recent = recent(problems, key, written, base.recent);
    let links_max = written.links_max.map(|value| problems.number(&format!("{key}.links_max"), value, "a number", 0..=1_000));
    let blocklist = |entries: &Vec<String>| lists::inline(problems, &format!("{key}.blocklist"), entries).into_iter().collect();
    let lists = written.blocklist.as_ref().map(blocklist);
    rules::Settings {
        domains: behaviour::domains(problems, key, written, &base.domains),
        form: behaviour::form(problems, key, written, base.form),
        member: behaviour::member(problems, key, written, base.member),
        page: behaviour::page(problems, key, written, base.page),
        require_name: written.require_name.unwrap_or(base.require_name),
        require_email: written.require_email.unwrap_or(base.require_email),
        require: written.require.as_ref().map_or_else(|| base.require.clone(), |names| required(problems, key, names)),
        links_max: links_max.unwrap_or(base.links_max),
        hold_first_link: written.hold_first_link.unwrap_or(base.hold_first_link),
        recent,
        lists: lists.unwrap_or_else(|| base.lists.clone()),
        dns_lists: base.dns_lists.clone(),
    }
}

fn required(problems: &mut Problems, key: &str, names: &[String]) -> Vec<Field> {
    let mut field = |name: &String| {
        let field = Field::parse(name);
        if field.is_none() {
            problems.add(
                &format!("{key}.require"),
                format!("{name:?}"),
                format!("write some of {}", Field::ALL.map(Field::name).join(", ")),
            );
        }
        field
    };
    names.iter().filter_map(&mut field).collect()
}

/// Up to a million: as good as never.
fn recent(problems: &mut Problems, key: &str, written: &settings::Rules, base: rules::Recent) -> rules::Recent {
    let mut comments = |name: &str, value: Option<i64>, base: u32| {
        value.map_or(base, |value| problems.number(&format!("{key}.{name}"), value, "comments", 1..=1_000_000))
    };
    rules::Recent {
        flood_address_hold: comments("flood_address_hold", written.flood_address_hold, base.flood_address_hold),
        flood_address_reject: comments("flood_address_reject", written.flood_address_reject, base.flood_address_reject),
        flood_network_hold: comments("flood_network_hold", written.flood_network_hold, base.flood_network_hold),
        flood_email_hold: comments("flood_email_hold", written.flood_email_hold, base.flood_email_hold),
        busy_page_comments: comments("busy_page_comments", written.busy_page_comments, base.busy_page_comments),
        repeats_hold: comments("repeats_hold", written.repeats_hold, base.repeats_hold),
        campaign_hold: comments("campaign_hold", written.campaign_hold, base.campaign_hold),
    }
}

impl Moderator {
    /// What stands for the address where it need not be read: its SHA-256, in small letters.
    pub fn address_hash(&self) -> [u8; 32] {
        Sha256::digest(self.email.to_lowercase()).into()
    }
}

pub(super) fn moderators(problems: &mut Problems, settings: &Settings) -> BTreeMap<ModeratorId, Moderator> {
    let of_all = timing::of_all(problems, &settings.digest);
    let moderator = |(id, written): (&String, &settings::Moderator)| {
        let key = format!("moderators.{id}");
        check_id(problems, &key, id);
        let id = ModeratorId::new(id);
        let name = problems.name(&format!("{key}.name"), &written.name);
        let email = problems.email(&format!("{key}.email"), &written.email);
        let sites = sites_of(problems, &format!("{key}.sites"), &written.sites, &settings.sites);
        let role = if written.admin { Role::Admin } else { Role::Moderator };
        let duty = written.duty.as_deref().map_or(Duty::First, |word| duty(problems, &format!("{key}.duty"), word));
        let digest = timing::digest(problems, &format!("{key}.digest"), &written.digest, &of_all);
        (id.clone(), Moderator { id, name, email, sites, role, duty, digest })
    };
    settings.moderators.iter().map(moderator).collect()
}

fn duty(problems: &mut Problems, key: &str, word: &str) -> Duty {
    let parse = |word: &str| match word {
        "first" => Some(Duty::First),
        "standby" => Some(Duty::Standby),
        _ => None,
    };
    problems.word(key, word, parse, &["first", "standby"]).unwrap_or(Duty::First)
}

/// Each site once, however often it was written: a comment stands in a digest once.
pub(super) fn sites_of(problems: &mut Problems, key: &str, written: &[String], known: &BTreeMap<String, settings::Site>) -> Vec<SiteId> {
    if written.is_empty() {
        problems.add(key, "empty", "write at least one site");
    }
    for unknown in written.iter().filter(|site| !known.contains_key(*site)) {
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        problems.add(key, format!("{unknown:?}"), format!("write sites that are configured: {}", names.join(", ")));
    }
    let sites: BTreeSet<&String> = written.iter().collect();
    sites.into_iter().map(SiteId::new).collect()
}
