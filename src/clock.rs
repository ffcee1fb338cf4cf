//! Time: instants, the clock that gives them, and the time zones that people live in. The only room that asks the machine what time it is.
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

/// What a clock on the wall shows, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    /// `HH:MM`, from `00:00` to `23:59`.
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let two_digits = |part: &str| (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u16>().ok())?;
        let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
        (hours < 24 && minutes < 60).then_some(Self { minutes: hours * 60 + minutes })
    }
}

/// A day of the week and what a clock on the wall shows then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfWeek {
    day: jiff::civil::Weekday,
    time: TimeOfDay,
}

impl TimeOfWeek {
    /// `Monday 09:00`; the day in English, in full or by its first three letters.
    pub fn parse(text: &str) -> Option<Self> {
        use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
        let (day, time) = text.split_once(' ')?;
        let named = |weekday: &jiff::civil::Weekday| {
            let name = format!("{weekday:?}");
            day.eq_ignore_ascii_case(&name) || name.get(..3).is_some_and(|short| day.eq_ignore_ascii_case(short))
        };
        let day = [Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday].into_iter().find(named)?;
        Some(Self { day, time: TimeOfDay::parse(time)? })
    }
}

/// Where people live, as far as clocks go: when they show what, through every change of summer time.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    pub const UTC: Self = Self(jiff::tz::TimeZone::UTC);

    /// An IANA name such as `Europe/Berlin`.
    pub fn parse(name: &str) -> Option<Self> {
        jiff::tz::TimeZone::get(name).ok().map(Self)
    }

    pub fn time_of_day(&self, at: Timestamp) -> TimeOfDay {
        let time = at.to_jiff().to_zoned(self.0.clone()).time();
        TimeOfDay { minutes: u16::try_from(i16::from(time.hour()) * 60 + i16::from(time.minute())).unwrap_or(0) }
    }

    /// When it was last `time` here, at `now` or before: once every calendar day. A time that clocks skip in spring counts when they have
    /// skipped it, one that they show twice in autumn counts the first time.
    pub fn last(&self, time: TimeOfDay, now: Timestamp) -> Timestamp {
        // Two days back: where the date line was moved, a whole day is missing.
        self.days_until(now).take(3).filter_map(|day| self.at(day, time)).find(|slot| *slot <= now).unwrap_or(now)
    }

    /// When it was last this time of this day of the week here, at `now` or before.
    pub fn last_of_week(&self, week: TimeOfWeek, now: Timestamp) -> Timestamp {
        let days = self.days_until(now).take(16).filter(|day| day.weekday() == week.day);
        days.filter_map(|day| self.at(day, week.time)).find(|slot| *slot <= now).unwrap_or(now)
    }

    /// The calendar days here, today's first.
    fn days_until(&self, now: Timestamp) -> impl Iterator<Item = jiff::civil::Date> + use<> {
        let today = now.to_jiff().to_zoned(self.0.clone()).date();
        std::iter::successors(Some(today), |day| day.yesterday().ok())
    }

    fn at(&self, day: jiff::civil::Date, time: TimeOfDay) -> Option<Timestamp> {
        let zoned = day.at(hour_of(time), minute_of(time), 0, 0).to_zoned(self.0.clone()).ok()?;
        Some(Timestamp(zoned.timestamp().as_millisecond()))
    }

    /// The week here, as ISO 8601 counts them: `2026-W48`.
    pub fn week(&self, at: Timestamp) -> String {
        at.to_jiff().to_zoned(self.0.clone()).strftime("%G-W%V").to_string()
    }
}

fn hour_of(time: TimeOfDay) -> i8 {
    i8::try_from(time.minutes / 60).unwrap_or(0)
}

