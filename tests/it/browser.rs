//! The pages in a real browser: the form on the demo blog, the link of a mail, the desk by keyboard alone, on a phone, without scripts, by
//! two people at once; and axe finds nothing.

use crate::app::{BLOG_KEY, Setup, TestApp, stranger};
use crate::page::mail;
use crate::scene::Scene;
use crate::store::Look;
use crate::wait::{until, until_true};
use crate::webdriver::{Browser, Scripts};
use serde_json::{Value, json};

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

    // No connection: nothing is ruled, and it is said.
    browser.go(&format!("{}/desk/c/{}", scene.app.base, ids[3])).await;
    browser.says("#item h1", "Tomás R.").await;
    let offline = json!({ "offline": true, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.chromium("Network.enable", json!({})).await;
    browser.chromium("Network.emulateNetworkConditions", offline).await;
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
