//! Actions: signed rights. A link in a mail says that this moderator may rule on the comments of this digest until then; a nonce
//! says which versions a page showed; a link in a mail's header turns mails off; one in a test mail says that an address is read; a mark in its return address says which mail came back;
//! a form token says when a site showed its comment form. Only signs and verifies; what an action does is
//! `flow::review`'s, and what a form token tells is a rule's.
//!
//! HMAC-SHA-256 (RFC 2104), 128 bits kept, over purpose, key id and everything the token says. A token carries its key's id, so keys rotate.

use crate::clock::Timestamp;
use crate::id::{DigestId, ModeratorId, SiteId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::Duration;

const MAC_BYTES: usize = 16;

/// A mark stands in a mail address, which must be short, and all it can do is have a mail counted as come back.
const MARK_MAC_BYTES: usize = 8;

/// Ours have 34; what is longer need not be decoded.
const FORM_TOKEN_BYTES_MAX: usize = 64;

/// The keys that sign, newest last; the newest signs, all verify.
#[derive(Clone)]
pub struct Keys(Vec<(u8, [u8; 32])>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Keys(***)")
    }
}

/// The right that a review link carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    pub digest: DigestId,
    pub moderator: ModeratorId,
    pub expires_at: Timestamp,
}

/// Why a token gives no right. People are told no more than the first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the link is not one of ours, or was changed on the way")]
    Forged,
    #[error("the link expired at {0}")]
    Expired(Timestamp),
}

impl Keys {
    /// `keys` as (id, secret), newest last.
    pub fn new(keys: Vec<(u8, [u8; 32])>) -> Self {
        Self(keys)
    }

