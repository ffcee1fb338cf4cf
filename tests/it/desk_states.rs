//! The states of the desk in a real browser, each drawn, read and acted in: what readers and authors say, edits, spot checks, second looks,
//! what is covered, a flood, no model, a session that is over; and by thumb, how many rulings a minute.

use crate::app::{Answer, BLOG_KEY, OTHER_KEY, Setup, TestApp, editor, stranger};
use crate::scene::Scene;
use crate::store::Look;
use crate::wait::until;
use reqwest::Method;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const ANA: &str = "ana@moderators.example";
const COFFEE: &str = "How we brew coffee";

/// Says something of a comment by the API, as a blog does.
async fn tell(app: &TestApp, method: Method, path: &str, body: Value) -> Answer {
    app.send(method, &format!("/v1/comments/{path}"), &[("authorization", &*format!("Bearer {BLOG_KEY}"))], body.to_string()).await
}

#[tokio::test]
async fn readers_authors_and_edits_are_heard() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let (browser, app) = (&scene.browser, &scene.app);
    let reported = app.submit(BLOG_KEY, &editor("Thank you, we mended it. Now buy our kettles.")).await.id();
    let appealed = app.submit(BLOG_KEY, &stranger("Get a blockedword now")).await.id();
    let edited = scene.submit("Omar", COFFEE, "What I said at first.").await;
    for (reader, words) in [("jo", json!("This is an advertisement.")), ("kim", Value::Null)] {
        tell(app, Method::POST, &format!("{reported}/report"), json!({ "reader": reader, "text": words })).await;
    }
    tell(app, Method::POST, &format!("{appealed}/appeal"), json!({ "text": "It is the name of our town, <b>really</b>." })).await;
    assert_eq!(tell(app, Method::PUT, &edited, stranger("What I say now.")).await.status, 200);
    scene.log_in(&app.base, ANA).await;

    for (query, id, words) in
        [("is:reported", &reported, "This is an advertisement."), ("is:appealed", &appealed, "It is the name of our town, <b>really</b>.")]
    {
        browser.go(&format!("{}/desk/?q={query}", app.base)).await;
        browser.says(".why", words).await;
        browser.says(".row[aria-current]", if query == "is:reported" { "Reported" } else { "Appealed" }).await;
        assert!(browser.has(&format!("#ruling[data-id$='{id}']")).await, "one rules on it here");
        scene.look_everywhere(&format!("desk-{}", &query[3..])).await;
    }
    browser.says(".why", "The author").await;
    browser.go(&format!("{}/desk/c/{reported}", app.base)).await;
    browser.says(".why", "without a word").await;
    browser.keys("r").await;
    scene.becomes(&reported, "rejected").await;

    browser.go(&format!("{}/desk/c/{edited}", app.base)).await;
    browser.says("#item .body", "now").await;
    browser.click("#item details summary").await;
    browser.says("#item .before", "What I said at first.").await;
    scene.look_everywhere("desk-edited").await;

    // Edited while it is open here: nothing is ruled on words that nobody saw.
    assert_eq!(tell(app, Method::PUT, &edited, stranger("And now something else.")).await.status, 200);
    browser.keys("a").await;
    browser.says("#say", "This changed while it was open here.").await;
    browser.says("#item .body", "something").await;
    assert_eq!(scene.status(&edited).await, "held");
    scene.look("desk-edited-since").await;
}

