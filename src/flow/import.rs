//! Import: from what a reader found in a file to comments with rulings in the store. They are learnt from at the next training; nobody is
//! mailed or told, no verdict is given, and floods and campaigns do not count them. The readers are `import`'s.

use super::App;
use crate::campaign::{Bounds, Campaigns};
use crate::classifier::hashing::Hashing;
use crate::clock::Timestamp;
use crate::comment::{Comment, InvalidSubmission, Limits, Shared, Submission};
use crate::decision::Ruling;
use crate::id::{CommentId, SiteId};
use crate::import::{Found, Reason};
use crate::rules;
use crate::store::{Imported, Ruled, StoreError, Taken};
use crate::text::Reading;
use crate::trace::Trace;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::time::Duration;

/// A comment of a file as the daemon gets it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    pub line: u64,
    pub source: String,
    pub ruling: String,
    pub machine: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub url: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub body: Option<String>,
    pub page_url: Option<String>,
    pub page_title: Option<String>,
    pub date: Option<String>,
    pub kind: Option<String>,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub publish: u64,
    pub spam: u64,
    pub remove: u64,
    /// Came with an earlier import, or twice in the file.
    pub known: u64,
    /// Line, reason and detail of what was not taken.
    pub skipped: Vec<(u64, String, Option<String>)>,
}

impl Row {
    /// `format` keeps ids of different programs apart. What has no id is known again by its words, author and date.
    pub fn of(line: u64, found: Found, format: &str) -> Self {
        let Found { source_id, submission: said, ruling, machine } = found;
        let digest = || {
            let parts = [said.email.as_deref(), said.name.as_deref(), said.submitted_at.as_deref(), said.body.as_deref()];
            let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part.unwrap_or_default()).chain_update([0]));
            hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
        };
        Self {
            line,
            source: format!("{format}:{}", source_id.unwrap_or_else(digest)),
            ruling: ruling.as_str().to_owned(),
            machine,
            name: said.name,
            email: said.email,
            url: said.url,
            ip: said.ip,
            user_agent: said.user_agent,
            body: said.body,
            page_url: said.page_url,
            page_title: said.page_title,
            date: said.submitted_at,
            kind: said.kind,
        }
    }

    /// About what it takes up.
    pub fn bytes(&self) -> usize {
        let fields = [&self.name, &self.email, &self.url, &self.ip, &self.user_agent, &self.body, &self.page_url, &self.page_title];
        fields.iter().map(|field| field.as_ref().map_or(0, String::len)).sum::<usize>() + 256
    }

    /// An address or a time that cannot be read is left out: it is no reason to lose the label.
    fn submission(&self) -> Submission {
        Submission {
            name: self.name.clone(),
            email: self.email.clone(),
            url: self.url.clone(),
            ip: self.ip.clone().filter(|ip| ip.trim().parse::<IpAddr>().is_ok()),
            user_agent: self.user_agent.clone(),
            body: self.body.clone(),
            page_url: self.page_url.clone(),
            page_title: self.page_title.clone(),
            submitted_at: self.date.clone().filter(|date| Timestamp::parse(date).is_ok()),
            kind: self.kind.clone(),
            ..Submission::default()
        }
    }
}

/// Takes a batch in. The comments are received now, whenever they were written: what is kept for so many days is kept so long from here on.
///
/// # Errors
/// [`StoreError`]; then none of the batch is there.
pub async fn take_in(app: &App, site: &SiteId, file: String, rows: Vec<Row>) -> Result<Outcome, StoreError> {
    let (now, mut outcome) = (app.clock.now(), Outcome::default());
    let mut batch = Vec::with_capacity(rows.len());
    for row in rows {
        let skip = |reason: Reason, detail| (row.line, reason.as_str().to_owned(), detail);
        let Some(ruling) = Ruling::parse(&row.ruling) else {
            outcome.skipped.push(skip(Reason::Malformed, Some(format!("{:?} is no ruling", row.ruling))));
            continue;
        };
        let comment = Comment::parse(row.submission(), id_of(&row, now, app), site.clone(), now, app.config().limits);
        match comment {
            Ok(comment) => {
                let domains = rules::domains_of(&comment, &Reading::of(&comment.body));
                let ruled = Ruled { ruling, by: "import".to_owned(), via: "import".to_owned(), at: now };
                batch.push(Imported { comment, source: row.source, line: row.line, ruled, machine: row.machine, domains });
            }
            Err(error @ InvalidSubmission::TooLong { .. }) => outcome.skipped.push(skip(Reason::TooLong, Some(error.to_string()))),
            Err(error) => outcome.skipped.push(skip(Reason::Invalid, Some(error.to_string()))),
        }
    }
    let told: Vec<(u64, Ruling)> = batch.iter().map(|imported| (imported.line, imported.ruled.ruling)).collect();
    for (taken, (line, ruling)) in app.store.import(file, batch).done().await?.into_iter().zip(told) {
        match (taken, ruling) {
            (Taken::Added, Ruling::Publish) => outcome.publish += 1,
            (Taken::Added, Ruling::Spam) => outcome.spam += 1,
            (Taken::Added, Ruling::Remove) => outcome.remove += 1,
            (Taken::Known, _) => outcome.known += 1,
            (Taken::Forgotten, _) => outcome.skipped.push((line, Reason::Forgotten.as_str().to_owned(), None)),
        }
    }
    Ok(outcome)
}

/// What comes from an export of ours keeps its id, by which the blog knows it.
fn id_of(row: &Row, now: Timestamp, app: &App) -> CommentId {
    row.source.strip_prefix("jsonl:").and_then(|id| id.parse().ok()).unwrap_or_else(|| CommentId::new(now, &app.dice))
}

/// Texts held to find near-copies among the comments of a file: about 30 MB of memory. What came before these is not compared any more.
const COMPARED_MAX: usize = 100_000;

/// Near-copies within a file. Trainings leave copies out, so what counts as a label is fewer.
#[derive(Debug)]
pub struct Copies {
    campaigns: Campaigns,
    hashing: Hashing,
    /// Comments whose like came before them.
    pub copies: u64,
}

impl Default for Copies {
    fn default() -> Self {
        let (hashing, bounds) = (Hashing::of(0), Bounds { comments_max: COMPARED_MAX, age_max: Duration::MAX });
        Self { campaigns: Campaigns::new(bounds, hashing.clone()), hashing, copies: 0 }
    }
}

impl Copies {
    pub fn meet(&mut self, row: &Row, limits: Limits) {
        let now = Timestamp::from_ms(0);
        let Ok(comment) = Comment::parse(row.submission(), CommentId::from_bytes([0; 16]), SiteId::new(""), now, limits) else { return };
        let trace = Trace::of(&comment, &Reading::of(&comment.body), &self.hashing);
        self.copies += u64::from(self.campaigns.alike(&trace).text.is_some());
        self.campaigns.admit(&trace, false, now);
    }

    /// How many texts have copies.
    pub fn groups(&self) -> usize {
        self.campaigns.largest(usize::MAX).iter().filter(|(campaign, _)| campaign.shared == Shared::Text).count()
    }
}
