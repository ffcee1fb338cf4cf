//! The outbox: claim, carry, settle. A lease is on disk before anything is sent and the outcome after it; nothing is open in between.
//! Each kind of parcel has one carrier, which only says how an attempt ended; when to try again is `delivery`'s to say.
//! The steps are public each, so that a simulation carries parcels to peers of its own.

mod callback;
mod smtp;
mod webhook;

pub use smtp::try_out as try_mail;
pub use smtp::{eml, public_record};
pub use webhook::try_out as try_webhook;

use crate::clock::Timestamp;
use crate::delivery::{Delivery, Next, Outcome, Parcel, Schedule};
use crate::flow::App;
use crate::flow::digest::{self, AtSend};
use crate::flow::mailbox::{self, GivenUp};
use crate::store::Claim;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::field::Empty;
use tracing::{Instrument, Span};

/// Looks again this often even if nobody called: retries fall due by time.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A lease outlives the longest attempt by this, so that only a crash loses it.
const LEASE_SPARE: Duration = Duration::from_secs(30);

/// The carriers, made once.
#[derive(Debug)]
pub struct Carriers {
    webhook: webhook::Carrier,
    mail: smtp::Carrier,
}

/// A carrier could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NoCarrier {
    #[error("webhooks cannot be sent")]
    Webhook(#[from] reqwest::Error),
    #[error("mail cannot be sent")]
    Mail(#[from] smtp::NoTransport),
}

impl Carriers {
    /// # Errors
    /// [`NoCarrier`] when TLS or the mail transport cannot be set up.
    pub fn new(app: &App) -> Result<Self, NoCarrier> {
        let config = app.config();
        Ok(Self { webhook: webhook::Carrier::new(config.outbox.timeout)?, mail: smtp::Carrier::new(&config, &app.keys)? })
    }

    async fn carry(&self, app: &App, delivery: &Delivery, now: Timestamp) -> Outcome {
        match &delivery.parcel {
            Parcel::Webhook(webhook) => match app.config().sites.get(&delivery.site) {
                Some(site) => self.webhook.carry(site, delivery, webhook, now).await,
                None => Outcome::GiveUp { reason: "the site is no more".to_owned() },
            },
            Parcel::Callback(callback) => match app.config().sites.get(&delivery.site) {
                Some(site) => self.webhook.call_back(site, callback, now).await,
                None => Outcome::GiveUp { reason: "the site is no more".to_owned() },
            },
            Parcel::Mail(mail) => self.mail.carry(mail, delivery, now).await,
        }
    }
}

/// Carries parcels until told to stop; what is under way then is brought to its end.
pub async fn run(app: Arc<App>, carriers: Carriers, mut stop: watch::Receiver<bool>) {
    let carriers = Arc::new(carriers);
    let mut under_way = JoinSet::new();
    while !*stop.borrow() {
        let free = app.config().outbox.at_once_max.saturating_sub(under_way.len());
        for delivery in claim(&app, free).await {
            let span = tracing::debug_span!("outbox.deliver", parcel.kind = kind(&delivery.parcel), site = %delivery.site, attempt = delivery.attempt, outcome = Empty);
            under_way.spawn(deliver(Arc::clone(&app), Arc::clone(&carriers), delivery).instrument(span));
        }
        tokio::select! {
            Some(_) = under_way.join_next() => {}
            () = app.parcels.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Leases at most so many parcels that are due. None where the store cannot write it down: then nothing is sent.
pub async fn claim(app: &App, limit: usize) -> Vec<Delivery> {
    if limit == 0 {
        return Vec::new();
    }
    let config = app.config();
    let at_once_max = config.outbox.at_once_max;
    let claim = Claim {
        now: app.clock.now(),
        lease: config.outbox.timeout + LEASE_SPARE,
        put_off_max: config.outbox.retry_max.max(config.review.undo),
        limit,
        site_max: if config.sites.len() > 1 { at_once_max.div_ceil(2) } else { at_once_max },
    };
    app.store.claim(claim, &app.dice).done().await.unwrap_or_else(|error| {
        tracing::error!(error = %error, "outbox.claim_failed");
        Vec::new()
    })
}

async fn deliver(app: Arc<App>, carriers: Arc<Carriers>, mut delivery: Delivery) {
    let outcome = match freshen(&app, &mut delivery).await {
        Some(outcome) => outcome,
        None => carriers.carry(&app, &delivery, app.clock.now()).await,
    };
    settle(&app, delivery, outcome).await;
}

/// Writes down how an attempt ended, and what becomes of the parcel.
pub async fn settle(app: &Arc<App>, delivery: Delivery, outcome: Outcome) {
    let how = if matches!(outcome, Outcome::Bounced { .. }) { GivenUp::Bounced } else { GivenUp::Undelivered };
    let outbox = app.config().outbox;
    let schedule = Schedule { attempts_max: outbox.attempts_max, retry_first: outbox.retry_first, retry_max: outbox.retry_max };
    let next = schedule.next(delivery.attempt, outcome, app.clock.now(), app.dice.unit());
    let outcome = match &next {
        Next::Done => "delivered",
        Next::At { .. } => "retry",
        Next::Dead { .. } => "dead",
    };
    app.meters.carried(kind(&delivery.parcel), outcome);
    Span::current().record("outcome", outcome);
    match &next {
        Next::Done => {}
        Next::At { due_at, reason } => {
            tracing::warn!(parcel.id = %delivery.id, site = %delivery.site, attempt = delivery.attempt, due_at = %due_at, reason, "outbox.retry");
        }
        Next::Dead { reason } => {
            tracing::error!(parcel.id = %delivery.id, site = %delivery.site, attempt = delivery.attempt, reason, "outbox.dead");
        }
    }
    let dead = if let Next::Dead { reason } = &next { Some(reason.clone()) } else { None };
    match app.store.settle(&delivery, next).done().await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(parcel.id = %delivery.id, "outbox.lease_lost"),
        Err(error) => tracing::error!(parcel.id = %delivery.id, error = %error, "outbox.settle_failed"),
    }
    if let (Some(reason), Parcel::Mail(mail)) = (dead, delivery.parcel) {
        let telling = Arc::clone(app);
        let told = tokio::task::spawn_blocking(move || mailbox::given_up(&telling, &mail, how, &reason)).await;
        if let Ok(Err(error)) = told {
            tracing::error!(error = %error, "mailbox.trouble_untold");
        }
    }
}

fn kind(parcel: &Parcel) -> &'static str {
    match parcel {
        Parcel::Webhook(_) => "webhook",
        Parcel::Callback(_) => "callback",
        Parcel::Mail(_) => "mail",
    }
}

/// A mail is looked at again as the last thing before it leaves, since people decide meanwhile; an outcome if it need not leave.
pub async fn freshen(app: &Arc<App>, delivery: &mut Delivery) -> Option<Outcome> {
    let Parcel::Mail(mail) = &delivery.parcel else { return None };
    let (looking, looked_at) = (Arc::clone(app), mail.clone());
    match tokio::task::spawn_blocking(move || digest::at_send(&looking, &looked_at)).await {
        Ok(Ok(AtSend::AsWritten)) => None,
        Ok(Ok(AtSend::Anew(mail))) => {
            delivery.parcel = Parcel::Mail(*mail);
            None
        }
        Ok(Ok(AtSend::NoLonger)) => {
            tracing::info!(parcel.id = %delivery.id, "outbox.mail_no_longer_wanted");
            Some(Outcome::Delivered)
        }
        Ok(Err(error)) => Some(Outcome::Retry { reason: error.to_string(), after: None }),
        Err(error) => Some(Outcome::Retry { reason: error.to_string(), after: None }),
    }
}
