//! Waiting: a condition is looked at until it holds or the deadline is over. The only place of this suite that lets time pass.

use std::future::Future;
use std::time::{Duration, Instant};

/// Generous, since two cores may be building something else: a test that fails here has found that it never happens.
const DEADLINE: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// What `look` finds, as soon as it finds something.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < DEADLINE, "it never came to this: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The same for a plain condition.
pub async fn until_true(what: &str, mut holds: impl FnMut() -> bool) {
    until(what, || std::future::ready(holds().then_some(()))).await;
}
