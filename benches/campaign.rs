//! `cargo bench --bench campaign`: what it costs to know a comment's like again among a million others, in time and in memory.
//!
//! Before the timings it fills a window with a million generated comments of seventeen languages, one in ten of them a copy of an earlier
//! one with a word changed, and prints how long that took and how much memory it holds.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench measures time, and may fall over when it cannot"
)]

mod generate;

use divan::Bencher;
use generate::Generator;
use hamlet::campaign::{Bounds, Campaigns};
use hamlet::classifier::hashing::Hashing;
use hamlet::clock::Timestamp;
use hamlet::comment::{Comment, Limits, Submission};
use hamlet::dice::Dice;
use hamlet::id::{CommentId, SiteId};
use hamlet::text::Reading;
use hamlet::trace::Trace;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const COMMENTS: usize = 1_000_000;
const BOUNDS: Bounds = Bounds { comments_max: COMMENTS, age_max: Duration::from_hours(24 * 90) };

fn hashing() -> Hashing {
    Hashing::of(42)
}

fn trace(body: &str, n: usize) -> Trace {
    let now = Timestamp::from_ms(0);
    let submission = Submission {
        name: Some("Ann".into()),
        email: Some(format!("ann{n}@mail.example")),
        ip: Some(format!("{}.{}.{}.{}", 1 + n % 99, n / 99 % 251, n / 24_849 % 241, n % 239)),
        page_url: Some(format!("https://blog.example/{}", n % 997)),
        body: Some(body.into()),
        ..Submission::default()
    };
    let limits = Limits { body_bytes_max: 1 << 20, field_bytes_max: 1 << 12, excerpt_bytes_max: 1 << 12 };
    let comment = Comment::parse(submission, CommentId::new(now, &Dice::seeded(1)), SiteId::new("blog"), now, limits).unwrap();
    Trace::of(&comment, &Reading::of(&comment.body), &hashing())
}

fn bodies(seed: u64) -> impl Iterator<Item = String> {
    let mut generator = Generator::new(seed);
    let mut earlier = Vec::<String>::new();
    (0..).map(move |n: usize| {
        if n % 10 == 9 {
            let copied = &earlier[n * 7919 % earlier.len()];
            return copied.replacen(' ', " very ", 1);
        }
        let line: serde_json::Value = serde_json::from_str(&generator.line()).unwrap();
        let body = line["content"].as_str().unwrap().to_owned();
        if earlier.len() < 10_000 {
            earlier.push(body.clone());
        }
        body
    })
}

/// A window with a million comments in it.
static FULL: LazyLock<Campaigns> = LazyLock::new(|| {
    let traces: Vec<Trace> = bodies(1).take(COMMENTS).enumerate().map(|(n, body)| trace(&body, n)).collect();
    let (before, started) = (resident_mb(), Instant::now());
    let mut campaigns = Campaigns::new(BOUNDS, hashing());
    for (trace, ms) in traces.iter().zip(0..) {
        campaigns.admit(trace, true, Timestamp::from_ms(ms));
    }
    let seconds = started.elapsed().as_secs_f64();
    let sketched = traces.iter().filter(|trace| trace.sketch.is_some()).count();
    println!("{COMMENTS} comments, {sketched} of them sketched: {:.0} MB, filled in {seconds:.1} s", resident_mb() - before);
    campaigns
});

fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0 kB");
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn main() {
    LazyLock::force(&FULL);
    divan::main();
}

/// Traces that the window has not met, or copies of what it has with a word changed.
fn asked(copies: bool) -> Vec<Trace> {
    if copies {
        return bodies(1).take(2_000).enumerate().map(|(n, body)| trace(&body.replacen(' ', " so ", 2), n)).collect();
    }
    bodies(2).take(2_000).enumerate().map(|(n, body)| trace(&body, n)).collect()
}

#[divan::bench(args = [30, 90, 500, 4096, 65536])]
fn make_a_trace(bencher: Bencher<'_, '_>, bytes: usize) {
    let mut body: String = bodies(3).take(1 + bytes / 40).collect::<Vec<_>>().join(" ");
    body.truncate(body.floor_char_boundary(bytes));
    let reading = Reading::of(&body);
    let now = Timestamp::from_ms(0);
    let limits = Limits { body_bytes_max: 1 << 20, field_bytes_max: 1 << 12, excerpt_bytes_max: 1 << 12 };
    let submission = Submission { body: Some(body), ip: Some("192.0.2.7".into()), ..Submission::default() };
    let comment = Comment::parse(submission, CommentId::new(now, &Dice::seeded(1)), SiteId::new("blog"), now, limits).unwrap();
    let hashing = hashing();
    bencher.bench_local(|| Trace::of(&comment, &reading, &hashing));
}

#[divan::bench(args = [false, true])]
fn look_up(bencher: Bencher<'_, '_>, copies: bool) {
    let asked = asked(copies);
    let mut next = asked.iter().cycle();
    bencher.bench_local(|| FULL.alike(next.next().unwrap()));
}

/// Look-up and insert, with the oldest forgotten, as every comment does it.
#[divan::bench(args = [false, true])]
fn look_up_and_admit(bencher: Bencher<'_, '_>, copies: bool) {
    let mut campaigns = Campaigns::new(BOUNDS, hashing());
    for (n, body) in bodies(1).take(COMMENTS).enumerate() {
        campaigns.admit(&trace(&body, n), true, Timestamp::from_ms(0));
    }
    let asked = asked(copies);
    let mut next = asked.iter().cycle();
    bencher.bench_local(|| {
        let trace = next.next().unwrap();
        let alike = campaigns.alike(trace);
        campaigns.admit(trace, true, Timestamp::from_ms(1));
        alike
    });
}
