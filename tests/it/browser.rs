//! The pages in a real browser: the form on the demo blog, the link of a mail, the desk by keyboard alone, on a phone, without scripts, by
//! two people at once; and axe finds nothing.

use crate::app::{BLOG_KEY, Setup, TestApp, stranger};
use crate::commands::{hamlet_reading, str};
use crate::page::mail;
use crate::scene::Scene;
use crate::store::Look;
use crate::wait::{until, until_true};
use crate::webdriver::{Browser, Scripts};
use serde_json::{Value, json};
use std::path::Path;

const COFFEE: &str = "How we brew coffee";

/// What a desk looks like on an ordinary day.
async fn fill(scene: &Scene) -> Vec<String> {
    let long = "Hi, I also had this problem until a friend showed me where to compare offers. My first grinder was so uneven that the filter \
        clogged every time.\n\nNow I use https://cheap-loans.example/best\u{200b}-grinder and it changed my mornings forever, thank me later.";
    let words = [
        ("Jane D.", COFFEE, long),
        (
            "Omar",
            "Release 2.0",
            "Nice. I measured the same: see docs.rs/slow-kettle, and the two plots at omar-bench.example. The third run is odd.",
        ),
        ("سلمى", "Cold water, slow morning", "شكرا على المقال. جربت الطريقة نفسها مع ماء أبرد قليلا، وكانت النتيجة أحلى وأقل مرارة."),
        ("Tomás R.", COFFEE, "I disagree with the ratio. For light roasts I would go to 1:17, and coarser than you say."),
        ("陈晓", COFFEE, "请问这个水温对深烘豆也适用吗？我用的是手摇磨豆机。"),
        ("Wren", "Grinders under 200", "The link to the burr chart is dead, here is the archived one: https://archive.example/burrs"),
    ];
    let mut ids = Vec::new();
    for (name, title, body) in words {
        ids.push(scene.submit(name, title, body).await);
    }
    ids
}

#[tokio::test]
async fn the_desk_by_keyboard_alone() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let (browser, ids) = (&scene.browser, fill(&scene).await);
    scene.log_in(&scene.app.base, "ana@moderators.example").await;
    browser.says("#item h1", "Jane D.").await;
    scene.look_everywhere("desk").await;

    // Keys with modifiers are the browser's; nothing is ruled by them.
    browser.control('a').await;
    browser.keys("j").await;
    browser.says("#item h1", "Omar").await;
    browser.keys("k").await;
    browser.says("#item h1", "Jane D.").await;
    assert_eq!(scene.status(&ids[0]).await, "held");

    // A ruling, the next comment at once, and a second one too soon is not taken.
    until("the next is read ahead", || async {
        (browser.run("return performance.getEntriesByType('resource').length").await.as_i64()? > 2).then_some(())
    })
    .await;
    // In one go: on a busy machine the driver's two keys are farther apart.
    let twice = "for (const key of 'ss') document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))";
    browser.run(twice).await;
    scene.becomes(&ids[0], "rejected").await;
    browser.says("#item h1", "Omar").await;
    browser.says("#toast", "Marked as spam: Jane D.").await;
    assert_eq!(scene.status(&ids[1]).await, "held", "a second key within a third of a second rules on nothing");
    scene.look("desk-toast").await;
    browser.keys("u").await;
    browser.says("#item h1", "Jane D.").await;
    browser.says("#say", "Taken back.").await;
    scene.becomes(&ids[0], "held").await;

    // Search, and its own list.
    browser.keys("/").await;
    browser.keys("name:wren\u{e007}").await;
    browser.says("#item h1", "Wren").await;
    until("the key's rest is over", || async { browser.run("return performance.now() > 1000").await.as_bool().filter(|is| *is) }).await;
    browser.keys("a").await;
    scene.becomes(&ids[5], "published").await;
    browser.says("#item h1", "Nothing that waits matches.").await;
    scene.look("desk-search-empty").await;

    browser.go(&format!("{}/desk/c/{}", scene.app.base, ids[2])).await;
    browser.says("#item h1", "سلمى").await;
    assert_eq!(browser.run("return getComputedStyle(document.querySelector('.body')).direction").await, "rtl");
    assert_eq!(browser.run("return getComputedStyle(document.body).direction").await, "ltr");
    browser.keys("?").await;
    browser.says("#keys", "undo the last ruling").await;
    scene.look("desk-keys").await;

    // Twice as large: nothing is lost.
    browser.screen(640, 430).await;
    scene.look("desk-200-percent").await;
    browser.screen(1280, 860).await;

    for page in ["you", "audit", "campaigns", "figures", "explain"] {
        let path = if page == "explain" { format!("explain/{}", ids[0]) } else { page.to_owned() };
        browser.go(&format!("{}/desk/{path}", scene.app.base)).await;
        scene.look_everywhere(page).await;
    }
}

