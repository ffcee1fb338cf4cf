//! The figures of a site: what came, what people said of it and how long they took, counted as it happens and told on a page of the desk.

use crate::app::{BLOG_KEY, OTHER_KEY, Setup, TestApp, editor, stranger};
use crate::moderator::Moderator;
use crate::scene::Scene;
use crate::smtp::SmtpServer;
use crate::store::Look;
use hamlet::budget::Budget;
use hamlet::budget::terms::{Measured, Terms};
use hamlet::budget::workload::Forecast;
use hamlet::classifier::{Label, Model};
use hamlet::clock::Timestamp;
use hamlet::decision::{Policy, Ruling, Verdict};
use hamlet::id::SiteId;
use hamlet::shelf::{self, Shelf};
use hamlet::store::Reader;

const ALL: Timestamp = Timestamp::from_ms(0);

#[tokio::test]
async fn what_came_and_what_people_said_is_counted_as_it_happens() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().mail_by(&server)).await;
    let site = SiteId::new("blog");
    app.submit(BLOG_KEY, &editor("Thank you.")).await;
    app.submit(BLOG_KEY, &stranger("blockedword")).await;
    let held = app.submit(BLOG_KEY, &stranger("See https://one.example and https://two.example for more.")).await;
    assert_eq!(held.json()["verdict"], "hold");
    let reader = Reader::open(&app.data()).unwrap();
    let told = || -> Vec<(Verdict, Option<Ruling>, u64)> {
        reader.days(&site, 0).unwrap().into_iter().map(|day| (day.verdict, day.ruled, day.comments)).collect()
    };
    assert_eq!(told(), [(Verdict::Hold, None, 1), (Verdict::Publish, None, 1), (Verdict::Reject, None, 1)]);
    assert_eq!(app.rule(BLOG_KEY, &held.id(), "spam").await.status, 200);
    assert_eq!(app.rule(BLOG_KEY, &held.id(), "publish").await.status, 200);
    assert_eq!(told(), [(Verdict::Hold, Some(Ruling::Publish), 1), (Verdict::Publish, None, 1), (Verdict::Reject, None, 1)]);
    let work = reader.work(&site, ALL).unwrap();
    assert_eq!((work.waited.len(), work.rulings, work.undone, work.presses), (1, 2, 0, 0), "{work:?}");
    let why = reader.held_for(&site, ALL).unwrap();
    assert_eq!((why.decisions, why.by_score, why.rules.is_empty()), (1, 0, false), "{why:?}");
    assert!(!reader.scores(&site, ALL).unwrap().is_empty());

    let ana = Moderator::by_mail(&app, &server, "ana@moderators.example").await;
    let page = ana.get("/desk/figures?days=7").await.text;
    for words in ["Comments a day", "3 in 7 days", "too few", "not certified", "&amp;days=90", "As a table", "of 2 rulings"] {
        assert!(page.contains(words) || page.contains(&words.replace("&amp;", "&#38;")), "{words}: {page}");
    }
    let look = Look::into(&app);
    look.outbox_drained().await;
    assert!(page.contains("1 digest to moderators") || page.contains("0 digests to moderators"), "{page}");
}

#[tokio::test]
async fn a_moderator_sees_the_figures_of_the_own_sites_alone() {
    let server = SmtpServer::open(None).await;
    let app = TestApp::start(Setup::default().set("MODERATORS__BOB__ADMIN", true).mail_by(&server)).await;
    app.submit(OTHER_KEY, &stranger("A word elsewhere.")).await;
    assert_eq!(app.get("/desk/figures").await.status, 303, "nobody is in");
    let ana = Moderator::by_mail(&app, &server, "ana@moderators.example").await;
    let bob = Moderator::by_mail(&app, &server, "bob@moderators.example").await;
    let foreign = "/desk/figures?site=other&days=7";
    let (own, all) = (ana.get(foreign).await.text, bob.get(foreign).await.text);
    assert!(own.contains("No comment came in these days.") && !own.contains("site=other"), "{own}");
    assert!(all.contains("1 in 7 days") && all.contains("site=blog"), "{all}");
}

