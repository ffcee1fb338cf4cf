//! The rules on one core, with lists of a million entries: the median comment, long texts, texts made to cost time, and reading a list.
//! `cargo bench --bench rules`; a name after `--` picks some.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a bench measures time, and may fall over when it cannot"
)]

#[allow(dead_code, reason = "each bench uses what it needs")]
mod generate;

use divan::{Bencher, black_box};
use generate::Generator;
use hamlet::clock::Timestamp;
use hamlet::comment::{Comment, Facts, Limits, Submission};
use hamlet::dice::Dice;
use hamlet::id::{CommentId, SiteId};
use hamlet::rules::lists::{Kind, List, Spec};
use hamlet::rules::{Case, Effect, Settings, apply};
use hamlet::text::Reading;
use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

fn main() {
    for list in LISTS.iter() {
        let memory = list.memory_bytes() / 1_000;
        println!("{}: {} entries, {} bad lines, {memory} kB", list.spec.name, list.entries(), list.bad_count);
    }
    divan::main();
}

const COMMENT: &str = "I tried this with a French press and it worked well. Does water temperature matter much?";

/// Entries of the large lists.
const LARGE: usize = 1_000_000;
const PATTERNS: usize = 20_000;

fn domains() -> String {
    (0..LARGE).fold(String::new(), |mut lines, n| {
        writeln!(lines, "shop-{n}.host{}.example", n % 1_000).unwrap();
        lines
    })
}

fn words() -> String {
    (0..LARGE).fold(String::new(), |mut lines, n| {
        // One in ten is a phrase, of which every comment has the beginning.
        if n % 10 == 0 {
            writeln!(lines, "i tried pills{n}").unwrap();
        } else {
            writeln!(lines, "pills{n}x").unwrap();
        }
        lines
    })
}

fn networks() -> String {
    (0..LARGE).fold(String::new(), |mut lines, n| {
        writeln!(lines, "{}.{}.{}.0/24", 1 + n / 65_536, n / 256 % 256, n % 256).unwrap();
        lines
    })
}

/// As public lists are: brand names, two words with something between, domains; of words that comments hold, too.
fn patterns() -> String {
    let mut generator = Generator::new(3);
    let text: String = std::iter::repeat_with(|| generator.english() + " ").take(6_000).collect();
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 3).collect();
    let words: Vec<&str> = words.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    (0..PATTERNS).fold(String::new(), |mut lines, n| {
        let (a, b) = (words[n % words.len()], words[(n * 7 + 3) % words.len()]);
        match n % 4 {
            0 => writeln!(lines, r"{a}\W?{b}s?").unwrap(),
            1 => writeln!(lines, r"(?:buy|order)\W{a}\W(?:{b}|now)").unwrap(),
            2 => writeln!(lines, r"{a}{n}\.com").unwrap(),
            _ => writeln!(lines, r"{a}{b}{n}").unwrap(),
        }
        lines
    })
}

fn read(name: &str, kind: Kind, lines: &str) -> List {
    List::read(Spec::new(name, kind, Effect::Evidence), lines.as_bytes())
}

static LISTS: LazyLock<Vec<Arc<List>>> = LazyLock::new(|| {
    let lists = [
        read("domains", Kind::Domains, &domains()),
        read("words", Kind::Words, &words()),
        read("networks", Kind::Networks, &networks()),
        read("patterns", Kind::Patterns, &patterns()),
    ];
    lists.into_iter().map(Arc::new).collect()
});

/// A text with its name.
struct Text(&'static str, String);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

fn texts() -> Vec<Text> {
    let mut generator = Generator::new(7);
    let long: String = std::iter::repeat_with(|| generator.english() + " ").take(1_500).collect();
    let all = |name, unit: &str| Text(name, unit.repeat((64 << 10) / unit.len()));
    let stuffed: String = patterns().lines().step_by(3).map(|line| line.replace(['\\', '?', '(', ')', ':', '|'], " ") + " ").collect();
    vec![
        Text("90 B", COMMENT.into()),
        Text("90 B with a link", "I tried this with a French press, see https://www.kettle.example/press for how it went.".into()),
        Text("64 KiB", long.get(..64 << 10).unwrap().into()),
        all("64 KiB of links", "http://a.b.c.example/x "),
        all("64 KiB of beginnings", "i tried "),
        all("64 KiB of digits", "1 2-3 4"),
        Text("64 KiB of what patterns need", stuffed.get(..64 << 10).unwrap().into()),
    ]
}

fn comment(body: &str) -> Comment {
    let now = Timestamp::from_ms(0);
    let limits = Limits { body_bytes_max: 1 << 20, field_bytes_max: 1_000, excerpt_bytes_max: 1_000 };
    let submission = Submission {
        name: Some("Ann Lee".into()),
        email: Some("ann@mail.example".into()),
        ip: Some("203.0.113.9".into()),
        body: Some(body.into()),
        ..Submission::default()
    };
    Comment::parse(submission, CommentId::new(now, &Dice::seeded(1)), SiteId::new("blog"), now, limits).unwrap()
}

fn rules(bencher: Bencher<'_, '_>, text: &Text, lists: &[&str]) {
    let lists = LISTS.iter().filter(|list| lists.contains(&list.spec.name.as_str())).cloned().collect();
    let settings = Settings { require_name: true, require_email: true, links_max: 2, hold_first_link: true, lists, ..Settings::default() };
    let (comment, facts) = (comment(&text.1), Facts::none(Timestamp::from_ms(0)));
    let reading = Reading::of(&comment.body);
    bencher.bench_local(|| apply(black_box(&Case { comment: &comment, reading: &reading, facts: &facts, settings: &settings })));
}

#[divan::bench(args = texts())]
fn without_lists(bencher: Bencher<'_, '_>, text: &Text) {
    rules(bencher, text, &[]);
}

#[divan::bench(args = texts())]
fn with_a_million_domains(bencher: Bencher<'_, '_>, text: &Text) {
    rules(bencher, text, &["domains"]);
}

#[divan::bench(args = texts())]
fn with_a_million_words(bencher: Bencher<'_, '_>, text: &Text) {
    rules(bencher, text, &["words"]);
}

#[divan::bench(args = texts())]
fn with_a_million_networks(bencher: Bencher<'_, '_>, text: &Text) {
    rules(bencher, text, &["networks"]);
}

#[divan::bench(args = texts())]
fn with_twenty_thousand_patterns(bencher: Bencher<'_, '_>, text: &Text) {
    rules(bencher, text, &["patterns"]);
}

#[divan::bench(args = texts())]
fn with_all_of_them(bencher: Bencher<'_, '_>, text: &Text) {
    rules(bencher, text, &["domains", "words", "networks", "patterns"]);
}

/// A million entries, which is what a change of such a file costs, beside the judging.
#[divan::bench(args = [Kind::Domains, Kind::Words, Kind::Networks], sample_count = 5)]
fn read_a_million(bencher: Bencher<'_, '_>, kind: Kind) {
    let lines = match kind {
        Kind::Domains => domains(),
        Kind::Words => words(),
        _ => networks(),
    };
    bencher.bench_local(|| read("list", kind, black_box(&lines)));
}

#[divan::bench(sample_count = 3)]
fn read_twenty_thousand_patterns(bencher: Bencher<'_, '_>) {
    let lines = patterns();
    bencher.bench_local(|| read("list", Kind::Patterns, black_box(&lines)));
}
