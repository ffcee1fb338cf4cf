//! The architecture, kept by tests: who may name whom, which outside crate has which door, what the core may not touch, and how long a
//! file or a function may be. Every failure names file, line and rule.
//!
//! The rooms, from the ground up (the same table as [`FLOORS`]; a test compares them):
//!
//! ```text
//! ground     clock dice meters
//! ground     id
//! core       text access action bounce delivery pace
//! core       comment
//! core       rules
//! core       classifier decision budget
//! core       trace
//! core       campaign traffic
//! shell      dns import
//! keeper     config store shelf view
//! flow       flow
//! shell      http outbox control demo service
//! daemon     daemon
//! terminal   cli
//! door       main
//! ```
//!
//! A room names rooms on lower floors only; rooms of one floor do not know each other. One floor is shared on purpose: `classifier` and
//! its neighbours name each other (a score carries evidence, a label comes from a ruling, a card keeps the certificate).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot read the sources should fail on the spot")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// One floor: its kind, and its rooms.
const FLOORS: [(&str, &[&str]); 15] = [
    ("ground", &["clock", "dice", "meters"]),
    ("ground", &["id"]),
    ("core", &["text", "access", "action", "bounce", "delivery", "pace"]),
    ("core", &["comment"]),
    ("core", &["rules"]),
    ("core", &["classifier", "decision", "budget"]),
    ("core", &["trace"]),
    ("core", &["campaign", "traffic"]),
    ("shell", &["dns", "import"]),
    ("keeper", &["config", "store", "shelf", "view"]),
    ("flow", &["flow"]),
    ("shell", &["http", "outbox", "control", "demo", "service"]),
    ("daemon", &["daemon"]),
    ("terminal", &["cli"]),
    ("door", &["main"]),
];

/// Rooms of one floor that may name each other.
const SHARED_FLOOR: [&str; 3] = ["classifier", "decision", "budget"];

