//! The judge loop: takes what waits at the door as one batch: one read, a pure judgement each, one write, and only then the replies. While one
//! batch is being written the next is judged. It alone has the models and the memory. How comments come to the door is `intake`'s, what is
//! decided of each `judge`'s.

use super::intake::{Answer, Knock, Knocks, Ticket, Trial, Tried};
use super::judge::judge;
use super::memory::Memory;
use super::models::{Models, SiteModel};
use super::reload::News;
use super::{App, audit, document, lists, tell};
use crate::budget::audit::Inclusion;
use crate::classifier::Features;
use crate::clock::Stopwatch;
use crate::comment::{Comment, Facts};
use crate::config::Site;
use crate::decision::{Status, Verdict};
use crate::id::SiteId;
use crate::rules::lists::List;
use crate::store::{Idempotency, Judged, Pending, Received, Ruled, Shadowed, StoreError, Unlearnt};
use crate::text::Reading;
use crate::trace::Trace;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tracing::Span;

/// What the judge loop knows, and nobody else: the models, and what is remembered of recent comments.
#[derive(Debug)]
pub struct Knowledge {
    pub models: Models,
    pub memory: Memory,
}

/// The judge loop, on a thread of its own until [`super::intake::Door::stop`].
///
/// # Errors
/// The operating system's, when it gives no thread.
pub fn start(app: &Arc<App>, knocks: Knocks, known: Knowledge) -> std::io::Result<std::thread::JoinHandle<()>> {
    let judge = Judge::new(app, knocks, known);
    app.door.wake();
    std::thread::Builder::new().name("hamlet-judge".into()).spawn(move || judge.run())
}

/// The judge, between two turns of its loop.
pub struct Judge {
    app: Arc<App>,
    knocks: Knocks,
    known: Knowledge,
    sites: Sites,
    /// The last batch, on its way to the disk.
    writing: Option<Writing>,
    /// The queue is left alone until somebody knocks.
    queue_rests: bool,
}

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There may be more to do.
    Done,
    /// Nobody waits, and nothing is being written.
    Rests,
    /// It was told to stop.
    Stops,
}

impl Judge {
    pub fn new(app: &Arc<App>, knocks: Knocks, known: Knowledge) -> Self {
        known.models.tell();
        let judge = Self { app: Arc::clone(app), knocks, known, sites: app.config().sites.clone(), writing: None, queue_rests: false };
        judge.tell();
        judge
    }

    /// Who watches sees which models judge.
    fn tell(&self) {
        self.app.meters.judging(self.known.models.ids().map(|(site, id)| (site.to_string(), id.to_string())));
    }

    fn run(mut self) {
        let mut first = None;
        loop {
            match self.turn(first.take()) {
                Turn::Done => {}
                Turn::Rests => first = self.knocks.blocking_recv(),
                Turn::Stops => break,
            }
        }
        self.finish();
    }

    /// Judges who stands at the door, behind `first`, as one batch and has it written down; meanwhile answers the batch before. Waits for the
    /// disk and for nobody else.
    pub fn turn(&mut self, first: Option<Knock>) -> Turn {
        self.app.turn();
        let first = first.or_else(|| self.knocks.try_recv().ok());
        if first.is_none() || self.app.store.queued() > 0 {
            // Nobody waits but for the batch that is being written; or the queue is read next, and that batch must not be found there again.
            self.queue_rests |= !self.finish();
        }
        if first.is_none() && (self.queue_rests || self.app.store.queued() == 0) {
            return Turn::Rests;
        }
        let At { tickets, trials, is_told_to_stop } = self.open(first);
        judge_trials(&self.app, trials, &self.sites, &mut self.known);
        let queued = if self.writing.is_none() { queued(&self.app, &self.sites) } else { Vec::new() };
        let begun = begin(&self.app, (tickets, queued), &self.sites, &mut self.known);
        let is_well = self.finish();
        // A sick store is not hammered: who waited was told, and the queue keeps what it has until the next knock. The same when nothing
        // in the queue is for a site that we know.
        self.queue_rests = begun.is_none() || !is_well;
        self.writing = begun;
        if is_told_to_stop { Turn::Stops } else { Turn::Done }
    }

