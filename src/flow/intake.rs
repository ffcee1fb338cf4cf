//! Intake: from a submission to a written decision. Two doors lead into the one judge loop: callers who wait for their verdict, and the
//! durable queue. The loop takes what waits as one batch: one read, a pure judgement each, one write, and only then the replies.

use super::App;
use super::audit;
use super::document;
use super::judge::judge;
use super::lists;
use super::models::{Models, SiteModel};
use crate::budget::audit::Inclusion;
use crate::classifier::Features;
use crate::comment::{Comment, Facts, Form, FormToken, InvalidSubmission, Submission};
use crate::config::{Config, Site};
use crate::decision::{Decision, Status};
use crate::id::{CommentId, SiteId};
use crate::rules::lists::List;
use crate::store::{Arrival, Full, Idempotency, Judged, Received, Record, Ruled, StoreError};
use crate::text::trim_blank;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};

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

type Answer = Result<Received, StoreError>;

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
    /// A list as its file has it now.
    List(Arc<List>),
    Stop,
}

#[derive(Debug)]
pub struct Ticket {
    comment: Comment,
    idempotency: Option<Idempotency>,
    /// A person ruled on it before it came.
    ruled: Option<Ruled>,
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug)]
pub struct Trial {
    comment: Comment,
    answer: oneshot::Sender<Result<Decision, StoreError>>,
}

pub type Knocks = mpsc::Receiver<Knock>;

/// The door of the judge loop: bounded as a whole, and for each site, so that one busy site leaves room for the others.
#[derive(Debug)]
pub struct Door {
    knocks: mpsc::Sender<Knock>,
    sites: HashMap<SiteId, AtSite>,
    waiting_max_per_site: usize,
}

/// What the door knows of a site.
#[derive(Debug, Default)]
struct AtSite {
    waiting: AtomicUsize,
    /// There are rulings that its model may not know.
    ruled: AtomicBool,
}

/// Knocks that carry no caller: a wake-up each from the queue, the timer and the end.
const SPARE_KNOCKS: usize = 16;

pub(super) fn door(config: &Config) -> (Door, Knocks) {
    let (knocks, receiver) = mpsc::channel(config.intake.waiting_max + SPARE_KNOCKS);
    let sites = config.sites.keys().map(|site| (site.clone(), AtSite::default())).collect();
    (Door { knocks, sites, waiting_max_per_site: share(config.intake.waiting_max, config.sites.len()) }, receiver)
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
        if let Some(site) = self.sites.get(site) {
            site.ruled.store(true, Ordering::Release);
        }
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

    fn enter(&self, site: &SiteId) -> Result<Inside<'_>, Full> {
        let full =
            |got: usize| Full { what: "submissions waiting for their verdict", got: wide(got), limit: wide(self.waiting_max_per_site) };
        let count = &self.sites.get(site).ok_or_else(|| full(0))?.waiting;
        let before = count.fetch_add(1, Ordering::Relaxed);
        let inside = Inside(count);
        if before >= self.waiting_max_per_site { Err(full(before)) } else { Ok(inside) }
    }
}

/// A place at the door, given back when the caller goes.
struct Inside<'a>(&'a AtomicUsize);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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
    let ticket = |comment, answer| Knock::Waiting(Box::new(Ticket { comment, idempotency, ruled: None, answer }));
    knock(app, site, comment, ticket).await.and_then(taken)
}

/// Takes in a comment on which a person has ruled already; nobody is told, since its site brings both.
///
/// # Errors
/// [`Refusal`].
pub async fn submit_ruled(app: &App, site: &Site, comment: Comment, ruled: Ruled) -> Result<Box<Record>, Refusal> {
    let ticket = |comment, answer| Knock::Waiting(Box::new(Ticket { comment, idempotency: None, ruled: Some(ruled), answer }));
    let record = knock(app, site, comment, ticket).await.and_then(taken)?;
    app.door.ruled(&site.id);
    Ok(record)
}

/// What would be said of a comment. It is judged like any other, and then nothing remembers it.
///
/// # Errors
/// [`Refusal`].
pub async fn try_out(app: &App, site: &Site, comment: Comment) -> Result<Decision, Refusal> {
    knock(app, site, comment, |comment, answer| Knock::Trial(Box::new(Trial { comment, answer }))).await
}

async fn knock<T>(
    app: &App,
    site: &Site,
    comment: Comment,
    knock: impl FnOnce(Comment, oneshot::Sender<Result<T, StoreError>>) -> Knock,
) -> Result<T, Refusal> {
    bounds(app, site)?;
    let _inside = app.door.enter(&site.id)?;
    app.dns.look_up(&comment, &app.clock, &app.dice).await;
    let (answer, answered) = oneshot::channel();
    app.door.knocks.try_send(knock(comment, answer)).map_err(|_| StoreError::Busy)?;
    Ok(answered.await.unwrap_or(Err(StoreError::Stopped))?)
}

