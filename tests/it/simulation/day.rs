//! What may happen in a day: what readers, blogs, moderators and admins do, and what goes wrong. Each event is one function; which comes is up
//! to the dice.

use super::invariants::{self, digests_are_fair};
use super::outgoing::{attempts_end, lying, outbox_ticks};
use super::told::{Doubt, Sent, Told};
use super::world::{Heard, Request, Until, World};
use hamlet::comment::Submission;
use hamlet::decision::Ruling;
use hamlet::flow::accounts::{Session, Token};
use hamlet::flow::forget::{self, End};
use hamlet::flow::objection::{Objecting, object};
use hamlet::flow::review::{self, Done, Ruler};
use hamlet::flow::{desk, digest, edit, intake, mailbox, retention, retry};
use hamlet::id::{CommentId, ModeratorId, SiteId};
use hamlet::store::{Idempotency, PausedBy};
use std::collections::BTreeSet;
use std::time::Duration;

const RULINGS: [Ruling; 3] = [Ruling::Publish, Ruling::Spam, Ruling::Remove];
const NAMES: [&str; 5] = ["Jane", "Omar", "Lena", "Piet", "Ida"];
const TEXTS: [&str; 6] = [
    "a good kettle indeed",
    "cheap pills for your garden",
    "thanks, this helped my lamp",
    "the blockedword again",
    "look at https://elsewhere.example/kettle",
    "cheap grinder",
];

/// Often a moment, sometimes hours.
pub fn time_passes(world: &mut World) {
    let longest = *world.chance.pick(&[Duration::from_secs(15), Duration::from_secs(40), Duration::from_mins(20), Duration::from_mins(90)]);
    let time = world.chance.up_to(longest);
    world.pass(time);
}

pub fn something_happens(world: &mut World) {
    match world.chance.below(100) {
        0..58 => people_act(world),
        58..60 => the_store_is_held(world),
        60..68 => somebody_objects(world),
        68..77 => a_peer_changes(world),
        77..82 => world.crash(),
        82..87 => the_clock_jumps(world),
        87..92 => a_moderator_pauses_or_resumes(world),
        92..94 => old_things_go(world),
        94..98 => the_admin_sends_again(world),
        _ => somebody_is_forgotten(world),
    }
}

/// What the daemon does by itself, sometimes a while later.
pub fn the_daemon_goes_on(world: &mut World) {
    if !world.chance.one_in(4) {
        world.judge_all();
    }
    if world.chance.one_in(2) {
        digests_are_written(world);
    }
    attempts_end(world);
    if !world.chance.one_in(4) {
        outbox_ticks(world);
    }
}

/// A few people ask for something in the same moment; now and then the daemon dies over it.
fn people_act(world: &mut World) {
    let mut requests = Vec::new();
    // Two words on one comment in one moment could both be in doubt.
    let mut busy = BTreeSet::new();
    for _ in 0..=world.chance.below(3) {
        let request = match world.chance.below(11) {
            0..4 => Some(somebody_writes(world)),
            4 => a_blog_sends_again(world),
            5 => somebody_edits(world, &mut busy),
            6 => the_api_rules(world, &mut busy),
            7 => a_link_rules(world, &mut busy),
            8 => the_desk_rules(world, &mut busy),
            _ => the_desk_takes_back(world, &mut busy),
        };
        requests.extend(request);
    }
    let until = if world.chance.one_in(12) { Until::Dead(world.chance.below(8)) } else { Until::Answered };
    world.ask(requests, until);
}

fn request(world: &World, what: &str, doubt: Doubt, answer: impl Future<Output = Heard> + 'static) -> Request {
    world.say(what);
    Request { answer: Box::pin(answer), doubt }
}

fn heard(heard: impl FnOnce(&mut Told) + 'static) -> Heard {
    Box::new(heard)
}

fn sites(world: &World) -> Vec<SiteId> {
    world.daemon().app.config().sites.keys().cloned().collect()
}

fn text(world: &World) -> String {
    let text = world.chance.pick(&TEXTS);
    // Some say the same again.
    format!("{text} {}", world.chance.below(500))
}

fn written(world: &World) -> Submission {
    let name = *world.chance.pick(&NAMES);
    Submission {
        name: Some(name.to_owned()),
        email: Some(format!("{}@readers.example", name.to_lowercase())),
        ip: Some(format!("203.0.113.{}", world.chance.below(200))),
        body: Some(text(world)),
        role: (name == "Ida").then(|| "editor".to_owned()),
        page_title: Some("How we brew coffee".to_owned()),
        callback: world.chance.one_in(6).then(|| "https://kettle.example/callback".to_owned()),
        ..Submission::default()
    }
}

