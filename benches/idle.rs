//! `cargo bench --bench idle`: what connections cost that ask nothing, or never finish asking. How fast others are answered beside 10,000 idle
//! connections that were asked on once, and beside 500 that send a byte of their head a second; and the memory that they take.
//!
//! Wants `ulimit -n` of 11,000 or more in the shell, for its own end of the connections. Ends by itself.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench measures time, and may fall over when it cannot"
)]

#[allow(dead_code, reason = "each bench uses what it needs")]
mod drive;
mod generate;

use drive::{Comment, Requests, Round, Server, comments, connect, drive, read_answer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const IDLE: usize = 10_000;
const SLOW: usize = 500;

/// Connections that ask in earnest, and for how long.
const ASKING: usize = 16;
const ROUND: Duration = Duration::from_secs(5);
const ROUNDS: usize = 3;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let data = tempfile::tempdir().unwrap();
    let hamlet = Server::hamlet(data.path());
    let requests = Requests::new(&comments(), 0, Comment::as_ours);
    // Tables and caches grow with the first comments; that is no matter of connections.
    runtime.block_on(drive(hamlet.address, &requests, ASKING, ROUND));
    for round in 0..ROUNDS {
        println!("round {} of {ROUNDS}", round + 1);
        report("alone", &hamlet, &runtime, &requests);
        let idle = runtime.block_on(idle(hamlet.address));
        report(&format!("beside {} idle connections", idle.len()), &hamlet, &runtime, &requests);
        runtime.block_on(answered_all(idle));
        let slow = runtime.block_on(async { slow(hamlet.address) });
        report(&format!("beside {SLOW} slow connections"), &hamlet, &runtime, &requests);
        drop(slow);
    }
}

fn report(what: &str, hamlet: &Server, runtime: &tokio::runtime::Runtime, requests: &Arc<Requests>) {
    let before_kb = hamlet.resident_kb();
    let Round { per_second, p50_ms, p99_ms, .. } = runtime.block_on(drive(hamlet.address, requests, ASKING, ROUND));
    println!("{what:<32} {per_second:>8.0} requests/s   p50 {p50_ms:>6.2} ms   p99 {p99_ms:>6.2} ms   {before_kb:>8} KB resident");
}

const ASK: &[u8] = b"GET /health/live HTTP/1.1\r\nHost: blog\r\n\r\n";

async fn ask(stream: &mut TcpStream) {
    stream.write_all(ASK).await.unwrap();
    read_answer(stream, &mut [0; 1024]).await;
}

async fn idle(address: SocketAddr) -> Vec<TcpStream> {
    let mut idle = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        let mut stream = connect(address).await;
        ask(&mut stream).await;
        idle.push(stream);
    }
    idle
}

/// Every one of them was kept.
async fn answered_all(idle: Vec<TcpStream>) {
    for mut stream in idle {
        ask(&mut stream).await;
    }
}

/// Each sends one byte of an endless header a second, and begins again when it is closed.
fn slow(address: SocketAddr) -> JoinSet<()> {
    let dawdle = move || async move {
        loop {
            let mut stream = connect(address).await;
            let _ = stream.write_all(b"GET /health/live HTTP/1.1\r\nX: ").await;
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    };
    (0..SLOW).map(|_| dawdle()).collect()
}
