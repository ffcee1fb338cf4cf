//! `hamlet lists`: what files of lists hold, line by line, and what their entries found.

use super::listing::Output;
use super::{Environment, Place};
use crate::config::{ListFile, NoList, unnamed};
use crate::rules::lists::{self, List};
use crate::store::{ListHits, Reader};
use crate::view::{kept, mask_email, terminal_text};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum ListsCommand {
    /// Read the lists and name every line that is no entry; 1 when there is one
    Check(Check),
    /// How often entries were found, and what people said of the comments that held them
    Stats(Stats),
}

#[derive(Debug, Args)]
pub struct Check {
    /// A file to read instead of those of the settings
    #[arg(requires = "kind")]
    file: Option<PathBuf>,
    /// What the lines of that file are
    #[arg(long, value_parser = kind)]
    kind: Option<lists::Kind>,
    /// Its patterns may match inside words
    #[arg(long, requires = "file")]
    inside_words: bool,
    /// Bad lines shown of each list
    #[arg(long, default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub struct Stats {
    /// This list only
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// Entries shown of each list
    #[arg(long, default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    place: Place,
}

fn kind(word: &str) -> Result<lists::Kind, String> {
    let known = lists::Kind::ALL.map(lists::Kind::as_str);
    lists::Kind::parse(word).ok_or_else(|| format!("write one of {}", known.join(", ")))
}

impl ListsCommand {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        match self {
            Self::Check(check) => check.run(environment),
            Self::Stats(stats) => stats.run(environment),
        }
    }
}

