//! From records to pages of the desk: what stands in the list, in the middle and beside it.

use super::asked::Looking;
use crate::clock::Timestamp;
use crate::config::{Site, Thresholds};
use crate::decision::{Objection, Status};
use crate::flow::accounts::Session;
use crate::flow::desk::{self, Group, Groups, ROWS_MAX, Stretch};
use crate::flow::{App, digest, mailbox};
use crate::http::page::read;
use crate::id::{CommentId, ModeratorId, SiteId};
use crate::store::{Act, Earlier, Given, Objected, PausedBy, Record, StoreError, Waits, Way, What};
use crate::view::{
    Alike, Automatic, Before, Claim, DeskNotice, DeskPage, DeskSaid, Frame, List, MailsOff, OnDesk, Past, RestPage, Row, Ruled, Seal, Tab,
    Toast, WhyOff,
};
use axum::http::StatusCode;
use axum::response::Response;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Whether the author's address stands in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    Masked,
    Address,
}

/// So many comments within ten minutes are a flood: four a minute is more than any one person decides.
const FLOOD_MIN: usize = 40;
const FLOOD_SPAN: Duration = Duration::from_mins(10);
/// A larger flood is told as so many.
const FLOOD_MAX: usize = 5_000;

/// Stretches of the list that are read in search of something that is no copy: a flood of them must not cost a second.
const STRETCHES_MAX: usize = 20;

/// Automatic decisions that the day's end draws.
const TODAY_MAX: usize = 400;
/// The last comments among which they are looked for.
pub const AUTOMATIC_WINDOW: usize = 20_000;

/// A list whose name begins so covers what it finds.
const COVERING_LIST: &str = "list:abuse";

/// The frame of a session, owned.
pub struct OwnFrame {
    name: String,
    pub csrf: String,
    tab: Tab,
    pub waits: Waits,
    /// The near-copies that wait on each site.
    pub groups: SiteGroups,
    seal: Seal,
    mails_off: Option<OwnMailsOff>,
}

/// Since when and why the moderator gets no mails, and who gets them all the same.
struct OwnMailsOff {
    since: Timestamp,
    why: WhyOff,
    others: Vec<String>,
    now: Timestamp,
}

impl OwnFrame {
    pub fn as_view(&self) -> Frame<'_> {
        let campaigns = self.groups.values().map(|groups| groups.all.len()).sum();
        let (moderator_name, csrf, waiting) = (self.name.as_str(), self.csrf.as_str(), self.waits.comments);
        Frame {
            moderator_name,
            csrf,
            tab: self.tab,
            waiting,
            campaigns,
            seal: self.seal,
            mails_off: self.mails_off.as_ref().map(OwnMailsOff::as_view),
        }
    }

    /// The group that a comment is in.
    fn group(&self, record: &Record) -> Option<&Group> {
        group(&self.groups, record)
    }
}

pub fn frame(app: &App, session: &Session, tab: Tab) -> Result<OwnFrame, StoreError> {
    let groups = groups(app, session)?;
    let (name, csrf) = (session.moderator.name.clone(), session.token.csrf());
    let (waits, seal, mails_off) = (desk::waits(app, session)?, seal(app, session), mails_off(app, session)?);
    Ok(OwnFrame { name, csrf, tab, waits, groups, seal, mails_off })
}

impl OwnMailsOff {
    fn as_view(&self) -> MailsOff<'_> {
        MailsOff { why: self.why, since: self.since, now: self.now, others: &self.others }
    }
}

fn mails_off(app: &App, session: &Session) -> Result<Option<OwnMailsOff>, StoreError> {
    let (config, own) = (app.config(), &session.moderator.id);
    let Some((since, by)) = app.store.read().mailbox(own)?.paused else { return Ok(None) };
    let why = match by {
        PausedBy::Link | PausedBy::Desk => WhyOff::Own,
        PausedBy::Cli => WhyOff::Admin,
        PausedBy::Bounces => WhyOff::Bounces,
    };
    let mut others = BTreeSet::new();
    for site in session.sites.iter().filter_map(|site| config.sites.get(site)) {
        others.extend(mailbox::active(&config, app.store.read(), site)?.into_iter().map(|other| other.name.clone()));
    }
    Ok(Some(OwnMailsOff { since, why, others: others.into_iter().collect(), now: app.clock.now() }))
}