/// Puts a submission into the durable queue and answers once it is on disk; the verdict comes by webhook.
///
/// # Errors
/// [`Refusal`].
pub async fn enqueue(app: &App, site: &Site, submission: Submission, idempotency: Option<Idempotency>) -> Result<Box<Record>, Refusal> {
    let comment = parse(app, site, submission)?;
    bounds(app, site)?;
    let share = share(app.config.intake.queued_max, app.config.sites.len());
    within("submissions in the queue", app.store.queued(), app.config.intake.queued_max)?;
    within("submissions of this site in the queue", app.store.queued_of(site.id.as_str()), share)?;
    // The queue keeps no answers: the judge finds them where they were put, or has no opinion.
    app.dns.look_up(&comment, &app.clock, &app.dice).await;
    let received = app.store.enqueue(Arrival { comment, idempotency }).done().await?;
    app.door.wake();
    taken(received)
}

/// # Errors
/// [`InvalidSubmission`].
pub fn parse(app: &App, site: &Site, mut submission: Submission) -> Result<Comment, InvalidSubmission> {
    let now = app.clock.now();
    let token = match submission.form_token.take().as_deref().map_or("", trim_blank) {
        "" => FormToken::Absent,
        token => app.keys.verify_form(token, &site.id).map_or(FormToken::Forged, FormToken::Shown),
    };
    let comment = Comment::parse(submission, CommentId::new(now, &app.dice), site.id.clone(), now, app.config.limits)?;
    Ok(Comment { form: Form { token, ..comment.form }, ..comment })
}

/// Room on disk, and room in the outbox of this site.
fn bounds(app: &App, site: &Site) -> Result<(), Full> {
    app.store.room(app.clock.now())?;
    within("undelivered parcels of this site", app.store.parcels_waiting(site.id.as_str()), app.config.outbox.waiting_max)
}

fn taken(received: Received) -> Result<Box<Record>, Refusal> {
    match received {
        Received::New(record) | Received::Known(record) => Ok(record),
        Received::Conflict => Err(Refusal::Conflict),
    }
}

/// The judge loop; runs on a thread of its own until [`Door::stop`].
pub fn judge_until_stopped(app: &App, mut knocks: Knocks, mut models: Models) {
    let mut stopping = false;
    let mut queue_rests = false;
    let mut sites = app.config.sites.clone();
    while !stopping {
        let queue_waits = app.store.queued() > 0 && !queue_rests;
        let first = if queue_waits { knocks.try_recv().ok() } else { knocks.blocking_recv() };
        let (mut tickets, mut trials) = (Vec::new(), Vec::new());
        for knock in first.into_iter().chain(std::iter::from_fn(|| knocks.try_recv().ok())).take(app.config.intake.batch_max) {
            match knock {
                Knock::Waiting(ticket) => tickets.push(*ticket),
                Knock::Trial(trial) => trials.push(*trial),
                Knock::Queued => {}
                Knock::Model(given) => models.take(given.0, given.1),
                Knock::List(list) => take(&mut sites, &list),
                Knock::Stop => stopping = true,
            }
        }
        judge_trials(app, trials, &sites, &mut models);
        // A sick store is not hammered: who waited was told, and the queue keeps what it has until the next knock. The same when nothing
        // in the queue is for a site that we know.
        queue_rests = judge_batch(app, tickets, &sites, &mut models).map_or_else(
            |error| {
                tracing::error!(error = &error as &dyn std::error::Error, "judge.batch_failed");
                true
            },
            |judged| judged == 0,
        );
    }
}

/// From now on the sites that have this list judge by what it says now.
fn take(sites: &mut Sites, list: &Arc<List>) {
    lists::tell(list);
    for site in sites.values_mut() {
        site.rules.retake(list);
    }
}

/// One read, a judgement each, one write, then the replies. Answers how many were judged.
fn judge_batch(app: &App, tickets: Vec<Ticket>, sites: &Sites, models: &mut Models) -> Result<usize, StoreError> {
    let queued = queued(app)?;
    if tickets.is_empty() && queued.is_empty() {
        return Ok(0);
    }
    let (waiting, answers): (Vec<_>, Vec<_>) = tickets.into_iter().map(|t| ((None, t.comment, t.idempotency, t.ruled), t.answer)).unzip();
    let all: Vec<_> = waiting.into_iter().chain(queued.into_iter().map(|(seq, comment)| (Some(seq), comment, None, None))).collect();
    let result = judge_all(app, all, sites, models).and_then(|(judged, scored)| Ok((app.store.record(judged).wait()?, scored)));
    match result {
        Ok((received, scored)) => {
            let judged = received.len();
            observe(models, &received, scored);
            wake_who_follows(app, &received);
            for (answer, received) in answers.into_iter().zip(received) {
                // The caller may have hung up; the comment is judged all the same.
                let _ = answer.send(Ok(received));
            }
            Ok(judged)
        }
        Err(error) => {
            for answer in answers {
                let _ = answer.send(Err(StoreError::Busy));
            }
            Err(error)
        }
    }
}

