//! Webhooks: one signed POST, by the Standard Webhooks headers (`webhook-id`, `webhook-timestamp`, `webhook-signature`). The id is the
//! parcel's and the same on every attempt, so a receiver can tell a repeat. What may be connected to is `delivery`'s to say; it is asked of
//! the very addresses that are then connected to, so that a name cannot mean one thing when checked and another when used.

use crate::action::hmac_sha256;
use crate::clock::Timestamp;
use crate::config::{Secret, Site};
use crate::delivery::{Delivery, Outcome, Reach, Webhook};
use crate::flow::chain;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url, redirect};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[derive(Debug)]
pub struct Carrier {
    timeout: Duration,
    /// One for each reach: a connection that one site may have is not kept open for another that may not.
    clients: Mutex<HashMap<Reach, Client>>,
}

impl Carrier {
    pub fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        let clients = HashMap::from([(Reach::default(), client(&Reach::default(), timeout)?)]);
        Ok(Self { timeout, clients: Mutex::new(clients) })
    }

    pub async fn carry(&self, site: &Site, delivery: &Delivery, webhook: &Webhook, now: Timestamp) -> Outcome {
        let Some(target) = &site.webhook else { return Outcome::GiveUp { reason: "the site has no webhook any more".to_owned() } };
        let (id, timestamp) = (delivery.id.to_string(), now.seconds().to_string());
        let headers = [
            ("webhook-signature", signatures(&target.secrets, &id, &timestamp, &webhook.payload)),
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
        ];
        self.post(&site.reach, &target.url, &headers, webhook.payload.clone(), now).await
    }

    /// Sends JSON to where the reach allows; how that ended.
    pub(super) async fn post(&self, reach: &Reach, url: &str, headers: &[(&str, String)], body: String, now: Timestamp) -> Outcome {
        let client = match self.client(reach, url) {
            Ok(client) => client,
            Err(reason) => return Outcome::Retry { reason, after: None },
        };
        let request = client.post(url).header(CONTENT_TYPE, "application/json").body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        match request.send().await {
            // The answer's body is left unread, however long it is.
            Ok(response) => outcome(response.status(), response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value, now))),
            // The error's text may hold the URL with a password in it; the chain below it does not.
            Err(error) => Outcome::Retry { reason: chain(&error.without_url()), after: None },
        }
    }

    /// A client that stays within the reach. What is out of it is the admin's to mend, so the parcel waits.
    fn client(&self, reach: &Reach, url: &str) -> Result<Client, String> {
        // An address in place of a name is never looked up. `Url` knows every way to write one: 127.1 and 0x7f000001 are 127.0.0.1.
        let host = Url::parse(url).ok().and_then(|url| Some(url.host_str()?.trim_matches(['[', ']']).to_owned()));
        if let Some(address) = host.and_then(|host| host.parse().ok()).filter(|address| !reach.allows(*address)) {
            return Err(OutOfReach(address).to_string());
        }
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(reach) {
            return Ok(client.clone());
        }
        let client = client(reach, self.timeout).map_err(|error| chain(&error))?;
        clients.insert(reach.clone(), client.clone());
        Ok(client)
    }
}

fn client(reach: &Reach, timeout: Duration) -> Result<Client, reqwest::Error> {
    let agent = concat!("hamlet/", env!("CARGO_PKG_VERSION"));
    // A redirect would take signed content to a host that no admin wrote down; so would a proxy of the environment.
    let builder = || {
        let builder = Client::builder().user_agent(agent).timeout(timeout).redirect(redirect::Policy::none()).no_proxy();
        builder.dns_resolver(Arc::new(Resolver(reach.clone())))
    };
    builder().build().or_else(|error| {
        // A bare container has no certificates of authorities. Blogs beside it hear by plain HTTP all the same; TLS trusts nobody.
        let client = builder().tls_certs_only([]).build()?;
        tracing::warn!(error = chain(&error), "webhook.no_authorities: no webhook leaves by https until this system has certificates");
        Ok(client)
    })
}

/// Looks names up as the system does and hands on only what is within reach.
#[derive(Debug)]
struct Resolver(Reach);

/// A name or an address that leads where the site allows no webhook.
#[derive(Debug, thiserror::Error)]
#[error("{0} is no public address: webhook_private = true or webhook_networks would allow it")]
struct OutOfReach(IpAddr);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let within: Vec<SocketAddr> = found.iter().copied().filter(|address| reach.allows(address.ip())).collect();
            match found.first() {
                Some(first) if within.is_empty() => Err(OutOfReach(first.ip()).into()),
                Some(_) | None => Ok(Box::new(within.into_iter()) as Addrs),
            }
        })
    }
}