    /// The path segment of a review link: base64url of key id (1), expiry in seconds (8), digest (16), moderator, then the MAC (16).
    pub fn sign_review(&self, review: &Review) -> String {
        let (id, secret) = self.0.last().copied().unwrap_or_default();
        let mut token = vec![id];
        token.extend(review.expires_at.seconds().to_be_bytes());
        token.extend(review.digest.bytes());
        token.extend(review.moderator.as_str().as_bytes());
        let mac = mac(&secret, "review", &token);
        token.extend(mac);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// # Errors
    /// [`Refused::Forged`] unless we signed exactly this; [`Refused::Expired`] when its time is over.
    pub fn verify_review(&self, token: &str, now: Timestamp) -> Result<Review, Refused> {
        let review = self.read_review(token)?;
        if now > review.expires_at { Err(Refused::Expired(review.expires_at)) } else { Ok(review) }
    }

    fn read_review(&self, token: &str) -> Result<Review, Refused> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refused::Forged)?;
        let (signed, secret, claimed) = self.parts(&bytes).ok_or(Refused::Forged)?;
        if !same(&mac(&secret, "review", signed), claimed) {
            return Err(Refused::Forged);
        }
        parse_review(signed).ok_or(Refused::Forged)
    }

    /// What a token says, the secret of the key that it names, and the MAC that it claims.
    fn parts<'a>(&self, token: &'a [u8]) -> Option<(&'a [u8], [u8; 32], &'a [u8])> {
        let (signed, claimed) = token.split_at_checked(token.len().checked_sub(MAC_BYTES)?)?;
        Some((signed, self.secret(*signed.first()?)?, claimed))
    }

    /// The right to turn one moderator's mails off: base64url of key id (1), moderator, then the MAC (16). It does not expire, since mail
    /// programs offer it as long as the mail is there.
    pub fn sign_pause(&self, moderator: &ModeratorId) -> String {
        let (id, secret) = self.0.last().copied().unwrap_or_default();
        let mut token = vec![id];
        token.extend(moderator.as_str().as_bytes());
        let mac = mac(&secret, "pause", &token);
        token.extend(mac);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// # Errors
    /// [`Refused::Forged`] unless we signed exactly this.
    pub fn verify_pause(&self, token: &str) -> Result<ModeratorId, Refused> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refused::Forged)?;
        let (signed, secret, claimed) = self.parts(&bytes).ok_or(Refused::Forged)?;
        if !same(&mac(&secret, "pause", signed), claimed) {
            return Err(Refused::Forged);
        }
        let moderator = signed.get(1..).and_then(|name| std::str::from_utf8(name).ok()).ok_or(Refused::Forged)?;
        Ok(ModeratorId::new(moderator))
    }

    /// That this address of a moderator is read: base64url of key id (1), expiry in seconds (8), moderator, then a MAC (16) that is over the
    /// address, too. So it says nothing of an address that came into the settings later.
    pub fn sign_confirm(&self, moderator: &ModeratorId, address: &str, expires_at: Timestamp) -> String {
        let (id, secret) = self.0.last().copied().unwrap_or_default();
        let mut token = vec![id];
        token.extend(expires_at.seconds().to_be_bytes());
        token.extend(moderator.as_str().as_bytes());
        token.extend(confirm_mac(&secret, &token, address));
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Whose address is read; `address_of` tells the present one.
    ///
    /// # Errors
    /// [`Refused::Forged`] unless we signed exactly this for the present address; [`Refused::Expired`] when its time is over.
    pub fn verify_confirm<'a>(
        &self,
        token: &str,
        now: Timestamp,
        address_of: impl FnOnce(&ModeratorId) -> Option<&'a str>,
    ) -> Result<ModeratorId, Refused> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refused::Forged)?;
        let (signed, secret, claimed) = self.parts(&bytes).ok_or(Refused::Forged)?;
        let (expires_at, name) = signed.get(1..).and_then(|rest| rest.split_first_chunk()).ok_or(Refused::Forged)?;
        let moderator = ModeratorId::new(std::str::from_utf8(name).map_err(|_| Refused::Forged)?);
        let address = address_of(&moderator).ok_or(Refused::Forged)?;
        if !same(&confirm_mac(&secret, signed, address), claimed) {
            return Err(Refused::Forged);
        }
        let expires_at = Timestamp::from_ms(i64::from_be_bytes(*expires_at).saturating_mul(1000));
        if now > expires_at { Err(Refused::Expired(expires_at)) } else { Ok(moderator) }
    }

    /// What a digest's return address carries: 48 hexadecimal digits, since mail servers may lose capitals. Its id, then a MAC (8).
    pub fn mark(&self, digest: DigestId) -> String {
        let (_, secret) = self.0.last().copied().unwrap_or_default();
        let mac = mac(&secret, "mark", &digest.bytes());
        digest.bytes().iter().chain(mac.iter().take(MARK_MAC_BYTES)).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The digest that a mark was made for. It names no key, so all are tried.
    ///
    /// # Errors
    /// [`Refused::Forged`] unless we made it.
    pub fn verify_mark(&self, mark: &str) -> Result<DigestId, Refused> {
        let (id, _) = mark.split_at_checked(32).ok_or(Refused::Forged)?;
        let digest: DigestId = id.parse().map_err(|_| Refused::Forged)?;
        let of_key = |key: &(u8, [u8; 32])| Self(vec![*key]).mark(digest);
        let is_ours = self.0.iter().any(|key| same(of_key(key).as_bytes(), mark.to_ascii_lowercase().as_bytes()));
        if is_ours { Ok(digest) } else { Err(Refused::Forged) }
    }

    /// That a form of this site was shown now: base64url of key id (1), time in ms (8), then the MAC (16). It names no reader and is not used
    /// up: whoever has it may send it again until the site finds it too old.
    pub fn sign_form(&self, site: &SiteId, now: Timestamp) -> String {
        let (id, secret) = self.0.last().copied().unwrap_or_default();
        let mut token = vec![id];
        token.extend(now.ms().to_be_bytes());
        token.extend(form_mac(&secret, site, &token));
        URL_SAFE_NO_PAD.encode(token)
    }

    /// When the form was shown. How old is too old is for the site to say.
    ///
    /// # Errors
    /// [`Refused::Forged`] unless we signed exactly this for this site.
    pub fn verify_form(&self, token: &str, site: &SiteId) -> Result<Timestamp, Refused> {
        if token.len() > FORM_TOKEN_BYTES_MAX {
            return Err(Refused::Forged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refused::Forged)?;
        let (signed, secret, claimed) = self.parts(&bytes).ok_or(Refused::Forged)?;
        let shown_at = signed.split_first().and_then(|(_, shown_at)| shown_at.try_into().ok()).ok_or(Refused::Forged)?;
        if !same(&form_mac(&secret, site, signed), claimed) {
            return Err(Refused::Forged);
        }
        Ok(Timestamp::from_ms(i64::from_be_bytes(shown_at)))
    }

    /// Somebody whom a site must know again and whom nobody needs to read: what only this daemon can make of their name. By the oldest key, so
    /// that it stays the same when keys rotate.
    pub fn pseudonym(&self, site: &SiteId, name: &str) -> [u8; MAC_BYTES] {
        let (_, secret) = self.0.first().copied().unwrap_or_default();
        mac(&secret, "pseudonym", &[site.as_str().as_bytes(), b"\n", name.as_bytes()].concat())
    }

    /// What a form carries: which version of which item a page showed, when. `seconds.MAC`.
    pub fn sign_nonce(&self, token: &str, item: usize, version: u32, now: Timestamp) -> String {
        let (id, secret) = self.0.last().copied().unwrap_or_default();
        let shown_at = now.seconds();
        format!("{id}.{shown_at}.{}", URL_SAFE_NO_PAD.encode(nonce_mac(&secret, token, item, version, shown_at)))
    }

    /// # Errors
    /// [`Refused::Forged`] unless we made it for this token, item and version; [`Refused::Expired`] after `valid`.
    pub fn verify_nonce(
        &self,
        nonce: &str,
        token: &str,
        item: usize,
        version: u32,
        now: Timestamp,
        valid: Duration,
    ) -> Result<(), Refused> {
        let mut parts = nonce.splitn(3, '.');
        let (Some(id), Some(shown_at), Some(claimed)) = (parts.next(), parts.next(), parts.next()) else { return Err(Refused::Forged) };
        let secret = id.parse().ok().and_then(|id| self.secret(id)).ok_or(Refused::Forged)?;
        let shown_at: i64 = shown_at.parse().map_err(|_| Refused::Forged)?;
        let claimed = URL_SAFE_NO_PAD.decode(claimed).map_err(|_| Refused::Forged)?;
        if !same(&nonce_mac(&secret, token, item, version, shown_at), &claimed) {
            return Err(Refused::Forged);
        }
        let expires_at = Timestamp::from_ms(shown_at.saturating_mul(1000)).plus(valid);
        if now > expires_at { Err(Refused::Expired(expires_at)) } else { Ok(()) }
    }

    fn secret(&self, id: u8) -> Option<[u8; 32]> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, secret)| *secret)
    }
}

