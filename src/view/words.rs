//! Words: counts, ages, bands and histories as people say them. One place, so that mail and page never disagree.

use super::{History, Objections};
use crate::clock::Timestamp;
use crate::comment::Comment;
use crate::decision::{Band, Ruling};

/// `1 comment`, `3 comments`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `12,345`.
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `97.1 %`, `.31 %`, `1 %`: so many digits as matter.
pub fn percent(share: f64) -> String {
    let value = 100.0 * share;
    let text = if (1.0..=99.0).contains(&value) { format!("{value:.1}") } else { format!("{value:.2}") };
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{} %", if text.is_empty() { "0" } else { text })
}

/// Small numbers in letters, as in `these three comments`.
pub fn spelt(number: usize) -> String {
    const SPELT: [&str; 10] = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    SPELT.get(number).map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

/// `these three comments`, `this comment`.
pub fn these(number: usize) -> String {
    if number == 1 { "this comment".to_owned() } else { format!("these {} comments", spelt(number)) }
}

/// `5 h`, `50 min`, `2 days`; hours up to two days, since moderators think of yesterday in hours.
pub fn span(earlier: Timestamp, now: Timestamp) -> String {
    let minutes = now.since(earlier).as_secs() / 60;
    match minutes {
        0..60 => format!("{} min", minutes.max(1)),
        60..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

/// How long something took: `40 min`, `3 h`, `2 days`.
pub fn long(time: std::time::Duration) -> String {
    span(Timestamp::from_ms(0), Timestamp::from_ms(0).plus(time))
}

/// `5 h ago`, `just now`.
pub fn ago(earlier: Timestamp, now: Timestamp) -> String {
    if now.since(earlier).as_secs() < 60 {
        return "just now".to_owned();
    }
    format!("{} ago", span(earlier, now))
}

/// None is a spot check.
pub fn band(band: Option<Band>) -> &'static str {
    match band {
        Some(Band::LikelyFine) => "Likely fine",
        Some(Band::Unsure) => "Unsure",
        Some(Band::LikelySpam) => "Likely spam",
        Some(Band::RulesOnly) => "Rules only",
        None => "Spot check",
    }
}

/// What a ruling made of a comment.
pub fn ruling(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Publish => "published",
        Ruling::Spam => "marked as spam",
        Ruling::Remove => "removed",
    }
}

pub fn history(history: History) -> String {
    let all = history.published.saturating_add(history.spam);
    match (history.published, history.spam) {
        (0, 0) => "first comment".to_owned(),
        (1, 0) => "1 earlier, published".to_owned(),
        (2, 0) => "2 earlier, both published".to_owned(),
        (_, 0) => format!("{all} earlier, all published"),
        (0, 1) => "1 earlier, ruled spam".to_owned(),
        (0, 2) => "2 earlier, both ruled spam".to_owned(),
        (0, _) => format!("{all} earlier, all ruled spam"),
        (_, spam) => format!("{all} earlier, {spam} ruled spam"),
    }
}

/// None where nobody objected.
pub fn objections(Objections { reports, appeals }: Objections) -> Option<String> {
    let reported = (reports > 0).then(|| format!("reported by {}", count(reports, "reader", "readers")));
    let appealed = (appeals > 0).then(|| "its author appeals".to_owned());
    let said: Vec<String> = reported.into_iter().chain(appealed).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The page's title, else its address, as the site sent it.
pub fn page(comment: &Comment) -> &str {
    comment.page.title.as_deref().or(comment.page.url.as_deref()).unwrap_or("a page without a title")
}

pub fn name(comment: &Comment) -> &str {
    comment.author.name.as_deref().unwrap_or("no name")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_ms(minutes * 60_000)
    }

    #[test]
    fn ages_are_said_as_people_say_them() {
        for (minutes, said) in [
            (-5, "just now"),
            (0, "just now"),
            (1, "1 min ago"),
            (50, "50 min ago"),
            (300, "5 h ago"),
            (2_879, "47 h ago"),
            (2_880, "2 days ago"),
        ] {
            assert_eq!(ago(at(0), at(minutes)), said);
        }
        assert_eq!(span(at(0), at(0)), "1 min");
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0, 7, 999, 1000, 1_234_567].map(thousands), ["0", "7", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0.0, 0.005, 0.01, 0.0123, 0.5, 0.971, 0.9952, 1.0].map(percent),
            ["0 %", "0.5 %", "1 %", "1.2 %", "50 %", "97.1 %", "99.52 %", "100 %"]
        );
    }

    #[test]
    fn histories_and_counts_are_grammatical() {
        for (published, spam, said) in [
            (0, 0, "first comment"),
            (1, 0, "1 earlier, published"),
            (2, 0, "2 earlier, both published"),
            (4, 0, "4 earlier, all published"),
            (0, 1, "1 earlier, ruled spam"),
            (0, 3, "3 earlier, all ruled spam"),
            (2, 1, "3 earlier, 1 ruled spam"),
        ] {
            assert_eq!(history(History { published, spam }), said);
        }
        let said = |reports, appeals| objections(Objections { reports, appeals });
        assert_eq!((said(0, 0), said(1, 0)), (None, Some("reported by 1 reader".to_owned())));
        assert_eq!(
            (said(3, 1), said(0, 1)),
            (Some("reported by 3 readers, its author appeals".to_owned()), Some("its author appeals".to_owned()))
        );
        assert_eq!((count(1, "comment", "comments"), count(0, "comment", "comments")), ("1 comment".to_owned(), "0 comments".to_owned()));
        assert_eq!(
            (these(1), these(3), these(12)),
            ("this comment".to_owned(), "these three comments".to_owned(), "these 12 comments".to_owned())
        );
    }
}
