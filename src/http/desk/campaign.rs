//! Campaigns and the audit at the desk.

use super::asked::{Looking, Sent};
use super::session::{AtDesk, see_other};
use super::shown::{self, AUTOMATIC_WINDOW};
use crate::comment::Shared;
use crate::decision::Ruling;
use crate::flow::App;
use crate::flow::accounts::Session;
use crate::flow::desk::{self, Asked, PUBLISH_TOGETHER_MAX};
use crate::http::page::written;
use crate::id::{CampaignId, CommentId, SiteId};
use crate::store::{Record, StoreError};
use crate::view::{AuditPage, Automatic, CampaignMember, CampaignPage, CampaignSay, GroupRow, OpenGroup, Tab, Which};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

/// Comments of one campaign on a page: what a person looks over, and a page of 100 KB.
const MEMBERS_MAX: usize = 200;
/// Campaigns in the list.
const GROUPS_MAX: usize = 50;
/// Rows of the audit.
const AUDIT_ROWS: usize = 50;

type Named = Result<Path<(String, String)>, PathRejection>;
pub async fn show(State(app): State<Arc<App>>, desk: AtDesk, looking: Looking) -> Response {
    super::answer(render(&app, &desk.0, None, (StatusCode::OK, looking.campaign_say()), &looking))
}

pub async fn show_one(State(app): State<Arc<App>>, desk: AtDesk, named: Named, looking: Looking) -> Response {
    super::answer(render(&app, &desk.0, parsed(named), (StatusCode::OK, looking.campaign_say()), &looking))
}

fn parsed(named: Named) -> Option<(SiteId, CampaignId)> {
    let Path((site, id)) = named.ok()?;
    Some((SiteId::new(site), CampaignId(u64::from_str_radix(&id, 16).ok()?)))
}

/// Rules on exactly what was shown and ticked.
pub async fn rule(State(app): State<Arc<App>>, desk: AtDesk, named: Named, sent: Sent) -> Response {
    let open = parsed(named);
    let refused = |status, say| super::answer(render(&app, &desk.0, open.clone(), (status, Some(say)), &Looking::default()));
    let pressed = sent.by(&desk).and_then(|fields| Some((Ruling::parse(fields.get("ruling"))?, fields)));
    let Some((ruling, fields)) = pressed else { return refused(StatusCode::FORBIDDEN, CampaignSay::NotTaken) };
    let asked: Vec<Asked> = fields.all("v").filter_map(asked).take(MEMBERS_MAX).collect();
    if asked.is_empty() {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, CampaignSay::NothingTicked);
    }
    if ruling == Ruling::Publish && asked.len() > PUBLISH_TOGETHER_MAX {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, CampaignSay::TooManyToPublish { max: PUBLISH_TOGETHER_MAX });
    }
    super::answer(match desk::rule(&app, &desk.0, &asked, ruling).await {
        Ok(done) if done.missed.is_empty() => Ok(see_other(&format!("/desk/campaigns?done={}", written(done.batch)))),
        Ok(done) => {
            let looking = Looking { done: Some(written(done.batch)), ..Looking::default() };
            let say = CampaignSay::Missed { taken: done.taken.len(), missed: done.missed.len() };
            render(&app, &desk.0, None, (StatusCode::CONFLICT, Some(say)), &looking)
        }
        Err(error) => Err(error),
    })
}

/// `ID.VERSION`, as a box on the page has it.
fn asked(value: &str) -> Option<Asked> {
    let (comment, version) = value.split_once('.')?;
    Some(Asked { comment: comment.parse::<CommentId>().ok()?, version: version.parse().ok()? })
}

/// One group as the list has it.
struct Listed {
    path: String,
    site: SiteId,
    id: CampaignId,
    shared: Shared,
    numbers: Vec<i64>,
    first: Record,
}

fn listed(app: &App, session: &Session) -> Result<Vec<Listed>, StoreError> {
    let mut all = Vec::new();
    for site in &session.sites {
        for group in desk::groups(app, site)?.all.iter().take(GROUPS_MAX) {
            let oldest = group.numbers.get(..1).unwrap_or_default();
            let Some(first) = app.store.read().numbered(site, oldest)?.pop() else { continue };
            let path = format!("/desk/campaigns/{site}/{}", group.id);
            all.push(Listed { path, site: site.clone(), id: group.id, shared: group.shared, numbers: group.numbers.clone(), first });
        }
    }
    all.sort_by_key(|listed| std::cmp::Reverse(listed.numbers.len()));
    all.truncate(GROUPS_MAX);
    Ok(all)
}

