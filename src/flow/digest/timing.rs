//! When a digest is due. Pure: how a moderator stands and the time in, a kind of digest out.

use crate::clock::Timestamp;
use crate::config::Digest;
use crate::store::{Kind, Standing};

/// Which digest of new comments a moderator should get now; none when it is not time.
pub fn due(standing: &Standing, timing: &Digest, now: Timestamp) -> Option<Kind> {
    let oldest = standing.oldest.filter(|_| may_send(standing, timing, now))?;
    let slot = timing.daily_at.map(|time| timing.zone.last(time, now));
    if standing.waiting >= timing.flood_items_min {
        let is_told = standing.last_flood.is_some_and(|told| slot.is_none_or(|slot| told >= slot) && now.since(told) < DAY);
        return (!is_told).then_some(Kind::Flood);
    }
    let is_slot = slot.is_some_and(|slot| oldest <= slot && standing.last_digest.is_none_or(|last| last < slot));
    // Where it lies ahead, the clock was set back since it came, and nobody waits for that to come round.
    let age = now.since(oldest).max(oldest.since(now));
    let wanted = standing.waiting >= timing.items_min || age >= timing.age_max || is_slot;
    wanted.then_some(Kind::New)
}

/// The time of the week that has come for a weekly mail; none when it is not time. A mail a day late is none: the next one tells of two weeks.
pub fn weekly_slot(timing: &Digest, now: Timestamp) -> Option<Timestamp> {
    let slot = timing.zone.last_of_week(timing.weekly?, now);
    (now.since(slot) < DAY && !is_quiet(timing, now)).then_some(slot)
}

/// Whether it is worth looking for what to remind of: one reminder in its time at most, within the hours and limits of all mails.
pub fn may_remind(standing: &Standing, timing: &Digest, now: Timestamp) -> bool {
    let rested = standing.last_reminder.is_none_or(|last| now.since(last) >= timing.reminder);
    let mailed = standing.last_digest.is_some();
    !timing.reminder.is_zero() && mailed && rested && may_send(standing, timing, now)
}

const DAY: std::time::Duration = std::time::Duration::from_hours(24);

fn may_send(standing: &Standing, timing: &Digest, now: Timestamp) -> bool {
    let rested = standing.last_digest.is_none_or(|last| now.since(last) >= timing.interval_min);
    !is_quiet(timing, now) && rested && standing.digests_today < timing.per_day_max
}