fn somebody_writes(world: &mut World) -> Request {
    let is_queued = world.chance.one_in(3);
    let index = submission(world, is_queued);
    send(world, index)
}

/// One that was never sent.
fn submission(world: &mut World, is_queued: bool) -> usize {
    let index = world.told.sent.len();
    world.told.sent.push(Sent {
        site: world.chance.pick(&sites(world)).clone(),
        submission: written(world),
        idempotency: Idempotency { key: format!("key-{index}"), request_hash: [1; 32] },
        is_queued,
        acknowledged: None,
        is_forgotten: false,
    });
    index
}

/// Another program holds the store for a moment, while somebody rules on what the judge has in hand and others write.
fn the_store_is_held(world: &mut World) {
    world.judge_all();
    let index = submission(world, true);
    let answer = world.serve(&mut send(world, index)).expect("the queue asks no judge");
    answer(&mut world.told);
    invariants::hold(world);
    let (site, id) = (world.told.sent[index].site.clone(), world.told.sent[index].acknowledged.expect("it was answered"));
    let requests = vec![rule(world, site, id), somebody_writes(world)];
    world.say("another program holds the store");
    world.ask_while_held(requests);
}

/// The same words under the same key, or others.
fn a_blog_sends_again(world: &mut World) -> Option<Request> {
    let again: Vec<usize> = (0..world.told.sent.len()).filter(|index| !world.told.sent[*index].is_forgotten).collect();
    let index = *again.get(world.chance.below(again.len().max(1)))?;
    let sent = world.told.sent[index].clone();
    if sent.acknowledged.is_none() || !world.chance.one_in(4) {
        return Some(send(world, index));
    }
    let (app, idempotency) = (world.app(), Idempotency { request_hash: [2; 32], ..sent.idempotency });
    Some(request(world, &format!("other words under the key of submission {index}"), Vec::new(), async move {
        let site = app.config().sites[&sent.site].clone();
        let answer = intake::submit(&app, &site, sent.submission, Some(idempotency)).await;
        heard(move |_| Told::refused(index, &answer))
    }))
}

fn send(world: &World, index: usize) -> Request {
    let (app, sent) = (world.app(), world.told.sent[index].clone());
    let what = format!("submission {index}{}: {:?}", if sent.is_queued { ", queued" } else { "" }, sent.submission.body);
    request(world, &what, Vec::new(), async move {
        let site = app.config().sites[&sent.site].clone();
        let answer = if sent.is_queued {
            intake::enqueue(&app, &site, sent.submission, Some(sent.idempotency)).await
        } else {
            intake::submit(&app, &site, sent.submission, Some(sent.idempotency)).await
        };
        heard(move |told| told.submitted(index, answer))
    })
}

/// A comment that nobody else is busy with.
fn some_comment(world: &World, busy: &mut BTreeSet<CommentId>, of: impl Fn(&SiteId) -> bool) -> Option<(SiteId, CommentId)> {
    let known = world.told.known.iter().filter(|(id, known)| !busy.contains(id) && of(&known.site));
    let known: Vec<(SiteId, CommentId)> = known.map(|(id, known)| (known.site.clone(), *id)).collect();
    // The latest are talked about most.
    let from = if world.chance.one_in(3) { 0 } else { known.len().saturating_sub(8) };
    let found = known.get(from + world.chance.below((known.len() - from).max(1)))?.clone();
    busy.insert(found.1);
    Some(found)
}

fn somebody_edits(world: &World, busy: &mut BTreeSet<CommentId>) -> Option<Request> {
    let (site, id) = some_comment(world, busy, |_| true)?;
    let (app, body) = (world.app(), format!("{}, edited {}", text(world), world.chance.below(1_000_000)));
    let submission = Submission { body: Some(body.clone()), ..written(world) };
    let doubt = vec![(id, world.told.word(id).after_edit(&body))];
    Some(request(world, &format!("{id} is edited: {body}"), doubt, async move {
        let site = app.config().sites[&site].clone();
        let answer = edit::edit(&app, &site, id, submission).await;
        heard(move |told| told.edited(id, &body, answer))
    }))
}

