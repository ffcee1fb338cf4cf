//! When and how digests are sent, as written for all moderators and for one: what one overrides lies on top.

use super::check::{HOUR_SECONDS, MINUTE_SECONDS};
use super::problem::Problems;
use super::settings;
use super::{Digest, Excerpt, Quiet};
use crate::clock::{TimeOfDay, TimeOfWeek, Zone};
use std::time::Duration;

impl Digest {
    /// Below every layer: nothing waits for anything.
    fn none() -> Self {
        Self {
            items_min: 1,
            age_max: Duration::ZERO,
            daily_at: None,
            quiet: None,
            zone: Zone::UTC,
            interval_min: Duration::ZERO,
            per_day_max: usize::MAX,
            flood_items_min: usize::MAX,
            items_max: 1,
            excerpt: Excerpt::Full,
            weekly: None,
            reminder: Duration::ZERO,
            handover: Duration::ZERO,
        }
    }
}

/// For all moderators.
pub(super) fn of_all(problems: &mut Problems, written: &settings::Digest) -> Digest {
    digest(problems, "digest", written, &Digest::none())
}

pub(super) fn digest(problems: &mut Problems, key: &str, written: &settings::Digest, base: &Digest) -> Digest {
    let mut count = |name: &str, value: Option<i64>, base: usize, max: i64| {
        value.map_or(base, |value| problems.number(&format!("{key}.{name}"), value, "a number", 1..=max))
    };
    let items_min = count("items_min", written.items_min, base.items_min, 1_000);
    let per_day_max = count("per_day_max", written.per_day_max, base.per_day_max, 1_440);
    let flood_items_min = count("flood_items_min", written.flood_items_min, base.flood_items_min, 1_000_000);
    let items_max = count("items_max", written.items_max, base.items_max, 100);
    let mut span = |name: &str, value: Option<i64>, (unit, seconds, max): (&str, u64, i64), base: Duration| {
        value.map_or(base, |value| {
            let number: u64 = problems.number(&format!("{key}.{name}"), value, unit, 0..=max);
            Duration::from_secs(number * seconds)
        })
    };
    let hours = |max| ("hours", HOUR_SECONDS, max);
    let age_max = span("age_hours_max", written.age_hours_max, hours(720), base.age_max);
    let interval_min = span("interval_minutes_min", written.interval_minutes_min, ("minutes", MINUTE_SECONDS, 10_080), base.interval_min);
    let reminder = span("reminder_hours", written.reminder_hours, hours(720), base.reminder);
    let handover = span("handover_hours", written.handover_hours, hours(720), base.handover);
    let at = |name: &str| format!("{key}.{name}");
    Digest {
        items_min,
        age_max,
        daily_at: written.daily_at.as_deref().map_or(base.daily_at, |text| daily_at(problems, &at("daily_at"), text)),
        quiet: written.quiet_hours.as_deref().map_or(base.quiet, |text| quiet(problems, &at("quiet_hours"), text)),
        zone: written.time_zone.as_deref().map_or_else(|| base.zone.clone(), |name| zone(problems, &at("time_zone"), name)),
        interval_min,
        per_day_max,
        flood_items_min,
        items_max,
        excerpt: written.excerpt.as_deref().map_or(base.excerpt, |word| excerpt(problems, &at("excerpt"), word)),
        weekly: written.weekly.as_deref().map_or(base.weekly, |text| weekly(problems, &at("weekly"), text)),
        reminder,
        handover,
    }
}

fn weekly(problems: &mut Problems, key: &str, text: &str) -> Option<TimeOfWeek> {
    let time = TimeOfWeek::parse(text);
    if time.is_none() && !text.is_empty() {
        problems.add(key, format!("{text:?}"), "write a day and a time like Monday 09:00, or nothing");
    }
    time
}

fn daily_at(problems: &mut Problems, key: &str, text: &str) -> Option<TimeOfDay> {
    let time = TimeOfDay::parse(text);
    if time.is_none() && !text.is_empty() {
        problems.add(key, format!("{text:?}"), "write a time of day like 09:00, or nothing");
    }
    time
}

fn quiet(problems: &mut Problems, key: &str, text: &str) -> Option<Quiet> {
    let times = text.split_once('-').and_then(|(from, until)| TimeOfDay::parse(from).zip(TimeOfDay::parse(until)));
    match times {
        Some((from, until)) if from != until => Some(Quiet { from, until }),
        Some(_) | None => {
            if !text.is_empty() {
                problems.add(key, format!("{text:?}"), "write two different times of day like 22:00-07:00, or nothing");
            }
            None
        }
    }
}

fn zone(problems: &mut Problems, key: &str, name: &str) -> Zone {
    Zone::parse(name).unwrap_or_else(|| {
        problems.add(key, format!("{name:?}"), "write a time zone by its name, like Europe/Berlin or UTC");
        Zone::UTC
    })
}

fn excerpt(problems: &mut Problems, key: &str, word: &str) -> Excerpt {
    let parse = |word: &str| match word {
        "full" => Some(Excerpt::Full),
        "short" => Some(Excerpt::Short),
        "none" => Some(Excerpt::None),
        _ => None,
    };
    problems.word(key, word, parse, &["full", "short", "none"]).unwrap_or(Excerpt::Full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_summed_up_when_it_is_said_in_words_or_never() {
        let read = |text: &str| {
            let mut problems = Problems::default();
            let time = weekly(&mut problems, "digest.weekly", text);
            (time, problems.settle(()).map_err(|invalid| invalid.problems[0].to_string()))
        };
        assert_eq!(read("mon 09:00"), (TimeOfWeek::parse("Monday 09:00"), Ok(())));
        assert_eq!(read(""), (None, Ok(())));
        for bad in ["Monday", "Montag 09:00", "Monday 9:00", "off"] {
            let (time, told) = read(bad);
            assert!(
                time.is_none() && told.as_ref().is_err_and(|told| told.contains("write a day and a time like Monday 09:00")),
                "{told:?}"
            );
        }
    }

    #[test]
    fn quiet_hours_may_span_midnight() {
        let time = |text| TimeOfDay::parse(text).unwrap();
        let holds = |hours: &str, at| quiet(&mut Problems::default(), "", hours).unwrap().holds(time(at));
        for (hours, at, is_quiet) in [
            ("22:00-07:00", "21:59", false),
            ("22:00-07:00", "22:00", true),
            ("22:00-07:00", "00:00", true),
            ("22:00-07:00", "07:00", false),
            ("12:00-13:30", "13:29", true),
            ("12:00-13:30", "23:00", false),
        ] {
            assert_eq!(holds(hours, at), is_quiet, "{at} in {hours}");
        }
    }
}
