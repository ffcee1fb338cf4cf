//! Texts of a name in DNS, for who looks after mail: SPF, DKIM and DMARC stand there. Asked by an admin and of the admin's own domain; nothing
//! of a comment is in it.

use super::message::{Reply, Wanted, for_long_answers, question, reply};
use super::{MESSAGE_BYTES_MAX, system_resolver};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;

/// Why nothing is known of a name.
#[derive(Debug, thiserror::Error)]
pub enum NoTexts {
    #[error("{0:?} is no name")]
    Name(String),
    #[error("this machine names no resolver; set dns.resolver")]
    Resolver,
    #[error("the resolver {0} did not answer")]
    Silent(SocketAddr),
    #[error("the resolver {0} could not tell")]
    Failed(SocketAddr),
    #[error("the resolver {0} cannot be reached")]
    Unreachable(SocketAddr, #[source] std::io::Error),
}

/// The texts of `name`, none where there are none. `resolver`: the system's where none is named; `id` is thrown for the question.
///
/// # Errors
/// [`NoTexts`] when nobody can tell, which says nothing of the name.
pub async fn texts(resolver: Option<SocketAddr>, name: &str, timeout: Duration, id: u16) -> Result<Vec<String>, NoTexts> {
    let resolver = resolver.or_else(system_resolver).ok_or(NoTexts::Resolver)?;
    let question = question(id, name, Wanted::Texts).ok_or_else(|| NoTexts::Name(name.to_owned()))?;
    match tokio::time::timeout(timeout, ask(resolver, &question)).await {
        Ok(Ok(Reply::Texts(texts))) => Ok(texts),
        Ok(Ok(Reply::Nothing(_))) => Ok(Vec::new()),
        Ok(Ok(Reply::Addresses(..) | Reply::Failed)) => Err(NoTexts::Failed(resolver)),
        Ok(Err(error)) => Err(NoTexts::Unreachable(resolver, error)),
        Err(_) => Err(NoTexts::Silent(resolver)),
    }
}

/// Waits for the answer to this question and for no other.
async fn ask(resolver: SocketAddr, question: &[u8]) -> std::io::Result<Reply> {
    let any = if resolver.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    socket.connect(resolver).await?;
    let sent = for_long_answers(question, u16::try_from(MESSAGE_BYTES_MAX).unwrap_or(u16::MAX));
    socket.send(&sent).await?;
    let mut buffer = [0; MESSAGE_BYTES_MAX];
    loop {
        let length = socket.recv(&mut buffer).await?;
        // What comes back has the option behind its records, and asks what we asked.
        if let Some(reply) = reply(buffer.get(..length).unwrap_or(&[]), question) {
            return Ok(reply);
        }
    }
}
