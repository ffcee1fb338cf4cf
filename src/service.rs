//! The service manager (systemd's `sd_notify` protocol) hears that the daemon stands ready, that the judge still turns, and that it ends. Started
//! by hand, without `NOTIFY_SOCKET`, nobody listens and nothing happens. What turns and ends is `daemon`'s.

use crate::flow::App;
use sd_notify::NotifyState;
use std::sync::Arc;

/// Connections are accepted and what was written down is read: units that come after may start.
pub fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("judging comments")]);
}

/// No new requests; what was acknowledged is brought to its end.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("bringing to its end what was acknowledged")]);
}

/// Feeds the watchdog, if the unit has one, for as long as the judge turns. A judge that hangs lets it starve, and the manager starts us anew.
pub async fn watch(app: Arc<App>) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut last = None;
    loop {
        let turns = Some(app.turns());
        if turns != last {
            tell(&[NotifyState::Watchdog]);
            last = turns;
        }
        // The judge is woken every second, so that a third of any sane limit sees it turn.
        tokio::time::sleep(limit / 3).await;
    }
}

/// A manager that does not listen is no reason not to serve.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(error = %error, "service.not_told");
    }
}
