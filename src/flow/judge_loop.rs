//! The judge loop: takes what waits at the door as one batch: one read, a pure judgement each, one write, and only then the replies. It alone
//! has the models and the memory. How comments come to the door is `intake`'s, what is decided of each `judge`'s.

use super::intake::{Knock, Knocks, Ticket, Trial};
use super::judge::judge;
use super::memory::Memory;
use super::models::Models;
use super::reload::News;
use super::{App, audit, document, lists};
use crate::budget::audit::Inclusion;
use crate::classifier::Features;
use crate::clock::Stopwatch;
use crate::comment::{Comment, Facts};
use crate::config::Site;
use crate::decision::{Status, Verdict};
use crate::id::SiteId;
use crate::rules::lists::List;
use crate::store::{Idempotency, Judged, Received, Ruled, StoreError};
use crate::text::Reading;
use crate::trace::Trace;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

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
    let app = Arc::clone(app);
    app.door.wake();
    std::thread::Builder::new().name("hamlet-judge".into()).spawn(move || judge_until_stopped(&app, knocks, known))
}

fn judge_until_stopped(app: &App, mut knocks: Knocks, mut known: Knowledge) {
    let mut stopping = false;
    let mut queue_rests = false;
    let mut sites = app.config().sites.clone();
    while !stopping {
        app.turn();
        let queue_waits = app.store.queued() > 0 && !queue_rests;
        let first = if queue_waits { knocks.try_recv().ok() } else { knocks.blocking_recv() };
        let (mut tickets, mut trials) = (Vec::new(), Vec::new());
        for knock in first.into_iter().chain(std::iter::from_fn(|| knocks.try_recv().ok())).take(app.config().intake.batch_max) {
            match knock {
                Knock::Waiting(ticket) => tickets.push(*ticket),
                Knock::Trial(trial) => trials.push(*trial),
                Knock::Queued => {}
                Knock::Model(given) => known.models.take(given.0, given.1),
                Knock::List(list) => take(&mut sites, &list),
                Knock::Settings(news) => sites = follow(&mut known, *news),
                Knock::Stop => stopping = true,
            }
        }
        judge_trials(app, trials, &sites, &mut known);
        // A sick store is not hammered: who waited was told, and the queue keeps what it has until the next knock. The same when nothing
        // in the queue is for a site that we know.
        queue_rests = judge_batch(app, tickets, &sites, &mut known).map_or_else(
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
    for site in sites.values_mut().map(Arc::make_mut) {
        site.rules.retake(list);
    }
}

/// From now on these sites are judged, by these settings. Answers them.
fn follow(known: &mut Knowledge, news: News) -> Sites {
    known.models.follow(news.models, &news.config.sites);
    known.memory.follow(news.memory, &news.config.sites);
    let _ = news.taken.send(known.models.ids().map(|(site, id)| (site.clone(), id.clone())).collect());
    news.config.sites.clone()
}

/// One read, a judgement each, one write, then the replies. Answers how many were judged.
fn judge_batch(app: &App, mut tickets: Vec<Ticket>, sites: &Sites, known: &mut Knowledge) -> Result<usize, StoreError> {
    let began = Stopwatch::start();
    let queued = queued(app, sites)?;
    // A site may leave the settings while its comment waits at the door.
    for gone in tickets.extract_if(.., |ticket| !sites.contains_key(&ticket.comment.site)) {
        let _ = gone.answer.send(Err(StoreError::Busy));
    }
    if tickets.is_empty() && queued.is_empty() {
        return Ok(0);
    }
    let (waiting, answers): (Vec<_>, Vec<_>) = tickets.into_iter().map(|t| ((None, t.comment, t.idempotency, t.ruled), t.answer)).unzip();
    let all: Vec<_> = waiting.into_iter().chain(queued.into_iter().map(|(seq, comment)| (Some(seq), comment, None, None))).collect();
    let mut met = Vec::new();
    let result = judge_all(app, all, sites, known, &mut met).and_then(|judged| app.store.record(judged).wait());
    match result {
        Ok(received) => {
            let judged = received.len();
            count(app, &received, began.elapsed());
            settle(known, &received, &met);
            wake_who_follows(app, &received);
            for (answer, received) in answers.into_iter().zip(received) {
                // The caller may have hung up; the comment is judged all the same.
                let _ = answer.send(Ok(received));
            }
            Ok(judged)
        }
        Err(error) => {
            met.iter().for_each(|met| known.memory.retract(&met.site, &met.trace));
            for answer in answers {
                let _ = answer.send(Err(StoreError::Busy));
            }
            Err(error)
        }
    }
}

/// The oldest of the durable queue. A site that left the settings keeps its queue; it is judged when the site returns.
fn queued(app: &App, sites: &Sites) -> Result<Vec<(i64, Comment)>, StoreError> {
    if app.store.queued() == 0 {
        return Ok(Vec::new());
    }
    app.store.read().queued(sites.keys(), app.config().intake.batch_max)
}

/// What stays of a comment in the judge's hands while it is being written down.
struct Met {
    site: SiteId,
    trace: Trace,
    is_queued: bool,
    /// What the model alone said of it.
    log_odds: Option<f64>,
}

/// The sites as they judge now: as configured, with their lists as the files are.
type Sites = BTreeMap<SiteId, Arc<Site>>;

/// What the judge has of one comment beside it: its place in the queue, or what its sender gave with it.
type Waiting = (Option<i64>, Comment, Option<Idempotency>, Option<Ruled>);

/// Comments of one batch know of those before them.
fn judge_all(app: &App, all: Vec<Waiting>, sites: &Sites, known: &mut Knowledge, met: &mut Vec<Met>) -> Result<Vec<Judged>, StoreError> {
    let (now, mut features) = (app.clock.now(), Features::default());
    catch_up(app, known, &mut features);
    let readings: Vec<Reading> = all.iter().map(|(_, comment, ..)| Reading::of(&comment.body)).collect();
    let facts = app.store.read().facts(all.iter().map(|(_, comment, ..)| comment).zip(&readings), now)?;
    let judged = all.into_iter().zip(&readings).zip(facts).filter_map(|(((seq, comment, idempotency, ruled), reading), facts)| {
        let site = sites.get(&comment.site)?;
        let trace = known.memory.trace(&comment, reading);
        let facts = known.memory.recall(&site.id, &trace, Facts { dns_lists: app.dns.listed(&comment, reading, now), ..facts });
        let (decision, log_odds) = judge((&comment, reading), &facts, site, known.models.of(&site.id), &mut features);
        known.memory.admit(&site.id, &trace, decision.verdict == Verdict::Publish, now);
        // Whoever brings the ruling with the comment neither asks for the verdict nor needs to be asked about it.
        let is_open = ruled.is_none();
        let hears = site.webhook.iter().filter(|_| is_open);
        let outgoing = hears.map(|_| document::verdict_webhook(&comment, &decision, now, &app.dice)).collect();
        let audit = if is_open { audit::choose(site, &decision, app.dice.unit()) } else { Inclusion::NONE };
        let remembered = (facts.lately, facts.alike);
        let domains = facts.domains.into_iter().map(|record| record.domain).collect();
        met.push(Met { site: site.id.clone(), trace, is_queued: seq.is_some(), log_odds });
        Some(Judged { comment, idempotency, decision, audit, domains, trace, remembered, seq, ruled, outgoing })
    });
    Ok(judged.collect())
}

/// Judges what is only tried out, beside the batch: nothing is observed, counted, remembered or written.
fn judge_trials(app: &App, trials: Vec<Trial>, sites: &Sites, known: &mut Knowledge) {
    if trials.is_empty() {
        return;
    }
    let (now, mut features) = (app.clock.now(), Features::default());
    catch_up(app, known, &mut features);
    let readings: Vec<Reading> = trials.iter().map(|trial| Reading::of(&trial.comment.body)).collect();
    let facts = app.store.read().facts(trials.iter().map(|trial| &trial.comment).zip(&readings), now).unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "judge.trials_failed");
        Vec::new()
    });
    let mut facts = facts.into_iter();
    for (Trial { comment, answer }, reading) in trials.into_iter().zip(&readings) {
        let site = sites.get(&comment.site);
        let decision = site.zip(facts.next()).map(|(site, facts)| {
            let trace = known.memory.trace(&comment, reading);
            let facts = known.memory.recall(&site.id, &trace, Facts { dns_lists: app.dns.listed(&comment, reading, now), ..facts });
            judge((&comment, reading), &facts, site, known.models.of(&site.id), &mut features).0
        });
        let _ = answer.send(decision.ok_or(StoreError::Busy));
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

/// What was taken for the first time tells how much spam comes in. A comment sent twice came once: its repeat is forgotten.
fn settle(known: &mut Knowledge, received: &[Received], met: &[Met]) {
    for (received, met) in received.iter().zip(met) {
        match (received, met.log_odds) {
            (Received::New(_), Some(log_odds)) => {
                known.models.of_mut(&met.site).into_iter().for_each(|model| model.observe(log_odds));
            }
            (Received::New(_), None) => {}
            // From the queue nothing comes twice; a person ruled on it while it was judged.
            (Received::Known(_) | Received::Conflict, _) if met.is_queued => {}
            (Received::Known(_) | Received::Conflict, _) => known.memory.retract(&met.site, &met.trace),
        }
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
