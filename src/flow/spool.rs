//! Spool: comments of a file go into the durable queue like those of callers who do not wait. Each line has a key of its own, so that a file
//! that broke off, or was changed at its end, may be sent again as a whole.

use super::App;
use super::intake::{self, Refusal};
use super::submission::SubmissionBody;
use crate::config::Site;
use crate::store::{Idempotency, Received, StoreError};
use serde::{Deserialize, Serialize};

/// A comment of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// From 1.
    pub number: u64,
    /// By which it is known again.
    pub key: String,
    /// SHA-256 of the line.
    pub hash: [u8; 32],
    pub submission: SubmissionBody,
}

/// What became of some lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub taken: u64,
    /// Taken before, by this file or another.
    pub known: u64,
    /// Number and reason of what will never be taken.
    pub bad: Vec<(u64, String)>,
    /// Why the lines that are in none of these must come again later.
    pub full: Option<String>,
}

/// Puts them into the queue, in their order and in one write or few.
///
/// # Errors
/// [`StoreError`] other than being full or busy, which the outcome says.
pub async fn take_in(app: &App, site: &Site, lines: Vec<Line>) -> Result<Outcome, StoreError> {
    let (mut outcome, mut pending) = (Outcome::default(), Vec::new());
    for Line { number, key, hash, submission } in lines {
        let idempotency = Idempotency { key, request_hash: hash };
        match intake::put(app, site, submission.into(), Some(idempotency)).await {
            Ok(put) => pending.push((number, put)),
            Err(Refusal::Full(full)) => {
                outcome.full = Some(full.to_string());
                break;
            }
            Err(Refusal::Store(error)) => return Err(error),
            Err(refusal @ (Refusal::Invalid(_) | Refusal::Conflict)) => outcome.bad.push((number, refusal.to_string())),
        }
    }
    for (number, put) in pending {
        match put.done().await {
            Ok(Received::New(_)) => outcome.taken += 1,
            Ok(Received::Known(_)) => outcome.known += 1,
            Ok(Received::Conflict) => outcome.bad.push((number, "another line came before with this id".to_owned())),
            Err(StoreError::Busy) => outcome.full = Some(StoreError::Busy.to_string()),
            Err(error) => return Err(error),
        }
    }
    app.door.wake();
    Ok(outcome)
}