/// Four weeks of comments as a lively blog has them, with a wave of spam on one day; people ruled on most of what was held.
fn fill(app: &TestApp, template: i64, now_ms: i64) {
    Look::written(app, |store| {
        let comment = "INSERT INTO comments (id, site, received_at, kind, name, body, page_title, status, verdict, ruled, audited)
                       VALUES (randomblob(16), 'blog', ?1, 'comment', 'Mia', 'A word about the kettle.', 'How we brew coffee', ?2, ?3, ?4, ?5)";
        let decision =
            "INSERT INTO decisions (site, comment, verdict, discard, band, score, mode, why, audited, audit_probability, decided_at)
                        SELECT 'blog', ?1, ?2, 0, 'unsure', ?3, 'enforce', why, ?4, 0.05, ?5 FROM decisions WHERE seq = ?6";
        let ruling = "INSERT INTO rulings (site, comment, ruling, actor, via, at) VALUES ('blog', ?1, ?2, 'Ana', 'desk', ?3)";
        let [mut comment, mut decision, mut ruling] = [comment, decision, ruling].map(|sql| store.prepare(sql).unwrap());
        for n in 0..2_400_i64 {
            let day = if n % 20 == 0 { 12 } else { ((n * 40_503) >> 8) % 28 };
            let at = now_ms - day * 86_400_000 - n * 7_919_000 % 80_000_000 - 3_000_000;
            let spread = f64::from(i32::try_from(n * 31 % 400).unwrap()) / 100.0 - 2.0;
            let (verdict, status, log_odds) = match n % 20 {
                0 | 11..=19 => ("reject", "rejected", 4.5 + spread),
                1 => ("hold", "held", spread),
                _ => ("publish", "published", -4.0 + spread),
            };
            let is_check = n % 40 == 5 || n % 40 == 15;
            let word = match verdict {
                "hold" if n % 400 == 1 => None,
                "hold" if n % 60 == 1 => Some("publish"),
                "hold" => Some("spam"),
                "publish" if is_check => Some(if n % 1_000 == 5 { "spam" } else { "publish" }),
                "reject" if is_check => Some("spam"),
                _ => None,
            };
            let status = if word.is_some() && verdict == "hold" { "rejected" } else { status };
            comment.execute(rusqlite::params![at, status, verdict, word, is_check]).unwrap();
            let number = store.last_insert_rowid();
            let score = 1.0 / (1.0 + (-log_odds).exp());
            decision.execute(rusqlite::params![number, verdict, score, is_check, at, template]).unwrap();
            if let Some(word) = word {
                ruling.execute(rusqlite::params![number, word, at + n * n * 977 % 40_000_000]).unwrap();
            }
            if word.is_some() && n % 3 == 0 {
                let look = "INSERT INTO second_looks VALUES (?1, 'blog', 0, ?2, iif(?1 % 50 = 0, 'publish', ?2), 'ana', 1)";
                store.execute(look, rusqlite::params![number, word]).unwrap();
            }
        }
    });
}

/// Promotes a model whose card is certified.
fn certify(app: &TestApp) {
    let labels = |label, log_odds: f64, count: u32| {
        let near = move |n: u32| log_odds + f64::from(n % 50) / 10.0 - 2.5;
        (0..count).map(move |n| (1.0 / (1.0 + (-near(n)).exp()), label))
    };
    let scored: Vec<_> = labels(Label::Spam, 4.0, 1_031).chain(labels(Label::Ham, -4.0, 1_082)).collect();
    let (mut model, budget) = (shelf::starter().unwrap(), Budget::default());
    let sample = Measured {
        share: 0.4,
        comments: 5_000,
        asked: 2_200,
        spam: 1_031,
        ham: 1_082,
        checks: 300,
        answered: 290,
        since: String::new(),
        until: String::new(),
    };
    let outcome = budget.derive(&scored, Policy { publish_max: 0.05, reject_min: 0.99, discard_min: 0.999 });
    let forecast = Some(Forecast { expected_per_day: 4.6, low_per_day: 2, high_per_day: 8 });
    model.card.terms = Some(Terms { budget, outcome, sample, forecast });
    let (shelf, model) = (Shelf::of(&app.data()), Model::assemble(model.card, model.layer, model.base, model.counts));
    shelf.save(&model).unwrap();
    shelf.promote(&SiteId::new("blog"), &model.id).unwrap();
}

#[tokio::test]
async fn a_month_is_read_by_eye_by_keyboard_and_by_a_screen_reader() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let (browser, app) = (&scene.browser, &scene.app);
    scene.submit("Jane D.", "How we brew coffee", "See https://one.example for more.").await;
    let look = Look::into(app);
    fill(app, look.count("SELECT max(seq) FROM decisions"), look.count("SELECT max(received_at) FROM comments"));
    certify(app);
    scene.log_in(&app.base, "ana@moderators.example").await;
    browser.go(&format!("{}/desk/figures", app.base)).await;
    browser.says("h1", "Figures").await;
    browser.says(".mast .cert", "Certified").await;
    scene.look_everywhere("figures-month").await;
    let charts =
        "return [...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('svg[role=img]')?.getAttribute('aria-label')
        && chart.querySelector('details table caption') && chart.querySelector('th[scope=col]') && chart.querySelector('th[scope=row]'))";
    assert_eq!(browser.run(charts).await, true, "every chart says what it shows and has its numbers as a table");
    assert_eq!(browser.run("return document.querySelectorAll('.chart').length").await, 9);
    // By keyboard: on to the first chart's table, and open it.
    for _ in 0..30 {
        browser.keys("\u{e004}").await;
        if browser.run("return document.activeElement.matches('.chart summary')").await == true {
            break;
        }
    }
    browser.keys("\u{e007}").await;
    assert_eq!(browser.run("return document.querySelector('.chart details').open").await, true);
    browser.run("document.querySelectorAll('.chart details').forEach((d) => { d.open = true })").await;
    scene.look("figures-tables").await;
}
