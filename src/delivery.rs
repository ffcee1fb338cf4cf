//! What must leave, and when it is tried again. The schedule is pure: attempt, outcome, time and jitter in, next step out.
//! Carrying is `outbox`'s, keeping is `store`'s. Delivery is at least once; `ParcelId` is the same on every attempt.

mod reach;

pub use reach::Reach;

use crate::clock::Timestamp;
use crate::id::{CommentId, DigestId, ParcelId, SiteId};
use std::time::Duration;

/// One thing that must leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parcel {
    Webhook(Webhook),
    Callback(Callback),
    Mail(Mail),
}

/// What a blog is told of one comment. Webhooks of one comment leave in order, one after the other was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub comment: CommentId,
    /// The JSON that is signed and sent, byte for byte.
    pub payload: String,
}

/// What an Akismet client is told of a comment of which it heard another word before, at the address that it gave. The key that it must
/// carry is added when it leaves: no secret lies in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    pub comment: CommentId,
    pub url: String,
    /// The word as it now is, in the only two that Akismet has.
    pub is_spam: bool,
}

/// A digest or a letter, rendered. No field holds a commenter's text but `text` and `html`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub digest: DigestId,
    pub to_name: String,
    pub to_address: String,
    pub from_name: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// None for a letter about something else than comments.
    pub list: Option<List>,
}

/// What makes a mail one of many of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Mails of one week are one thread: `2026-W48`.
    pub week: String,
    /// Where its reader turns them off (RFC 8058).
    pub pause_url: String,
}

/// A parcel on its way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub id: ParcelId,
    pub site: SiteId,
    pub parcel: Parcel,
    pub due_at: Timestamp,
}

/// A parcel that was claimed: who holds the token may settle it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: ParcelId,
    pub site: SiteId,
    pub parcel: Parcel,
    /// 1 for the first.
    pub attempt: u32,
    pub created_at: Timestamp,
    pub token: [u8; 16],
}

/// A parcel as the outbox lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: ParcelId,
    pub site: SiteId,
    pub parcel: Parcel,
    pub attempts: u32,
    pub created_at: Timestamp,
    pub due_at: Timestamp,
    /// Given up: it lies until somebody retries it.
    pub dead: bool,
    /// How the last attempt ended.
    pub error: Option<String>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// Try again, not before `after` where the other side asked so.
    Retry {
        reason: String,
        after: Option<Duration>,
    },
    GiveUp {
        reason: String,
    },
    /// Given up, because there is no such mailbox.
    Bounced {
        reason: String,
    },
}

/// What becomes of the parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Done,
    At { due_at: Timestamp, reason: String },
    Dead { reason: String },
}

/// Exponential back-off with full jitter above half, bounded in length and number.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    pub attempts_max: u32,
    pub retry_first: Duration,
    pub retry_max: Duration,
}

impl Schedule {
    /// `jitter` in `0.0..1.0` spreads a retry over the upper half of its wait, so that a peer that comes back is not met by a wall.
    pub fn next(&self, attempt: u32, outcome: Outcome, now: Timestamp, jitter: f64) -> Next {
        match outcome {
            Outcome::Delivered => Next::Done,
            Outcome::GiveUp { reason } | Outcome::Bounced { reason } => Next::Dead { reason },
            Outcome::Retry { reason, .. } if attempt >= self.attempts_max => Next::Dead { reason },
            Outcome::Retry { reason, after } => {
                let wait = self.wait(attempt).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
                let asked = after.unwrap_or_default().min(self.retry_max);
                Next::At { due_at: now.plus(wait.max(asked)), reason }
            }
        }
    }

    fn wait(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(30);
        self.retry_first.saturating_mul(1 << doublings).min(self.retry_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule { attempts_max: 12, retry_first: Duration::from_secs(5), retry_max: Duration::from_hours(1) };

    fn retry(after: Option<u64>) -> Outcome {
        Outcome::Retry { reason: "busy".into(), after: after.map(Duration::from_secs) }
    }

    fn waits(jitter: f64) -> Vec<String> {
        (1..=12)
            .map(|attempt| match SCHEDULE.next(attempt, retry(None), Timestamp::from_ms(0), jitter) {
                Next::At { due_at, .. } => format!("{:?}", due_at.since(Timestamp::from_ms(0))),
                Next::Dead { .. } => "dead".into(),
                Next::Done => "done".into(),
            })
            .collect()
    }

    #[test]
    fn the_schedule_doubles_to_an_hour_and_then_gives_up() {
        assert_eq!(waits(1.0), ["5s", "10s", "20s", "40s", "80s", "160s", "320s", "640s", "1280s", "2560s", "3600s", "dead"]);
        assert_eq!(waits(0.0)[..3], ["2.5s", "5s", "10s"]);
    }

    #[test]
    fn retry_after_is_honoured_within_the_limit() {
        let due = |after| match SCHEDULE.next(1, retry(Some(after)), Timestamp::from_ms(0), 0.5) {
            Next::At { due_at, .. } => due_at.seconds(),
            next @ (Next::Done | Next::Dead { .. }) => panic!("{next:?}"),
        };
        assert_eq!((due(120), due(1_000_000), due(0)), (120, 3600, 3));
    }

    #[test]
    fn the_end_is_the_end() {
        assert_eq!(SCHEDULE.next(1, Outcome::Delivered, Timestamp::from_ms(0), 0.0), Next::Done);
        let gone = Outcome::GiveUp { reason: "410".into() };
        assert_eq!(SCHEDULE.next(1, gone, Timestamp::from_ms(0), 0.0), Next::Dead { reason: "410".into() });
    }
}
