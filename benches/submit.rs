//! `cargo bench --bench submit`: how much of a bare axum handler's speed is left once every comment is judged and on disk before its answer,
//! over our own API and over Akismet's.
//!
//! The servers run as processes of their own and are driven in turns over loopback by 1, 16 and 64 connections, so that a noisy machine
//! troubles all alike; the ratios of the medians are the figures that count. Ends by itself: rounds and seconds are bounded below.
//! `benches/rspamd.sh` has the same driver ask rspamd; `cargo bench --bench idle` asks what connections cost that ask nothing.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench measures time, and may fall over when it cannot"
)]

mod drive;
mod generate;

use axum::routing::post;
use axum::serve::ListenerExt;
use drive::{Comment, Requests, Round, Server, comments, drive};
use std::process::Command;
use std::time::Duration;
use tokio::net::TcpListener;

const CONNECTIONS: [usize; 3] = [1, 16, 64];
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "bare") {
        return runtime.block_on(serve_bare());
    }
    let peer = arguments.iter().skip_while(|argument| *argument != "rspamd").nth(1);
    let data = tempfile::tempdir().unwrap();
    let bare = Server::start(Command::new(std::env::current_exe().unwrap()).arg("bare"));
    let hamlet = Server::hamlet(data.path());
    println!("memory of the daemon when idle: {} KB", hamlet.resident_kb());
    let comments = comments();
    // Not the same comment by both ways at a time: it would be a repeat.
    let ours = Requests::new(&comments, 0, Comment::as_ours);
    let akismet = Requests::new(&comments, comments.len() / 2, Comment::as_akismet);
    let mut asked = vec![
        ("bare axum handler", bare.address, Some(&bare), Requests::new(&comments, 0, Comment::as_ours)),
        ("POST /v1/comments", hamlet.address, Some(&hamlet), ours),
        ("comment-check", hamlet.address, Some(&hamlet), akismet),
    ];
    if let Some(address) = peer {
        asked.push(("rspamd /checkv2", address.parse().unwrap(), None, Requests::new(&comments, 0, Comment::as_mail)));
    }
    println!("{:<18} {:>11} {:>12} {:>9} {:>9} {:>9} {:>9}", "", "connections", "requests/s", "of bare", "p99 ms", "times", "µs busy");
    for connections in CONNECTIONS {
        let mut results = vec![Vec::new(); asked.len()];
        for _ in 0..ROUNDS {
            for (result, (_, address, server, requests)) in results.iter_mut().zip(&asked) {
                let busy_ms = || server.map_or(f64::NAN, Server::busy_ms);
                let before_ms = busy_ms();
                let round = runtime.block_on(drive(*address, requests, connections, ROUND));
                result.push(Round { busy_us: (busy_ms() - before_ms) * 1000.0 / round.answers as f64, ..round });
            }
        }
        let medians: Vec<Round> = results.iter().map(|rounds| Round::median(rounds)).collect();
        for ((name, ..), round) in asked.iter().zip(&medians) {
            let Round { per_second, p99_ms, busy_us, .. } = round;
            let (share, times) = (per_second / medians[0].per_second, p99_ms / medians[0].p99_ms);
            println!("{name:<18} {connections:>11} {per_second:>12.0} {share:>9.3} {p99_ms:>9.2} {times:>9.1} {busy_us:>9.0}");
        }
    }
    println!("memory of the daemon after it: {} KB", hamlet.resident_kb());
}

/// Reads the body and answers a few bytes: what any server must do.
async fn serve_bare() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listens on http://{}", listener.local_addr().unwrap());
    let answer = post(|body: axum::body::Bytes| async move { format!("{{\"bytes\":{}}}", body.len()) });
    let router = axum::Router::new().route("/v1/comments", answer);
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    axum::serve(listener, router).await.unwrap();
}