/// What the budgets of the moderator's sites have in common.
fn seal(app: &App, session: &Session) -> Seal {
    let config = app.config();
    let bound = |site: &Site| {
        let terms = app.desk.promises.of(&app.shelf, site).filter(|_| site.thresholds == Thresholds::Budget)?;
        Some(terms.certificate()?.bounds.spam_published_max)
    };
    let bounds: Option<Vec<f64>> = session.sites.iter().filter_map(|site| config.sites.get(site)).map(|site| bound(site)).collect();
    match bounds.filter(|bounds| !bounds.is_empty()) {
        Some(bounds) => Seal::Certified { spam_published_max: bounds.into_iter().fold(0.0, f64::max) },
        None => Seal::NotCertified,
    }
}

pub fn name_of(app: &App, moderator: &ModeratorId) -> String {
    app.config().moderators.get(moderator).map_or_else(|| moderator.to_string(), |moderator| moderator.name.clone())
}

/// `/desk/`: the first that waits and passes the search, or the day's end.
pub fn first(app: &App, session: &Session, looking: &Looking) -> Result<Response, StoreError> {
    let first = desk::waiting(app, session, &looking.filter(), Way::Later(0), 1)?;
    match first.records.first() {
        Some(record) => item(app, session, record, (StatusCode::OK, looking.notice()), looking, Beside::Masked),
        None => rest(app, session, looking, first.is_cut.then_some(desk::SEARCHED_MAX)),
    }
}

fn rest(app: &App, session: &Session, looking: &Looking, searched: Option<usize>) -> Result<Response, StoreError> {
    let (frame, now) = (frame(app, session, Tab::Review)?, app.clock.now());
    let mut today = Vec::new();
    for site in &session.sites {
        today.extend(app.store.read().automatic(site, i64::MAX, (TODAY_MAX, AUTOMATIC_WINDOW))?);
    }
    today.retain(|record| now.since(record.comment.received_at) < Duration::from_hours(24));
    let today: Vec<Automatic<'_>> = today.iter().filter_map(automatic).collect();
    let given = given(app, looking)?;
    let toast = given.as_ref().map(|(batch, given)| toast(app, (batch, given), &frame.csrf, now));
    let (query, undone) = (looking.query(), looking.undone.unwrap_or(0));
    Ok(super::page(StatusCode::OK, RestPage { frame: frame.as_view(), today: &today, query, searched, toast, undone }.render()))
}

pub fn automatic(record: &Record) -> Option<Automatic<'_>> {
    Some(Automatic { comment: &record.comment, decision: record.decision.as_ref()?, status: record.status })
}

/// What was ruled just now and can still be taken back before the blog hears of it; a webhook that has left is set right all the same.
fn given<'a>(app: &App, looking: &'a Looking) -> Result<Option<(&'a str, Given)>, StoreError> {
    let Some((text, batch)) = looking.done.as_deref().and_then(|text| Some((text, read(text)?))) else { return Ok(None) };
    let given = app.store.read().given(batch)?;
    Ok(given.filter(|given| given.stands).map(|given| (text, given)))
}

pub fn toast<'a>(app: &App, (batch, given): (&'a str, &'a Given), csrf: &'a str, now: Timestamp) -> Toast<'a> {
    Toast {
        ruling: given.ruling,
        comments: given.comments,
        name: given.first.comment.author.name.as_deref().unwrap_or("no name"),
        batch,
        csrf,
        seconds: app.config().review.undo.saturating_sub(now.since(given.at)).as_secs(),
    }
}

/// The toast of a page, owned.
pub fn just_given<'a>(app: &App, looking: &'a Looking) -> Result<Option<(&'a str, Given)>, StoreError> {
    given(app, looking)
}

/// The comment that comes after one in the list, where its link leads too; from the beginning after the last.
pub fn after(app: &App, session: &Session, record: &Record, looking: &Looking) -> Result<Option<CommentId>, StoreError> {
    let groups = groups(app, session)?;
    let stretch = stretch(app, session, &groups, record, looking)?;
    if let Some(next) = stretch.records.iter().find(|other| other.seq > record.seq) {
        return Ok(Some(next.comment.id));
    }
    let first = desk::waiting(app, session, &looking.filter(), Way::Later(0), 2)?;
    Ok(first.records.iter().find(|other| other.seq != record.seq).map(|other| other.comment.id))
}

/// Shows the address in full, and writes down that it was shown.
pub async fn with_address(app: &App, session: &Session, record: &Record) -> Result<Response, StoreError> {
    let act = Act {
        at: app.clock.now(),
        who: Some(session.moderator.id.clone()),
        what: What::AddressShown,
        comment: Some(record.comment.id),
        site: Some(record.comment.site.clone()),
    };
    app.store.act(act).done().await?;
    item(app, session, record, (StatusCode::OK, None), &Looking::default(), Beside::Address)
}