/// Each outside crate that does something to the world, or costs something to replace, and the only places that may name it. A place that
/// ends in a slash is a folder under `src`.
const DOORS: [(&str, &[&str]); 53] = [
    ("argon2", &["flow/accounts/"]),
    ("linfa", &["classifier/train.rs"]),
    ("linfa_bayes", &["classifier/train.rs"]),
    ("linfa_logistic", &["classifier/train.rs"]),
    ("ndarray", &["classifier/train.rs"]),
    ("rusqlite", &["store/", "import/isso.rs"]),
    ("rustix", &["store/", "http/server.rs", "cli/train_site.rs"]),
    ("lettre", &["outbox/smtp/"]),
    ("rsa", &["outbox/smtp/"]),
    ("ed25519_dalek", &["outbox/smtp/"]),
    ("axum", &["http/", "demo/", "daemon.rs"]),
    ("hyper", &["http/server.rs"]),
    ("hyper_util", &["http/server.rs"]),
    ("tower_http", &["http/mod.rs"]),
    ("reqwest", &["outbox/", "demo/"]),
    ("encoding_rs", &["http/akismet/form.rs"]),
    ("memchr", &["http/akismet/form.rs", "import/"]),
    ("csv", &["import/columns.rs", "cli/listing.rs"]),
    ("quick_xml", &["import/xml.rs"]),
    ("mailparse", &["import/mbox.rs"]),
    ("flate2", &["import/mod.rs"]),
    ("indicatif", &["cli/"]),
    ("percent_encoding", &["http/akismet/form.rs", "http/desk/"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/manual.rs"]),
    ("clap_mangen", &["cli/manual.rs"]),
    ("sd_notify", &["service.rs"]),
    ("askama", &["view/"]),
    ("unicode_width", &["view/"]),
    ("::config", &["config/"]),
    ("toml_edit", &["config/edit.rs"]),
    ("rustls", &["cli/serve.rs", "http/tls.rs"]),
    ("tokio_rustls", &["http/tls.rs"]),
    ("tracing_subscriber", &["cli/log.rs", "cli/log/"]),
    ("opentelemetry", &["cli/log/", "http/spans.rs"]),
    ("opentelemetry_otlp", &["cli/log/"]),
    ("opentelemetry_sdk", &["cli/log/", "http/spans.rs"]),
    ("tracing_opentelemetry", &["cli/log/", "http/spans.rs"]),
    ("jiff", &["clock.rs"]),
    ("prometheus_client", &["meters.rs"]),
    ("uuid", &["id.rs"]),
    ("getrandom", &["dice.rs"]),
    ("unicode_normalization", &["text/"]),
    ("linkify", &["text/"]),
    ("psl", &["text/domains.rs"]),
    ("email_address", &["rules/"]),
    ("aho_corasick", &["rules/lists/"]),
    ("regex", &["rules/lists/patterns.rs"]),
    ("regex_syntax", &["rules/lists/"]),
    ("ipnet", &["rules/lists/", "delivery/reach.rs", "config/webhook.rs"]),
    ("foldhash", &["rules/lists/"]),
    ("mimalloc", &["main.rs"]),
    ("anyhow", &["cli/", "main.rs"]),
];

/// What the core may not touch, and what to do instead.
const NOT_IN_CORE: [(&str, &str); 20] = [
    ("async", "the core is synchronous; waiting is the shells' and the flow's matter"),
    ("await", "the core is synchronous; waiting is the shells' and the flow's matter"),
    ("tokio", "the core is synchronous; waiting is the shells' and the flow's matter"),
    ("std::fs", "the core reads no files; take the bytes as an argument"),
    ("std::env", "the core reads no environment; settings come as arguments"),
    ("std::process", "the core starts nothing"),
    ("std::thread", "the core starts nothing"),
    ("std::net::Tcp", "the core opens no connections"),
    ("std::net::Udp", "the core opens no connections"),
    ("std::io", "the core does no input or output; take bytes, give bytes"),
    ("tracing", "the core writes no log; return what is worth telling"),
    ("println", "the core prints nothing"),
    ("eprintln", "the core prints nothing"),
    ("print", "the core prints nothing"),
    ("eprint", "the core prints nothing"),
    ("SystemTime", "time is an argument: take a Timestamp"),
    ("Instant", "time is an argument: take a Timestamp"),
    ("Clock", "time is an argument: take a Timestamp"),
    ("Dice", "chance is an argument: take the number or the id that was thrown"),
    ("rand", "chance is an argument: take the number or the id that was thrown"),
];

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 6] = ["util", "utils", "helpers", "common", "types", "prelude"];

/// Lines of a file before its tests: what a reader keeps in mind at a sitting.
const FILE_LINES_MAX: usize = 420;

/// Lines of a function, its signature included: one screen.
const FUNCTION_LINES_MAX: usize = 70;

/// A file under `src` with comments, literals and test modules blanked out, line for line.
struct Source {
    /// Relative to `src`, with `/`.
    path: String,
    text: String,
    code: String,
    /// Lines before the first test module.
    lines_before_tests: usize,
}

impl Source {
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the program; files that only tests include are left out.
fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join("src"), &mut paths);
    let mut sources: Vec<Source> = paths.iter().map(|path| read(path)).collect();
    let only_tests: BTreeSet<String> = sources.iter().flat_map(test_files).collect();
    sources.retain(|source| !only_tests.contains(&source.path));
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.len() > 40, "only {} files were found under src; the walk is broken", sources.len());
    sources
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn read(path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let path = path.strip_prefix(root().join("src")).unwrap().to_str().unwrap().replace('\\', "/");
    let (code, lines_before_tests) = without_tests(&blank(&text));
    Source { path, text, code, lines_before_tests }
}

/// Files that stand behind `#[cfg(test)] mod name;`.
fn test_files(source: &Source) -> Vec<String> {
    let folder = match source.path.strip_suffix("/mod.rs") {
        Some(folder) => format!("{folder}/"),
        None if ["lib.rs", "main.rs"].contains(&source.path.as_str()) => String::new(),
        None => format!("{}/", source.path.trim_end_matches(".rs")),
    };
    let blanked = blank(&source.text);
    let after_cfg = blanked.split("#[cfg(test)]").skip(1);
    after_cfg
        .filter_map(|after| after.trim_start().strip_prefix("mod ")?.split_once(';'))
        .map(|(name, _)| name.trim())
        .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .map(|name| format!("{folder}{name}.rs"))
        .collect()
}

