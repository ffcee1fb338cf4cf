//! Page: is the comment where such comments are written, and has it anything to do with the page. Both nudge a little towards spam: an old page
//! has late readers, and people digress. Being on topic speaks for nothing: whoever wants to seem so copies the title. What language a comment
//! is in speaks for nothing either (both measured, `models/README.md`).

use super::{Case, Effect, Finding};
use crate::text::{Reading, cut, tokens};
use std::collections::HashSet;
use std::time::Duration;

/// When a page counts as asleep.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Published longer ago than this; zero: no page is old.
    pub old_after: Duration,
    /// and nothing was published under it for this long.
    pub quiet_after: Duration,
}

/// Of the ham that six blogs approved 8 % came to pages half a year old and three months quiet, of the spam under videos 18 %: e^.4 is the
/// half of what that says, since blogs' ham lives long.
const ASLEEP_LOG_ODDS: f64 = 0.4;

/// A word counts by its first letters, since endings change in most languages, and only from this length on: what is shorter is mostly grammar
/// in every language, so no list of stop words is needed.
const STEM_CHARS: usize = 5;

/// Fewer stems in a comment than this say nothing of what it is about,
const COMMENT_STEMS_MIN: usize = 8;

/// and a page with fewer has said too little itself: a title alone, or a title and a sentence.
const PAGE_STEMS_MIN: usize = 40;

/// Measured in `models/README.md`: half of link-free flattery shares nothing with the page, and one in fifty of the comments that blogs approved.
/// e^.7 doubles the odds; the next corpus may be less clear.
const OFF_TOPIC_LOG_ODDS: f64 = 0.7;

/// Under an old page where nobody writes any more.
pub fn asleep(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let settings = &case.settings.page;
    let (Some(published_at), Some(quiet)) = (case.comment.page.published_at, case.facts.page_quiet) else { return };
    let age = case.comment.received_at.since(published_at);
    if settings.old_after > Duration::ZERO && age > settings.old_after && quiet >= settings.quiet_after {
        let reason = format!("under a page of {} days on which nobody wrote lately", age.as_secs() / 86_400);
        findings.push(Finding { log_odds: ASLEEP_LOG_ODDS, ..Finding::new("page_asleep", Effect::Evidence, reason) });
    }
}

/// A comment of some length that shares no word with the page's title and text, nor with the comment that it answers.
pub fn off_topic(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let page = &case.comment.page;
    let Some(excerpt) = &page.excerpt else { return };
    let comment: HashSet<&str> = stems(&case.reading.folded).collect();
    if comment.len() < COMMENT_STEMS_MIN {
        return;
    }
    let parent = case.comment.parent_body.as_ref().or(case.facts.parent_body.as_ref());
    let context = [page.title.as_ref(), Some(excerpt), parent].into_iter().flatten();
    let folded: Vec<String> = context.map(|text| Reading::of(text).folded).collect();
    let context: HashSet<&str> = folded.iter().flat_map(|text| stems(text)).collect();
    if context.len() < PAGE_STEMS_MIN {
        return;
    }
    if comment.is_disjoint(&context) {
        let reason = "shares no word with the page";
        findings.push(Finding { log_odds: OFF_TOPIC_LOG_ODDS, ..Finding::new("off_topic", Effect::Evidence, reason) });
    }
}

