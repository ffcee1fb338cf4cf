//! Lists: which files there are, what they do on which sites, and the reading of them. What their lines mean is `rules::lists`'; when they
//! are read again while the daemon runs is `flow::lists`'.

use super::problem::{Invalid, Problem, Problems};
use super::settings::{self, Settings};
use super::{Config, people};
use crate::id::SiteId;
use crate::rules::lists::{Kind, List, Place, Spec};
use crate::rules::{Effect, LOG_ODDS_MAX};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The list of the entries that stand in the settings themselves.
const INLINE: &str = "blocklist";

/// Eight million domains; a file beyond this is no list but a mistake.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A list that is read from a file.
#[derive(Debug, Clone)]
pub struct ListFile {
    pub path: PathBuf,
    pub spec: Spec,
    pub sites: Vec<SiteId>,
}

/// Why a file is no list.
#[derive(Debug, thiserror::Error)]
pub enum NoList {
    #[error("cannot be read")]
    Io(#[from] io::Error),
    #[error("has {got} bytes, the limit is {FILE_BYTES_MAX}")]
    TooLarge { got: u64 },
    #[error("has {bad} bad lines and {entries} entries; line {line}: {reason}")]
    MostlyBad { bad: usize, entries: usize, line: usize, reason: String },
}

impl ListFile {
    /// The list as its file has it now. Some bad lines are told with it; more of them than entries, and it is not taken for a list at all:
    /// a page that says "not found" in its place must not empty it.
    ///
    /// # Errors
    /// [`NoList`].
    pub fn read(&self) -> Result<List, NoList> {
        let list = self.understand()?;
        match list.bad_lines.first() {
            Some(first) if list.bad_count > list.entries() => {
                let (line, reason) = (first.line, first.reason.clone());
                Err(NoList::MostlyBad { bad: list.bad_count, entries: list.entries(), line, reason })
            }
            _ => Ok(list),
        }
    }

