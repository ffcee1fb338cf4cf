//! Chance: the one source of it. Ids, tokens, secrets and jitter are drawn here, so that a seed replays a whole run.
//! One read of the operating system's entropy at start, then SHA-256 in counter mode (as NIST SP 800-90A's Hash_DRBG does at heart).

use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};

/// A stream of chance; shared by reference, no lock.
#[derive(Debug)]
pub struct Dice {
    seed: [u8; 32],
    thrown: AtomicU64,
}

/// The operating system gave no entropy.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes, so no id or token can be made safely")]
pub struct NoEntropy(#[from] getrandom::Error);

impl Dice {
    /// # Errors
    /// [`NoEntropy`] when the operating system has none to give.
    pub fn system() -> Result<Self, NoEntropy> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self { seed, thrown: AtomicU64::new(0) })
    }

    /// The same seed gives the same throws in the same order.
    pub fn seeded(seed: u64) -> Self {
        Self { seed: Sha256::digest(seed.to_le_bytes()).into(), thrown: AtomicU64::new(0) }
    }

    /// 32 bytes nobody can guess.
    pub fn bytes(&self) -> [u8; 32] {
        let throw = self.thrown.fetch_add(1, Ordering::Relaxed);
        Sha256::new().chain_update(self.seed).chain_update(throw.to_le_bytes()).finalize().into()
    }

    /// A number in `0.0..1.0`.
    pub fn unit(&self) -> f64 {
        let [a, b, c, d, ..] = self.bytes();
        f64::from(u32::from_le_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays_and_the_system_does_not() {
        let (a, b) = (Dice::seeded(7), Dice::seeded(7));
        assert_eq!(a.bytes(), b.bytes());
        assert_ne!(a.bytes(), a.bytes());
        assert_ne!(Dice::system().unwrap().bytes(), Dice::system().unwrap().bytes());
        assert!((0..1000).all(|_| (0.0..1.0).contains(&a.unit())));
    }
}
