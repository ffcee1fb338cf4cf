//! The public half of the key that signs mails, as it must stand in DNS. lettre signs with these two crates and keeps the public half to itself.

use crate::config::Dkim;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::EncodePublicKey;

/// The text of the record at `SELECTOR._domainkey.DOMAIN` (RFC 6376 3.6.1, RFC 8463); none for a key that nothing can be signed with.
pub fn public_record(dkim: &Dkim) -> Option<String> {
    let text = dkim.key.text();
    let (kind, public) = if text.contains("BEGIN") { ("rsa", of_rsa(text.trim())?) } else { ("ed25519", of_ed25519(text.trim())?) };
    Some(format!("v=DKIM1; k={kind}; p={}", BASE64.encode(public)))
}

fn of_rsa(pem: &str) -> Option<Vec<u8>> {
    let public = RsaPrivateKey::from_pkcs1_pem(pem).ok()?.to_public_key();
    Some(public.to_public_key_der().ok()?.into_vec())
}

fn of_ed25519(seed: &str) -> Option<Vec<u8>> {
    let seed: [u8; 32] = BASE64.decode(seed).ok()?.try_into().ok()?;
    Some(ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    /// The key pair of RFC 8463, appendix A.
    #[test]
    fn the_public_half_of_ed25519_is_as_its_rfc_has_it() {
        let key = Secret::new("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=");
        let dkim = Dkim { domain: "football.example.com".into(), selector: "brisbane".into(), key };
        let expected = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        assert_eq!(public_record(&dkim).as_deref(), Some(expected));
        let no_key = Dkim { key: Secret::new("bm8ga2V5"), ..dkim };
        assert_eq!(public_record(&no_key), None);
    }
}