#[tokio::test]
async fn the_desk_says_what_keeps_it() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let (browser, ids) = (&scene.browser, fill(&scene).await);
    scene.log_in(&scene.app.base, "ana@moderators.example").await;
    let network = |latency_ms: u32, offline: bool| json!({ "offline": offline, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.chromium("Network.enable", json!({})).await;

    // What is long in coming is said to come.
    browser.go(&format!("{}/desk/c/{}", scene.app.base, ids[3])).await;
    browser.says("#item h1", "Tomás R.").await;
    browser.chromium("Network.emulateNetworkConditions", network(10_000, false)).await;
    browser.keys("k").await;
    browser.says("#say", "Fetching the comment.").await;
    scene.look("desk-loading").await;
    // A key does not meet the comment that is being left.
    browser.keys("a").await;
    assert_eq!(scene.status(&ids[3]).await, "held");
    browser.chromium("Network.emulateNetworkConditions", network(0, false)).await;

    // A store that cannot be written: the ruling is not taken, and the comment stands where it stood.
    browser.go(&format!("{}/desk/c/{}", scene.app.base, ids[3])).await;
    browser.says("#item h1", "Tomás R.").await;
    let other = rusqlite::Connection::open(scene.app.data().join("hamlet.db")).unwrap();
    other.execute_batch("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE").unwrap();
    browser.keys("a").await;
    browser.says("#say", "The desk can read or write nothing just now.").await;
    browser.says("#item h1", "Tomás R.").await;
    scene.look("desk-unavailable").await;
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(scene.status(&ids[3]).await, "held");

    // No connection: nothing is ruled, and it is said.
    browser.go(&format!("{}/desk/c/{}", scene.app.base, ids[3])).await;
    browser.says("#item h1", "Tomás R.").await;
    browser.chromium("Network.emulateNetworkConditions", network(0, true)).await;
    browser.keys("a").await;
    browser.says("#say", "No connection.").await;
    scene.look("desk-offline").await;
    assert_eq!(scene.status(&ids[3]).await, "held");
}

#[tokio::test]
async fn two_moderators_a_phone_and_no_script() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let (browser, ids) = (&scene.browser, fill(&scene).await);
    let (ana, bob) = (scene.app.base.clone(), scene.other());
    scene.log_in(&ana, "ana@moderators.example").await;
    scene.log_in(&bob, "bob@moderators.example").await;

    // Ana stays on the first; Bob sees her name and cannot rule on it.
    browser.go(&format!("{ana}/desk/c/{}", ids[0])).await;
    until("the claim", || async {
        browser.go(&format!("{bob}/desk/c/{}", ids[0])).await;
        let is_claimed = browser.source().await.contains("Ana is on this for");
        if !is_claimed {
            browser.go(&format!("{ana}/desk/c/{}", ids[0])).await;
            browser.run_async("await new Promise((r) => setTimeout(r, 1300)); return 1").await;
        }
        is_claimed.then_some(())
    })
    .await;
    scene.look_everywhere("desk-claimed").await;
    assert!(browser.has("button[value=publish][disabled]").await);

    // Ana has the second open while Bob decides it.
    browser.go(&format!("{ana}/desk/c/{}", ids[1])).await;
    let decided = scene.app.rule(BLOG_KEY, &ids[1], "publish").await;
    assert_eq!(decided.status, 200, "{}", decided.text);
    browser.keys("s").await;
    browser.says("#say", "Already decided by").await;
    assert_eq!(scene.status(&ids[1]).await, "published");
    scene.look_everywhere("desk-decided").await;

    // By thumb, with undo.
    browser.screen(360, 780).await;
    browser.go(&format!("{ana}/desk/c/{}", ids[3])).await;
    browser.says("#item h1", "Tomás R.").await;
    browser.swipe(60, 300).await;
    scene.becomes(&ids[3], "published").await;
    browser.says("#toast", "Published: Tomás R.").await;
    scene.look("desk-phone-swiped").await;
    browser.click("#toast button").await;
    scene.becomes(&ids[3], "held").await;
    browser.click(".tolist").await;
    scene.look("desk-phone-list").await;
    browser.screen(1280, 860).await;

    // Without scripts everything is there all the same.
    browser.scripts(Scripts::Off).await;
    browser.go(&format!("{ana}/desk/c/{}", ids[3])).await;
    browser.click("#ruling button[value=spam]").await;
    scene.becomes(&ids[3], "rejected").await;
    browser.says("#toast", "Marked as spam: Tomás R.").await;
    browser.click("#toast button").await;
    browser.says("#say", "Taken back.").await;
    scene.becomes(&ids[3], "held").await;
    browser.scripts(Scripts::On).await;
}