/// The beginnings of a folded text's longer words, and pairs of neighbours where words are single characters (Chinese, Japanese, Thai).
fn stems(folded: &str) -> impl Iterator<Item = &str> {
    let mut before: Option<usize> = None;
    tokens::words(folded).filter_map(move |(from, word)| {
        let mut letters = word.chars();
        let is_single = letters.next().is_some_and(|c| !c.is_ascii() && c.is_alphabetic()) && letters.next().is_none();
        let pair_from = before.filter(|_| is_single);
        let end = from + word.len();
        before = is_single.then_some(from);
        if is_single {
            return pair_from.and_then(|first| folded.get(first..end)).filter(|pair| pair.chars().count() == 2);
        }
        let stem_bytes = word.char_indices().nth(STEM_CHARS - 1).map(|(at, last)| at + last.len_utf8())?;
        Some(cut(word, stem_bytes)).filter(|stem| !stem.chars().all(|c| c.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{expect, nobody, submission};
    use super::*;
    use crate::comment::{Facts, Submission};

    const DAY: Duration = Duration::from_hours(24);

    const ARTICLE: &str = "For eleven years I made bad coffee with great care. I weighed the beans and timed the pour, and I owned a thermometer \
        that I trusted more than my own mouth. The cups came out thin in winter and bitter in summer, and I blamed the beans, because the beans \
        could not answer. Then my neighbour, who repairs outboard motors and has no thermometer, gave me a cup across the fence. It was better \
        than any of mine. A kettle tells you nearly everything. First it ticks, while the metal stretches. Then it hisses like rain on a far \
        roof: small bubbles dying before they reach the top. When the hiss drops and turns round, the water is near ninety degrees. A minute \
        later it shouts, and everyone can hear that, which is why everyone pours too late. Grind a little coarser than seems right.";

    fn check(comment: Submission, facts: &Facts, expected: &[(&str, Effect)]) {
        let page = Settings { old_after: 180 * DAY, quiet_after: 90 * DAY };
        let settings = super::super::Settings { page, ..Default::default() };
        expect(comment, facts, &settings, |comment| comment, expected);
    }

    #[test]
    fn an_old_and_quiet_page_nudges() {
        let on = |published_at: &str| Submission { page_published_at: Some(published_at.into()), ..submission("Still true.") };
        let quiet = |days| Facts { page_quiet: Some(days * DAY), ..nobody() };
        let asleep = [("page_asleep", Effect::Evidence)];
        // Comments of these tests come on 2026-11-29.
        check(on("2026-05-01T00:00:00Z"), &quiet(90), &asleep);
        check(on("2026-05-01T00:00:00Z"), &quiet(89), &[]);
        check(on("2026-08-01T00:00:00Z"), &quiet(90), &[]);
        check(on("2027-08-01T00:00:00Z"), &quiet(90), &[]);
        check(on("2026-05-01T00:00:00Z"), &nobody(), &[]);
        check(submission("Still true."), &quiet(900), &[]);
    }

    fn under(article: &str, body: &str) -> Submission {
        Submission { page_title: Some("How we brew".into()), page_excerpt: Some(article.into()), ..submission(body) }
    }

    const ABOUT_COFFEE: &str = "My thermometer broke last winter, so I started listening. The kettle really hisses differently before boiling, \
                                and the coffee tastes better.";
    const ABOUT_LOANS: &str = "Excellent website, always updated information. Personal finance experts recommend checking multiple lenders \
                               regularly throughout.";

    #[test]
    fn sharing_no_word_with_the_page_nudges() {
        check(under(ARTICLE, ABOUT_COFFEE), &nobody(), &[]);
        check(under(ARTICLE, ABOUT_LOANS), &nobody(), &[("off_topic", Effect::Evidence)]);
        check(under(ARTICLE, "Thank you, works like a charm!"), &nobody(), &[]);
        check(under("How we brew coffee.", ABOUT_LOANS), &nobody(), &[]);
        check(submission(ABOUT_LOANS), &nobody(), &[]);
    }

    #[test]
    fn what_a_comment_answers_is_context_too() {
        let parent = "Which personal finance website do you recommend? Lenders always confuse me.";
        check(Submission { parent_body: Some(parent.into()), ..under(ARTICLE, ABOUT_LOANS) }, &nobody(), &[]);
        check(under(ARTICLE, ABOUT_LOANS), &Facts { parent_body: Some(parent.into()), ..nobody() }, &[]);
    }

    #[test]
    fn stems_are_beginnings_of_words_and_pairs_of_characters() {
        let of = |text: &str| stems(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(of("the thermometers of 1234567 kettle"), ["therm", "kettl"]);
        assert_eq!(of("кофейник кофе"), ["кофей"]);
        assert_eq!(of("咖啡機 好"), ["咖啡", "啡機"]);
        assert_eq!(of("🔥🔥🔥 a b"), Vec::<String>::new());
    }
}
