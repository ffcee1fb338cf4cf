//! The server: accepts connections and bounds each of them, in time and in bytes, so that whoever is slow, idle or many takes nothing from
//! the rest. What is asked and answered on a connection is the router's; how long a body may take is `body`'s.

use super::head::{Head, Timely};
use super::tls::Tls;
use crate::config::Http;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt::set_tcp_user_timeout;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Bytes of a request's head, beyond which it is answered 431. Of 32 KB nginx lets the same request have as much; cookies seldom take 8.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A reader who takes nothing of its answer for so long is gone.
const ANSWER_STALL_MS_MAX: u32 = 30_000;

/// Requests under way at the end get this long.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// After a failed accept the next one waits: mostly files have run out, and come back when somebody leaves.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Files that the daemon needs beside its connections: the store's, mail, webhooks, look-ups.
const FILES_BESIDE: u64 = 512;

/// Connections that are being told that there are too many, at a time, and for how long. What comes beyond is closed without a word.
const TURNED_AWAY_MAX: usize = 64;
const TURN_AWAY_TIME_MAX: Duration = Duration::from_secs(1);

/// What a connection beyond the limit hears.
const TOO_MANY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 62\r\n\r\ntoo many connections (http.connections_max); try again later.\n";

/// Serves until `stopped`, then lets what is under way come to its end.
pub async fn serve(listener: TcpListener, tls: Option<Arc<Tls>>, router: Router, bounds: Http, stopped: impl Future<Output = ()>) {
    let connections_max = connections_max(bounds.connections_max);
    let (stop, stopping) = watch::channel(false);
    let (mut connections, mut turned_away) = (JoinSet::new(), JoinSet::new());
    let mut stopped = pin!(stopped);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stopped => break,
            accepted = accept(&listener) => accepted,
        };
        while connections.try_join_next().is_some() {}
        while turned_away.try_join_next().is_some() {}
        if connections.len() < connections_max {
            connections.spawn(welcome(stream, peer, tls.clone(), router.clone(), bounds, stopping.clone()));
        } else if tls.is_none() && turned_away.len() < TURNED_AWAY_MAX {
            turned_away.spawn(turn_away(stream));
        }
    }
    drop(listener);
    let _ = stop.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_MAX, drained).await.is_err() {
        tracing::warn!("http.drain_cut_off");
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and whole: waiting to fill a packet only costs the caller.
                let _ = stream.set_nodelay(true);
                let _ = set_tcp_user_timeout(&stream, ANSWER_STALL_MS_MAX);
                return (stream, peer);
            }
            Err(error) => {
                tracing::error!(error = %error, "http.accept_failed");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// A connection as it came, or wrapped in TLS: hands are shaken here, off the loop that accepts, in as much time as a head may take.
async fn welcome(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<Tls>>,
    router: Router,
    bounds: Http,
    stopping: watch::Receiver<bool>,
) {
    match tls {
        None => converse(stream, peer, router, bounds, stopping).await,
        Some(tls) => {
            if let Some(stream) = tls.shake_hands(stream, bounds.head_max).await {
                converse(stream, peer, router, bounds, stopping).await;
            }
        }
    }
}

/// One connection from its first byte to its last.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    router: Router,
    bounds: Http,
    mut stopping: watch::Receiver<bool>,
) {
    let head = Arc::new(Head::default());
    let stream = Timely::new(stream, Arc::clone(&head), bounds.head_max);
    let router = TowerToHyperService::new(router);
    let service = service_fn(|mut request: Request<Incoming>| {
        let asked = head.ended();
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.call(request.map(Body::new));
        async move {
            let answer = answer.await;
            drop(asked);
            answer
        }
    });
    let mut http = http1::Builder::new();
    // hyper's time for the head begins with the last answer, so it is the time that a connection may be idle.
    http.timer(TokioTimer::new()).header_read_timeout(bounds.idle_max).max_header_size(HEAD_BYTES_MAX).max_buf_size(HEAD_BYTES_MAX);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // What ails a connection is its client's matter: it left, was slow, or does not speak HTTP.
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Says why, and waits a moment for the client to read it: a connection that is closed while its request is on the way is reset, and the
/// answer lost.
async fn turn_away(mut stream: TcpStream) {
    let told = async {
        stream.write_all(TOO_MANY).await?;
        stream.shutdown().await?;
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    let _ = tokio::time::timeout(TURN_AWAY_TIME_MAX, told).await;
}

/// As many connections as are configured, or as there may be files. By custom a process begins with 1,024 files and may ask for more.
fn connections_max(wanted: usize) -> usize {
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(FILES_BESIDE);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(now) = current else { return wanted };
    let files = needed.min(maximum.unwrap_or(u64::MAX)).max(now);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum });
    let files = raised.map_or(now, |()| files);
    let max = usize::try_from(files.saturating_sub(FILES_BESIDE)).unwrap_or(usize::MAX).clamp(1, wanted);
    if max < wanted {
        tracing::warn!(connections_max = max, files, "http.connections_bounded_by_files");
    }
    max
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_to_one_too_many_are_as_long_as_they_say() {
        let text = std::str::from_utf8(TOO_MANY).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
    }

    #[test]
    fn connections_are_as_many_as_configured_where_there_are_files() {
        assert_eq!(connections_max(1), 1);
        assert!(connections_max(usize::MAX) < usize::MAX);
    }
}
