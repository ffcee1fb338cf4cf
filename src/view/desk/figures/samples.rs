//! A page of figures for the tests of this room: a month with a wave in it, and a site on which nothing happened.

use super::*;
use crate::view::desk::{Seal, Tab};
use crate::view::samples;

const AGREEMENT: [Agreement; 2] = [
    Agreement { said: "Published, spot checks", verdict: Verdict::Publish, is_check: true, published: 28, spam: 2, removed: 1 },
    Agreement { said: "Held", verdict: Verdict::Hold, is_check: false, published: 5, spam: 9, removed: 0 },
];

const FRAME: Frame<'_> =
    Frame { moderator_name: "Ana", csrf: "proof", tab: Tab::Figures, waiting: 3, campaigns: 1, seal: Seal::NotCertified, mails_off: None };

/// A month with a wave in it; the words stand wherever a stranger's may, the name wherever a site's does.
pub fn page(words: &str, name: &str) -> String {
    let day = |n: u64| Timestamp::from_ms(samples::now().ms() - i64::try_from(29 - n).unwrap() * 86_400_000);
    let days: Vec<_> =
        (0..30).map(|n| DayCounts { day: day(n), published: 40 + n % 7, held: n % 5, rejected: if n == 20 { 200 } else { 30 } }).collect();
    let heap = |n: u32| ScoreHeap { from: f64::from(n) - 4.0, to: f64::from(n) - 3.0, published: 9, held: 1, rejected: 9 };
    let waited: Vec<_> = (1..=50).map(|n| Duration::from_secs(n * 700)).collect();
    let site = SiteTab { name, path: "/desk/figures?site=blog" };
    let other = SiteTab { name, path: "/desk/figures?site=shop" };
    let comment = samples::comment(words, "a@b.example", words, words, 300);
    FiguresPage {
        frame: FRAME,
        site,
        sites: &[site, other],
        now: samples::now(),
        days: &days,
        heaps: &(0..8).map(heap).collect::<Vec<_>>(),
        work: Work { waited: &waited, rulings: 60, undone: 2, presses: 1, together: 23, waiting: 31, campaigns: 1, alike: 23 },
        oldest: &[Oldest { comment: &comment, is_covered: false }],
        agreement: &AGREEMENT,
        second_looks: (30, 1),
        budget: Promise::Unmeasured,
        reasons: &[(words.to_owned(), 30), ("a link to a domain never seen here".to_owned(), 12)],
        held_read: 60,
        mails: Mails { digests: 12, last_digest: Some(day(29)), waiting: 1, given_up: 0, last_error: Some(words) },
    }
    .render()
}

pub fn empty() -> String {
    let site = SiteTab { name: "Slow Kettle", path: "/desk/figures?site=blog" };
    FiguresPage {
        frame: FRAME,
        site,
        sites: &[site],
        now: Timestamp::from_ms(0),
        days: &[],
        heaps: &[],
        work: Work::default(),
        oldest: &[],
        agreement: &[],
        second_looks: (0, 0),
        budget: Promise::Fixed,
        reasons: &[],
        held_read: 0,
        mails: Mails::default(),
    }
    .render()
}
