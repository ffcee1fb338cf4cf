//! A secret: bytes that no log, error or debug output ever shows. It can be read from settings, and never written to anything.

use serde::de::{Deserialize, Deserializer, Error};
use std::borrow::Cow;
use std::fmt;

/// What is shown in place of a secret.
pub(super) const HIDDEN: &str = "***";

/// Two are compared only to see whether settings changed; what strangers send is never compared with one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text; a secret that was written as text comes back exactly.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(HIDDEN)
    }
}

/// Text only: an unquoted `1e5` would arrive as the number 100000, and serde's own error would print it.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let serde_json::Value::String(text) = serde_json::Value::deserialize(deserializer)? else {
            return Err(D::Error::custom("invalid type: not text, expected text in quotes"));
        };
        Ok(Self::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_only_when_asked() {
        let secret = Secret::new("00123 hush");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "*** *** Some(***)");
        assert_eq!((secret.text().as_ref(), secret.bytes()), ("00123 hush", b"00123 hush".as_slice()));
    }
}