fn the_api_rules(world: &World, busy: &mut BTreeSet<CommentId>) -> Option<Request> {
    let (site, id) = some_comment(world, busy, |_| true)?;
    Some(rule(world, site, id))
}

fn rule(world: &World, site: SiteId, id: CommentId) -> Request {
    let (app, ruling) = (world.app(), *world.chance.pick(&RULINGS));
    let doubt = vec![(id, world.told.word(id).after_ruling(ruling))];
    request(world, &format!("{id} is ruled {ruling:?} by the API"), doubt, async move {
        let ruler = Ruler { by: site.to_string(), via: "api" };
        let answer = review::rule(&app, &site, id, ruling, ruler, (None, Duration::ZERO)).await.unwrap();
        heard(move |told| told.ruled(id, ruling, answer))
    })
}

/// Somebody opens a link from a mail and presses a button.
fn a_link_rules(world: &World, busy: &mut BTreeSet<CommentId>) -> Option<Request> {
    let (app, links) = (world.app(), &world.peers.links);
    let (_, token) = links.get(world.chance.below(links.len().max(1)))?.clone();
    let opened = review::open(&app, &token).ok()?;
    let item = world.chance.below(opened.digest.items.len()) + 1;
    let (id, ruling) = (opened.digest.items[item - 1].comment.id, *world.chance.pick(&RULINGS));
    if !world.told.known.contains_key(&id) || !busy.insert(id) {
        return None;
    }
    let asked = review::Asked { item, nonce: opened.nonce(&app, item, app.clock.now()), copies: Vec::new(), ruling };
    let doubt = vec![(id, world.told.word(id).after_ruling(ruling))];
    let app = world.app();
    Some(request(world, &format!("{id} is ruled {ruling:?} by a link"), doubt, async move {
        let done = match review::open(&app, &token) {
            Ok(opened) => review::rule_by_link(&app, &opened, &asked).await.unwrap(),
            Err(_) => Done::NoSuchItem,
        };
        heard(move |told| told.ruled_by_link(id, ruling, &done))
    }))
}

fn session(world: &World, moderator: &ModeratorId) -> Session {
    let config = world.daemon().app.config();
    let moderator = config.moderators[moderator].clone();
    Session { token: Token::of("at the desk"), sites: config.sites_at_desk(&moderator), moderator }
}

fn some_moderator(world: &World) -> ModeratorId {
    let config = world.daemon().app.config();
    let names: Vec<&ModeratorId> = config.moderators.keys().collect();
    (*world.chance.pick(&names)).clone()
}

/// On one comment as it stands, or on a few together.
fn the_desk_rules(world: &World, busy: &mut BTreeSet<CommentId>) -> Option<Request> {
    let (app, session, ruling) = (world.app(), session(world, &some_moderator(world)), *world.chance.pick(&RULINGS));
    let (mut asked, mut doubt, mut stale) = (Vec::new(), Vec::new(), BTreeSet::new());
    for _ in 0..=world.chance.below(3) {
        let (site, id) = some_comment(world, busy, |site| session.sites.contains(site))?;
        let version = app.store.read().comment(&site, id).unwrap()?.version;
        // Some look at a page that is older than that.
        let is_stale = world.chance.one_in(6);
        stale.extend(is_stale.then_some(id));
        asked.push(desk::Asked { comment: id, version: version - u32::from(is_stale) });
        doubt.extend((!is_stale).then(|| (id, world.told.word(id).after_ruling(ruling))));
    }
    Some(request(world, &format!("{asked:?} are ruled {ruling:?} at the desk"), doubt, async move {
        let done = desk::rule(&app, &session, &asked, ruling).await.unwrap();
        let is_fresh = done.taken.iter().all(|record| !stale.contains(&record.comment.id));
        assert!(is_fresh, "a ruling on another version than {stale:?} have was taken: {done:?}");
        heard(move |told| told.ruled_at_desk(session.moderator.id, ruling, &done))
    }))
}

fn the_desk_takes_back(world: &World, busy: &mut BTreeSet<CommentId>) -> Option<Request> {
    let all = &world.told.given;
    let from = all.len().saturating_sub(3);
    let given = all.get(from + world.chance.below((all.len() - from).max(1)))?.clone();
    let doubt = world.told.undone(&given);
    if doubt.iter().any(|(id, _)| !busy.insert(*id)) {
        return None;
    }
    let (app, session) = (world.app(), session(world, &given.moderator));
    let ids: Vec<CommentId> = doubt.iter().map(|(id, _)| *id).collect();
    Some(request(world, &format!("rulings on {ids:?} are taken back"), doubt, async move {
        let records = desk::undo(&app, &session, given.batch).await.unwrap();
        heard(move |told| told.took_back(&given, &records))
    }))
}