fn parse_review(signed: &[u8]) -> Option<Review> {
    let (_, rest) = signed.split_first()?;
    let (expires, rest) = rest.split_first_chunk::<8>()?;
    let (digest, moderator) = rest.split_first_chunk::<16>()?;
    Some(Review {
        digest: DigestId::from_bytes(*digest),
        moderator: ModeratorId::new(std::str::from_utf8(moderator).ok()?),
        expires_at: Timestamp::from_ms(i64::from_be_bytes(*expires).saturating_mul(1000)),
    })
}

fn nonce_mac(secret: &[u8; 32], token: &str, item: usize, version: u32, shown_at: i64) -> [u8; MAC_BYTES] {
    mac(secret, "nonce", format!("{token}\n{item}\n{version}\n{shown_at}").as_bytes())
}

fn confirm_mac(secret: &[u8; 32], signed: &[u8], address: &str) -> [u8; MAC_BYTES] {
    mac(secret, "confirm", &[signed, b"\n", address.as_bytes()].concat())
}

/// The site is signed and not carried: a token of one site tells another nothing.
fn form_mac(secret: &[u8; 32], site: &SiteId, signed: &[u8]) -> [u8; MAC_BYTES] {
    mac(secret, "form", &[site.as_str().as_bytes(), b"\n", signed].concat())
}

