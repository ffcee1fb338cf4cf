//! `--since`: a while ago (`30d`, `12h`), or a date or time.

use crate::clock::Timestamp;
use std::str::FromStr;
use std::time::Duration;

/// How far back to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    Ago(Duration),
    At(Timestamp),
}

impl Since {
    pub fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(while_ago) => now.minus(while_ago),
            Self::At(time) => time,
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no time; write a while like 30d, 12h or 45m, a date like 2026-11-22, or an RFC 3339 time");
        let units = [('m', 60), ('h', 3_600), ('d', 86_400), ('w', 604_800)];
        let unit = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
        if let Some((number, seconds)) = unit {
            let number: u32 = number.parse().map_err(|_| wrong())?;
            return Ok(Self::Ago(Duration::from_secs(u64::from(number).saturating_mul(seconds))));
        }
        let midnight = format!("{text}T00:00:00Z");
        Timestamp::parse(text).or_else(|_| Timestamp::parse(&midnight)).map(Self::At).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiles_dates_and_times_are_read_and_nothing_else() {
        let hours = |hours| Ok(Since::Ago(Duration::from_hours(hours)));
        let at = |text| Ok(Since::At(Timestamp::parse(text).unwrap()));
        for (text, expected) in [
            ("30d", hours(720)),
            ("12h", hours(12)),
            ("60m", hours(1)),
            ("2w", hours(336)),
            ("2026-11-22", at("2026-11-22T00:00:00Z")),
            ("2026-11-22T10:30:00+01:00", at("2026-11-22T09:30:00Z")),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
        for text in ["", "d", "-3d", "3", "3.5h", "30 d", "yesterday", "99999999999d", "２d"] {
            assert!(text.parse::<Since>().is_err(), "{text}");
        }
        let now = Timestamp::from_ms(0);
        assert_eq!("4294967295w".parse::<Since>().unwrap().time(now), now.minus(Duration::from_hours(4_294_967_295 * 168)));
    }
}
