//! Claims: who is looking at what, so that two people do not decide one comment at once. A claim lasts two minutes, is in memory, and
//! stops nobody who comes later than that.

use crate::clock::Timestamp;
use crate::id::{CommentId, ModeratorId};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Longer than anybody reads one comment, and short enough that lunch blocks nobody.
pub const CLAIM_VALID: Duration = Duration::from_mins(2);

#[derive(Debug, Default)]
pub struct Claims(Mutex<HashMap<CommentId, (ModeratorId, Timestamp)>>);

impl Claims {
    /// Claims a comment for a moderator, or lets the own claim go on; whether it is theirs now. Each holds one at a time.
    pub fn claim(&self, comment: CommentId, who: &ModeratorId, now: Timestamp) -> bool {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.retain(|_, (owner, until)| *until > now && owner != who);
        if claims.contains_key(&comment) {
            return false;
        }
        claims.insert(comment, (who.clone(), now.plus(CLAIM_VALID)));
        true
    }

    /// Whose it is, and until when.
    pub fn of(&self, comment: CommentId, now: Timestamp) -> Option<(ModeratorId, Timestamp)> {
        let claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.get(&comment).filter(|(_, until)| *until > now).cloned()
    }

    /// Lets all of a moderator's go.
    pub fn release(&self, who: &ModeratorId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (owner, _)| owner != who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    #[test]
    fn one_has_it_for_two_minutes_and_one_thing_at_a_time() {
        let (claims, dice) = (Claims::default(), Dice::seeded(1));
        let at = |seconds: i64| Timestamp::from_ms(seconds * 1000);
        let [one, two] = [0, 1].map(|_| CommentId::new(at(0), &dice));
        let [ana, bob] = ["ana", "bob"].map(ModeratorId::new);
        assert!(claims.claim(one, &ana, at(0)) && claims.claim(one, &ana, at(10)));
        assert!(!claims.claim(one, &bob, at(129)));
        assert_eq!(claims.of(one, at(129)), Some((ana.clone(), at(130))));
        assert_eq!(claims.of(one, at(130)), None);
        assert!(claims.claim(one, &bob, at(130)));
        assert!(claims.claim(two, &bob, at(131)) && claims.of(one, at(131)).is_none(), "who goes on lets go");
        claims.release(&bob);
        assert_eq!(claims.of(two, at(131)), None);
    }
}