fn mac(secret: &[u8; 32], purpose: &str, message: &[u8]) -> [u8; MAC_BYTES] {
    let full = hmac_sha256(secret, &[purpose.as_bytes(), b"\n", message]);
    let mut kept = [0; MAC_BYTES];
    kept.iter_mut().zip(full).for_each(|(slot, byte)| *slot = byte);
    kept
}

/// HMAC-SHA-256 over the parts in order.
pub fn hmac_sha256(secret: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length, so this cannot fail; an empty MAC verifies nothing.
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
    for part in parts {
        hmac.update(part);
    }
    hmac.finalize().into_bytes().into()
}

/// Equality in time that does not tell where the difference is.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn review(expires: i64) -> Review {
        let digest = DigestId::new(Timestamp::from_ms(0), &Dice::seeded(3));
        Review { digest, moderator: ModeratorId::new("ana"), expires_at: Timestamp::from_ms(expires * 1000) }
    }

    fn keys() -> Keys {
        Keys::new(vec![(1, [1; 32]), (2, [2; 32])])
    }

    #[test]
    fn a_link_gives_its_right_until_it_expires() {
        let token = keys().sign_review(&review(100));
        assert_eq!(keys().verify_review(&token, Timestamp::from_ms(99_000)), Ok(review(100)));
        assert_eq!(keys().verify_review(&token, Timestamp::from_ms(100_001)), Err(Refused::Expired(Timestamp::from_ms(100_000))));
        assert!(token.len() <= 70, "{token} would wrap in mail");
    }

    #[test]
    fn rotated_keys_verify_and_foreign_ones_do_not() {
        let old = Keys::new(vec![(1, [1; 32])]).sign_review(&review(100));
        assert!(keys().verify_review(&old, Timestamp::from_ms(0)).is_ok());
        let foreign = Keys::new(vec![(1, [9; 32])]).sign_review(&review(100));
        assert_eq!(keys().verify_review(&foreign, Timestamp::from_ms(0)), Err(Refused::Forged));
    }

    #[test]
    fn a_nonce_fits_one_page_one_item_one_version_for_a_while() {
        let now = Timestamp::from_ms(5_000);
        let nonce = keys().sign_nonce("t", 1, 7, now);
        let verify = |token, item, version, at| keys().verify_nonce(&nonce, token, item, version, Timestamp::from_ms(at), MINUTE);
        assert_eq!(verify("t", 1, 7, 65_000), Ok(()));
        assert_eq!(verify("t", 1, 7, 65_001), Err(Refused::Expired(Timestamp::from_ms(65_000))));
        assert_eq!(verify("u", 1, 7, 5_000), Err(Refused::Forged));
        assert_eq!(verify("t", 2, 7, 5_000), Err(Refused::Forged));
        assert_eq!(verify("t", 1, 8, 5_000), Err(Refused::Forged));
    }

    #[test]
    fn a_link_confirms_the_address_that_it_was_made_for_and_no_later_one() {
        let (ana, at) = (ModeratorId::new("ana"), Timestamp::from_ms);
        let token = keys().sign_confirm(&ana, "ana@a.example", at(100_000));
        let verify = |token: &str, address, ms| keys().verify_confirm(token, at(ms), |id| (*id == ana).then_some(address));
        assert_eq!(verify(&token, "ana@a.example", 100_000), Ok(ana.clone()));
        assert_eq!(verify(&token, "ana@a.example", 100_001), Err(Refused::Expired(at(100_000))));
        assert_eq!(verify(&token, "ana@b.example", 0), Err(Refused::Forged));
        assert_eq!(
            verify(&keys().sign_confirm(&ModeratorId::new("bob"), "ana@a.example", at(9)), "ana@a.example", 0),
            Err(Refused::Forged)
        );
        for other in [keys().sign_pause(&ana), keys().sign_review(&review(100)), String::new(), format!("{token}A")] {
            assert_eq!(verify(&other, "ana@a.example", 0), Err(Refused::Forged));
        }
        assert!(keys().verify_pause(&token).is_err() && keys().verify_review(&token, at(0)).is_err());
    }

    #[test]
    fn a_link_that_pauses_does_nothing_else_and_no_other_pauses() {
        let ana = ModeratorId::new("ana");
        let token = keys().sign_pause(&ana);
        assert_eq!((keys().verify_pause(&token), token.len()), (Ok(ana), 27));
        assert_eq!(keys().verify_review(&token, Timestamp::from_ms(0)), Err(Refused::Forged));
        assert_eq!(keys().verify_pause(&keys().sign_review(&review(100))), Err(Refused::Forged));
        assert_eq!(keys().verify_pause(&format!("{token}A")), Err(Refused::Forged));
        assert!(keys().sign_pause(&ModeratorId::new("x".repeat(40))).len() <= 76);
    }

    #[test]
    fn a_mark_tells_its_digest_in_any_case_of_letters() {
        let digest = review(100).digest;
        let mark = keys().mark(digest);
        assert_eq!((keys().verify_mark(&mark.to_uppercase()), mark.len()), (Ok(digest), 48));
        assert_eq!(keys().verify_mark(&Keys::new(vec![(1, [1; 32])]).mark(digest)), Ok(digest), "rotated keys verify");
        for wrong in ["", &mark[..47], &format!("{mark}0"), &mark.replace(&mark[40..], "00000000"), &"é".repeat(24)] {
            assert_eq!(keys().verify_mark(wrong), Err(Refused::Forged), "{wrong}");
        }
    }

    #[test]
    fn a_form_token_tells_when_its_own_site_showed_the_form() {
        let (blog, shown_at) = (SiteId::new("blog"), Timestamp::from_ms(1_795_339_800_123));
        let token = keys().sign_form(&blog, shown_at);
        assert_eq!(keys().verify_form(&token, &blog), Ok(shown_at));
        assert_eq!(keys().verify_form(&token, &SiteId::new("other")), Err(Refused::Forged));
        let old = Keys::new(vec![(1, [1; 32])]).sign_form(&blog, shown_at);
        assert_eq!(keys().verify_form(&old, &blog), Ok(shown_at), "rotated keys verify");
        let foreign = Keys::new(vec![(1, [9; 32])]).sign_form(&blog, shown_at);
        assert_eq!(keys().verify_form(&foreign, &blog), Err(Refused::Forged));
        let link = keys().sign_review(&review(100));
        assert_eq!(keys().verify_form(&link, &blog), Err(Refused::Forged), "another right is no form token");
        assert_eq!(token.len(), 34);
    }

    proptest! {
        #[test]
        fn any_other_form_token_is_refused(ms in any::<i64>(), at in 0usize..34, letter in "[A-Za-z0-9_-]") {
            let blog = SiteId::new("blog");
            let token = keys().sign_form(&blog, Timestamp::from_ms(ms));
            prop_assert_eq!(keys().verify_form(&token, &blog), Ok(Timestamp::from_ms(ms)));
            let changed = format!("{}{letter}{}", &token[..at], &token[at + 1..]);
            prop_assume!(changed != token);
            prop_assert_eq!(keys().verify_form(&changed, &blog), Err(Refused::Forged));
        }

        #[test]
        fn any_other_token_is_refused(at in 0usize..90, letter in "[A-Za-z0-9_-]") {
            let token = keys().sign_review(&review(100));
            let mut changed: Vec<char> = token.chars().collect();
            let at = at % changed.len();
            changed[at] = letter.chars().next().unwrap();
            let changed: String = changed.into_iter().collect();
            prop_assume!(changed != token);
            prop_assert_eq!(keys().verify_review(&changed, Timestamp::from_ms(0)), Err(Refused::Forged));
        }

        #[test]
        fn verifying_any_text_never_panics(token in "\\PC{0,80}") {
            prop_assert!(keys().verify_review(&token, Timestamp::from_ms(0)).is_err());
            prop_assert!(keys().verify_nonce(&token, "t", 1, 1, Timestamp::from_ms(0), MINUTE).is_err());
            prop_assert!(keys().verify_form(&token, &SiteId::new("blog")).is_err());
            prop_assert!(keys().verify_pause(&token).is_err() && keys().verify_mark(&token).is_err());
        }
    }
}
