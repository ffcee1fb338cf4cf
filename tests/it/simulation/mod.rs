//! Days in the life of a daemon, drawn by a seed: readers write and send twice, moderators rule by mail, desk and API and take it back, blogs and
//! mail servers fail, the daemon dies between any two steps, the clock jumps forward and back. After every event the [`invariants`] must hold,
//! and when the trouble is over everybody must have been told how everything stands.
//!
//! It is the real library on a real store, in this process: the judge takes its turns and the outbox its steps when the simulation says so, time
//! stands still between events, and all chance comes from the seed. So a seed that fails fails again:
//!
//! ```text
//! HAMLET_SEED=17 cargo test --test it simulation      one seed, with the log of what happened
//! HAMLET_SEEDS=5000 cargo test --test it simulation   the seeds 0 to 4999; without it 300
//! ```
//!
//! [`world`] is the daemon with its clock, [`told`] what those outside know, [`outgoing`] the blogs and mail servers, [`day`] what may happen. What
//! dies here finishes the write that it began, as SQLite would; `crash` kills the real program in the middle of one.

mod day;
mod invariants;
mod outgoing;
mod told;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use world::{Log, World};

/// Seeds where nobody asks for more: what two cores do in two minutes and a half.
const SEEDS: u64 = 300;

/// Events of one seed: some three days.
const EVENTS: usize = 140;

/// One seed from its first morning to the day after the trouble.
fn live(seed: u64, log: &Log) {
    let mut world = World::begin(seed, log);
    for _ in 0..EVENTS {
        day::time_passes(&mut world);
        day::something_happens(&mut world);
        day::the_daemon_goes_on(&mut world);
        invariants::hold(&mut world);
    }
    day::all_recover(&mut world);
    invariants::all_know_everything(&mut world);
}

/// Why a seed failed, and all that happened before.
fn failure(seed: u64) -> Option<(String, String)> {
    let log = Log::default();
    let panic = catch_unwind(AssertUnwindSafe(|| live(seed, &log))).err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
    Some((format!("seed {seed}: {text}"), format!("{log}\nagain: HAMLET_SEED={seed} cargo test --test it simulation")))
}

/// A number from the environment.
fn asked(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}; write a number")))
}

#[test]
fn whatever_happens_everybody_is_told_the_truth_in_the_end() {
    if let Some(seed) = asked("HAMLET_SEED") {
        if let Some((why, log)) = failure(seed) {
            panic!("{log}\n{why}");
        }
        return;
    }
    let seeds = asked("HAMLET_SEEDS").unwrap_or(SEEDS);
    let (next, failures) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds) {
            failures.lock().unwrap().extend(failure(seed).map(|(why, log)| (seed, why, log)));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            scope.spawn(work);
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    failures.iter().for_each(|(_, why, _)| println!("{}", why.chars().take(400).collect::<String>()));
    if let Some((_, why, log)) = failures.first() {
        panic!("{log}\n{why}\n{} of {seeds} seeds failed", failures.len());
    }
}