/// The near-copies that wait on each site of a session.
type SiteGroups = BTreeMap<SiteId, Arc<Groups>>;

fn groups(app: &App, session: &Session) -> Result<SiteGroups, StoreError> {
    session.sites.iter().map(|site| Ok((site.clone(), desk::groups(app, site)?))).collect()
}

fn group<'a>(groups: &'a SiteGroups, record: &Record) -> Option<&'a Group> {
    groups.get(&record.comment.site)?.of(record.seq)
}

/// The rows around a comment: it and what comes after, and above it what came just before. Of near-copies the first stands for all.
fn stretch(app: &App, session: &Session, groups: &SiteGroups, record: &Record, looking: &Looking) -> Result<Stretch, StoreError> {
    let own = group(groups, record).map(|group| group.id);
    let mut seen: BTreeSet<_> = own.into_iter().collect();
    let mut is_new = |other: &Record| other.seq == record.seq || group(groups, other).is_none_or(|group| seen.insert(group.id));
    let filter = looking.filter();
    let mut records = desk::waiting(app, session, &filter, Way::Earlier(record.seq), ROWS_MAX / 5)?.records;
    records.retain(&mut is_new);
    records.reverse();
    let (mut from, mut is_cut) = (record.seq - 1, false);
    for _ in 0..STRETCHES_MAX {
        let below = desk::waiting(app, session, &filter, Way::Later(from), ROWS_MAX)?;
        let is_last = below.records.len() < ROWS_MAX;
        from = below.records.last().map_or(from, |last| last.seq);
        is_cut = below.is_cut;
        records.extend(below.records.into_iter().filter(&mut is_new));
        if is_last || records.len() >= ROWS_MAX {
            break;
        }
    }
    records.truncate(ROWS_MAX);
    Ok(Stretch { records, is_cut })
}

fn path(id: CommentId, looking: &Looking) -> String {
    let query = looking.q.as_deref().filter(|query| !query.is_empty());
    let query = query.map(|query| format!("?q={}", percent_encoding::utf8_percent_encode(query, percent_encoding::NON_ALPHANUMERIC)));
    format!("/desk/c/{id}{}", query.unwrap_or_default())
}

pub fn is_covered(record: &Record) -> bool {
    let found = |decision: &crate::decision::Decision| decision.findings.iter().any(|finding| finding.code.starts_with(COVERING_LIST));
    record.decision.as_ref().is_some_and(found)
}

fn row<'a>(frame: &OwnFrame, record: &'a Record, current: i64, claimed_by: Option<&'a str>) -> Row<'a> {
    Row {
        comment: &record.comment,
        decision: record.decision.as_ref(),
        is_check: record.status != Status::Held && record.objected_at.is_none(),
        is_current: record.seq == current,
        alike: frame.group(record).map_or(0, |group| group.numbers.len()),
        claimed_by,
        is_covered: is_covered(record),
        objection: [Objection::Report, Objection::Appeal]
            .into_iter()
            .find(|objection| record.objected_at.is_some() && objection.is_against(record.status)),
    }
}