fn somebody_objects(world: &mut World) {
    let Some((site, id)) = some_comment(world, &mut BTreeSet::new(), |_| true) else { return };
    let objecting = if world.chance.one_in(2) {
        Objecting::Report { reader: format!("reader {}", world.chance.below(20)), text: None }
    } else {
        Objecting::Appeal { text: "please look again".to_owned() }
    };
    world.say(&format!("{id}: {objecting:?}"));
    let app = world.app();
    let before = app.store.read().comment(&site, id).unwrap().unwrap();
    let standing = world.wait(object(&app, &app.config().sites[&site], id, objecting)).unwrap().unwrap();
    assert_eq!(standing.record.status, before.status, "an objection changes no status");
    if before.objected_at.is_none() && standing.record.objected_at.is_some() {
        world.shown.asked_again(id);
    }
}

fn a_peer_changes(world: &mut World) {
    let sites = sites(world);
    let said = world.peers.set_mood(&world.chance, &sites);
    world.say(&said);
}

/// Forward as after a sleep, or back as by a time server, or by hand.
fn the_clock_jumps(world: &mut World) {
    let longest = *world.chance.pick(&[1, 180, 40 * 60, 400 * 60].map(Duration::from_mins));
    let (now, by) = (world.now(), world.chance.up_to(longest));
    world.set_clock(if world.chance.one_in(2) { now.plus(by) } else { now.minus(by) });
}

fn a_moderator_pauses_or_resumes(world: &mut World) {
    let (app, id) = (world.app(), some_moderator(world));
    let is_on = world.chance.one_in(2);
    world.say(&format!("{id} {}", if is_on { "resumes" } else { "pauses" }));
    if is_on {
        mailbox::resume(&app, &id).unwrap();
    } else {
        mailbox::pause(&app, &app.config().moderators[&id], PausedBy::Link).unwrap();
    }
}

fn old_things_go(world: &mut World) {
    world.say("retention");
    let (app, now) = (world.app(), world.now());
    let before = lying(world);
    for site in app.config().sites.values() {
        while world.wait(retention::take_out(&app, site, now)).unwrap() {}
    }
    let left = lying(world);
    world.peers.given_up(before.into_iter().filter(|listed| !left.contains(listed)));
}

fn the_admin_sends_again(world: &mut World) {
    let lying = lying(world);
    world.peers.revive(&lying, world.passed);
    let retried = world.wait(retry::dead(&world.app(), None)).unwrap();
    world.say(&format!("what was given up is sent again: {retried:?}"));
}

fn somebody_is_forgotten(world: &mut World) {
    let Some((site, id)) = some_comment(world, &mut BTreeSet::new(), |_| true) else { return };
    world.say(&format!("{id} is forgotten"));
    world.wait(forget::forget(&world.app(), &site, vec![id], None, End::Here)).unwrap();
    world.told.forget(id);
}

pub fn digests_are_written(world: &mut World) {
    let made = digest::tick(&world.app()).unwrap();
    if made > 0 {
        world.say(&format!("{made} digests are written"));
    }
    digests_are_fair(world);
}

/// The trouble is over: peers are well, blogs send again what was not acknowledged, moderators get mail, and two days pass. In the end what is
/// old goes.
pub fn all_recover(world: &mut World) {
    world.say("all recover");
    world.peers.recover();
    world.pass(Duration::from_mins(1));
    attempts_end(world);
    world.judge_all();
    for index in 0..world.told.sent.len() {
        let sent = &world.told.sent[index];
        if sent.acknowledged.is_none() && !sent.is_forgotten {
            let request = send(world, index);
            world.ask(vec![request], Until::Answered);
        }
    }
    let app = world.app();
    app.config().moderators.keys().for_each(|id| _ = mailbox::resume(&app, id).unwrap());
    drop(app);
    for _ in 0..54 {
        world.pass(Duration::from_mins(55));
        world.judge_all();
        digests_are_written(world);
        the_admin_sends_again(world);
        outbox_ticks(world);
    }
    old_things_go(world);
}