/// Comments and the insides of literals as spaces, so that what is left is code; line breaks stay.
fn blank(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        let skipped = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['"', ..] => string(rest),
            ['r' | 'b', ..] if !continues_a_word(&characters, at) => raw_string(rest),
            ['\'', ..] => character(rest),
            _ => 0,
        };
        if skipped == 0 {
            code.push(characters[at]);
            at += 1;
        } else {
            code.extend(rest[..skipped].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at += skipped;
        }
    }
    code
}

fn continues_a_word(characters: &[char], at: usize) -> bool {
    at > 0 && (characters[at - 1].is_alphanumeric() || characters[at - 1] == '_')
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => {
                (depth, at) = (depth - 1, at + 2);
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"..."`, `r#"..."#`, `br"..."`; 0 if it is none.
fn raw_string(rest: &[char]) -> usize {
    let prefix = rest.iter().take_while(|c| **c == 'b').count();
    if prefix > 1 || rest.get(prefix) != Some(&'r') {
        return 0;
    }
    let hashes = rest[prefix + 1..].iter().take_while(|c| **c == '#').count();
    let opening = prefix + 1 + hashes;
    if rest.get(opening) != Some(&'"') {
        return 0;
    }
    let closes = |at: usize| rest[at] == '"' && rest[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    (opening + 1..rest.len()).find(|at| closes(*at)).map_or(rest.len(), |at| at + 1 + hashes)
}

/// A character literal; 0 for a lifetime.
fn character(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', _, ..] => rest.iter().skip(3).position(|c| *c == '\'').map_or(0, |at| at + 4),
        ['\'', _, '\'', ..] => 3,
        _ => 0,
    }
}

/// The code with every `#[cfg(test)]` item blanked, and the number of lines before the first test module with a body.
fn without_tests(code: &str) -> (String, usize) {
    let mut kept = String::with_capacity(code.len());
    let mut lines_before_tests = None;
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..start]);
        let item = &rest[start..];
        let is_module = item["#[cfg(test)]".len()..].trim_start().starts_with("mod ");
        let length = item_length(item);
        if is_module && item[..length].contains('{') && lines_before_tests.is_none() {
            lines_before_tests = Some(kept.lines().count());
        }
        kept.extend(item[..length].chars().filter(|c| *c == '\n'));
        rest = &item[length..];
    }
    kept.push_str(rest);
    let lines = lines_before_tests.unwrap_or_else(|| kept.lines().count());
    (kept, lines)
}

/// Bytes up to the `;` or the closing brace that ends an item.
fn item_length(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in item.char_indices() {
        match c {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    item.len()
}

/// Names `word` as a whole: neither a part of a longer name nor, unless the word itself is a path, a part of a longer path to the left.
fn names(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = &line[..at];
        let after = &line[at + word.len()..];
        let starts = word.starts_with(':') && !before.ends_with(is_name) && !before.ends_with('>')
            || !word.starts_with(':') && !before.ends_with(is_name) && !before.ends_with('.');
        // `std::net::Tcp` stands for TcpStream and TcpListener alike.
        let ends = word.ends_with("Tcp") || word.ends_with("Udp") || !after.starts_with(is_name);
        starts && ends
    })
}

/// Names an outside crate: `use name...`, or a path that begins with it.
fn names_crate(line: &str, name: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let path = format!("{name}::");
    let in_path = line.match_indices(&path).any(|(at, _)| !line[..at].ends_with(|c| is_name(c) || c == ':' || c == '>'));
    let attribute = line.trim_start().strip_prefix("#[").is_some_and(|rest| rest.contains(&path));
    let used = ["use ", "pub use "].iter().filter_map(|used| line.trim_start().strip_prefix(used)).any(|rest| {
        let rest = rest.strip_prefix("::").unwrap_or(rest);
        rest.strip_prefix(name.trim_start_matches(':')).is_some_and(|rest| !rest.starts_with(is_name)) && !name.starts_with(':')
    });
    in_path || attribute || used
}

