//! What a request at the desk asks: which comment, what is looked at, and a form, which counts only if it is of a page of ours and of this very
//! session.

use super::session::AtDesk;
use crate::flow::App;
use crate::flow::desk::{self, Filter};
use crate::http::page::{self, Fields};
use crate::store::Record;
use crate::view::{CampaignSay, DeskNotice};
use axum::extract::{Form, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;

/// Somebody at the comment of the path. There is none for an id that is none, or is of no site of theirs.
pub struct AtComment {
    pub desk: AtDesk,
    pub record: Record,
}

impl FromRequestParts<Arc<App>> for AtComment {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let desk = AtDesk::from_request_parts(parts, app).await?;
        let id = Path::<String>::from_request_parts(parts, app).await.ok().and_then(|Path(id)| id.parse().ok());
        match id.map(|id| desk::comment(app, &desk.0, id)).transpose() {
            Ok(found) => found.flatten().map(|record| Self { desk, record }).ok_or_else(super::nowhere),
            Err(error) => Err(super::answer(Err(error))),
        }
    }
}

/// What a page is asked to show beside the comment. A query that says nothing of the kind is none.
#[derive(Debug, Default, Deserialize)]
pub struct Looking {
    /// The search.
    pub q: Option<String>,
    /// What was just ruled.
    pub done: Option<String>,
    /// So many rulings were just taken back.
    pub undone: Option<usize>,
}

impl FromRequestParts<Arc<App>> for Looking {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Query::from_request_parts(parts, app).await.map(|Query(looking)| looking).unwrap_or_default())
    }
}

impl Looking {
    pub fn query(&self) -> &str {
        self.q.as_deref().unwrap_or("")
    }

    pub fn filter(&self) -> Filter {
        Filter::parse(self.query())
    }

    /// What one comment's page says after an undo.
    pub fn notice(&self) -> Option<DeskNotice<'static>> {
        self.undone.map(|undone| if undone > 0 { DeskNotice::Undone } else { DeskNotice::NothingToUndo })
    }

    /// And the campaigns' page.
    pub fn campaign_say(&self) -> Option<CampaignSay> {
        self.undone.map(|comments| CampaignSay::Undone { comments })
    }
}

/// A form from a page of ours, or none.
pub struct Sent(Option<Vec<(String, String)>>);

impl FromRequest<Arc<App>> for Sent {
    type Rejection = Infallible;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Infallible> {
        let is_ours = page::is_ours(request.headers(), &app.config(), &app.public_url);
        let form = Form::from_request(request, app).await.ok().map(|Form(fields)| fields);
        Ok(Self(form.filter(|_| is_ours)))
    }
}

impl Sent {
    /// The form, if it was made for this session.
    pub fn by(self, desk: &AtDesk) -> Option<Fields> {
        self.0.map(Fields).filter(|fields| fields.get("csrf") == desk.0.token.csrf())
    }
}
