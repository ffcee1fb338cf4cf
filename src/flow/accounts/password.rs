//! Passwords at rest: argon2id (RFC 9106), in the PHC string format, so that its cost can rise without anybody's password being set anew.

use crate::dice::Dice;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Shorter ones are found by trying. No rule about signs and digits: they make passwords that people write down (NIST SP 800-63B).
pub const CHARS_MIN: usize = 12;
/// Beyond this nobody types, and hashing a megabyte would be work for strangers to order.
pub const BYTES_MAX: usize = 1024;

/// OWASP's smallest of equal strength: 19 MiB, two passes, one lane; about 20 ms on one core.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// The hash of a password, with a fresh salt. None only if the machine has no memory for it.
pub fn hash(password: &str, dice: &Dice) -> Option<String> {
    let random = dice.bytes();
    let salt = random.first_chunk::<SALT_BYTES>()?;
    let hash = derive(password, salt, (MEMORY_KIB, PASSES, LANES))?;
    let [salt, hash] = [&salt[..], &hash[..]].map(|bytes| STANDARD_NO_PAD.encode(bytes));
    Some(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}"))
}

/// Whether this is the password. Without a hash it takes as long and is none: who tries learns nothing of whether there is an account.
pub fn verify(password: &str, phc: Option<&str>) -> bool {
    let kept = phc.and_then(parse);
    let known = kept.is_some();
    let (costs, salt, hash) = kept.unwrap_or(((MEMORY_KIB, PASSES, LANES), vec![0; SALT_BYTES], vec![0; HASH_BYTES]));
    let derived = derive(password, &salt, costs).unwrap_or_default();
    let differs = derived.iter().zip(&hash).fold(derived.len() ^ hash.len(), |differs, (a, b)| differs | usize::from(a ^ b));
    known && differs == 0
}

type Costs = (u32, u32, u32);

fn derive(password: &str, salt: &[u8], (memory, passes, lanes): Costs) -> Option<[u8; HASH_BYTES]> {
    let params = Params::new(memory, passes, lanes, Some(HASH_BYTES)).ok()?;
    let mut hash = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(password.as_bytes(), salt, &mut hash).ok()?;
    Some(hash)
}

fn parse(phc: &str) -> Option<(Costs, Vec<u8>, Vec<u8>)> {
    let mut parts = phc.strip_prefix("$argon2id$v=19$")?.split('$');
    let mut costs = parts.next()?.split(',');
    let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse().ok();
    let costs = (cost("m=")?, cost("t=")?, cost("p=")?);
    let mut bytes = || STANDARD_NO_PAD.decode(parts.next()?).ok();
    Some((costs, bytes()?, bytes()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_opens_what_it_was_set_for_and_nothing_else_does() {
        let dice = Dice::seeded(1);
        let kept = hash("correct horse battery", &dice).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(hash("correct horse battery", &dice).unwrap(), kept, "salted");
        assert!(verify("correct horse battery", Some(&kept)));
        for (password, phc) in [
            ("correct horse batterz", Some(&*kept)),
            ("", Some(&kept)),
            ("correct horse battery", None),
            ("correct horse battery", Some("$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA")),
            ("correct horse battery", Some("plain")),
            ("", Some("")),
        ] {
            assert!(!verify(password, phc), "{password} {phc:?}");
        }
    }
}
