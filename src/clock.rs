//! Time: instants and the clock that gives them. The only room that asks the machine what time it is.
//! Durations of waiting belong to who waits; schedules to `delivery` and `flow::digest`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// An instant: milliseconds since 1970-01-01T00:00:00Z. It prints and parses as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is no RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no RFC 3339 time; write one like 2026-11-22T09:30:00Z")]
pub struct NotATime(pub String);

impl Timestamp {
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    pub const fn ms(self) -> i64 {
        self.0
    }

    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant moved later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This instant moved earlier; saturates at the beginning of time.
    #[must_use]
    pub fn minus(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero when it lies ahead (clocks jump).
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// # Errors
    /// [`NotATime`] unless `text` is an RFC 3339 date and time with an offset.
    pub fn parse(text: &str) -> Result<Self, NotATime> {
        let time: jiff::Timestamp = text.trim().parse().map_err(|_| NotATime(text.to_owned()))?;
        Ok(Self(time.as_millisecond()))
    }

    /// An instant as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110).
    pub fn parse_http(text: &str) -> Option<Self> {
        let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Self(time.as_millisecond()))
    }

    /// The calendar day and the hour and minute in UTC, as people read them: `29 Nov`, `10:42`.
    pub fn day(self) -> String {
        self.format("%-d %b")
    }

    pub fn hour(self) -> String {
        self.format("%H:%M")
    }

    /// The calendar date in UTC, which sorts: `2026-11-29`.
    pub fn date(self) -> String {
        self.format("%Y-%m-%d")
    }

    /// `22 November 2026`.
    pub fn long_day(self) -> String {
        self.format("%-d %B %Y")
    }

    /// `Nov 2026`.
    pub fn month(self) -> String {
        self.format("%b %Y")
    }

    /// A long day with the hour: `19 November, 21:08`.
    pub fn day_and_hour(self) -> String {
        self.format("%-d %B, %H:%M")
    }

    fn format(self, pattern: &str) -> String {
        self.to_jiff().strftime(pattern).to_string()
    }

    fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX })
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_jiff().fmt(out)
    }
}

/// Where the time comes from: the machine, or a hand that turns it (tests, simulation, replay).
#[derive(Debug, Clone)]
pub enum Clock {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    pub fn manual(start: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.0)))
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system_now(),
            Self::Manual(ms) => Timestamp(ms.load(Ordering::SeqCst)),
        }
    }

    /// Turns a manual clock forward; the machine's own clock is not ours to turn.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(ms) = self {
            ms.store(self.now().plus(by).0, Ordering::SeqCst);
        }
    }
}

/// How long something takes, on the machine's own steady clock: for meters, never for a decision.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
fn system_now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_and_parses_as_rfc_3339() {
        for (ms, text) in [(0, "1970-01-01T00:00:00Z"), (1_795_339_800_123, "2026-11-22T09:30:00.123Z"), (-1, "1969-12-31T23:59:59.999Z")] {
            assert_eq!(Timestamp(ms).to_string(), text);
            assert_eq!(Timestamp::parse(text), Ok(Timestamp(ms)));
        }
        assert_eq!(Timestamp::parse("2026-11-22T10:30:00+01:00"), Timestamp::parse("2026-11-22T09:30:00Z"));
        assert!(Timestamp::parse("yesterday").is_err());
        assert!(!Timestamp(i64::MAX).to_string().is_empty());
    }

    #[test]
    fn a_date_of_http_is_read() {
        assert_eq!(Timestamp::parse_http("Sun, 06 Nov 1994 08:49:37 GMT"), Timestamp::parse("1994-11-06T08:49:37Z").ok());
        assert_eq!(Timestamp::parse_http("soon"), None);
    }

    #[test]
    fn a_manual_clock_moves_only_by_hand() {
        let clock = Clock::manual(Timestamp(5_000));
        assert_eq!(clock.now(), Timestamp(5_000));
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now().since(Timestamp(5_000)), Duration::from_secs(2));
        assert_eq!(Timestamp(1).since(Timestamp(9)), Duration::ZERO);
    }
}
