//! Accounts: how a moderator of the settings gets to the desk: by a one-time link that is mailed, always, or by a password once one is set.
//! What an address gets to hear, and when, does not tell whether it is a moderator's. How cookies and forms look is `http`'s.

mod attempts;
mod password;

pub use attempts::Attempts;
pub use password::{BYTES_MAX as PASSWORD_BYTES_MAX, CHARS_MIN as PASSWORD_CHARS_MIN};

use super::App;
use crate::clock::Timestamp;
use crate::config::{Config, Moderator};
use crate::delivery::{Mail, Outgoing, Parcel};
use crate::dice::Dice;
use crate::id::{DigestId, ModeratorId, ParcelId, SiteId};
use crate::store::{Act, StoreError, TokenHash, What};
use crate::view::LoginMail;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// A link is used at once or not at all.
pub const LINK_VALID: Duration = Duration::from_mins(15);
/// One that an admin hands over by other ways than mail.
pub const RESET_VALID: Duration = Duration::from_hours(24);
/// A fortnight: who moderates daily logs in twice a month, and a lost laptop is no key for a season.
pub const SESSION_VALID: Duration = Duration::from_hours(24 * 14);

/// Tries in a quarter of an hour from one address: an office behind one has a bad day, a guesser has nothing.
const TRIES_PER_ADDRESS: u32 = 30;
/// Tries in a quarter of an hour of one account.
const TRIES_PER_ACCOUNT: u32 = 10;
/// Links mailed in a quarter of an hour to one account: nobody's mailbox is to be filled by strangers.
const LINKS_PER_ACCOUNT: u32 = 3;

/// What a browser holds. It opens the desk, and is in no log and no store.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    fn new(dice: &Dice) -> Self {
        Self(URL_SAFE_NO_PAD.encode(dice.bytes()))
    }

    pub fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// What the forms of this session carry: it proves to know the cookie and does not tell it.
    pub fn csrf(&self) -> String {
        let digest: [u8; 32] = Sha256::new().chain_update(b"hamlet csrf\0").chain_update(self.0.as_bytes()).finalize().into();
        URL_SAFE_NO_PAD.encode(digest)
    }
}

/// Somebody who is in.
pub struct Session {
    pub token: Token,
    pub moderator: Moderator,
    /// Where they may rule.
    pub sites: Vec<SiteId>,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum NotIn {
    /// No such account, no such password, or neither: one answer.
    #[error("the address or the password is wrong")]
    Wrong,
    #[error("too many tries; come back in a quarter of an hour")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whose session a cookie is. A moderator who left the settings is out at once.
///
/// # Errors
/// [`StoreError`] from the store.
pub fn session(app: &App, token: Token) -> Result<Option<Session>, StoreError> {
    let Some(id) = app.store.read().session(token.hash(), app.clock.now())? else { return Ok(None) };
    let config = app.config();
    Ok(config.moderators.get(&id).map(|moderator| Session { token, sites: config.sites_at_desk(moderator), moderator: moderator.clone() }))
}

/// Logs in by password. `from` is the address that asks.
///
/// # Errors
/// [`NotIn`].
pub async fn log_in(app: &Arc<App>, email: &str, password: String, from: &str) -> Result<Token, NotIn> {
    admit(app, email, (from, TRIES_PER_ACCOUNT))?;
    let moderator = by_email(&app.config(), email).map(|moderator| moderator.id.clone());
    let phc = moderator.as_ref().map(|id| app.store.read().password(id)).transpose()?.flatten();
    let verified = tokio::task::spawn_blocking(move || password::verify(&password, phc.as_deref())).await.unwrap_or(false);
    if let Some(moderator) = moderator.filter(|_| verified) {
        return Ok(open(app, moderator).await?);
    }
    app.store.act(Act::of(None, What::LoginFailed, app.clock.now())).done().await?;
    tracing::warn!("account.login_failed");
    Err(NotIn::Wrong)
}

/// Mails a one-time link, if the address is a moderator's.
///
/// # Errors
/// [`NotIn::TooMany`], whoever asks; [`NotIn::Store`].
pub async fn ask_link(app: &Arc<App>, email: &str, from: &str) -> Result<(), NotIn> {
    admit(app, email, (from, LINKS_PER_ACCOUNT))?;
    let now = app.clock.now();
    let (token, expires_at) = (Token::new(&app.dice), now.plus(LINK_VALID));
    let config = app.config();
    let moderator = by_email(&config, email);
    let link = moderator.map(|moderator| (token.hash(), moderator.id.clone(), expires_at));
    let outgoing = moderator.and_then(|moderator| letter(app, moderator, &token, now));
    app.store.ask_link(link, outgoing, now).done().await?;
    app.parcels.notify_one();
    Ok(())
}

/// Uses a one-time link.
///
/// # Errors
/// [`NotIn::Wrong`] for one that is unknown, used up or out of time.
pub async fn use_link(app: &Arc<App>, token: &Token) -> Result<Token, NotIn> {
    let used = app.store.use_link(token.hash(), app.clock.now()).done().await?;
    let moderator = used.filter(|id| app.config().moderators.contains_key(id)).ok_or(NotIn::Wrong)?;
    Ok(open(app, moderator).await?)
}

/// # Errors
/// [`StoreError`] from the store.
pub async fn log_out(app: &App, session: &Session) -> Result<(), StoreError> {
    app.store.close_session(session.token.hash(), session.moderator.id.clone(), app.clock.now()).done().await
}

/// Sets the password of somebody who is in; whether it was long enough, and short enough.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn set_password(app: &Arc<App>, session: &Session, password: String) -> Result<bool, StoreError> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Ok(false);
    }
    let hashing = Arc::clone(app);
    let phc = tokio::task::spawn_blocking(move || password::hash(&password, &hashing.dice)).await.ok().flatten();
    let Some(phc) = phc else { return Err(StoreError::Busy) };
    app.store.set_password(session.moderator.id.clone(), phc, session.token.hash(), app.clock.now()).done().await?;
    Ok(true)
}