#[tokio::test]
async fn what_is_asked_blind_or_covered_says_no_more_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("abuse.txt"), "numbskull\n").unwrap();
    let list = |key: &str, value: String| (format!("LISTS__ABUSE__{key}"), value);
    let file = folder.path().join("abuse.txt").display().to_string();
    let keys = [list("FILE", file), list("KIND", "words".into()), list("EFFECT", "hold".into())];
    let setup = keys.into_iter().fold(Setup::default(), |setup, (key, value)| setup.set(&key, value));
    let setup = setup.set("SITES__BLOG__POLICY__PUBLISH_MAX", 0.999_999_999).set("SITES__BLOG__POLICY__AUDIT_PUBLISHED_SHARE", 1.0);
    let Some(scene) = Scene::open(setup).await else { return };
    let (browser, app) = (&scene.browser, &scene.app);
    let check = scene.submit("Mia", COFFEE, "I pour a little earlier in winter.").await;
    let covered = scene.submit("Rude", COFFEE, "You numbskull, read the manual of your kettle.").await;
    let looked = scene.submit("Wren", COFFEE, "Mine hisses the same way, and it took me a while.").await;
    assert_eq!(app.rule(BLOG_KEY, &looked, "publish").await.status, 200);
    Look::written(app, |store| {
        let due =
            "INSERT INTO second_looks (comment, site, due_at, first) SELECT seq, site, 0, 'publish' FROM comments WHERE name = 'Wren'";
        assert_eq!(store.execute(due, []).unwrap(), 1);
    });
    scene.log_in(&app.base, ANA).await;

    browser.go(&format!("{}/desk/c/{check}", app.base)).await;
    browser.says("#say", "A spot check.").await;
    browser.says(".why", "Not shown, so that your word is your own.").await;
    assert!(!browser.source().await.contains("Speaks for"), "nothing of what was decided");
    scene.look_everywhere("desk-check").await;
    browser.keys("a").await;
    browser.says("#toast", "Published: Mia").await;

    browser.go(&format!("{}/desk/c/{looked}", app.base)).await;
    browser.says("#say", "A second look.").await;
    scene.look("desk-second-look").await;
    browser.keys("s").await;
    browser.says("#say", "Your second look is counted").await;
    assert_eq!(scene.status(&looked).await, "published", "it changes nothing");

    browser.go(&format!("{}/desk/c/{covered}", app.base)).await;
    browser.says("#item h1", "Covered").await;
    let seen = "return document.body.innerText.includes('numbskull') || document.title.includes('Rude')";
    assert_eq!(browser.run(seen).await, false);
    scene.look_everywhere("desk-covered").await;
    browser.keys("o").await;
    browser.says("#cover .body", "numbskull").await;
    scene.look("desk-uncovered").await;
}

#[tokio::test]
async fn a_flood_no_model_and_a_session_that_is_over() {
    let Some(mut scene) = Scene::open(Setup::default()).await else { return };
    for n in 0..42 {
        let words = ["kettle", "grinder", "filter", "burr", "steam", "scale", "paper"];
        let body = format!("My {} and the {} of number {n}: what do you think of {}?", words[n % 7], words[n / 7], words[(n * 3 + 1) % 7]);
        scene.submit(&format!("Visitor {n}"), COFFEE, &body).await;
    }
    scene.log_in(&scene.app.base, ANA).await;
    scene.browser.says(".listhead", "A flood: 42 comments in 10 minutes.").await;
    scene.look_everywhere("desk-flood").await;

    // The session ends elsewhere: the press is not taken, it is said, and logging in leads on.
    scene.browser.chromium("Network.clearBrowserCookies", json!({})).await;
    let before = Look::into(&scene.app).count("SELECT count(*) FROM rulings");
    scene.browser.keys("a").await;
    scene.browser.says("main", "Your last ruling was not taken.").await;
    assert_eq!(Look::into(&scene.app).count("SELECT count(*) FROM rulings"), before);
    scene.look("desk-session-over").await;

    scene.app.kill();
    let shelf = scene.app.data().join("models");
    std::fs::create_dir_all(&shelf).unwrap();
    std::fs::write(shelf.join("promoted"), "blog 0123456789ab\n").unwrap();
    std::fs::write(shelf.join("0123456789ab.hamlet"), "no model").unwrap();
    scene.app = scene.app.start_again().await;
    let id = scene.submit("Ida", COFFEE, "Nobody but rules read this.").await;
    scene.log_in_again(ANA).await;
    scene.browser.go(&format!("{}/desk/c/{id}", scene.app.base)).await;
    scene.browser.says("#say", "No model read this.").await;
    scene.look_everywhere("desk-rules-only").await;

    // Of another's site there is nothing to see.
    let foreign = scene.app.submit(OTHER_KEY, &stranger("A word elsewhere.")).await.id();
    scene.browser.go(&format!("{}/desk/c/{foreign}", scene.app.base)).await;
    scene.look_everywhere("desk-not-here").await;
}

