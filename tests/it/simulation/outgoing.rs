//! Blogs and mail servers, as the outbox meets them: well, down, busy, slow so that what they took is thought lost, or gone. They believe what they
//! heard last and know a repeat by its id. And the steps of the outbox, with all that may come between two of them.

use super::world::{Chance, World};
use hamlet::clock::Timestamp;
use hamlet::delivery::{Callback, Delivery, Listed, Mail, Outcome, Parcel, Webhook};
use hamlet::id::{CommentId, ModeratorId, ParcelId, SiteId};
use hamlet::outbox;
use hamlet::store::Shown;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Parcels carried side by side, by default.
const AT_ONCE_MAX: usize = 16;

/// The longest attempt, by default, and what its lease adds to it.
const TIMEOUT: Duration = Duration::from_secs(15);
const LEASE: Duration = Duration::from_secs(45);

/// How a peer answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Well,
    Down,
    /// It takes what comes, and its answer never arrives.
    Slow,
    /// It asks to be left alone for so long.
    Busy(Duration),
    /// It wants none, ever.
    Gone,
}

/// An attempt that has begun and of which the outbox has not heard.
struct UnderWay {
    delivery: Delivery,
    outcome: Outcome,
    since: Duration,
    leased_until: Timestamp,
}

#[derive(Default)]
pub struct Peers {
    blogs: BTreeMap<SiteId, Mood>,
    mail: Mood,
    /// From now on all answer at once, and every outcome is written down.
    are_well: bool,
    under_way: Vec<UnderWay>,
    /// When the outcome of one was last lost.
    lost: Duration,
    /// Every parcel that lay in the outbox, in the order that they were put in.
    written: BTreeMap<ParcelId, usize>,
    /// When each was last put off.
    put_off: BTreeMap<ParcelId, Duration>,
    /// What lies there again after it was given up: it leaves out of its turn.
    revived: BTreeSet<ParcelId>,
    /// What was heard, the first time each, by its comment.
    heard: BTreeMap<CommentId, Vec<ParcelId>>,
    /// What the blogs believe of each comment.
    pub believed: BTreeMap<CommentId, String>,
    /// What Akismet clients were called back with.
    pub called_back: BTreeMap<CommentId, bool>,
    /// Comments of which something was given up and then dropped, so that their blog may believe what it likes.
    pub unheard: BTreeSet<CommentId>,
    /// Links from mails, and whose they are.
    pub links: Vec<(ModeratorId, String)>,
}

impl Peers {
    pub fn set_mood(&mut self, chance: &Chance, sites: &[SiteId]) -> String {
        let moods = [Mood::Well, Mood::Well, Mood::Down, Mood::Slow, Mood::Busy(chance.up_to(Duration::from_mins(30))), Mood::Gone];
        let mood = *chance.pick(&moods);
        if chance.one_in(3) {
            self.mail = mood;
            return format!("the mail server is {mood:?}");
        }
        let site = chance.pick(sites).clone();
        let said = format!("the blog of {site} is {mood:?}");
        self.blogs.insert(site, mood);
        said
    }

    pub fn recover(&mut self) {
        self.blogs.clear();
        self.mail = Mood::Well;
        self.are_well = true;
    }

    /// The daemon died: of what was under way nobody will hear.
    pub fn let_go(&mut self) {
        self.under_way.clear();
    }

    /// An admin sent again what was given up.
    pub fn revive(&mut self, lying: &[Listed], passed: Duration) {
        for listed in lying.iter().filter(|listed| listed.dead) {
            self.revived.insert(listed.id);
            self.put_off.insert(listed.id, passed);
        }
    }

    /// Retention dropped what nobody had sent again.
    pub fn given_up(&mut self, dropped: impl Iterator<Item = Listed>) {
        for listed in dropped {
            assert!(listed.dead, "retention dropped what still waits: {listed:?}");
            if let Parcel::Webhook(Webhook { comment, .. }) | Parcel::Callback(Callback { comment, .. }) = listed.parcel {
                self.unheard.insert(comment);
            }
        }
    }