fn is_quiet(timing: &Digest, now: Timestamp) -> bool {
    timing.quiet.is_some_and(|quiet| quiet.holds(timing.zone.time_of_day(now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{TimeOfDay, TimeOfWeek, Zone};
    use crate::config::{Excerpt, Quiet};
    use proptest::prelude::*;
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_mins(1);

    fn time(text: &str) -> TimeOfDay {
        TimeOfDay::parse(text).unwrap()
    }

    fn timing() -> Digest {
        Digest {
            items_min: 10,
            age_max: Duration::from_hours(4),
            daily_at: Some(time("09:00")),
            quiet: Some(Quiet { from: time("22:00"), until: time("07:00") }),
            zone: Zone::parse("Europe/Berlin").unwrap(),
            interval_min: Duration::from_mins(30),
            per_day_max: 6,
            flood_items_min: 100,
            items_max: 25,
            excerpt: Excerpt::Full,
            weekly: TimeOfWeek::parse("Monday 09:00"),
            reminder: Duration::from_hours(24),
            handover: Duration::from_hours(48),
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(&format!("{text}:00Z")).unwrap()
    }

    fn standing(waiting: usize, oldest: &str) -> Standing {
        Standing { waiting, oldest: Some(at(oldest)), last_digest: None, digests_today: 0, last_flood: None, last_reminder: None }
    }

    fn check(standing: &Standing, now: &str, expected: Option<Kind>) {
        assert_eq!(due(standing, &timing(), at(now)), expected, "{standing:?} at {now}");
    }

    #[test]
    fn a_digest_is_due_when_much_waits_or_long() {
        check(&Standing { oldest: None, ..standing(0, "2026-11-25T12:00") }, "2026-11-25T18:00", None);
        let one = standing(1, "2026-11-25T12:00");
        check(&one, "2026-11-25T15:59", None);
        check(&one, "2026-11-25T16:00", Some(Kind::New));
        check(&standing(10, "2026-11-25T12:00"), "2026-11-25T12:00", Some(Kind::New));
        check(&Standing { last_digest: Some(at("2026-11-25T15:31")), ..one }, "2026-11-25T16:00", None);
        check(&Standing { last_digest: Some(at("2026-11-25T15:30")), ..one }, "2026-11-25T16:00", Some(Kind::New));
        check(&Standing { digests_today: 6, ..one }, "2026-11-25T19:00", None);
    }

    #[test]
    fn a_week_is_summed_up_within_a_day_of_its_time_and_never_at_night() {
        let check = |now: &str, slot: Option<&str>| assert_eq!(weekly_slot(&timing(), at(now)), slot.map(at), "{now}");
        // Berlin is at UTC+1; 23 November is a Monday.
        check("2026-11-23T07:59", None);
        check("2026-11-23T08:00", Some("2026-11-23T08:00"));
        check("2026-11-23T20:59", Some("2026-11-23T08:00"));
        check("2026-11-23T21:00", None);
        check("2026-11-24T07:59", Some("2026-11-23T08:00"));
        check("2026-11-24T08:00", None);
        // The week before the clocks changed it was nine there, too.
        check("2026-10-19T07:00", Some("2026-10-19T07:00"));
        assert_eq!(weekly_slot(&Digest { weekly: None, ..timing() }, at("2026-11-23T08:00")), None);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_no_comment_waiting_for_it() {
        let one = standing(1, "2026-11-25T18:00");
        check(&one, "2026-11-25T14:01", None);
        check(&one, "2026-11-25T14:00", Some(Kind::New));
        check(&one, "2025-11-25T14:00", Some(Kind::New));
    }

    #[test]
    fn at_nine_goes_what_waits_however_little() {
        let early = standing(1, "2026-11-25T06:30");
        check(&early, "2026-11-25T07:59", None);
        check(&early, "2026-11-25T08:00", Some(Kind::New));
        // The daemon was down at nine.
        check(&early, "2026-11-25T09:10", Some(Kind::New));
        check(&Standing { last_digest: Some(at("2026-11-25T08:00")), ..early }, "2026-11-25T09:10", None);
        // What came after nine waits for its age, or the next day.
        check(&standing(1, "2026-11-25T08:01"), "2026-11-25T08:30", None);
    }

    #[test]
    fn nobody_is_written_to_at_night() {
        let many = standing(50, "2026-11-25T20:50");
        check(&many, "2026-11-25T20:59", Some(Kind::New));
        check(&many, "2026-11-25T21:00", None);
        check(&many, "2026-11-26T05:59", None);
        check(&many, "2026-11-26T06:00", Some(Kind::New));
    }

    #[test]
    fn quiet_hours_and_the_daily_time_follow_summer_time() {
        // In Berlin 07:00 is 06:00 in UTC in winter and 05:00 in summer; clocks change on 29 March and 25 October 2026 at 01:00 UTC.
        for (now, is_quiet) in [
            ("2026-03-28T05:30", true),
            ("2026-03-29T04:59", true),
            ("2026-03-29T05:00", false),
            ("2026-10-25T05:59", true),
            ("2026-10-25T06:00", false),
            ("2026-10-24T05:00", false),
        ] {
            check(&standing(10, "2026-03-28T00:00"), now, (!is_quiet).then_some(Kind::New));
        }
        for (oldest, slot) in [("2026-03-29T06:59", "2026-03-29T07:00"), ("2026-10-25T07:59", "2026-10-25T08:00")] {
            check(&standing(1, oldest), oldest, None);
            check(&standing(1, oldest), slot, Some(Kind::New));
        }
    }

    #[test]
    fn a_flood_is_told_once_and_then_daily() {
        let flood = standing(100, "2026-11-25T12:00");
        check(&flood, "2026-11-25T12:00", Some(Kind::Flood));
        let told = Standing { last_flood: Some(at("2026-11-25T12:00")), last_digest: Some(at("2026-11-25T12:00")), ..flood };
        check(&told, "2026-11-25T18:00", None);
        check(&told, "2026-11-26T07:59", None);
        check(&told, "2026-11-26T08:00", Some(Kind::Flood));
        check(&Standing { waiting: 99, ..told }, "2026-11-25T18:00", Some(Kind::New));
    }

    #[test]
    fn a_reminder_keeps_to_the_same_hours_and_limits() {
        let mailed = Standing { last_digest: Some(at("2026-11-24T12:00")), ..standing(0, "2026-11-24T12:00") };
        let may = |standing: &Standing, now| may_remind(standing, &timing(), at(now));
        assert!(may(&mailed, "2026-11-25T12:00"));
        assert!(!may(&standing(1, "2026-11-24T12:00"), "2026-11-25T12:00"), "who got no mail is reminded of none");
        assert!(!may(&mailed, "2026-11-25T22:00"), "quiet hours");
        assert!(!may(&Standing { last_reminder: Some(at("2026-11-24T13:00")), ..mailed }, "2026-11-25T12:00"));
        assert!(!may_remind(&mailed, &Digest { reminder: Duration::ZERO, ..timing() }, at("2026-11-25T12:00")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// Three weeks around a change of clocks, minute by ten minutes, with comments coming at any pace and nobody ruling.
        #[test]
        fn no_pace_of_comments_breaks_the_promises(start in 0_u64..400, gaps in prop::collection::vec(0_u64..600, 1..200)) {
            let timing = timing();
            let start = at("2026-03-01T00:00").plus(Duration::from_hours(start * 24));
            let mut arrivals: Vec<Timestamp> = Vec::new();
            let mut arrival = start;
            for gap in gaps {
                arrival = arrival.plus(MINUTE * u32::try_from(gap).unwrap());
                arrivals.push(arrival);
            }
            let (mut sent, mut shown, mut floods): (Vec<Timestamp>, usize, Vec<Timestamp>) = (Vec::new(), 0, Vec::new());
            for step in 0..3_000_u32 {
                let now = start.plus(MINUTE * 10 * step);
                let waiting: Vec<Timestamp> = arrivals.iter().copied().take_while(|at| *at <= now).skip(shown).collect();
                let today = sent.iter().filter(|at| now.since(**at) < DAY).count();
                let standing = Standing {
                    waiting: waiting.len(), oldest: waiting.first().copied(), last_digest: sent.last().copied(),
                    digests_today: today, last_flood: floods.last().copied(), last_reminder: None,
                };
                let Some(kind) = due(&standing, &timing, now) else {
                    // Nothing waits longer than its age, a night and a day's worth of rest.
                    prop_assert!(waiting.first().is_none_or(|oldest| now.since(*oldest) < Duration::from_hours(4 + 10 + 24)));
                    continue;
                };
                prop_assert!(!waiting.is_empty() && today < 6);
                prop_assert!(!timing.quiet.unwrap().holds(timing.zone.time_of_day(now)));
                prop_assert!(sent.last().is_none_or(|last| now.since(*last) >= timing.interval_min));
                sent.push(now);
                shown += waiting.len();
                if kind == Kind::Flood { floods.push(now); }
            }
        }
    }
}
