//! Webhooks: one signed POST, by the Standard Webhooks headers (`webhook-id`, `webhook-timestamp`, `webhook-signature`). The id is the
//! parcel's and the same on every attempt, so a receiver can tell a repeat.

use super::chain;
use crate::action::hmac_sha256;
use crate::clock::Timestamp;
use crate::config;
use crate::delivery::{Delivery, Outcome, Webhook};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, StatusCode, redirect};
use std::time::Duration;

#[derive(Debug)]
pub struct Carrier {
    client: Client,
}

impl Carrier {
    pub fn new(timeout: Duration) -> Result<Self, reqwest::Error> {
        let agent = concat!("hamlet/", env!("CARGO_PKG_VERSION"));
        // A redirect would take signed content to a host that no admin wrote down.
        let client = Client::builder().user_agent(agent).timeout(timeout).redirect(redirect::Policy::none()).no_proxy().build()?;
        Ok(Self { client })
    }

    pub async fn carry(&self, target: &config::Webhook, delivery: &Delivery, webhook: &Webhook, now: Timestamp) -> Outcome {
        let (id, timestamp) = (delivery.id.to_string(), now.seconds().to_string());
        let request = self
            .client
            .post(&target.url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-signature", signature(target.secret.bytes(), &id, &timestamp, &webhook.payload))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .body(webhook.payload.clone());
        match request.send().await {
            Ok(response) => {
                let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
                outcome(response.status(), after.map(Duration::from_secs))
            }
            // The error's text may hold the URL with a password in it; the chain below it does not.
            Err(error) => Outcome::Retry { reason: chain(&error.without_url()), after: None },
        }
    }
}

/// `v1,` and base64 of HMAC-SHA-256 over `id.timestamp.body`.
fn signature(secret: &[u8], id: &str, timestamp: &str, body: &str) -> String {
    let mac = hmac_sha256(secret, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()]);
    format!("v1,{}", STANDARD.encode(mac))
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

    #[test]
    fn the_signature_is_the_standards_own_example() {
        // Secret, id, time and body of the example in the Standard Webhooks specification.
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
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
}