    /// Opens the door to at most a batch; what is no comment is heeded at once.
    fn open(&mut self, first: Option<Knock>) -> At {
        let mut at = At { tickets: Vec::new(), trials: Vec::new(), is_told_to_stop: false };
        let batch_max = self.app.config().intake.batch_max;
        let more = std::iter::from_fn(|| self.knocks.try_recv().ok());
        let knocks: Vec<Knock> = first.into_iter().chain(more).take(batch_max).collect();
        for knock in knocks {
            match knock {
                Knock::Waiting(ticket) => at.tickets.push(*ticket),
                Knock::Trial(trial) => at.trials.push(*trial),
                Knock::Queued => {}
                Knock::Model(given) => {
                    self.known.models.take(given.0, given.1);
                    self.tell();
                }
                Knock::Forgotten(site, labels) => {
                    // The memory is read again from the store, where what is being written down must stand by then.
                    self.finish();
                    forget(&self.app, &mut self.known, &site, &labels);
                }
                Knock::List(list) => take(&mut self.sites, &list),
                Knock::Settings(news) => {
                    self.sites = follow(&mut self.known, *news);
                    self.tell();
                }
                Knock::Stop => at.is_told_to_stop = true,
            }
        }
        at
    }

    /// See [`finish`].
    fn finish(&mut self) -> bool {
        finish(&self.app, &mut self.known, self.writing.take())
    }

    pub fn knows(&self) -> &Knowledge {
        &self.known
    }
}

/// Who stood at the door.
struct At {
    tickets: Vec<Ticket>,
    trials: Vec<Trial>,
    is_told_to_stop: bool,
}

/// The model at work unlearns what was forgotten, and what is remembered of the site is read again without it.
fn forget(app: &App, known: &mut Knowledge, site: &SiteId, labels: &[Unlearnt]) {
    if let Some(model) = known.models.of_mut(site) {
        model.unlearn(labels, &mut Features::default());
    }
    known.memory.reload(site, app.store.read(), app.clock.now());
}

/// From now on the sites that have this list judge by what it says now.
fn take(sites: &mut Sites, list: &Arc<List>) {
    lists::tell(list);
    for site in sites.values_mut().map(Arc::make_mut) {
        site.rules.retake(list);
    }
}

/// From now on these sites are judged, by these settings. Answers them.
fn follow(known: &mut Knowledge, news: News) -> Sites {
    known.models.follow(news.models, &news.config.sites);
    known.memory.follow(news.memory, &news.config.sites);
    let _ = news.taken.send(known.models.names());
    news.config.sites.clone()
}

/// A batch that was judged and is being written down.
struct Writing {
    began: Stopwatch,
    pending: Pending<Vec<Received>>,
    met: Vec<Met>,
    /// Open until the batch is on disk.
    _commit: Span,
}

/// One read, a judgement each, and one write on its way: while it is, the next batch is judged, knowing of this one what the memory has. None
/// when there was nothing to judge or the past could not be read.
fn begin(app: &App, (mut tickets, queued): (Vec<Ticket>, Queued), sites: &Sites, known: &mut Knowledge) -> Option<Writing> {
    let began = Stopwatch::start();
    // A site may leave the settings while its comment waits at the door.
    for gone in tickets.extract_if(.., |ticket| !sites.contains_key(&ticket.comment.site)) {
        let _ = gone.answer.send(Err(StoreError::Busy));
    }
    let span = tracing::debug_span!("judge.batch", comments = tickets.len() + queued.len());
    // A batch has many callers, so it is nobody's child; each of their spans is linked from it.
    tickets.iter().for_each(|ticket| _ = span.follows_from(&ticket.span));
    let queued = queued.into_iter().map(|(seq, comment)| Waiting::queued(seq, comment));
    let all: Vec<Waiting> = tickets.into_iter().map(Waiting::of).chain(queued).collect();
    if all.is_empty() {
        return None;
    }
    let (judged, met) = span.in_scope(|| judge_all(app, all, sites, known)).inspect_err(failed).ok()?;
    let commit = tracing::debug_span!(parent: &span, "store.commit");
    (!judged.is_empty()).then(|| Writing { began, pending: app.store.record(judged), met, _commit: commit })
}

