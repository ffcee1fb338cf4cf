//! Names of things: one newtype each, so that a comment's id is never handed to a digest.
//! Ids are UUIDs of version 7 (RFC 9562): ordered by time, which keeps the store's indexes compact, and not guessable.

use crate::clock::Timestamp;
use crate::dice::Dice;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A text that is no id of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id; ids look like 019ab3c0-7a51-7c1e-8f00-2b6f0f6a9d11")]
pub struct NotAnId(pub String);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            pub fn new(now: Timestamp, dice: &Dice) -> Self {
                let [a, b, c, d, e, f, g, h, i, j, ..] = dice.bytes();
                let ms = u64::try_from(now.ms()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(ms, &[a, b, c, d, e, f, g, h, i, j]).into_uuid())
            }

            /// What the ids of this moment and later are not less than.
            pub fn first_of(now: Timestamp) -> Self {
                let ms = u64::try_from(now.ms()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(ms, &[0; 10]).into_uuid())
            }

            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            pub fn bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Uuid::try_parse(text).map(Self).map_err(|_| NotAnId(text.to_owned()))
            }
        }
    };
}

uuid_id!(
    /// One comment of one site.
    CommentId
);
uuid_id!(
    /// One thing that must leave: a webhook or a mail. On the wire: `webhook-id`.
    ParcelId
);
uuid_id!(
    /// One digest for one moderator.
    DigestId
);

/// One campaign of a site: a hash of what its first member showed, so that it means the same after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CampaignId(pub u64);

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            pub fn new(name: impl Into<String>) -> Self {
                Self(name.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}

name_id!(
    /// A site, by the key it has in the settings: `[sites.blog]` is `blog`.
    SiteId
);
name_id!(
    /// A moderator, by the key in the settings: `[moderators.ana]` is `ana`.
    ModeratorId
);
name_id!(
    /// A model, by the first 12 hexadecimal digits of its checksum.
    ModelId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_time_and_survive_their_text() {
        let dice = Dice::seeded(1);
        let early = CommentId::new(Timestamp::from_ms(1_000), &dice);
        assert!(CommentId::first_of(Timestamp::from_ms(1_000)) <= early && early < CommentId::first_of(Timestamp::from_ms(1_001)));
        let late = CommentId::new(Timestamp::from_ms(2_000), &dice);
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        assert_eq!(late.to_string().parse(), Ok(late));
        assert_eq!(CommentId::from_bytes(late.bytes()), late);
        assert!("../../etc".parse::<CommentId>().is_err());
    }
}