#[tokio::test]
async fn whose_mails_are_off_sees_it_and_turns_them_on() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let (browser, app) = (&scene.browser, &scene.app);
    scene.submit("Omar", COFFEE, "What do you pour with?").await;
    scene.log_in(&app.base, ANA).await;
    let paused_by = || Look::into(app).one::<String>("SELECT coalesce(paused_by, 'nobody') FROM mailboxes WHERE moderator = 'ana'");

    browser.go(&format!("{}/desk/you", app.base)).await;
    browser.click("button[value=off]").await;
    browser.says("main", "Your mails are paused.").await;
    browser.says("main form.say", "you paused them. Nobody else gets any.").await;
    assert_eq!(paused_by(), "desk");
    scene.look_everywhere("desk-mails-paused").await;

    // The second mail in a row came back: that is seen where the work is.
    let update = "UPDATE mailboxes SET paused_by = 'bounces' WHERE moderator = 'ana'";
    Look::written(app, |store| assert_eq!(store.execute(update, []).unwrap(), 1));
    browser.go(&format!("{}/desk/", app.base)).await;
    browser.says(".listhead form.say", "two came back.").await;
    scene.look_everywhere("desk-mails-came-back").await;
    browser.click(".listhead form.say button").await;
    browser.says("main", "Your mails come again.").await;
    assert_eq!(paused_by(), "nobody");

    // From another page nothing is changed.
    let url = format!("{}/desk/you/mails", app.base);
    let foreign = app.client.post(&url).header("origin", "https://elsewhere.example").body("mails=off&csrf=x").send().await.unwrap();
    assert!(foreign.status().is_client_error() || foreign.status().is_redirection(), "{}", foreign.status());
    assert_eq!(paused_by(), "nobody");
}

/// Who looks at each comment for two seconds gives twenty rulings in less than a minute only if the desk itself takes next to nothing.
const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn twenty_rulings_by_thumb_and_the_last_taken_back() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let browser = &scene.browser;
    for n in 0..22 {
        scene
            .submit(&format!("Visitor {n}"), COFFEE, &format!("Word number {n} of somebody else about something else, {}.", n * 7919))
            .await;
    }
    browser.screen(360, 780).await;
    scene.log_in(&scene.app.base, ANA).await;
    let began = Instant::now();
    for n in 0..20 {
        browser.says("#item h1", &format!("Visitor {n}")).await;
        // No sooner than a third of a second after the last: the desk takes that for a slip.
        let since = "return await new Promise((done) => setTimeout(() => done(1), 360))";
        browser.run_async(since).await;
        if n % 3 == 0 { browser.swipe(300, 60).await } else { browser.swipe(60, 300).await }
    }
    browser.says("#item h1", "Visitor 20").await;
    let rulings = || Look::into(&scene.app).count("SELECT count(*) FROM rulings WHERE via = 'desk'");
    until("all are written down", || async { (rulings() == 20).then_some(()) }).await;
    let took = began.elapsed();
    eprintln!("twenty rulings by thumb took {} ms", took.as_millis());
    assert!(took < MINUTE, "{took:?}");
    let spam = Look::into(&scene.app).count("SELECT count(*) FROM comments WHERE ruled = 'spam'");
    assert_eq!(spam, 7, "left is spam, right is ham");
    browser.says("#toast", "Visitor 19").await;
    browser.click("#toast button").await;
    browser.says("#item h1", "Visitor 19").await;
    assert_eq!(Look::into(&scene.app).count("SELECT count(*) FROM comments WHERE ruled IS NOT NULL"), 19);
    scene.look("desk-thumb").await;
}