/// The replies, once a batch is written down; whether the store could do it.
fn finish(app: &App, known: &mut Knowledge, writing: Option<Writing>) -> bool {
    let Some(Writing { began, pending, met, _commit }) = writing else { return true };
    let result = pending.wait().inspect_err(failed);
    let is_well = result.is_ok();
    if let Ok(received) = &result {
        count(app, received, began.elapsed());
        wake_who_follows(app, received);
    }
    let received = result.into_iter().flatten().map(Ok).chain(std::iter::repeat_with(|| Err(StoreError::Busy)));
    for (met, received) in met.into_iter().zip(received) {
        settle(known, &met, received.as_ref().ok());
        if let Some(answer) = met.answer {
            // The caller may have hung up; the comment is judged all the same.
            let _ = answer.send(received);
        }
    }
    is_well
}

fn failed(error: &StoreError) {
    tracing::error!(error = error as &dyn std::error::Error, "judge.batch_failed");
}

/// Comments of the durable queue with their places in it.
type Queued = Vec<(i64, Comment)>;

/// The oldest of the durable queue. A site that left the settings keeps its queue; it is judged when the site returns.
fn queued(app: &App, sites: &Sites) -> Queued {
    if app.store.queued() == 0 {
        return Vec::new();
    }
    app.store.read().queued(sites.keys(), app.config().intake.batch_max).inspect_err(failed).unwrap_or_default()
}

/// What stays of a comment in the judge's hands while it is being written down.
struct Met {
    site: SiteId,
    trace: Trace,
    is_queued: bool,
    /// What the model alone said of it.
    log_odds: Option<f64>,
    /// Where somebody waits for the verdict.
    answer: Option<oneshot::Sender<Answer>>,
}

/// The sites as they judge now: as configured, with their lists as the files are.
type Sites = BTreeMap<SiteId, Arc<Site>>;

/// One comment before its judge.
struct Waiting {
    comment: Comment,
    reading: Reading,
    idempotency: Option<Idempotency>,
    /// A person ruled on it before it came.
    ruled: Option<Ruled>,
    /// Its place in the queue.
    seq: Option<i64>,
    answer: Option<oneshot::Sender<Answer>>,
}

impl Waiting {
    fn of(ticket: Ticket) -> Self {
        let Ticket { comment, reading, idempotency, ruled, answer, span: _ } = ticket;
        Self { comment, reading, idempotency, ruled, seq: None, answer: Some(answer) }
    }

    fn queued(seq: i64, comment: Comment) -> Self {
        Self { reading: Reading::of(&comment.body), comment, idempotency: None, ruled: None, seq: Some(seq), answer: None }
    }
}

/// Comments of one batch know of those before them.
fn judge_all(app: &App, all: Vec<Waiting>, sites: &Sites, known: &mut Knowledge) -> Result<(Vec<Judged>, Vec<Met>), StoreError> {
    let (now, mut features) = (app.clock.now(), Features::default());
    catch_up(app, known, &mut features);
    let waiting = all.iter().map(|waiting| (&waiting.comment, &waiting.reading));
    let facts = tracing::debug_span!("store.facts").in_scope(|| app.store.read().facts(waiting, now))?;
    let judged = all.into_iter().zip(facts).filter_map(|(Waiting { comment, reading, idempotency, ruled, seq, answer }, facts)| {
        let site = sites.get(&comment.site)?;
        let trace = known.memory.trace(&comment, &reading);
        let facts = known.memory.recall(&site.id, &trace, Facts { dns_lists: app.dns.listed(&comment, &reading, now), ..facts });
        let model = known.models.of(&site.id);
        let (decision, log_odds) = judge((&comment, &reading), &facts, site, model, &mut features);
        let shadow = model.and_then(SiteModel::shadow);
        let shadow = shadow.map(|shadow| Shadowed::of(judge((&comment, &reading), &facts, site, Some(&shadow), &mut features).0));
        known.memory.admit(&site.id, &trace, decision.verdict == Verdict::Publish, now);
        // Whoever brings the ruling with the comment neither asks for the verdict nor needs to be asked about it.
        let is_open = ruled.is_none();
        let webhook = site.webhook.iter().filter(|_| is_open).map(|_| document::verdict_webhook(site, &comment, &decision, now, &app.dice));
        // Who did not wait for the judge was given a word for the time being.
        let callback = seq.and_then(|_| tell::callback(site, (&comment, decision.status()), (now, now), &app.dice));
        let outgoing = webhook.chain(callback).collect();
        let audit = if is_open { audit::choose(site, &decision, app.dice.unit()) } else { Inclusion::NONE };
        let remembered = (facts.lately, facts.alike);
        let domains = facts.domains.into_iter().map(|record| record.domain).collect();
        let met = Met { site: site.id.clone(), trace, is_queued: seq.is_some(), log_odds, answer };
        Some((Judged { comment, idempotency, decision, shadow, audit, domains, trace, remembered, seq, ruled, outgoing }, met))
    });
    Ok(judged.unzip())
}