fn render(
    app: &App,
    session: &Session,
    open: Option<(SiteId, CampaignId)>,
    (status, say): (StatusCode, Option<CampaignSay>),
    looking: &Looking,
) -> Result<Response, StoreError> {
    let (now, frame) = (app.clock.now(), shown::frame(app, session, Tab::Campaigns)?);
    let listed = listed(app, session)?;
    let at = open.and_then(|(site, id)| listed.iter().position(|listed| listed.site == site && listed.id == id)).unwrap_or(0);
    let current = listed.get(at);
    let numbers = current.map(|current| current.numbers.get(..MEMBERS_MAX).unwrap_or(&current.numbers));
    let records = match (current, numbers) {
        (Some(current), Some(numbers)) => app.store.read().numbered(&current.site, numbers)?,
        _ => Vec::new(),
    };
    let members: Vec<CampaignMember<'_>> =
        records.iter().map(|record| CampaignMember { comment: &record.comment, version: record.version }).collect();
    let groups: Vec<GroupRow<'_>> = listed.iter().enumerate().map(|(index, listed)| row(listed, index == at)).collect();
    let open = current.map(|current| OpenGroup {
        path: &current.path,
        shared: match current.shared {
            Shared::Text => "one text",
            Shared::Link => "one link",
            Shared::Phone => "one phone number",
            Shared::Mail => "one mail address",
            Shared::Name => "one contact name",
            Shared::Code => "one code",
        },
        members: &members,
        size: current.numbers.len(),
        decision: records.first().and_then(|record| record.decision.as_ref()),
        next: listed.get(at + 1).map(|next| next.path.as_str()),
        publish_max: PUBLISH_TOGETHER_MAX,
    });
    let given = shown::just_given(app, looking)?;
    let toast = given.as_ref().map(|(batch, given)| shown::toast(app, (batch, given), &frame.csrf, now));
    Ok(super::page(status, CampaignPage { frame: frame.as_view(), groups: &groups, open, say, toast, now }.render()))
}

fn row(listed: &Listed, is_current: bool) -> GroupRow<'_> {
    GroupRow {
        path: &listed.path,
        first: &listed.first.comment,
        band: listed.first.decision.as_ref().map(|decision| decision.band),
        size: listed.numbers.len(),
        is_current,
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct Looked {
    near: Option<String>,
    before: Option<i64>,
}

/// What was decided without a person.
pub async fn audit(State(app): State<Arc<App>>, desk: AtDesk, query: Result<Query<Looked>, QueryRejection>) -> Response {
    let Looked { near, before } = query.map(|Query(query)| query).unwrap_or_default();
    let which = if near.is_some() { Which::NearTheLine } else { Which::All };
    super::answer(audited(&app, &desk.0, which, before.unwrap_or(i64::MAX)))
}

fn audited(app: &App, session: &Session, which: Which, before: i64) -> Result<Response, StoreError> {
    let frame = shown::frame(app, session, Tab::Audit)?;
    // What is near the line is few among many.
    let looked = if which == Which::NearTheLine { AUDIT_ROWS * 20 } else { AUDIT_ROWS };
    let (mut records, mut looks) = (Vec::new(), (0, 0));
    for site in &session.sites {
        records.extend(app.store.read().automatic(site, before, (looked, AUTOMATIC_WINDOW))?);
        let second = app.store.read().second_looks(site)?;
        looks = (looks.0 + second.answered, looks.1 + second.differing);
    }
    records.sort_by_key(|record| std::cmp::Reverse(record.seq));
    records.truncate(looked);
    let last = records.last().filter(|_| records.len() == looked).map(|record| record.seq);
    let rows = records.iter().filter_map(shown::automatic);
    let rows: Vec<Automatic<'_>> = rows.filter(|row| which == Which::All || row.is_near_the_line()).take(AUDIT_ROWS).collect();
    let near = if which == Which::NearTheLine { "near=1&" } else { "" };
    let earlier = last.map(|last| format!("/desk/audit?{near}before={last}"));
    let page =
        AuditPage { frame: frame.as_view(), rows: &rows, which, earlier: earlier.as_deref(), second_looks: looks, now: app.clock.now() };
    Ok(super::page(StatusCode::OK, page.render()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticked_box_names_a_comment_and_its_version() {
        let id = "019ab3c0-7a51-7c1e-8f00-2b6f0f6a9d11";
        assert_eq!(asked(&format!("{id}.3")), Some(Asked { comment: id.parse().unwrap(), version: 3 }));
        for bad in ["", id, "x.1", &format!("{id}.-1"), &format!("{id}.")] {
            assert_eq!(asked(bad), None, "{bad}");
        }
    }
}