impl Check {
    fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let files = match (&self.file, self.kind) {
            (Some(path), Some(kind)) => vec![unnamed(path, kind, !self.inside_words)],
            _ => self.place.settings(environment)?.check()?.lists,
        };
        let read: Vec<(&ListFile, Result<List, NoList>)> = files.iter().map(|file| (file, file.understand())).collect();
        if read.is_empty() {
            eprintln!("the settings name no lists; [lists.NAME] does");
        }
        let columns = ["list", "file", "kind", "effect", "entries", "bad_count", "memory_bytes", "error"];
        self.output.list(&read, &columns, |(file, list)| checked(file, list), |(file, list)| self.told(file, list))?;
        let bad: usize = read.iter().map(|(_, list)| list.as_ref().map_or(1, |list| list.bad_count)).sum();
        if bad > 0 {
            bail!("bad lines or files: {bad}; the rest works");
        }
        Ok(())
    }

    fn told(&self, file: &ListFile, list: &Result<List, NoList>) -> String {
        let (spec, path) = (&file.spec, file.path.display());
        let list = match list {
            Ok(list) => list,
            Err(error) => {
                let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
                return format!("{}: {path} {error}{cause}", spec.name);
            }
        };
        let (entries, bad, memory) = (list.entries(), list.bad_count, mebibytes(list.memory_bytes()));
        let places: Vec<&str> = spec.places.iter().map(|place| place.as_str()).collect();
        let (kind, effect, places) = (spec.kind.as_str(), spec.effect.as_str(), places.join(", "));
        let head = format!("{} (entries: {entries}, bad lines: {bad}, {memory} MiB; {kind}, {effect}, looks at {places})", spec.name);
        let lines = list.bad_lines.iter().take(self.limit).map(|bad| format!("  {path}:{}: {}", bad.line, kept(&bad.reason)));
        let more = (bad > self.limit).then(|| format!("  and {} more", bad - self.limit));
        std::iter::once(head).chain(lines).chain(more).collect::<Vec<_>>().join("\n")
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn mebibytes(bytes: usize) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

fn checked(file: &ListFile, list: &Result<List, NoList>) -> Value {
    let mut document =
        json!({ "list": file.spec.name, "file": file.path, "kind": file.spec.kind.as_str(), "effect": file.spec.effect.as_str() });
    let told = match list {
        Ok(list) => {
            let bad = list.bad_lines.iter().map(|bad| json!({ "line": bad.line, "reason": bad.reason })).collect::<Value>();
            json!({ "entries": list.entries(), "memory_bytes": list.memory_bytes(), "bad_count": list.bad_count, "bad_lines": bad })
        }
        Err(error) => json!({ "error": error.to_string() }),
    };
    if let (Value::Object(document), Value::Object(told)) = (&mut document, told) {
        document.extend(told);
    }
    document
}

/// All that was found of one list, on all sites that have it.
#[derive(Default)]
struct Total {
    /// Entries in its file; none where the settings no longer name it or it cannot be read.
    entries: Option<usize>,
    found: Vec<ListHits>,
}

impl Stats {
    fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let config = self.place.settings(environment)?.check()?;
        let reader = Reader::open(&self.place.data(environment)?)?;
        let mut totals: BTreeMap<String, Total> = BTreeMap::new();
        for file in &config.lists {
            let total = totals.entry(file.spec.name.clone()).or_default();
            total.entries = file.read().ok().map(|list| list.entries());
        }
        for hits in reader.list_hits()? {
            totals.entry(hits.list.clone()).or_default().found.push(hits);
        }
        if let Some(only) = &self.list {
            totals.retain(|name, _| name == only);
            (!totals.is_empty()).then_some(()).with_context(|| format!("no list is called {only:?}, now or before"))?;
        }
        if totals.is_empty() {
            eprintln!("the settings name no lists, and none found anything");
        }
        let totals: Vec<(String, Total)> = totals.into_iter().collect();
        let columns = ["list", "entries", "entries_never_found", "hits", "ruled_spam", "ruled_ham"];
        self.output.list(&totals, &columns, |(name, total)| self.document(name, total), |(name, total)| self.told(name, total))
    }

    fn told(&self, name: &str, total: &Total) -> String {
        let sum = |count: fn(&ListHits) -> u64| total.found.iter().map(count).sum::<u64>();
        let (hits, spam, ham) = (sum(|hits| hits.hits), sum(|hits| hits.spam), sum(|hits| hits.ham));
        let never = total.never_found().map(|never| format!(", never found: {never}")).unwrap_or_default();
        let found = total.found.len();
        let head = format!("{name} (hits: {hits}, ruled spam: {spam}, ruled fit to publish: {ham}; entries found: {found}{never})");
        let names = (found > 0).then(|| format!("  {:>8} {:>6} {:>6}  {:<20} {:<16} entry", "hits", "spam", "ham", "last", "site"));
        let lines = total.found.iter().take(self.limit).map(|hits| {
            let (entry, last) = (terminal_text(&shown(&hits.entry)), hits.last_at.to_string());
            let (last, site) = (last.get(..19).unwrap_or(&last), hits.site.as_str());
            format!("  {:>8} {:>6} {:>6}  {last:<20} {site:<16} {entry}", hits.hits, hits.spam, hits.ham)
        });
        std::iter::once(head).chain(names).chain(lines).collect::<Vec<_>>().join("\n")
    }

    fn document(&self, name: &str, total: &Total) -> Value {
        let entry = |hits: &ListHits| {
            json!({ "site": hits.site.as_str(), "entry": shown(&hits.entry), "hits": hits.hits, "last_at": hits.last_at.to_string(),
                    "ruled_spam": hits.spam, "ruled_ham": hits.ham })
        };
        let found: Vec<Value> = total.found.iter().take(self.limit).map(entry).collect();
        let sum = |count: fn(&ListHits) -> u64| total.found.iter().map(count).sum::<u64>();
        json!({ "list": name, "entries": total.entries, "entries_never_found": total.never_found(), "hits": sum(|hits| hits.hits),
                "ruled_spam": sum(|hits| hits.spam), "ruled_ham": sum(|hits| hits.ham), "found": found })
    }
}

impl Total {
    fn never_found(&self) -> Option<usize> {
        let entries: std::collections::BTreeSet<&str> = self.found.iter().map(|hits| hits.entry.as_str()).collect();
        self.entries.map(|all| all.saturating_sub(entries.len()))
    }
}

/// An address is masked here as everywhere.
fn shown(entry: &str) -> String {
    if entry.contains('@') && !entry.contains(' ') { mask_email(entry, "...") } else { entry.to_owned() }
}