/// The first names of all `crate::...` paths with their lines, `crate::{a, b}` included, however many lines it takes.
fn rooms_named(code: &str) -> Vec<(usize, String)> {
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => rooms.push((line, first_name(rest))),
            Some(group) => rooms.extend(top_level(group).iter().map(|part| (line, first_name(part.trim())))),
        }
    }
    rooms.retain(|(_, room)| !room.is_empty());
    rooms
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The parts of a group at its own depth.
fn top_level(group: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0_usize);
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => parts.push(String::new()),
            _ => {
                depth = if c == '{' { depth + 1 } else { depth.saturating_sub(usize::from(c == '}')) };
                if let Some(part) = parts.last_mut() {
                    part.push(c);
                }
            }
        }
    }
    parts
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|(_, rooms)| rooms.contains(&room))
}

fn is_core(room: &str) -> bool {
    floor(room).is_some_and(|floor| FLOORS[floor].0 == "core")
}

/// Fails with one line per breach.
fn settle(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn a_room_names_only_rooms_on_lower_floors() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| source.path != "lib.rs") {
        let room = source.room();
        let Some(own) = floor(room) else { continue };
        for (line, named) in rooms_named(&source.code) {
            let shared = SHARED_FLOOR.contains(&room) && SHARED_FLOOR.contains(&named.as_str());
            let allowed = named == room || shared || floor(&named).is_some_and(|floor| floor < own);
            if !allowed {
                breaches.push(format!("src/{}:{line}: `{room}` may not name `{named}`: not on a lower floor", source.path));
            }
        }
    }
    settle(&breaches);
}

/// `super::super::` would walk out of a room by its back door, past the test above.
#[test]
fn a_room_is_left_by_crate_paths_only() {
    let mut breaches = Vec::new();
    for source in sources() {
        let is_root = !source.path.contains('/') || source.path.ends_with("/mod.rs");
        for (line, code) in source.lines() {
            let leaves = code.contains("super::super") || (is_root && names(code, "super::") && !code.contains("pub(super)"));
            if leaves {
                breaches.push(format!("src/{}:{line}: name other rooms by `crate::`, not by `super::`", source.path));
            }
        }
    }
    settle(&breaches);
}

/// Core, ground and keepers speak no wire; main is a thin door to the command line.
#[test]
fn main_names_the_command_line_alone() {
    let main = read(&root().join("src/main.rs"));
    for (line, code) in main.lines() {
        for (at, _) in code.match_indices("hamlet::") {
            let named = first_name(&code[at + "hamlet::".len()..]);
            assert_eq!(named, "cli", "src/main.rs:{line}: main names `cli` alone");
        }
    }
}

#[test]
fn the_core_is_pure() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| is_core(source.room())) {
        for (line, code) in source.lines() {
            for (word, instead) in NOT_IN_CORE.iter().filter(|(word, _)| names(code, word)) {
                breaches.push(format!("src/{}:{line}: the core may not name `{word}`: {instead}", source.path));
            }
        }
    }
    settle(&breaches);
}

#[test]
fn every_outside_crate_comes_in_by_its_door() {
    let mut breaches = Vec::new();
    let sources = sources();
    for (name, doors) in DOORS {
        let is_door = |path: &str| doors.iter().any(|door| path == *door || (door.ends_with('/') && path.starts_with(door)));
        for source in sources.iter().filter(|source| !is_door(&source.path)) {
            for (line, _) in source.lines().filter(|(_, code)| names_crate(code, name)) {
                let doors = doors.join(", ");
                breaches.push(format!("src/{}:{line}: the crate `{name}` may be named in {doors} only", source.path));
            }
        }
        let used = sources.iter().any(|source| is_door(&source.path) && source.lines().any(|(_, code)| names_crate(code, name)));
        if !used {
            breaches.push(format!("the crate `{name}` is not named behind its door {}: is the table old?", doors.join(", ")));
        }
    }
    settle(&breaches);
}

