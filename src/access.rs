//! Access: what an API key allows, and how a key is made and known again. Which keys there are is `config`'s and the store's; who may call
//! what is `http::auth`'s.
//!
//! A key is 256 random bits, so one SHA-256 of it keeps it as well as anything: nobody finds it by guessing. Argon2 and its kind slow down
//! guessing of what people think up; here they would only slow down every request.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;

/// What a key is found by.
pub type KeyHash = [u8; 32];

/// By this people, and scanners of secrets in repositories, know one.
const PREFIX: &str = "hamlet_";

/// One thing that a key may be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Send comments, and read what became of them.
    Submit,
    /// Rule on comments, and list them.
    Rule,
    /// Change and erase what is kept.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Submit, Self::Rule, Self::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Rule => "rule",
            Self::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    fn bit(self) -> u8 {
        match self {
            Self::Submit => 1,
            Self::Rule => 2,
            Self::Admin => 4,
        }
    }
}

/// Some scopes. None includes another: a key that rules cannot submit unless it may do both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// A key that is written in the settings has these: simple set-ups need no more than one key.
    pub const ALL: Self = Self(7);

    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |bits, scope| bits | scope.bit()))
    }

    pub fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// As [`Scopes`] prints them: `submit, rule`.
    pub fn parse(text: &str) -> Option<Self> {
        let scopes: Option<Vec<Scope>> = text.split(',').map(|word| Scope::parse(word.trim())).collect();
        scopes.map(|scopes| Self::of(&scopes))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Scope::ALL.into_iter().filter(|scope| self.has(*scope)).map(Scope::as_str).collect();
        out.write_str(&names.join(", "))
    }
}

/// A key in plain text, which is shown to its owner once and to nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey(String);

impl NewKey {
    /// `bytes` are random.
    pub fn made_of(bytes: [u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    pub fn hash(&self) -> KeyHash {
        hash(&self.0)
    }

    pub fn reveal(self) -> String {
        self.0
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("NewKey(***)")
    }
}

/// Keys are looked up by this, so time tells nothing about them.
pub fn hash(key: &str) -> KeyHash {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scopes_are_apart_and_read_as_they_print() {
        for scopes in [&Scope::ALL[..], &[Scope::Rule], &[Scope::Submit, Scope::Admin]] {
            let set = Scopes::of(scopes);
            assert!(Scope::ALL.into_iter().all(|scope| set.has(scope) == scopes.contains(&scope)));
            assert_eq!(Scopes::parse(&set.to_string()), Some(set));
        }
        assert_eq!((Scopes::ALL.to_string().as_str(), Scopes::parse("submit, everything")), ("submit, rule, admin", None));
    }

    proptest! {
        #[test]
        fn a_key_is_never_shown_by_accident(bytes: [u8; 32]) {
            let key = NewKey::made_of(bytes);
            let text = key.clone().reveal();
            prop_assert!(text.len() == 50 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(key.hash(), hash(&text));
            prop_assert_eq!(format!("{key:?}"), "NewKey(***)");
        }
    }
}