/// Held comments of as many different people about different things, each judged and remembered like the first.
fn hold(app: &TestApp, comments: usize) {
    let number = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {comments})");
    Look::written(app, |store| {
        let sql = format!(
            "{number} INSERT INTO comments (id, site, received_at, kind, name, email, author, body, page_title, status, verdict)
             SELECT randomblob(16), site, received_at - {comments} + i, kind, 'Reader ' || i, 'r' || i || '@readers.example', randomblob(16),
                 'My kettle of ' || (1900 + i % 120) || ' hisses in a minor key, as number ' || i || ' of its kind would: ' ||
                 hex(randomblob(60)) || '. What do you pour with?', page_title, 'held', 'hold'
             FROM n, comments WHERE comments.seq = 1;
             INSERT INTO decisions (site, comment, verdict, discard, band, score, model, mode, why, audited, audit_probability, decided_at)
             SELECT d.site, c.seq, d.verdict, d.discard, d.band, d.score, d.model, d.mode, d.why, 0, d.audit_probability, d.decided_at
             FROM comments c, decisions d WHERE d.seq = 1 AND c.seq > 1;
             INSERT INTO traces (site, comment, at, published, trace)
             SELECT t.site, c.seq, t.at, 0, CAST(substr(t.trace, 1, 2) || randomblob(length(t.trace) - 2) AS BLOB)
             FROM comments c, traces t WHERE t.comment = 1 AND c.seq > 1;"
        );
        store.execute_batch(&sql).unwrap();
    });
}

/// Milliseconds, as the browser measured them.
async fn ms(scene: &Scene, script: &str) -> String {
    let took = scene.browser.run_async(script).await;
    format!("{:.0}", took.as_f64().unwrap_or_else(|| panic!("{script}: {took}")))
}

/// From a key to the next comment on the screen.
const UNTIL_NEXT: &str =
    "const heading = () => document.querySelector('#item h1')?.textContent; const [began, was] = [performance.now(), heading()];
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'KEY', bubbles: true }));
    while (heading() === was) await new Promise(requestAnimationFrame);
    return performance.now() - began;";

/// `HAMLET_HELD=100000` measures with as many; the times are told, and what is on the page is tested with any number.
#[tokio::test]
async fn a_long_queue_is_as_quick_as_a_short_one() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let held = std::env::var("HAMLET_HELD").ok().and_then(|held| held.parse().ok()).unwrap_or(1_200_usize);
    let base = &scene.app.base;
    scene.submit("Jane D.", COFFEE, "See https://one.example for more.").await;
    hold(&scene.app, held - 1);
    scene.log_in(base, ANA).await;
    let paint = "const painted = () => performance.getEntriesByName('first-contentful-paint')[0];
        while (!painted()) await new Promise(requestAnimationFrame); return painted().startTime";
    let answered = "return performance.getEntriesByType('navigation')[0].responseEnd";
    let mut told = String::new();
    for (what, path) in [
        ("first page, cold", "/desk/".to_owned()),
        ("first page", "/desk/".to_owned()),
        ("in the middle", format!("/desk/?q=number+{}+", held / 2)),
        ("a search without a hit", "/desk/?q=nobodysaidthis".to_owned()),
        ("figures", "/desk/figures".to_owned()),
        ("campaigns", "/desk/campaigns".to_owned()),
    ] {
        scene.browser.go(&format!("{base}{path}")).await;
        let (paint, answered) = (ms(&scene, paint).await, ms(&scene, answered).await);
        writeln!(told, "{what}: answered after {answered} ms, painted after {paint} ms").unwrap();
    }
    scene.browser.go(&format!("{base}/desk/")).await;
    let thousands = |n: usize| if n < 1_000 { n.to_string() } else { format!("{},{:03}", n / 1_000, n % 1_000) };
    scene.browser.says(".listhead", &format!("{} to review", thousands(held))).await;
    let ahead = "while (performance.getEntriesByType('resource').length < 3) await new Promise(requestAnimationFrame); return 1";
    scene.browser.run_async(ahead).await;
    scene.browser.run_async("return await new Promise((done) => setTimeout(() => done(1), 400))").await;
    for (what, key) in [("the next, read ahead", "j"), ("the next, at once after it", "j"), ("a ruling and the next", "s")] {
        let took = ms(&scene, &UNTIL_NEXT.replace("KEY", key)).await;
        writeln!(told, "{what}: {took} ms").unwrap();
    }
    scene.browser.says("#toast", "Reader 2").await;
    scene.browser.go(&format!("{base}/desk/?q=name:reader+nobodysaidthis")).await;
    let searched = if held > 20_000 { "Nothing among the 20,000 that wait longest matches." } else { "Nothing that waits matches." };
    scene.browser.says("h1", searched).await;
    eprintln!("with {held} held comments\n{told}");
}