#[test]
fn files_are_short_say_what_they_are_and_have_names_that_mean_something() {
    let mut breaches = Vec::new();
    for source in sources() {
        let path = &source.path;
        if !source.text.starts_with("//!") {
            breaches.push(format!("src/{path}:1: a file opens with `//!`: what this room does, what it does not"));
        }
        if source.lines_before_tests > FILE_LINES_MAX {
            let lines = source.lines_before_tests;
            breaches.push(format!("src/{path}:{lines}: {lines} lines before its tests, at most {FILE_LINES_MAX}"));
        }
        if let Some(empty) = path.split('/').map(|part| part.trim_end_matches(".rs")).find(|part| EMPTY_NAMES.contains(part)) {
            breaches.push(format!("src/{path}:1: `{empty}` says nothing of what is inside; find the word"));
        }
    }
    settle(&breaches);
}

#[test]
fn functions_fit_on_a_screen() {
    let mut breaches = Vec::new();
    for source in sources() {
        for (at, _) in
            source.code.match_indices("fn ").filter(|(at, _)| !source.code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        {
            let rest = &source.code[at..];
            let name = first_name(&rest[3..]);
            let lines = rest[..item_length(rest)].lines().count();
            if !name.is_empty() && lines > FUNCTION_LINES_MAX {
                let line = source.code[..at].lines().count();
                breaches.push(format!("src/{}:{line}: `{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}", source.path));
            }
        }
    }
    settle(&breaches);
}

#[test]
fn every_room_is_in_the_table_and_every_row_is_a_room() {
    let rooms: BTreeSet<String> = sources().iter().map(|source| source.room().to_owned()).filter(|room| room != "lib").collect();
    let table: BTreeSet<String> = FLOORS.iter().flat_map(|(_, rooms)| *rooms).map(|room| (*room).to_owned()).collect();
    let unplaced: Vec<_> = rooms.difference(&table).collect();
    let empty: Vec<_> = table.difference(&rooms).collect();
    assert!(unplaced.is_empty(), "rooms under src without a floor in tests/architecture.rs: {unplaced:?}");
    assert!(empty.is_empty(), "rooms of the table in tests/architecture.rs that src does not have: {empty:?}");
}

#[test]
fn the_table_in_words_is_the_table_in_code() {
    let mut expected = String::new();
    for (kind, rooms) in FLOORS {
        writeln!(expected, "//! {kind:<10} {}", rooms.join(" ")).unwrap();
    }
    let own = fs::read_to_string(root().join("tests/architecture.rs")).unwrap();
    assert!(own.contains(&expected), "the table in the file's opening words is old; it should be:\n{expected}");
}

/// The rooms as `lib.rs` tells them to a newcomer.
#[test]
fn the_library_tells_of_every_room() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for (_, rooms) in FLOORS {
        for room in rooms.iter().filter(|room| **room != "main") {
            assert!(lib.contains(&format!("[`{room}`]")), "src/lib.rs:1: the opening words do not tell of `{room}`");
        }
    }
}

#[test]
fn the_reader_of_code_sees_code_only() {
    let text = "use crate::a; // crate::b\nlet s = \"crate::c \\\" \"; let c = '\"'; let r = r#\"crate::d\"#; x::<'a>(crate::e::f);\n\
                #[cfg(test)]\nmod tests {\n    use crate::g;\n}\nuse crate::{h,\n    i::{j, k},\n};\n";
    let (code, lines) = without_tests(&blank(text));
    let rooms = rooms_named(&code);
    let expected = [(1, "a"), (2, "e"), (7, "h"), (7, "i")].map(|(line, room)| (line, room.to_owned()));
    assert_eq!(rooms, expected);
    assert_eq!(lines, 2);
    assert!(names("async fn", "async") && !names("asynchronous", "async") && names("std::net::TcpStream", "std::net::Tcp"));
    assert!(names_crate("use ::config::Config;", "::config") && !names_crate("use crate::config::Config;", "::config"));
    assert!(names_crate("let a: axum::Router", "axum") && !names_crate("self::axum::x", "axum") && names_crate("use axum;", "axum"));
}