    /// The same, however bad its lines.
    ///
    /// # Errors
    /// [`NoList::Io`] and [`NoList::TooLarge`].
    pub fn understand(&self) -> Result<List, NoList> {
        let file = File::open(&self.path)?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        let got = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if got > FILE_BYTES_MAX { Err(NoList::TooLarge { got }) } else { Ok(List::read(self.spec.clone(), &bytes)) }
    }
}

impl Config {
    /// With every list read into the sites that have it: for whoever judges.
    ///
    /// # Errors
    /// [`Invalid`]: all lists that cannot be read. Without one of them comments would be judged as nobody meant it.
    pub fn with_lists(mut self) -> Result<Self, Invalid> {
        let mut problems = Problems::default();
        for file in &self.lists {
            match file.read() {
                Ok(list) => {
                    let list = Arc::new(list);
                    let sites = self.sites.values_mut().map(Arc::make_mut).filter(|site| file.sites.contains(&site.id));
                    sites.for_each(|site| site.rules.lists.push(Arc::clone(&list)));
                }
                Err(error) => problems.push(file.problem(&error)),
            }
        }
        problems.settle(self)
    }
}

impl Config {
    /// Every list that was read, each once.
    pub fn lists(&self) -> impl Iterator<Item = &List> {
        let of_site = |name: &str| self.sites.values().flat_map(|site| &site.rules.lists).find(|list| list.spec.name == name);
        self.lists.iter().filter_map(move |file| of_site(&file.spec.name)).map(Arc::as_ref)
    }
}

impl ListFile {
    fn problem(&self, error: &NoList) -> Problem {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
        let value = format!("{:?}, which {error}{cause}", self.path.display().to_string());
        Problem::new(format!("lists.{}.file", self.spec.name), value, "name a file that `hamlet lists check` finds good")
    }
}

pub(super) fn lists(problems: &mut Problems, settings: &Settings) -> Vec<ListFile> {
    settings.lists.iter().map(|(name, written)| list(problems, name, written, settings)).collect()
}

fn list(problems: &mut Problems, name: &str, written: &settings::List, settings: &Settings) -> ListFile {
    let key = format!("lists.{name}");
    people::check_id(problems, &key, name);
    if name == INLINE {
        problems.add(&key, format!("named {name:?}"), "write another name: the entries of rules.blocklist have this one");
    }
    if written.file.is_empty() {
        problems.add(&format!("{key}.file"), "missing", "name a file with one entry a line");
    }
    let known = |word: &str| Kind::parse(word);
    let kind = problems.word(&format!("{key}.kind"), &written.kind, known, &Kind::ALL.map(Kind::as_str)).unwrap_or(Kind::Words);
    let effects = [Effect::Reject, Effect::Hold, Effect::Evidence, Effect::Trust];
    let known = |word: &str| effects.into_iter().find(|effect| effect.as_str() == word);
    let effect = problems.word(&format!("{key}.effect"), &written.effect, known, &effects.map(Effect::as_str)).unwrap_or(Effect::Hold);
    check_effect(problems, &format!("{key}.effect"), kind, effect);
    let mut spec = Spec::new(name, kind, effect);
    if let Some(places) = &written.looks_at {
        spec.places = looks_at(problems, &format!("{key}.looks_at"), places, kind);
    }
    if let Some(log_odds) = written.log_odds {
        spec.log_odds = weight(problems, &format!("{key}.log_odds"), log_odds, effect);
    }
    if let Some(whole_words) = written.whole_words {
        if kind != Kind::Patterns {
            problems.add(&format!("{key}.whole_words"), whole_words.to_string(), "leave it out: it is for lists of patterns");
        }
        spec.whole_words = whole_words;
    }
    spec.reason = written.reason.as_ref().map(|reason| problems.name(&format!("{key}.reason"), reason));
    let sites = match &written.sites {
        Some(sites) => people::sites_of(problems, &format!("{key}.sites"), sites, &settings.sites),
        None => settings.sites.keys().map(SiteId::new).collect(),
    };
    ListFile { path: PathBuf::from(&written.file), spec, sites }
}

fn check_effect(problems: &mut Problems, key: &str, kind: Kind, effect: Effect) {
    let trusts = matches!(kind, Kind::Networks | Kind::Domains | Kind::Addresses);
    if effect == Effect::Trust && !trusts {
        problems.add(key, "trust", "write it for networks, domains or addresses only: words vouch for nobody");
    }
    if effect == Effect::Reject && kind == Kind::DisallowedKeys {
        problems.add(key, "reject", "write evidence or hold: lists of disallowed keys name what stands in honest comments, too");
    }
}

fn looks_at(problems: &mut Problems, key: &str, written: &[String], kind: Kind) -> Vec<Place> {
    let (_, possible) = kind.places();
    let names: Vec<&str> = possible.iter().map(|place| place.as_str()).collect();
    let known = |word: &str| Place::parse(word).filter(|place| possible.contains(place));
    let words: BTreeSet<&str> = written.iter().map(String::as_str).collect();
    if words.is_empty() {
        problems.add(key, "empty", format!("write some of {}", names.join(", ")));
    }
    words.into_iter().filter_map(|word| problems.word(key, word, known, &names)).collect()
}

fn weight(problems: &mut Problems, key: &str, log_odds: f64, effect: Effect) -> f64 {
    let least = match effect {
        Effect::Evidence => -LOG_ODDS_MAX,
        Effect::Trust => 0.0,
        Effect::Reject | Effect::Hold => {
            problems.add(key, log_odds.to_string(), "leave it out: only lists of evidence and trust weigh");
            return log_odds;
        }
    };
    if !(least..=LOG_ODDS_MAX).contains(&log_odds) {
        problems.add(key, log_odds.to_string(), format!("write log-odds from {least} to {LOG_ODDS_MAX}"));
    }
    log_odds
}

/// The entries that stand in the settings, as a list like any other; none when there are none.
pub(super) fn inline(problems: &mut Problems, key: &str, entries: &[String]) -> Option<Arc<List>> {
    let spec = Spec::new(INLINE, Kind::DisallowedKeys, Effect::Reject);
    let list = List::read(spec, entries.join("\n").as_bytes());
    for bad in &list.bad_lines {
        let entry = bad.line.checked_sub(1).and_then(|index| entries.get(index)).map_or("", String::as_str);
        problems.add(key, format!("{entry:?} ({})", bad.reason), "write whole words, phrases, domains, addresses or networks");
    }
    (list.entries() > 0).then(|| Arc::new(list))
}

/// For a file that no settings name.
pub fn unnamed(path: &Path, kind: Kind, whole_words: bool) -> ListFile {
    let spec = Spec { whole_words, ..Spec::new("file", kind, Effect::Evidence) };
    ListFile { path: path.to_owned(), spec, sites: Vec::new() }
}
