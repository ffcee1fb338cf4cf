//! One's own account at the desk.

use super::asked::Sent;
use super::session::{AtDesk, DESK, login_page};
use super::shown;
use crate::config::Role;
use crate::flow::App;
use crate::flow::accounts::{self, PASSWORD_CHARS_MIN};
use crate::flow::mailbox;
use crate::store::{PausedBy, StoreError, What};
use crate::view::{AccountPage, AccountSay, LoginSay, Tab};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;

/// Acts that are shown: a day's, for most.
const ACTS_MAX: usize = 12;

pub async fn show(State(app): State<Arc<App>>, desk: AtDesk) -> Response {
    super::answer(render(&app, &desk, StatusCode::OK, AccountSay::Nothing))
}

pub async fn set_password(State(app): State<Arc<App>>, desk: AtDesk, sent: Sent) -> Response {
    let Some(fields) = sent.by(&desk) else {
        return login_page(StatusCode::FORBIDDEN, LoginSay::RefusedOrigin, "", DESK);
    };
    let set = accounts::set_password(&app, &desk.0, fields.get("password").to_owned()).await;
    let refused = (StatusCode::UNPROCESSABLE_ENTITY, AccountSay::PasswordRefused { chars_min: PASSWORD_CHARS_MIN });
    super::answer(set.and_then(|set| {
        let (status, say) = if set { (StatusCode::OK, AccountSay::PasswordSet) } else { refused };
        render(&app, &desk, status, say)
    }))
}

/// Turns one's own mails off or on.
pub async fn set_mails(State(app): State<Arc<App>>, desk: AtDesk, sent: Sent) -> Response {
    let wanted = sent.by(&desk).and_then(|fields| match fields.get("mails") {
        "on" => Some(AccountSay::MailsOn),
        "off" => Some(AccountSay::MailsOff),
        _ => None,
    });
    let Some(say) = wanted else {
        return login_page(StatusCode::FORBIDDEN, LoginSay::RefusedOrigin, "", DESK);
    };
    let (changing, moderator) = (Arc::clone(&app), desk.0.moderator.clone());
    let changed = tokio::task::spawn_blocking(move || {
        if say == AccountSay::MailsOff {
            mailbox::pause(&changing, &moderator, PausedBy::Desk)
        } else {
            mailbox::resume(&changing, &moderator.id)
        }
    });
    let changed = changed.await.unwrap_or(Err(StoreError::Busy));
    super::answer(changed.and_then(|_| render(&app, &desk, StatusCode::OK, say)))
}

fn render(app: &App, desk: &AtDesk, status: StatusCode, say: AccountSay) -> Result<Response, StoreError> {
    let (session, now) = (&desk.0, app.clock.now());
    let acts = app.store.read().acts(&session.moderator.id, ACTS_MAX)?;
    let acts: Vec<_> = acts.iter().map(|act| (act.at, What::as_str(act.what))).collect();
    let config = app.config();
    let sites: Vec<&str> = session.sites.iter().filter_map(|site| config.sites.get(site)).map(|site| site.name.as_str()).collect();
    let frame = shown::frame(app, session, Tab::Account)?;
    let role = match session.moderator.role {
        Role::Moderator => "moderator",
        Role::Admin => "admin",
    };
    let html = AccountPage { frame: frame.as_view(), email: &session.moderator.email, role, sites: &sites, say, acts: &acts, now }.render();
    Ok(super::page(status, html))
}