#[tokio::test]
async fn a_campaign_and_a_day_s_end() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let browser = &scene.browser;
    let mut ids = Vec::new();
    for n in 0..23 {
        let (code, name) = ([24, 7, 11, 30][n % 4], format!("BestRoaster_{n}"));
        let body = format!(
            "Great post! Get fresh beans with 70 % off today for every kettle and grinder, see http://beans-deal.example and use code BEANS{code}"
        );
        ids.push(scene.submit(&name, [COFFEE, "Release 2.0", "Grinders under 200"][n % 3], &body).await);
    }
    let kept = scene.submit("Mia", COFFEE, "I never understood why the hiss stops before the boil; now I do.").await;
    scene.log_in(&scene.app.base, "ana@moderators.example").await;
    browser.says(".row .many", "23 alike").await;
    browser.keys("g").await;
    browser.says("#item h1", "23 alike").await;
    scene.look_everywhere("campaign").await;
    browser.click("input[name=v]").await;
    browser.says("button[value=spam] .ticked", "22").await;
    browser.click("button[value=spam]").await;
    browser.says("#toast", "Marked as spam: 22 comments").await;
    assert_eq!(scene.status(&ids[0]).await, "held", "what was unticked stays");
    let rejected = || Look::into(&scene.app).count("SELECT count(*) FROM comments WHERE ruled = 'spam'");
    assert_eq!(rejected(), 22);
    browser.click("#toast button").await;
    until_true("one undo takes all back", || rejected() == 0).await;

    browser.go(&format!("{}/desk/c/{kept}", scene.app.base)).await;
    browser.click("#ruling button[value=publish]").await;
    scene.becomes(&kept, "published").await;
    browser.go(&format!("{}/desk/campaigns", scene.app.base)).await;
    browser.click("button[value=spam]").await;
    browser.says("#item h1", "No campaign waits.").await;
    scene.look("campaigns-none").await;
    browser.go(&format!("{}/desk/", scene.app.base)).await;
    browser.says("#item h1", "Nothing to review.").await;
    scene.look_everywhere("rest").await;
}

#[tokio::test]
async fn the_mail_s_link_and_a_scanner_that_runs_a_browser() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let browser = &scene.browser;
    let id = scene.app.submit(BLOG_KEY, &stranger("See https://a.example/kettle for mine.")).await.id();
    let link = mail(&scene.server, 1).await.link(&scene.app.base);
    Look::into(&scene.app).outbox_drained().await;
    let before = Look::into(&scene.app).dump();
    // It opens every link that it finds, and stays a while.
    for address in [link.clone(), format!("{link}?i=1"), format!("{}/desk/", scene.app.base), format!("{}/desk/login", scene.app.base)] {
        browser.go(&address).await;
        let links = browser.run("return [...document.links].map((a) => a.href)").await;
        for address in links.as_array().unwrap_or(&Vec::new()).iter().filter_map(Value::as_str) {
            browser.go(address).await;
        }
    }
    assert_eq!(Look::into(&scene.app).dump(), before);
    browser.go(&format!("{link}?i=1")).await;
    scene.look_everywhere("action").await;
    browser.click("button[value=publish]").await;
    browser.says(".say", "Published.").await;
    scene.becomes(&id, "published").await;
}

#[tokio::test]
async fn the_form_on_the_demo_blog() {
    let Some(browser) = Browser::start().await else { return };
    let app = TestApp::demo().await;
    browser.go(&format!("{}/demo/", app.base)).await;
    browser.fill("#body", "My kettle hisses the same way, and I pour a little earlier in winter.").await;
    browser.fill("#name", "Marit").await;
    browser.fill("#email", "marit@readers.example").await;
    browser.click("form.fields button").await;
    browser.says(".say", "").await;
    until("it is shown or waits", || async { browser.url().await.contains("said=").then_some(()) }).await;
}