fn minute_of(time: TimeOfDay) -> i8 {
    i8::try_from(time.minutes % 60).unwrap_or(0)
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
    fn a_time_of_the_week_is_the_last_one_there_was() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let at = |text: &str| Timestamp::parse(&format!("{text}:00Z")).unwrap();
        for (week, now, last) in [
            ("Monday 09:00", "2026-11-23T08:00", "2026-11-23T08:00"),
            ("Monday 09:00", "2026-11-23T07:59", "2026-11-16T08:00"),
            ("Monday 09:00", "2026-11-29T12:00", "2026-11-23T08:00"),
            // Before the clocks went back.
            ("sun 00:30", "2026-10-25T12:00", "2026-10-24T22:30"),
            // In spring they skip this one.
            ("Sunday 02:30", "2026-03-29T12:00", "2026-03-29T01:30"),
        ] {
            assert_eq!(berlin.last_of_week(TimeOfWeek::parse(week).unwrap(), at(now)), at(last), "{week} at {now}");
        }
        for bad in ["", "Monday", "Monday  09:00", "M 09:00", "Mo 09:00", "Monday 24:00", "09:00 Monday"] {
            assert_eq!(TimeOfWeek::parse(bad), None, "{bad}");
        }
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

    fn berlin() -> Zone {
        Zone::parse("Europe/Berlin").unwrap()
    }

    #[test]
    fn a_time_of_day_is_two_digits_twice() {
        let read = |text| TimeOfDay::parse(text).map(|time| time.minutes);
        assert_eq!((read("00:00"), read("09:30"), read("23:59")), (Some(0), Some(570), Some(1439)));
        for wrong in ["", "9:00", "24:00", "12:60", "12:00:00", "+1:00", "noon", "１２:00"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(Zone::parse("Europe/Atlantis").is_none());
    }

    #[test]
    fn clocks_are_read_where_people_live() {
        let check = |zone: &Zone, at: &str, shown: &str, week: &str| {
            let at = Timestamp::parse(at).unwrap();
            assert_eq!((Some(zone.time_of_day(at)), zone.week(at).as_str()), (TimeOfDay::parse(shown), week));
        };
        check(&berlin(), "2026-11-25T08:00:00Z", "09:00", "2026-W48");
        check(&berlin(), "2026-07-25T08:00:00Z", "10:00", "2026-W30");
        check(&berlin(), "2026-01-04T23:30:00Z", "00:30", "2026-W02");
        check(&Zone::UTC, "2026-01-04T23:30:00Z", "23:30", "2026-W01");
        check(&Zone::parse("Asia/Kathmandu").unwrap(), "2026-11-25T08:00:00Z", "13:45", "2026-W48");
    }

    #[test]
    fn a_slot_comes_once_a_day_through_spring_and_autumn() {
        let last = |time: &str, now: &str| berlin().last(TimeOfDay::parse(time).unwrap(), Timestamp::parse(now).unwrap()).to_string();
        assert_eq!(last("09:00", "2026-11-25T07:59:59Z"), "2026-11-24T08:00:00Z");
        assert_eq!(last("09:00", "2026-11-25T08:00:00Z"), "2026-11-25T08:00:00Z");
        // Clocks go from 02:00 to 03:00 on 29 March 2026: 09:00 is an hour earlier in UTC, and 02:30 is when 03:30 is shown.
        assert_eq!(last("09:00", "2026-03-29T07:00:00Z"), "2026-03-29T07:00:00Z");
        assert_eq!(last("02:30", "2026-03-29T12:00:00Z"), "2026-03-29T01:30:00Z");
        // And from 03:00 back to 02:00 on 25 October: the first 02:30 counts.
        assert_eq!(last("02:30", "2026-10-25T00:29:00Z"), "2026-10-24T00:30:00Z");
        assert_eq!(last("02:30", "2026-10-25T12:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(last("09:00", "2026-10-25T08:00:00Z"), "2026-10-25T08:00:00Z");
        // Samoa had no 30 December 2011.
        let apia = Zone::parse("Pacific/Apia").unwrap();
        let slot = apia.last(TimeOfDay::parse("09:00").unwrap(), Timestamp::parse("2011-12-30T12:00:00Z").unwrap());
        assert_eq!(slot.to_string(), "2011-12-29T19:00:00Z");
    }

    proptest::proptest! {
        #[test]
        fn every_year_has_as_many_slots_as_days(hour in 0_u16..24, minute in 0_u16..60, zone in 0_usize..5) {
            let names = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca"];
            let (zone, time) = (Zone::parse(names[zone]).unwrap(), TimeOfDay { minutes: hour * 60 + minute });
            let start = Timestamp::parse("2026-01-02T12:00:00Z").unwrap();
            let mut slots: Vec<i64> = (0..363 * 4).map(|n| zone.last(time, start.plus(Duration::from_hours(n * 6))).ms()).collect();
            proptest::prop_assert!(slots.is_sorted());
            slots.dedup();
            proptest::prop_assert!((363..=364).contains(&slots.len()), "{}", slots.len());
        }

        #[test]
        fn a_slot_is_never_ahead_and_never_long_ago(ms in proptest::prelude::any::<i64>(), minutes in 0_u16..1440) {
            let now = Timestamp(ms);
            let slot = berlin().last(TimeOfDay { minutes }, now);
            proptest::prop_assert!(slot <= now);
            let in_calendar = (-300_000_000_000_000..200_000_000_000_000).contains(&ms);
            proptest::prop_assert!(!in_calendar || now.since(slot) <= Duration::from_hours(25));
        }
    }
}
