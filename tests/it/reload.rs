//! Settings that change while the daemon runs: what is good is at work at once, what has problems is refused whole and told.

use crate::app::{BLOG_KEY, OPEN_KEY, OTHER_KEY, TestApp, stranger};
use crate::commands::{Ended, hamlet, str};
use crate::wait::until_true;
use serde_json::json;

const NEW_KEY: &str = "new-key-0000000";

fn rewrite(app: &TestApp, change: impl FnOnce(String) -> String) {
    let file = app.folder().join("hamlet.toml");
    std::fs::write(&file, change(std::fs::read_to_string(&file).unwrap())).unwrap();
}

fn reload(app: &TestApp) -> Ended {
    hamlet(&["reload", "--data", str(&app.data())])
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_come_and_go_and_change_without_a_restart() {
    let app = TestApp::start(crate::app::Setup::default()).await;
    assert_eq!(app.submit(OPEN_KEY, &stranger("hello")).await.json()["status"], "published");
    rewrite(&app, |text| {
        let text =
            text.replace("[sites.open]\n", "[sites.open]\nname = \"Open\"\nmode = \"enforce\"\n").replace("sites.watch", "sites.fresh");
        text.replace(OPEN_KEY, NEW_KEY).replace("blockedword", "otherword")
    });
    assert_eq!(app.submit(NEW_KEY, &stranger("hello")).await.status, 401);
    let told = reload(&app);
    assert_eq!((told.code, told.stderr.as_str()), (0, ""));
    assert_eq!(told.stdout, "the daemon has taken the settings\nnew sites: fresh\nsites that left: watch\n");
    assert_eq!(app.submit(NEW_KEY, &stranger("hello again")).await.json()["status"], "published");
    assert_eq!(app.submit(OPEN_KEY, &stranger("hello")).await.status, 401);
    assert_eq!(app.log().lines().filter(|line| line.contains("model.taken") && line.contains("fresh")).count(), 1);
    // The rules are others; the new site is judged, by a model.
    assert_eq!(app.submit(NEW_KEY, &stranger("blockedword")).await.json()["status"], "published");
    assert_eq!(app.submit(NEW_KEY, &stranger("otherword")).await.json()["status"], "rejected");
    let judged = app.submit(crate::app::WATCH_KEY, &stranger("a first comment on the fresh site")).await.json();
    assert!(judged["score"].is_number() && judged["model"].is_string(), "{judged}");
    // What came to a site that kept its key is still its own.
    let id = app.submit(BLOG_KEY, &stranger("wait for me")).await.id();
    rewrite(&app, |text| text.replace("[sites.other]\n", "[sites.other]\nmode = \"observe\"\n"));
    app.hang_up();
    until_true("the log tells of it", || app.log().matches("settings.taken").count() == 2).await;
    assert_eq!(app.document(BLOG_KEY, &id).await.json()["status"], "held");
    assert_eq!(app.rule(BLOG_KEY, &id, "spam").await.json()["status"], "rejected");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_with_problems_are_refused_whole_and_every_problem_is_told() {
    let app = TestApp::start(crate::app::Setup::default()).await;
    rewrite(&app, |text| {
        text.replace("undo_seconds = 0", "undo_seconds = 9999")
            .replace("\"ana@moderators.example\"", "\"nobody\"")
            .replace(BLOG_KEY, NEW_KEY)
    });
    let told = reload(&app);
    assert_eq!((told.code, told.stdout.as_str()), (3, ""));
    assert!(
        told.stderr.contains("review.undo_seconds is 9999") && told.stderr.contains("moderators.ana.email is \"nobody\""),
        "{}",
        told.stderr
    );
    assert_eq!(app.submit(BLOG_KEY, &stranger("hello")).await.status, 200);
    assert_eq!(app.submit(NEW_KEY, &stranger("hello")).await.status, 401);
    app.hang_up();
    until_true("the log has both problems", || app.log().matches("moderators.ana.email").count() == 2).await;
    assert_eq!(app.submit(BLOG_KEY, &stranger("hello")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_start_reads_is_named() {
    let app = TestApp::start(crate::app::Setup::default()).await;
    rewrite(&app, |text| text.replace("[learning]", "[http]\npublic_url = \"https://elsewhere.example\"\n[memory]\ndays = 2\n[learning]"));
    let told = reload(&app);
    assert_eq!(
        (told.code, told.stdout.as_str()),
        (0, "the daemon has taken the settings\nchanged, but read only at a start: restart it for: http.public_url, memory\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_has_no_settings_to_read_again_and_nothing_is_wrong_with_that() {
    let app = TestApp::demo().await;
    app.hang_up();
    until_true("the log tells of it", || app.log().contains("settings.have_no_file")).await;
    assert!(!app.log().contains("ERROR"), "{}", app.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_there_is_nothing_to_reload() {
    let folder = tempfile::tempdir().unwrap();
    let told = hamlet(&["reload", "--data", str(folder.path())]);
    assert_eq!(told.code, 4);
    assert!(told.stderr.contains("no daemon runs on"), "{}", told.stderr);
}

/// What waits in the durable queue for a site that left is judged when the site returns.
#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_returns_finds_its_comments() {
    let app = TestApp::start(crate::app::Setup::default()).await;
    let id = app.submit(OTHER_KEY, &stranger("before it left")).await.id();
    let file = app.folder().join("hamlet.toml");
    let whole = std::fs::read_to_string(&file).unwrap();
    rewrite(&app, |text| {
        let (before, rest) = text.split_once("[sites.other]").unwrap();
        let (_, after) = rest.split_once("[sites.watch]").unwrap();
        format!("{before}[sites.watch]{after}").replace("sites = [\"other\"]", "sites = [\"blog\"]")
    });
    assert_eq!(reload(&app).code, 0);
    assert_eq!(app.document(OTHER_KEY, &id).await.status, 401);
    std::fs::write(&file, whole).unwrap();
    assert_eq!(reload(&app).stdout, "the daemon has taken the settings\nnew sites: other\n");
    assert_eq!(app.document(OTHER_KEY, &id).await.json()["id"], json!(id));
    assert_eq!(app.rule(OTHER_KEY, &id, "publish").await.json()["status"], "published");
}