/// A file that the browser opens as a mail program would.
fn opened(folder: &Path, name: &str, html: &str) -> String {
    let file = folder.join(format!("{name}.html"));
    std::fs::write(&file, html).unwrap();
    format!("file://{}", file.display())
}

#[tokio::test]
async fn a_mail_is_read_pressed_and_turned_off_in_a_browser() {
    let Some(scene) = Scene::open(Setup::default().set("DIGEST__ITEMS_MIN", 5).set("DIGEST__AGE_HOURS_MAX", 720)).await else { return };
    let (browser, folder) = (&scene.browser, tempfile::tempdir().unwrap());
    for n in 0..4 {
        let body = format!(
            "Great post! Get fresh beans with 70 % off today for every kettle, see http://beans-deal.example and use code BEANS{n}"
        );
        scene.submit(&format!("BestRoaster_{n}"), [COFFEE, "Release 2.0"][n % 2], &body).await;
    }
    let kept = scene.submit("سلمى", COFFEE, "شكرا على المقال. جربت الطريقة نفسها مع ماء أبرد قليلا.").await;
    let sent = mail(&scene.server, 1).await;
    let address = opened(folder.path(), "digest", &sent.html);
    browser.go(&address).await;
    scene.look_everywhere("mail-digest").await;
    assert_eq!(browser.run("return document.querySelectorAll('a.b').length").await, 2, "{}", sent.html);
    assert_eq!(browser.run("return performance.getEntriesByType('resource').length").await, 0, "a mail loads nothing");
    assert_eq!(browser.run("return getComputedStyle(document.querySelectorAll('.q')[1]).direction").await, "rtl");

    // The page behind it: one form for the four, of which one is left out.
    browser.click("a.b").await;
    browser.says("h1", "BestRoaster_0").await;
    scene.look_everywhere("action-alike").await;
    browser.click("input[name=like]").await;
    browser.click("button[value=spam]").await;
    browser.says(".say", "3 comments marked as spam.").await;
    scene.look("action-after").await;
    assert_eq!(Look::into(&scene.app).count("SELECT count(*) FROM comments WHERE ruled = 'spam'"), 3);
    assert_eq!(scene.status(&kept).await, "held");

    // Off and on again.
    browser.go(sent.header("list-unsubscribe").trim_matches(['<', '>'])).await;
    browser.says("h1", "Your mails are on").await;
    scene.look_everywhere("mailbox-on").await;
    browser.click("button[value=pause]").await;
    browser.says("h1", "Your mails are off").await;
    scene.look_everywhere("mailbox-off").await;
    browser.click("button[value=resume]").await;
    browser.says("h1", "Your mails are on").await;
    browser.says(".say", "What waits comes with the next one.").await;

    // And whether it arrives at all.
    let (config, data) = (scene.app.folder().join("hamlet.toml"), scene.app.data());
    let asked = hamlet_reading(&["moderator", "test-mail", "ana", "--config", str(&config), "--data", str(&data)], "");
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    let letter = mail(&scene.server, 2).await;
    browser.go(&opened(folder.path(), "letter", &letter.html)).await;
    scene.look_everywhere("mail-test").await;
    browser.click("a.b").await;
    browser.says("h1", "Did the test mail reach you?").await;
    scene.look_everywhere("confirm").await;
    browser.click("form button").await;
    browser.says("h1", "Noted: mail reaches you").await;
    scene.look("confirmed").await;
}

/// Every kind of mail and every page behind one, as `view` writes them down for itself.
#[tokio::test]
async fn every_mail_and_its_page_as_they_stand_in_the_snapshots() {
    let Some(scene) = Scene::open(Setup::default()).await else { return };
    let (snapshots, folder) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("src/view/snapshots"), tempfile::tempdir().unwrap());
    let css = std::fs::read_to_string(snapshots.join("../assets/hamlet.css")).unwrap();
    let mut looked = 0;
    for entry in std::fs::read_dir(&snapshots).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().rsplit("__").next().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let page = text.splitn(3, "---\n").nth(2).unwrap_or_default();
        let is_ours = ["digest_", "letter", "mailbox", "confirm", "action"].iter().any(|kind| name.starts_with(kind));
        if !is_ours || !page.starts_with("<!doctype html>") {
            continue;
        }
        let page = page.replace("<link rel=\"stylesheet\" href=\"/assets/hamlet.css\">", &format!("<style>{css}</style>"));
        scene.browser.go(&opened(folder.path(), &name, &page)).await;
        scene.look_everywhere(&format!("snapshot-{name}")).await;
        looked += 1;
    }
    assert!(looked >= 12, "{looked}");
}