/// An admin lets a moderator begin anew: the link to hand over. None for a moderator that the settings do not have.
///
/// # Errors
/// [`StoreError`] from the store.
pub async fn reset(app: &App, moderator: &ModeratorId) -> Result<Option<String>, StoreError> {
    if !app.config().moderators.contains_key(moderator) {
        return Ok(None);
    }
    let now = app.clock.now();
    let token = Token::new(&app.dice);
    app.store.reset_account(moderator.clone(), (token.hash(), now.plus(RESET_VALID)), now).done().await?;
    Ok(Some(url(app, &token)))
}

async fn open(app: &App, moderator: ModeratorId) -> Result<Token, StoreError> {
    let now = app.clock.now();
    let token = Token::new(&app.dice);
    app.store.open_session(token.hash(), moderator, (now, now.plus(SESSION_VALID))).done().await?;
    Ok(token)
}

fn admit(app: &App, email: &str, (from, per_account): (&str, u32)) -> Result<(), NotIn> {
    let now = app.clock.now();
    let of_address = app.attempts.admit(&format!("from {from}"), TRIES_PER_ADDRESS, now);
    let of_account = app.attempts.admit(&format!("{per_account} {}", email.trim().to_lowercase()), per_account, now);
    if of_address && of_account { Ok(()) } else { Err(NotIn::TooMany) }
}

/// Mail providers fold case, and people type as they like.
fn by_email<'a>(config: &'a Config, email: &str) -> Option<&'a Moderator> {
    let typed = email.trim().to_lowercase();
    config.moderators.values().find(|moderator| moderator.email.to_lowercase() == typed)
}

fn url(app: &App, token: &Token) -> String {
    format!("{}/desk/login/{}", app.public_url, token.text())
}

/// The mail with the link, counted to the moderator's first site; none for one without any.
fn letter(app: &App, moderator: &Moderator, token: &Token, now: Timestamp) -> Option<Outgoing> {
    let config = app.config();
    let site = moderator.sites.first().or(config.sites.keys().next())?;
    let url = url(app, token);
    let LoginMail { subject, text, html } = LoginMail::to(&moderator.name, &url, LINK_VALID);
    let parcel = Parcel::Mail(Mail {
        digest: DigestId::new(now, &app.dice),
        to_name: moderator.name.clone(),
        to_address: moderator.email.clone(),
        from_name: "Hamlet".to_owned(),
        subject,
        text,
        html,
        list: None,
    });
    Some(Outgoing { id: ParcelId::new(now, &app.dice), site: site.clone(), parcel, due_at: now })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_carries_follows_from_the_cookie_and_does_not_tell_it() {
        let (one, other) = (Token::new(&Dice::seeded(1)), Token::new(&Dice::seeded(2)));
        assert_eq!(one.csrf(), Token::of(one.text()).csrf());
        assert_ne!(one.csrf(), other.csrf());
        assert_ne!(one.csrf(), URL_SAFE_NO_PAD.encode(one.hash()), "nor what the store holds");
        assert_eq!(one.text().len(), 43);
    }
}
