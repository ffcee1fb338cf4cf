//! Intake: from a submission to its answer. Two doors lead into the one judge loop (`judge_loop`): callers who wait for their verdict, and
//! the durable queue. Here everything that waits is bounded, and shared fairly between sites.

use super::App;
use super::models::SiteModel;
use super::reload::News;
use crate::comment::{Alike, Comment, Form, FormToken, InvalidSubmission, Lately, Submission};
use crate::config::{Config, Site};
use crate::decision::Decision;
use crate::id::{CommentId, SiteId};
use crate::rules::lists::List;
use crate::store::{Arrival, Full, Idempotency, Pending, Received, Record, Ruled, StoreError, Unlearnt};
use crate::text::{Reading, trim_blank};
use crate::trace::Trace;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

/// Why a submission was not taken. Nothing of it is kept; the sender still has it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Invalid(#[from] InvalidSubmission),
    #[error("another submission came before under this idempotency key")]
    Conflict,
    #[error("{0}; nothing was taken, try again later")]
    Full(#[from] Full),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) type Answer = Result<Received, StoreError>;

/// Somebody at the door of the judge loop.
#[derive(Debug)]
pub enum Knock {
    /// A caller who waits for the verdict.
    Waiting(Box<Ticket>),
    /// A caller who only asks what would be said.
    Trial(Box<Trial>),
    /// Something may lie in the durable queue.
    Queued,
    /// A site gets another model, verified.
    Model(Box<(SiteId, SiteModel)>),
    /// Comments of a site were forgotten; these labels go with them.
    Forgotten(SiteId, Vec<Unlearnt>),
    /// A list as its file has it now.
    List(Arc<List>),
    /// Other settings than before.
    Settings(Box<News>),
    Stop,
}

#[derive(Debug)]
pub struct Ticket {
    pub(super) comment: Comment,
    /// Read where it came in, on whichever core is free: the judge has but one.
    pub(super) reading: Reading,
    pub(super) idempotency: Option<Idempotency>,
    /// A person ruled on it before it came.
    pub(super) ruled: Option<Ruled>,
    pub(super) answer: oneshot::Sender<Answer>,
    /// What it is told under where it came in.
    pub(super) span: Span,
}

#[derive(Debug)]
pub struct Trial {
    pub(super) comment: Comment,
    pub(super) reading: Reading,
    pub(super) answer: oneshot::Sender<Result<Tried, StoreError>>,
}

/// What would be said of a comment, and what would be kept of it.
#[derive(Debug)]
pub struct Tried {
    pub decision: Decision,
    pub(super) domains: Vec<String>,
    pub(super) trace: Trace,
    pub(super) remembered: (Lately, Alike),
}

pub type Knocks = mpsc::Receiver<Knock>;

/// The door of the judge loop: bounded as a whole, and for each site, so that one busy site leaves room for the others.
#[derive(Debug)]
pub struct Door {
    knocks: mpsc::Sender<Knock>,
    /// Whoever came once; settings bring sites and take them away.
    sites: RwLock<HashMap<SiteId, Arc<AtSite>>>,
}

/// What the door knows of a site.
#[derive(Debug, Default)]
struct AtSite {
    waiting: AtomicUsize,
    /// There are rulings that its model and the memory may not know.
    ruled: AtomicBool,
}

/// Knocks that carry no caller: a wake-up each from the queue, the timer and the end.
const SPARE_KNOCKS: usize = 16;

pub(super) fn door(config: &Config) -> (Door, Knocks) {
    let (knocks, receiver) = mpsc::channel(config.intake.waiting_max + SPARE_KNOCKS);
    (Door { knocks, sites: RwLock::default() }, receiver)
}

/// What one site may take of a place that holds `max`: half of it where there are others, so that one flood leaves room for the rest.
fn share(max: usize, sites: usize) -> usize {
    if sites > 1 { (max / 2).max(1) } else { max }
}

fn within(what: &'static str, got: usize, limit: usize) -> Result<(), Full> {
    if got >= limit { Err(Full { what, got: wide(got), limit: wide(limit) }) } else { Ok(()) }
}

impl Door {
    /// Tells the judge loop that the durable queue may hold something. A full channel is awake anyway.
    pub fn wake(&self) {
        let _ = self.knocks.try_send(Knock::Queued);
    }

    /// A person ruled on this site: its model learns that before it scores again.
    pub fn ruled(&self, site: &SiteId) {
        self.at(site).ruled.store(true, Ordering::Release);
    }

    fn at(&self, site: &SiteId) -> Arc<AtSite> {
        if let Some(at_site) = self.sites.read().unwrap_or_else(PoisonError::into_inner).get(site) {
            return Arc::clone(at_site);
        }
        Arc::clone(self.sites.write().unwrap_or_else(PoisonError::into_inner).entry(site.clone()).or_default())
    }

    /// The sites that were ruled on since this was last asked.
    pub(super) fn take_ruled(&self) -> Vec<SiteId> {
        let sites = self.sites.read().unwrap_or_else(PoisonError::into_inner);
        sites.iter().filter(|(_, at_site)| at_site.ruled.swap(false, Ordering::Acquire)).map(|(site, _)| site.clone()).collect()
    }

    /// Gives a site another model, which judges all that knocks from now on.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] when nobody judges any more.
    pub async fn give(&self, site: SiteId, model: SiteModel) -> Result<(), StoreError> {
        // Who ruled while the model was being read told the one before it.
        self.ruled(&site);
        self.knocks.send(Knock::Model(Box::new((site, model)))).await.map_err(|_| StoreError::Stopped)
    }

    /// The same for threads outside the runtime.
    ///
    /// # Errors
    /// As [`Door::give`].
    pub fn give_model(&self, site: SiteId, model: SiteModel) -> Result<(), StoreError> {
        self.ruled(&site);
        self.knocks.blocking_send(Knock::Model(Box::new((site, model)))).map_err(|_| StoreError::Stopped)
    }

    /// Gives the judge other settings. For threads outside the runtime.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] when nobody judges any more.
    pub(super) fn give_settings(&self, news: News) -> Result<(), StoreError> {
        news.config.sites.keys().for_each(|site| self.ruled(site));
        self.knocks.blocking_send(Knock::Settings(Box::new(news))).map_err(|_| StoreError::Stopped)
    }

    /// Tells the judge what was forgotten. Where nobody judges, the next start knows nothing of it.
    pub async fn forgotten(&self, site: SiteId, labels: Vec<Unlearnt>) {
        let _ = self.knocks.send(Knock::Forgotten(site, labels)).await;
    }

    /// Gives the sites that have it another state of a list. For threads outside the runtime.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] when nobody judges any more.
    pub fn give_list(&self, list: Arc<List>) -> Result<(), StoreError> {
        self.knocks.blocking_send(Knock::List(list)).map_err(|_| StoreError::Stopped)
    }

    /// Ends the judge loop after what stands before it.
    pub async fn stop(&self) {
        let _ = self.knocks.send(Knock::Stop).await;
    }

    fn enter(&self, site: &SiteId, config: &Config) -> Result<Inside, Full> {
        let inside = Inside(self.at(site));
        let before = inside.0.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting_max = share(config.intake.waiting_max, config.sites.len());
        within("submissions waiting for their verdict", before, waiting_max).map(|()| inside)
    }
}

/// A place at the door, given back when the caller goes.
struct Inside(Arc<AtSite>);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Judges a submission and answers once the decision is on disk.
///
/// # Errors
/// [`Refusal`].
pub async fn submit(app: &App, site: &Site, submission: Submission, idempotency: Option<Idempotency>) -> Result<Box<Record>, Refusal> {
    let comment = parse(app, site, submission)?;
    let ticket = |comment, reading, answer| {
        Knock::Waiting(Box::new(Ticket { comment, reading, idempotency, ruled: None, answer, span: Span::current() }))
    };
    knock(app, site, comment, ticket).await.and_then(taken)
}

/// Takes in a comment on which a person has ruled already; nobody is told, since its site brings both.
///
/// # Errors
/// [`Refusal`].
pub async fn submit_ruled(app: &App, site: &Site, comment: Comment, ruled: Ruled) -> Result<Box<Record>, Refusal> {
    let ticket = |comment, reading, answer| {
        Knock::Waiting(Box::new(Ticket { comment, reading, idempotency: None, ruled: Some(ruled), answer, span: Span::current() }))
    };
    let record = knock(app, site, comment, ticket).await.and_then(taken)?;
    app.has_ruled(&site.id);
    Ok(record)
}

/// What would be said of a comment. It is judged like any other, and then nothing remembers it.
///
/// # Errors
/// [`Refusal`].
pub async fn try_out(app: &App, site: &Site, comment: Comment) -> Result<Tried, Refusal> {
    knock(app, site, comment, |comment, reading, answer| Knock::Trial(Box::new(Trial { comment, reading, answer }))).await
}

async fn knock<T>(
    app: &App,
    site: &Site,
    comment: Comment,
    knock: impl FnOnce(Comment, Reading, oneshot::Sender<Result<T, StoreError>>) -> Knock,
) -> Result<T, Refusal> {
    bounds(app, site)?;
    let _inside = app.door.enter(&site.id, &app.config())?;
    app.dns.look_up(&comment, &app.clock, &app.dice).await;
    let (answer, answered) = oneshot::channel();
    let reading = Reading::of(&comment.body);
    app.door.knocks.try_send(knock(comment, reading, answer)).map_err(|_| StoreError::Busy)?;
    Ok(answered.await.unwrap_or(Err(StoreError::Stopped))?)
}

/// Puts a submission into the durable queue and answers once it is on disk; the verdict comes by webhook.
///
/// # Errors
/// [`Refusal`].
pub async fn enqueue(app: &App, site: &Site, submission: Submission, idempotency: Option<Idempotency>) -> Result<Box<Record>, Refusal> {
    let received = put(app, site, submission, idempotency).await?.done().await?;
    app.door.wake();
    taken(received)
}

/// The same without waiting for the disk, so that many share one write.
pub(super) async fn put(
    app: &App,
    site: &Site,
    submission: Submission,
    idempotency: Option<Idempotency>,
) -> Result<Pending<Received>, Refusal> {
    let comment = parse(app, site, submission)?;
    bounds(app, site)?;
    let share = share(app.config().intake.queued_max, app.config().sites.len());
    within("submissions in the queue", app.store.queued(), app.config().intake.queued_max)?;
    within("submissions of this site in the queue", app.store.queued_of(site.id.as_str()), share)?;
    // The queue keeps no answers: the judge finds them where they were put, or has no opinion.
    app.dns.look_up(&comment, &app.clock, &app.dice).await;
    Ok(app.store.enqueue(Arrival { comment, idempotency }))
}

/// # Errors
/// [`InvalidSubmission`].
pub fn parse(app: &App, site: &Site, mut submission: Submission) -> Result<Comment, InvalidSubmission> {
    let now = app.clock.now();
    let token = match submission.form_token.take().as_deref().map_or("", trim_blank) {
        "" => FormToken::Absent,
        token => app.keys.verify_form(token, &site.id).map_or(FormToken::Forged, FormToken::Shown),
    };
    let comment = Comment::parse(submission, CommentId::new(now, &app.dice), site.id.clone(), now, app.config().limits)?;
    Ok(Comment { form: Form { token, ..comment.form }, ..comment })
}

/// Room on disk, and room in the outbox of this site.
fn bounds(app: &App, site: &Site) -> Result<(), Full> {
    app.store.room(app.clock.now())?;
    within("undelivered parcels of this site", app.store.parcels_waiting(site.id.as_str()), app.config().outbox.waiting_max)
}

fn taken(received: Received) -> Result<Box<Record>, Refusal> {
    match received {
        Received::New(record) | Received::Known(record) => Ok(record),
        Received::Conflict => Err(Refusal::Conflict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_site_may_fill_half_of_what_it_shares_and_all_of_what_it_has_alone() {
        assert_eq!((share(100, 1), share(100, 2), share(100, 9), share(1, 2)), (100, 50, 50, 1));
        assert_eq!(within("x", 49, 50), Ok(()));
        assert_eq!(within("x", 50, 50).unwrap_err().to_string(), "x is 50, the limit is 50");
    }
}