    fn observe(&mut self, lying: &[Listed], passed: Duration) {
        for listed in lying {
            let next = self.written.len();
            self.written.entry(listed.id).or_insert(next);
            self.put_off.entry(listed.id).or_insert(passed);
        }
    }

    /// A parcel leaves only when nothing of its lane lies before it, and nothing of it is under way.
    fn is_in_turn(&self, delivery: &Delivery, lying: &[Listed], now: Timestamp) {
        let first = lying.iter().find(|listed| !listed.dead && lane(&listed.parcel) == lane(&delivery.parcel));
        assert_eq!(first.map(|listed| listed.id), Some(delivery.id), "{delivery:?} leaves before its turn");
        let twice = self.under_way.iter().any(|under_way| under_way.delivery.id == delivery.id && under_way.leased_until > now);
        assert!(!twice, "{delivery:?} leaves although it is under way");
    }

    /// What the peer makes of an attempt.
    fn meet(&mut self, delivery: &Delivery) -> Outcome {
        let mood = match &delivery.parcel {
            Parcel::Mail(_) => self.mail,
            Parcel::Webhook(_) | Parcel::Callback(_) => self.blogs.get(&delivery.site).copied().unwrap_or_default(),
        };
        if matches!(mood, Mood::Well | Mood::Slow) {
            self.hear(delivery);
        }
        let reason = format!("{mood:?}");
        match (mood, &delivery.parcel) {
            (Mood::Well, _) => Outcome::Delivered,
            (Mood::Down | Mood::Slow, _) => Outcome::Retry { reason, after: None },
            (Mood::Busy(wait), _) => Outcome::Retry { reason, after: Some(wait) },
            (Mood::Gone, Parcel::Mail(_)) => Outcome::Bounced { reason },
            (Mood::Gone, Parcel::Webhook(_) | Parcel::Callback(_)) => Outcome::GiveUp { reason },
        }
    }

    fn hear(&mut self, delivery: &Delivery) {
        match &delivery.parcel {
            Parcel::Webhook(webhook) => {
                if self.is_news(webhook.comment, delivery.id) {
                    let event: Value = serde_json::from_str(&webhook.payload).unwrap();
                    if let Some(status) = event["data"]["status"].as_str() {
                        self.believed.insert(webhook.comment, status.to_owned());
                    }
                }
            }
            Parcel::Callback(callback) => {
                if self.is_news(callback.comment, delivery.id) {
                    self.called_back.insert(callback.comment, callback.is_spam);
                }
            }
            Parcel::Mail(_) => {}
        }
    }

    /// Whether it is no repeat; what is news comes in the order that it was written.
    fn is_news(&mut self, comment: CommentId, parcel: ParcelId) -> bool {
        let heard = self.heard.entry(comment).or_default();
        if heard.contains(&parcel) {
            return false;
        }
        let is_late = heard.last().is_some_and(|last| self.written[last] > self.written[&parcel]);
        assert!(!is_late || self.revived.contains(&parcel), "{parcel} of {comment} comes after what was written later");
        heard.push(parcel);
        true
    }
}

/// What leaves in order together.
fn lane(parcel: &Parcel) -> [u8; 16] {
    match parcel {
        Parcel::Webhook(webhook) => webhook.comment.bytes(),
        Parcel::Callback(callback) => callback.comment.bytes(),
        Parcel::Mail(mail) => mail.digest.bytes(),
    }
}

/// All that lies in the outbox, in the order that it was put in.
pub fn lying(world: &World) -> Vec<Listed> {
    world.daemon().app.store.read().outbox(&Shown { limit: usize::MAX >> 1, ..Shown::default() }).unwrap()
}

/// The outbox carries what is due. Some attempts take a while, and of some the outcome is never written down.
pub fn outbox_ticks(world: &mut World) {
    world.notices_clock();
    let left = loop {
        let (app, lying) = (world.app(), lying(world));
        world.peers.observe(&lying, world.passed);
        let claimed = world.wait(outbox::claim(&app, AT_ONCE_MAX.saturating_sub(world.peers.under_way.len())));
        if claimed.is_empty() {
            break lying;
        }
        for delivery in claimed {
            world.peers.is_in_turn(&delivery, &lying, world.now());
            carry(world, delivery);
        }
    };
    nothing_is_put_off_too_long(world, &left);
}

