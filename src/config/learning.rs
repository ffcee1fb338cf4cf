//! `[learning]`: when the daemon trains by itself, and what becomes of the model.

use super::problem::Problems;
use super::settings;
use crate::classifier::contest::Promote;
use crate::clock::{TimeOfDay, Zone};

/// When the daemon trains, and what becomes of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Learning {
    pub schedule: Schedule,
    /// Labels of a site before its first training.
    pub labels_min: usize,
    pub promote: Promote,
}

/// What calls for another training.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    Off,
    /// Twice the labels of the last training.
    Doubled,
    /// So many labels more than at the last training.
    Labels(usize),
    /// This time of day, if labels came since the last training.
    Nightly {
        at: TimeOfDay,
        zone: Zone,
    },
}

pub(super) fn learning(problems: &mut Problems, learning: &settings::Learning) -> Learning {
    Learning {
        labels_min: problems.number("learning.labels_min", learning.labels_min, "a number", 4..=1_000_000),
        schedule: schedule(problems, learning),
        promote: promote(problems, &learning.promote),
    }
}

/// All keys are looked at, whichever schedule is chosen: another may be chosen tomorrow.
fn schedule(problems: &mut Problems, learning: &settings::Learning) -> Schedule {
    let new = problems.number("learning.labels_new", learning.labels_new, "a number", 1..=1_000_000);
    let at = TimeOfDay::parse(&learning.nightly_at);
    if at.is_none() {
        problems.add("learning.nightly_at", format!("{:?}", learning.nightly_at), "write a time of day like 03:00");
    }
    let zone = Zone::parse(&learning.time_zone);
    if zone.is_none() {
        problems.add("learning.time_zone", format!("{:?}", learning.time_zone), "write UTC, or an IANA name like Europe/Berlin");
    }
    match (learning.schedule.as_str(), at, zone) {
        ("doubled", ..) => Schedule::Doubled,
        ("labels", ..) => Schedule::Labels(new),
        ("nightly", Some(at), Some(zone)) => Schedule::Nightly { at, zone },
        ("off" | "nightly", ..) => Schedule::Off,
        (other, ..) => {
            problems.add("learning.schedule", format!("{other:?}"), "write doubled, labels, nightly or off");
            Schedule::Off
        }
    }
}

fn promote(problems: &mut Problems, written: &str) -> Promote {
    let promote = Promote::parse(written).filter(|promote| [Promote::IfBetter, Promote::Shadow].contains(promote));
    promote.unwrap_or_else(|| {
        problems.add("learning.promote", format!("{written:?}"), "write if-better or shadow");
        Promote::IfBetter
    })
}