/// The oldest of the durable queue. A site that left the settings keeps its queue; it is judged when the site returns.
fn queued(app: &App) -> Result<Vec<(i64, Comment)>, StoreError> {
    if app.store.queued() == 0 {
        return Ok(Vec::new());
    }
    app.store.read().queued(app.config.sites.keys(), app.config.intake.batch_max)
}

/// The judged, and what the model alone said of each.
type Scored = (Vec<Judged>, Vec<Option<f64>>);

/// The sites as they judge now: as configured, with their lists as the files are.
type Sites = BTreeMap<SiteId, Site>;

/// What the judge has of one comment beside it: its place in the queue, or what its sender gave with it.
type Waiting = (Option<i64>, Comment, Option<Idempotency>, Option<Ruled>);

fn judge_all(app: &App, all: Vec<Waiting>, sites: &Sites, models: &mut Models) -> Result<Scored, StoreError> {
    let (now, mut features) = (app.clock.now(), Features::default());
    catch_up(app, models, &mut features);
    let facts = app.store.read().facts(all.iter().map(|(_, comment, ..)| comment), now)?;
    let judged = all.into_iter().zip(facts).filter_map(|((seq, comment, idempotency, ruled), facts)| {
        let site = sites.get(&comment.site)?;
        let facts = Facts { dns_lists: app.dns.listed(&comment, now), ..facts };
        let (decision, log_odds) = judge(&comment, &facts, site, models.of(&site.id), &mut features);
        // Whoever brings the ruling with the comment neither asks for the verdict nor needs to be asked about it.
        let is_open = ruled.is_none();
        let hears = site.webhook.iter().filter(|_| is_open);
        let outgoing = hears.map(|_| document::verdict_webhook(&comment, &decision, now, &app.dice)).collect();
        let audit = if is_open { audit::choose(site, &decision, app.dice.unit()) } else { Inclusion::NONE };
        let domains = facts.domains.into_iter().map(|record| record.domain).collect();
        Some((Judged { comment, idempotency, decision, audit, domains, seq, ruled, outgoing }, log_odds))
    });
    Ok(judged.unzip())
}

/// Judges what is only tried out, beside the batch: nothing is observed, counted or written.
fn judge_trials(app: &App, trials: Vec<Trial>, sites: &Sites, models: &mut Models) {
    if trials.is_empty() {
        return;
    }
    let (now, mut features) = (app.clock.now(), Features::default());
    catch_up(app, models, &mut features);
    let facts = app.store.read().facts(trials.iter().map(|trial| &trial.comment), now).unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "judge.trials_failed");
        Vec::new()
    });
    let mut facts = facts.into_iter();
    for Trial { comment, answer } in trials {
        let site = sites.get(&comment.site);
        let decision = site.zip(facts.next()).map(|(site, facts)| {
            let facts = Facts { dns_lists: app.dns.listed(&comment, now), ..facts };
            judge(&comment, &facts, site, models.of(&site.id), &mut features).0
        });
        let _ = answer.send(decision.ok_or(StoreError::Busy));
    }
}

/// Models learn the rulings that were given since the last batch. One that cannot read them judges by what it knows, and tries again.
fn catch_up(app: &App, models: &mut Models, features: &mut Features) {
    for (site, at_site) in &app.door.sites {
        if !at_site.ruled.swap(false, Ordering::Acquire) {
            continue;
        }
        let caught_up = models.of_mut(site).map_or(Ok(()), |model| model.catch_up(app.store.read(), site, features));
        if let Err(error) = caught_up {
            tracing::error!(site = %site, error = &error as &dyn std::error::Error, "model.rulings_not_learnt");
            app.door.ruled(site);
        }
    }
}

/// How much spam comes in is told by what was taken for the first time: a comment sent twice came once.
fn observe(models: &mut Models, received: &[Received], scored: Vec<Option<f64>>) {
    for (received, log_odds) in received.iter().zip(scored) {
        let (Received::New(record), Some(log_odds)) = (received, log_odds) else { continue };
        if let Some(model) = models.of_mut(&record.comment.site) {
            model.observe(log_odds);
        }
    }
}

fn wake_who_follows(app: &App, received: &[Received]) {
    let new = || received.iter().filter_map(|received| if let Received::New(record) = received { Some(record) } else { None });
    if new().any(|record| app.config.sites.get(&record.comment.site).is_some_and(|site| site.webhook.is_some())) {
        app.parcels.notify_one();
    }
    if new().any(|record| record.status == Status::Held) {
        app.held.notify_one();
    }
}

/// The judge loop's thread.
///
/// # Errors
/// The operating system's, when it gives no thread.
pub fn start_judge(app: &Arc<App>, knocks: Knocks, models: Models) -> std::io::Result<std::thread::JoinHandle<()>> {
    let app = Arc::clone(app);
    app.door.wake();
    std::thread::Builder::new().name("hamlet-judge".into()).spawn(move || judge_until_stopped(&app, knocks, models))
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
