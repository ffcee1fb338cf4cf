//! `cargo bench --bench retrain`: what readers notice of a training. A site with 100,000 labels is trained by `hamlet retrain` while its daemon
//! is sent 1,000 comments a second; the same load before and after it, in the same run, is what it is compared with.
//!
//! A wait counts from the moment at which a comment was due to be sent, not from when a connection was free for it: a daemon that stands
//! still for a second then shows in a thousand waits and not in 64. Ends by itself: labels, comments and seconds are bounded below.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench measures time, and may fall over when it cannot"
)]

#[allow(dead_code, reason = "it has what other benches use, too")]
mod drive;
mod generate;

use drive::{Comment, Pace, Requests, Round, Server, comments, drive_at};
use generate::Generator;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const LABELS: usize = 100_000;
const PACE: Pace = Pace { per_second: 1_000, connections: 64 };
/// Rounds before, and after.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(5);
/// While it trains, which takes seconds, so that the last round does not reach far beyond its end.
const ROUND_TRAINING: Duration = Duration::from_secs(1);
/// However long a training goes on, it is measured for so long at most.
const TRAINING_MAX: Duration = Duration::from_mins(4);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let data = tempfile::tempdir().unwrap();
    write_labels(&data.path().join("labels.jsonl"));
    let server = Server::hamlet(data.path());
    let started = Instant::now();
    assert!(hamlet(data.path(), &["import", "labels.jsonl", "--from", "jsonl", "--site", "blog"]).wait().unwrap().success());
    println!("{LABELS} labels imported in {:.1} s", started.elapsed().as_secs_f64());

    let requests = Requests::new(&comments(), 0, Comment::as_ours);
    let calm = |runtime: &Runtime| -> Vec<Round> {
        (0..ROUNDS).map(|_| runtime.block_on(drive_at(server.address, &requests, PACE, ROUND))).collect()
    };
    println!("{:<10} {:>7} {:>10} {:>9} {:>9} {:>9}", "", "rounds", "answers/s", "p50 ms", "p99 ms", "max ms");
    print("before", &calm(&runtime));
    let (rounds, trained) = while_training(&runtime, data.path(), &server, &requests);
    print("training", &rounds);
    print("after", &calm(&runtime));
    println!("{trained}; memory of the daemon after it: {} KB", server.resident_kb());
}

fn write_labels(path: &Path) {
    let mut generator = Generator::new(5);
    let mut file = BufWriter::new(File::create(path).unwrap());
    for _ in 0..LABELS {
        writeln!(file, "{}", generator.line()).unwrap();
    }
    file.into_inner().unwrap();
}

/// A command in the folder with the daemon's settings and data.
fn hamlet(folder: &Path, arguments: &[&str]) -> Child {
    let program = std::env::var_os("HAMLET").unwrap_or_else(|| env!("CARGO_BIN_EXE_hamlet").into());
    let places = ["--config", "hamlet.toml", "--data", "."];
    Command::new(program).current_dir(folder).args(arguments).args(places).stdout(Stdio::null()).spawn().unwrap()
}

fn while_training(runtime: &Runtime, data: &Path, server: &Server, requests: &Arc<Requests>) -> (Vec<Round>, String) {
    let (started, mut rounds) = (Instant::now(), Vec::new());
    let mut training = hamlet(data, &["retrain", "--site", "blog", "--promote", "force"]);
    loop {
        rounds.push(runtime.block_on(drive_at(server.address, requests, PACE, ROUND_TRAINING)));
        if let Some(status) = training.try_wait().unwrap() {
            assert!(status.success(), "the training failed");
            return (rounds, format!("the training took up to {:.0} s", started.elapsed().as_secs_f64()));
        }
        if started.elapsed() > TRAINING_MAX {
            training.kill().unwrap();
            training.wait().unwrap();
            return (rounds, format!("the training was ended after {:.0} s", started.elapsed().as_secs_f64()));
        }
    }
}

fn print(name: &str, rounds: &[Round]) {
    let Round { per_second, p50_ms, p99_ms, .. } = Round::median(rounds);
    let max_ms = rounds.iter().map(|round| round.max_ms).fold(0.0, f64::max);
    println!("{name:<10} {:>7} {per_second:>10.0} {p50_ms:>9.2} {p99_ms:>9.2} {max_ms:>9.1}", rounds.len());
}