fn carry(world: &mut World, mut delivery: Delivery) {
    let app = world.app();
    let outcome = match world.wait(outbox::freshen(&app, &mut delivery)) {
        Some(outcome) => outcome,
        None => attempt(world, &delivery),
    };
    let under_way = UnderWay { delivery, outcome, since: world.passed, leased_until: world.now().plus(LEASE) };
    // Few, so that the outbox never has its hands full and everything that is due leaves at once.
    match world.chance.below(20) {
        _ if world.peers.are_well => settle(world, under_way),
        0 if world.since(world.peers.lost) >= LEASE => lose(world, &under_way),
        1..8 if world.peers.under_way.len() < 4 => world.peers.under_way.push(under_way),
        _ => settle(world, under_way),
    }
}

fn attempt(world: &mut World, delivery: &Delivery) -> Outcome {
    if let Parcel::Mail(mail @ Mail { list: Some(_), .. }) = &delivery.parcel {
        let reader = world.daemon().app.store.read();
        let digest = reader.digest(mail.digest).unwrap().expect("a digest that was forgotten does not leave");
        let mailbox = reader.mailbox(&digest.moderator).unwrap();
        assert_eq!(mailbox.paused, None, "a digest leaves for {}, who is paused", digest.moderator);
        world.peers.links.extend(token(&mail.text).map(|token| (digest.moderator, token)));
    }
    let outcome = world.peers.meet(delivery);
    world.say(&format!("attempt {} of {} on {}: {outcome:?}", delivery.attempt, delivery.id, about(&delivery.parcel)));
    outcome
}

fn about(parcel: &Parcel) -> String {
    match parcel {
        Parcel::Webhook(webhook) => format!("{}: {}", webhook.comment, webhook.payload),
        Parcel::Callback(callback) => format!("{}: spam {}", callback.comment, callback.is_spam),
        Parcel::Mail(mail) => format!("digest {}: {}", mail.digest, mail.subject),
    }
}

/// Of the link in a mail that leads to its page.
fn token(text: &str) -> Option<String> {
    let (_, behind) = text.split_once("https://hamlet.example/d/")?;
    behind.split(|c: char| c == '?' || c.is_whitespace()).next().map(str::to_owned)
}

/// The store could not write it down: whoever comes after the lease tries again.
fn lose(world: &mut World, under_way: &UnderWay) {
    world.say(&format!("the outcome of {} is lost", under_way.delivery.id));
    world.peers.lost = world.passed;
    world.peers.put_off.insert(under_way.delivery.id, world.passed);
}

fn settle(world: &mut World, under_way: UnderWay) {
    let (app, id) = (world.app(), under_way.delivery.id);
    world.wait(outbox::settle(&app, under_way.delivery, under_way.outcome));
    world.peers.put_off.insert(id, world.passed);
}

/// Attempts that were under way come to their end: some now, and none takes longer than it may.
pub fn attempts_end(world: &mut World) {
    for under_way in std::mem::take(&mut world.peers.under_way) {
        if world.since(under_way.since) >= TIMEOUT || world.chance.one_in(2) {
            settle(world, under_way);
        } else {
            world.peers.under_way.push(under_way);
        }
    }
}

/// Whoever waits for nobody but the schedule waits no longer than that says, whatever became of the clock.
fn nothing_is_put_off_too_long(world: &World, left: &[Listed]) {
    let config = world.daemon().app.config();
    let longest = config.outbox.retry_max.max(config.review.undo);
    let (peers, mut lanes) = (&world.peers, BTreeSet::new());
    for listed in left.iter().filter(|listed| !listed.dead) {
        let is_under_way = peers.under_way.iter().any(|under_way| under_way.delivery.id == listed.id);
        if !lanes.insert(lane(&listed.parcel)) || is_under_way {
            continue;
        }
        let waited = world.since(peers.put_off[&listed.id].max(world.set_back));
        assert!(waited <= longest, "{} waits for {waited:?}: {listed:?}", listed.id);
    }
}
