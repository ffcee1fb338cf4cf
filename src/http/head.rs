//! The time that a request's head may take, once its first byte has come: who sends a byte now and then holds a connection no longer than
//! that. Waiting between requests is another matter, and the `server`'s.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Nothing has come since the last answer.
const IDLE: u8 = 0;
/// A head has begun to come.
const BEGUN: u8 = 1;
/// The head is whole, and its request is being answered.
const ENDED: u8 = 2;

/// How far the request on a connection has come: the stream sees its bytes, the server its end.
#[derive(Debug, Default)]
pub struct Head(AtomicU8);

/// A request between its head and its answer.
#[derive(Debug)]
pub struct Asked(Arc<Head>);

impl Head {
    /// The head is whole.
    pub fn ended(self: &Arc<Self>) -> Asked {
        self.0.store(ENDED, Ordering::Relaxed);
        Asked(Arc::clone(self))
    }

    fn is_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed) == BEGUN
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.0.store(IDLE, Ordering::Relaxed);
    }
}

/// A stream that fails when a head that has begun does not end in time.
#[derive(Debug)]
pub struct Timely<S> {
    stream: S,
    head: Arc<Head>,
    head_max: Duration,
    /// Set only while part of a head is there: most come whole.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Timely<S> {
    pub fn new(stream: S, head: Arc<Head>, head_max: Duration) -> Self {
        Self { stream, head, head_max, deadline: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timely<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.head.is_begun() {
            self.deadline = None;
        }
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            let _ = self.head.0.compare_exchange(IDLE, BEGUN, Ordering::Relaxed, Ordering::Relaxed);
            return read;
        }
        if !self.head.is_begun() {
            return Poll::Pending;
        }
        let head_max = self.head_max;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(head_max)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timely<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Whether the next read is hurried where one byte has come and `then` has been done.
    async fn is_hurried<T>(then: impl FnOnce(&Arc<Head>) -> T) -> bool {
        let (mut client, server) = tokio::io::duplex(64);
        let head = Arc::new(Head::default());
        let mut server = Timely::new(server, Arc::clone(&head), Duration::from_secs(10));
        client.write_all(b"G").await.unwrap();
        server.read_u8().await.unwrap();
        let _kept = then(&head);
        let mut byte = [0];
        let waits = std::future::poll_fn(|context| {
            Poll::Ready(Pin::new(&mut server).poll_read(context, &mut ReadBuf::new(&mut byte)).is_pending())
        });
        assert!(waits.await);
        server.deadline.is_some()
    }

    #[tokio::test]
    async fn only_a_head_that_has_begun_is_hurried() {
        assert!(is_hurried(|_| ()).await);
        assert!(!is_hurried(Head::ended).await, "its request is being answered");
        assert!(!is_hurried(|head| drop(head.ended())).await, "its request was answered");
    }

    #[tokio::test]
    async fn a_head_that_does_not_end_in_time_is_an_error() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut server = Timely::new(server, Arc::default(), Duration::ZERO);
        client.write_all(b"G").await.unwrap();
        server.read_u8().await.unwrap();
        assert_eq!(server.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