/// The page of one comment.
pub fn item(
    app: &App,
    session: &Session,
    record: &Record,
    (status, notice): (StatusCode, Option<DeskNotice<'_>>),
    looking: &Looking,
    beside: Beside,
) -> Result<Response, StoreError> {
    let (now, frame) = (app.clock.now(), frame(app, session, Tab::Review)?);
    let stretch = stretch(app, session, &frame.groups, record, looking)?;
    let others = |other: &Record| app.desk.claims.of(other.comment.id, now).filter(|(owner, _)| *owner != session.moderator.id);
    let claims: Vec<Option<String>> = stretch.records.iter().map(|other| others(other).map(|(owner, _)| name_of(app, &owner))).collect();
    let rows = stretch.records.iter().zip(&claims);
    let rows: Vec<Row<'_>> = rows.map(|(other, claim)| row(&frame, other, record.seq, claim.as_deref())).collect();
    let list = List {
        rows: &rows,
        waiting: frame.waits.comments,
        oldest: frame.waits.oldest,
        query: looking.query(),
        is_cut: stretch.is_cut,
        flood: flood(app, session, now)?,
        now,
    };
    let found = Found::of(app, session, &frame, record)?;
    let (past, similar, objections, edits) = (found.past(), found.similar(), found.objections(), found.edits());
    let single = [record.clone()];
    let Some(shown) = digest::items(app.store.read(), &single, now)?.into_iter().next() else { return Ok(super::nowhere()) };
    let (next, previous) = neighbours(&stretch, record.seq, looking);
    let item = OnDesk {
        item: shown,
        version: record.version,
        next: next.as_deref(),
        previous: previous.as_deref(),
        place: found.place,
        site_name: found.site_name.as_deref(),
        past: &past,
        similar: &similar,
        objections: &objections,
        edits: &edits,
        group: found.group.as_ref().map(|(size, path)| (*size, path.as_str())),
        claim: found.claim(session),
        address: record.comment.author.email.as_deref().filter(|_| beside == Beside::Address),
        is_covered: is_covered(record),
        is_second_look: found.is_second_look,
    };
    let given = given(app, looking)?;
    let toast = given.as_ref().map(|(batch, given)| toast(app, (batch, given), &frame.csrf, now));
    Ok(super::page(status, DeskPage { frame: frame.as_view(), list, item, notice, toast, now }.render()))
}

/// What stands beside a comment, read for it.
struct Found {
    past: Vec<Record>,
    similar: Vec<desk::Similar>,
    objections: Vec<Objected>,
    earlier: Vec<Earlier>,
    is_second_look: bool,
    place: Option<(usize, usize)>,
    group: Option<(usize, String)>,
    site_name: Option<String>,
    /// Whose it is, by id and by name, and until when.
    claim: Option<(ModeratorId, String, Timestamp)>,
}

impl Found {
    fn of(app: &App, session: &Session, frame: &OwnFrame, record: &Record) -> Result<Self, StoreError> {
        let now = app.clock.now();
        let is_second_look = app.store.read().is_second_look(record.seq, now)?;
        let waits = record.waits() || is_second_look;
        let place = if waits { Some((desk::place(app, session, record.seq)?, frame.waits.comments.max(1))) } else { None };
        let path = |group: &Group| format!("/desk/campaigns/{}/{}", record.comment.site, group.id);
        let claim = app.desk.claims.of(record.comment.id, now);
        let (objections, earlier) = desk::said(app, record)?;
        Ok(Self {
            objections,
            earlier,
            past: desk::by_author(app, record)?,
            similar: desk::similar(app, record)?,
            is_second_look,
            place,
            group: frame.group(record).map(|group| (group.numbers.len(), path(group))),
            site_name: site_name(app, session, record),
            claim: claim.map(|(owner, until)| (owner.clone(), name_of(app, &owner), until)),
        })
    }

    fn past(&self) -> Vec<Past<'_>> {
        self.past.iter().map(|past| Past { comment: &past.comment, status: past.status }).collect()
    }

    fn similar(&self) -> Vec<Alike<'_>> {
        self.similar.iter().filter_map(alike).collect()
    }

    fn objections(&self) -> Vec<DeskSaid<'_>> {
        self.objections.iter().map(|one| DeskSaid { objection: one.objection, text: one.text.as_deref(), at: one.at }).collect()
    }

    fn edits(&self) -> Vec<Before<'_>> {
        self.earlier
            .iter()
            .map(|one| Before { name: one.name.as_deref().unwrap_or("no name"), body: &one.body, until: one.until })
            .collect()
    }

    fn claim(&self, session: &Session) -> Claim<'_> {
        match &self.claim {
            Some((owner, _, until)) if *owner == session.moderator.id => Claim::Own { until: *until },
            Some((_, name, until)) => Claim::Other { name, until: *until },
            None => Claim::Free,
        }
    }
}

/// The comments of a stretch after and before one, as paths.
fn neighbours(stretch: &Stretch, seq: i64, looking: &Looking) -> (Option<String>, Option<String>) {
    let next = stretch.records.iter().find(|other| other.seq > seq);
    let previous = stretch.records.iter().rev().find(|other| other.seq < seq);
    let to = |record: Option<&Record>| record.map(|record| path(record.comment.id, looking));
    (to(next), to(previous))
}

fn alike(similar: &desk::Similar) -> Option<Alike<'_>> {
    let ruled = similar.record.ruled.as_ref()?;
    let ruled = Ruled { ruling: ruled.ruling, by: &ruled.by, at: ruled.at };
    Some(Alike { comment: &similar.record.comment, ruled, like: similar.like })
}

/// The site's name, for those who have several.
fn site_name(app: &App, session: &Session, record: &Record) -> Option<String> {
    let config = app.config();
    let site = config.sites.get(&record.comment.site).filter(|_| session.sites.len() > 1)?;
    Some(site.name.clone())
}

fn flood(app: &App, session: &Session, now: Timestamp) -> Result<Option<usize>, StoreError> {
    let mut came = 0;
    for site in &session.sites {
        came += app.store.read().came_since(site, now.minus(FLOOD_SPAN), FLOOD_MAX)?;
    }
    Ok((came >= FLOOD_MIN).then_some(came))
}
