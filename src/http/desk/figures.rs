//! The figures at the desk: a site of the moderator, and so many days.

use super::session::AtDesk;
use super::shown;
use crate::config::Thresholds;
use crate::flow::App;
use crate::flow::accounts::Session;
use crate::flow::figures::{self, Days};
use crate::store::StoreError;
use crate::view::{FiguresPage, Mails, Oldest, Promise, SiteTab, Tab, Work};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    site: Option<String>,
    days: Option<u32>,
}

/// What a moderator's site brought. A site that is none of theirs is the first of theirs.
pub async fn show(State(app): State<Arc<App>>, desk: AtDesk, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    super::answer(shown(&app, &desk.0, &asked))
}

fn shown(app: &App, session: &Session, asked: &Asked) -> Result<Response, StoreError> {
    let (now, config) = (app.clock.now(), app.config());
    let sites: Vec<_> = session.sites.iter().filter_map(|site| config.sites.get(site)).collect();
    let paths: Vec<String> = sites.iter().map(|site| format!("/desk/figures?site={}", site.id)).collect();
    let tabs: Vec<SiteTab<'_>> = sites.iter().zip(&paths).map(|(site, path)| SiteTab { name: &site.name, path }).collect();
    let at = sites.iter().position(|site| Some(site.id.as_str()) == asked.site.as_deref()).unwrap_or(0);
    let (Some(site), Some(tab)) = (sites.get(at), tabs.get(at)) else { return Ok(super::nowhere()) };
    let frame = shown::frame(app, session, Tab::Figures)?;
    let counted = figures::count(app.store.read(), &site.id, Days::of(asked.days), now)?;
    let waits = app.store.read().waits(&site.id, now)?;
    let terms = app.desk.promises.of(&app.shelf, site);
    let groups = frame.groups.get(&site.id).map(|groups| groups.all.as_slice()).unwrap_or_default();
    let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let oldest: Vec<Oldest<'_>> =
        counted.oldest.iter().map(|record| Oldest { comment: &record.comment, is_covered: shown::is_covered(record) }).collect();
    let page = FiguresPage {
        frame: frame.as_view(),
        site: *tab,
        sites: &tabs,
        now,
        days: &counted.days,
        heaps: &counted.heaps,
        work: Work {
            waited: &counted.work.waited,
            rulings: counted.work.rulings,
            undone: counted.work.undone,
            presses: counted.work.presses,
            together: counted.work.together,
            waiting: wide(waits.comments),
            campaigns: wide(groups.len()),
            alike: wide(groups.iter().map(|group| group.numbers.len()).sum()),
        },
        oldest: &oldest,
        agreement: &counted.agreement,
        second_looks: counted.second_looks,
        budget: match (site.thresholds, &terms) {
            (Thresholds::Fixed, _) => Promise::Fixed,
            (Thresholds::Budget, Some(terms)) => Promise::Measured(terms),
            (Thresholds::Budget, None) => Promise::Unmeasured,
        },
        reasons: &counted.reasons,
        held_read: counted.held_read,
        mails: Mails {
            digests: counted.mails.digests,
            last_digest: counted.mails.last_digest,
            waiting: counted.mails.waiting,
            given_up: counted.mails.given_up,
            last_error: counted.mails.last_error.as_deref(),
        },
    };
    Ok(super::page(StatusCode::OK, page.render()))
}