/// Judges what is only tried out, beside the batch: nothing is observed, counted, remembered or written.
fn judge_trials(app: &App, trials: Vec<Trial>, sites: &Sites, known: &mut Knowledge) {
    if trials.is_empty() {
        return;
    }
    let (now, mut features) = (app.clock.now(), Features::default());
    catch_up(app, known, &mut features);
    let facts = app.store.read().facts(trials.iter().map(|trial| (&trial.comment, &trial.reading)), now).unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "judge.trials_failed");
        Vec::new()
    });
    let mut facts = facts.into_iter();
    for Trial { comment, reading, answer } in trials {
        let site = sites.get(&comment.site);
        let tried = site.zip(facts.next()).map(|(site, facts)| {
            let trace = known.memory.trace(&comment, &reading);
            let facts = known.memory.recall(&site.id, &trace, Facts { dns_lists: app.dns.listed(&comment, &reading, now), ..facts });
            let (decision, _) = judge((&comment, &reading), &facts, site, known.models.of(&site.id), &mut features);
            let remembered = (facts.lately, facts.alike);
            Tried { decision, domains: facts.domains.into_iter().map(|record| record.domain).collect(), trace, remembered }
        });
        let _ = answer.send(tried.ok_or(StoreError::Busy));
    }
}

/// Models and memory learn the rulings that were given since the last batch. Where they cannot be read, what is known judges, and the next
/// batch tries again.
fn catch_up(app: &App, known: &mut Knowledge, features: &mut Features) {
    for site in app.door.take_ruled() {
        let model = known.models.of_mut(&site).map_or(Ok(()), |model| model.catch_up(app.store.read(), &site, features));
        if let Err(error) = model.and(known.memory.catch_up(app.store.read(), &site)) {
            tracing::error!(site = %site, error = &error as &dyn std::error::Error, "judge.rulings_not_learnt");
            app.door.ruled(&site);
        }
    }
}

/// What was taken for the first time tells how much spam comes in. A comment sent twice came once: its repeat is forgotten, and so is one that
/// could not be written down.
fn settle(known: &mut Knowledge, met: &Met, received: Option<&Received>) {
    match received {
        Some(Received::New(_)) => {
            let model = known.models.of_mut(&met.site);
            model.zip(met.log_odds).into_iter().for_each(|(model, log_odds)| model.observe(log_odds));
        }
        // From the queue nothing comes twice; a person ruled on it while it was judged.
        Some(Received::Known(_) | Received::Conflict) if met.is_queued => {}
        Some(Received::Known(_) | Received::Conflict) | None => known.memory.retract(&met.site, &met.trace),
    }
}

fn count(app: &App, received: &[Received], took: Duration) {
    app.meters.batch(took);
    for received in received {
        if let Received::New(record) = received
            && let Some(decision) = &record.decision
        {
            app.meters.judged(record.comment.site.as_str(), decision.verdict.as_str());
        }
    }
}

fn wake_who_follows(app: &App, received: &[Received]) {
    let new = || received.iter().filter_map(|received| if let Received::New(record) = received { Some(record) } else { None });
    if new().any(|record| app.config().sites.get(&record.comment.site).is_some_and(|site| site.webhook.is_some())) {
        app.parcels.notify_one();
    }
    if new().any(|record| record.status == Status::Held) {
        app.held.notify_one();
    }
}