/// One signature for each secret, space separated, as the specification has it for the time in which a secret is changed.
fn signatures(secrets: &[Secret], id: &str, timestamp: &str, body: &str) -> String {
    secrets.iter().map(|secret| signature(secret.bytes(), id, timestamp, body)).collect::<Vec<_>>().join(" ")
}

/// Asks whether anything answers where a site's webhooks go, and within its reach; sends nothing.
///
/// # Errors
/// What went wrong, in words.
pub async fn try_out(url: &str, reach: &Reach, timeout: Duration) -> Result<u16, String> {
    let carrier = Carrier::new(timeout).map_err(|error| chain(&error))?;
    let answer = carrier.client(reach, url)?.head(url).send().await;
    answer.map(|answer| answer.status().as_u16()).map_err(|error| chain(&error.without_url()))
}

/// `v1,` and base64 of HMAC-SHA-256 over `id.timestamp.body`.
fn signature(secret: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let mac = hmac_sha256(secret, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()]);
    format!("v1,{}", STANDARD.encode(mac))
}

/// Seconds, or a date (RFC 9110).
fn retry_after(value: &HeaderValue, now: Timestamp) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    let seconds = text.parse().ok().map(Duration::from_secs);
    seconds.or_else(|| Timestamp::parse_http(text).map(|date| date.since(now)))
}

/// What an answer means: taken, gone for good, or try again. A blog that is being repaired answers all sorts of things, so only 410 ends it.
fn outcome(status: StatusCode, after: Option<Duration>) -> Outcome {
    if status.is_success() {
        Outcome::Delivered
    } else if status == StatusCode::GONE {
        Outcome::GiveUp { reason: "the blog answered 410 Gone".to_owned() }
    } else {
        Outcome::Retry { reason: format!("the blog answered {status}"), after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: (&str, &str, &str) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");

    #[test]
    fn the_signature_is_the_standards_own_example() {
        // Secret, id, time and body of the example in the Standard Webhooks specification.
        let secret = Secret::new(STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let (id, time, body) = EXAMPLE;
        assert_eq!(signatures(std::slice::from_ref(&secret), id, time, body), expected);
        let both = signatures(&[secret, Secret::new(*b"another secret of 24 ...")], id, time, body);
        let (first, second) = both.split_once(' ').unwrap();
        assert!(first == expected && second.starts_with("v1,") && second != expected, "{both}");
    }

    #[test]
    fn answers_become_outcomes() {
        let minute = Some(Duration::from_mins(1));
        assert_eq!(outcome(StatusCode::NO_CONTENT, None), Outcome::Delivered);
        assert!(matches!(outcome(StatusCode::GONE, None), Outcome::GiveUp { .. }));
        for status in [StatusCode::MOVED_PERMANENTLY, StatusCode::NOT_FOUND, StatusCode::UNAUTHORIZED, StatusCode::BAD_GATEWAY] {
            assert!(matches!(outcome(status, None), Outcome::Retry { after: None, .. }), "{status}");
        }
        assert!(matches!(outcome(StatusCode::TOO_MANY_REQUESTS, minute), Outcome::Retry { after, .. } if after == minute));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::parse("1994-11-06T08:49:00Z").unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(&HeaderValue::from_static(text), now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[tokio::test]
    async fn what_a_name_resolves_to_is_what_is_looked_at() {
        let look_up = async |reach: Reach| {
            let found = Resolver(reach).resolve("localhost".parse().unwrap()).await;
            found.map(|addresses| addresses.map(|address| address.ip()).collect::<Vec<_>>()).map_err(|error| error.to_string())
        };
        assert!(look_up(Reach::anywhere()).await.unwrap().iter().all(IpAddr::is_loopback));
        assert!(look_up(Reach::default()).await.unwrap_err().ends_with("webhook_networks would allow it"));
    }

    #[test]
    fn an_address_in_disguise_is_no_way_around() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let carrier = Carrier::new(Duration::from_secs(1)).unwrap();
        for url in [
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://[::ffff:7f00:1]/",
            "http://[fe80::1]/",
        ] {
            assert!(carrier.client(&Reach::default(), url).unwrap_err().contains("no public address"), "{url}");
            assert!(carrier.client(&Reach::anywhere(), url).is_ok(), "{url}");
        }
        assert!(carrier.client(&Reach::default(), "http://8.8.8.8/").is_ok());
    }
}
