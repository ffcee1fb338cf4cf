//! The name: what people put there who are after something else than being called by it. The classifier does not read names, since a name
//! is no evidence of what its bearer writes; so what is sure enough adds a little after it. Names of trackbacks and pingbacks are titles.

use super::author::is_staff;
use super::{Case, Effect, Finding};
use crate::comment::Kind;
use crate::text::{Reading, tokens};

/// The name of a person, as it was given and as it is read.
struct Name<'a> {
    given: &'a str,
    reading: Reading,
}

impl<'a> Name<'a> {
    fn of(case: &Case<'a>) -> Option<Self> {
        let given = case.comment.author.name.as_deref().filter(|_| case.comment.kind == Kind::Comment && !is_staff(case.comment))?;
        Some(Self { given, reading: Reading::of(given) })
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        tokens::words(&self.reading.folded).map(|(_, word)| word)
    }
}

/// All that the name alone shows.
pub fn shown(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(name) = Name::of(case) else { return };
    findings.extend([unreadable(&name), linked(case, &name), for_sale(case, &name), advertised(case, &name)].into_iter().flatten());
}

/// Neither a letter nor a digit. Of 1,604 comments that blogs had approved three were signed `;-(` or `?????`, so a person looks and nothing is
/// lost.
fn unreadable(name: &Name<'_>) -> Option<Finding> {
    let is_readable = name.given.chars().any(char::is_alphanumeric);
    (!is_readable).then(|| Finding::new("name:unreadable", Effect::Hold, "the name has no letter"))
}

/// Like a website behind the name. Of blogs' ham .25 % is signed so.
fn linked(case: &Case<'_>, name: &Name<'_>) -> Option<Finding> {
    let effect = if case.settings.hold_first_link && case.facts.author_published == 0 { Effect::Hold } else { Effect::Evidence };
    let finding = Finding { log_odds: LINK_LOG_ODDS, ..Finding::new("name:link", effect, "the name is a link") };
    (!name.reading.links.is_empty()).then_some(finding)
}

const LINK_LOG_ODDS: f64 = 0.5;

/// What trades are found by; no word that is a given or a family name.
const WORDS_OF_TRADE: [&str; 40] = [
    "backlinks",
    "betting",
    "bonus",
    "broker",
    "casino",
    "cheap",
    "coupon",
    "coupons",
    "credit",
    "crypto",
    "deals",
    "discount",
    "escort",
    "escorts",
    "flights",
    "forex",
    "free",
    "hosting",
    "insurance",
    "jackpot",
    "kredit",
    "loan",
    "loans",
    "marketing",
    "mortgage",
    "pharmacy",
    "pills",
    "poker",
    "promo",
    "replica",
    "sale",
    "seo",
    "shop",
    "slots",
    "store",
    "viagra",
    "кредит",
    "займ",
    "казино",
    "скидки",
];

/// Of the starter corpus about 30 in 3,848 spam comments are signed so and one in 3,864 of ham; on YouTube 2 of 1,005 and none of 951. The four
/// among 1,604 approved blog comments are spam that slipped through.
const TRADE_LOG_ODDS: f64 = 1.0;

/// A phrase that sells, where a person's name belongs: what is to be found when somebody searches for the site behind it.
fn for_sale(case: &Case<'_>, name: &Name<'_>) -> Option<Finding> {
    let sells = name.words().any(|word| WORDS_OF_TRADE.contains(&word));
    let is_backed = case.comment.author.url.is_some() || !case.reading.links.is_empty() || name.words().count() > 1;
    let finding =
        Finding { log_odds: TRADE_LOG_ODDS, ..Finding::new("name:trade", Effect::Evidence, "the name is what a trade is found by") };
    (sells && is_backed).then_some(finding)
}

/// On YouTube 1.9 % of the spam names its channel so and .1 % of the ham; of blogs' ham .06 %.
const ADVERTISED_LOG_ODDS: f64 = 0.7;

/// Names that are advertised have two words at least; of one word there are too many that are words.
const ADVERTISED_WORDS_MIN: usize = 2;

/// The whole name stands in the text, where it is neither greeting nor signature.
fn advertised(case: &Case<'_>, name: &Name<'_>) -> Option<Finding> {
    let (name_folded, body) = (name.reading.folded.as_str(), case.reading.folded.as_str());
    let ends = |at: usize, side: &str| !side.contains(char::is_alphanumeric) || at == 0;
    let is_inside = |(at, _): (usize, &str)| {
        let (before, after) = (body.get(..at).unwrap_or(""), body.get(at + name_folded.len()..).unwrap_or(""));
        let is_whole = !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
        is_whole && !ends(at, before) && !ends(1, after)
    };
    let is_phrase = name.words().take(ADVERTISED_WORDS_MIN).count() == ADVERTISED_WORDS_MIN;
    let is_advertised = is_phrase && body.match_indices(name_folded).any(is_inside);
    let finding = Finding {
        log_odds: ADVERTISED_LOG_ODDS,
        ..Finding::new("name:in_text", Effect::Evidence, "the text speaks of its author by name")
    };
    is_advertised.then_some(finding)
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::super::tests::{expect, nobody, submission};
    use super::*;
    use crate::comment::{Facts, Submission};

    fn named(name: &str, body: &str) -> Submission {
        Submission { name: Some(name.into()), ..submission(body) }
    }

    fn check(comment: Submission, expected: &[(&str, Effect)]) {
        expect(comment, &nobody(), &Settings { links_max: 9, hold_first_link: true, ..Settings::default() }, |comment| comment, expected);
    }

    #[test]
    fn names_of_people_are_names() {
        for name in
            ["Ana", "O'Brien-Smith", "J.R.R. Tolkien", "Łukasz", "王伟", "سلمى", "x", "7", "Dr. No", "Free Willy Fan", "Ana 🌸", "St.John"]
        {
            check(
                named(name, "I agree with the second point."),
                if name.starts_with("Free") { &[("name:trade", Effect::Evidence)] } else { &[] },
            );
        }
    }

    #[test]
    fn a_name_without_a_letter_is_never_published_by_the_machine() {
        for name in ["...", ";-(", "?????", "🌸🌸", "- -"] {
            check(named(name, "hi there"), &[("name:unreadable", Effect::Hold)]);
        }
        check(Submission { kind: Some("pingback".into()), ..named("...", "hi there") }, &[]);
    }

    #[test]
    fn a_link_for_a_name_is_held_until_its_author_is_known() {
        for name in ["http://pills.example", "www.pills.example", "Best-Pills.com", "Buy at pills.example"] {
            check(named(name, "hi there"), &[("name:link", Effect::Hold)]);
        }
        let known = Facts { author_published: 1, ..nobody() };
        let settings = Settings { links_max: 9, hold_first_link: true, ..Settings::default() };
        let expected = [("name:link", Effect::Evidence), ("author_record", Effect::Evidence)];
        expect(named("pills.example", "hi there"), &known, &settings, |comment| comment, &expected);
    }

    #[test]
    fn trades_and_advertised_names_weigh_a_little() {
        check(named("cheap car insurance", "Great article!"), &[("name:trade", Effect::Evidence)]);
        check(named("Casino", "Great article!"), &[]);
        let channel = named("Nerdy Peach", "Go and look at Nerdy Peach, I make new videos!");
        check(channel, &[("name:in_text", Effect::Evidence)]);
        for signed in ["Thank you. Nerdy Peach", "Nerdy Peach here: thank you", "Thank you, Nerdy Peaches all"] {
            check(named("Nerdy Peach", signed), &[]);
        }
    }
}
