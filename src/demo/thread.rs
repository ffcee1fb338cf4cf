//! The demo blog's thread of replies, kept in one small file. The email address never gets here.

use crate::clock::Timestamp;
use crate::shelf;
use crate::view::Reply;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;

/// Older replies fall off: it is a demo.
const REPLIES_MAX: usize = 500;

/// How the daemon says a reply stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Published,
    Held,
    Rejected,
}

impl Standing {
    /// What is not known is held: nothing appears that the daemon did not publish.
    pub fn parse(status: &str) -> Self {
        match status {
            "published" => Self::Published,
            "rejected" => Self::Rejected,
            _ => Self::Held,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    id: String,
    name: String,
    body: String,
    at_ms: i64,
    standing: Standing,
    /// A webhook told the standing; it is newer than any answer.
    heard: bool,
}

/// A reply that everybody may read.
#[derive(Debug)]
pub struct Published {
    name: String,
    at: String,
    body: String,
}

impl Published {
    pub fn shown(&self) -> Reply<'_> {
        Reply { name: &self.name, at: &self.at, body: &self.body }
    }
}

#[derive(Debug)]
pub struct Thread {
    file: PathBuf,
    replies: Vec<Kept>,
}

/// The thread's file is there and cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the demo blog's replies cannot be read from {path}; remove the file to start anew")]
pub struct Unreadable {
    path: PathBuf,
    source: io::Error,
}

impl Thread {
    pub fn open(file: PathBuf) -> Result<Self, Unreadable> {
        let replies = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        match replies {
            Ok(replies) => Ok(Self { file, replies }),
            Err(source) => Err(Unreadable { path: file, source }),
        }
    }

    /// The daemon answered a submission. A webhook that overtook the answer knows better.
    pub fn answered(&mut self, id: &str, name: &str, body: &str, at: Timestamp, standing: Standing) {
        let kept = self.entry(id, at);
        (kept.name, kept.body) = (name.to_owned(), body.to_owned());
        if !kept.heard {
            kept.standing = standing;
        }
        self.keep();
    }

    /// A webhook told how a reply stands.
    pub fn heard(&mut self, id: &str, standing: Standing, at: Timestamp) {
        let kept = self.entry(id, at);
        (kept.standing, kept.heard) = (standing, true);
        self.keep();
    }

    /// Oldest first.
    pub fn published(&self) -> Vec<Published> {
        let published = self.replies.iter().filter(|kept| kept.standing == Standing::Published && !kept.body.is_empty());
        let at = |kept: &Kept| Timestamp::from_ms(kept.at_ms).day_and_hour();
        published.map(|kept| Published { name: kept.name.clone(), at: at(kept), body: kept.body.clone() }).collect()
    }

    fn entry(&mut self, id: &str, at: Timestamp) -> &mut Kept {
        let found = self.replies.iter().position(|kept| kept.id == id);
        let index = found.unwrap_or_else(|| {
            let standing = Standing::Held;
            let kept = Kept { id: id.to_owned(), name: String::new(), body: String::new(), at_ms: at.ms(), standing, heard: false };
            if self.replies.len() >= REPLIES_MAX {
                self.replies.remove(0);
            }
            self.replies.push(kept);
            self.replies.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the index was found or made in this very vector")]
        &mut self.replies[index]
    }

    /// A demo that cannot save goes on in memory; the log says so.
    fn keep(&self) {
        let saved = shelf::replace(&self.file, &serde_json::to_vec(&self.replies).unwrap_or_default());
        if let Err(error) = saved {
            tracing::warn!(error = &error as &dyn std::error::Error, "demo.not_saved");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_that_overtakes_the_answer_wins_and_a_restart_forgets_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Thread::open(folder.path().join("blog.json")).unwrap();
        let now = Timestamp::from_ms(0);
        let mut thread = open();
        thread.heard("a", Standing::Published, now);
        assert!(thread.published().is_empty());
        thread.answered("a", "Ana", "Hello", now, Standing::Held);
        thread.answered("b", "Bob", "Buy", now, Standing::Rejected);
        let names: Vec<String> = open().published().into_iter().map(|reply| reply.name).collect();
        assert_eq!(names, ["Ana"]);
    }
}
