//! `hamlet submit`: a file of comments goes into the queue, whole or as far as it is good, and never twice.

use crate::app::{BLOG_KEY, Setup, TestApp, stranger};
use crate::commands::{hamlet_reading, str};
use crate::store::Look;
use crate::wait::until_true;
use serde_json::json;

fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers
        .map(|n| {
            let mut comment = stranger(&format!("comment number {n} of the old spool"));
            comment["id"] = json!(format!("wp-{n}"));
            format!("{comment}\n")
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_once_and_bad_lines_are_named() {
    let mut app = TestApp::start(Setup::default()).await;
    let (config, data) = (app.folder().join("hamlet.toml"), app.data());
    let submit =
        |text: &str| hamlet_reading(&["submit", "--site", "blog", "--input", "-", "--config", str(&config), "--data", str(&data)], text);
    let first = submit(&lines(0..600));
    assert_eq!((first.code, first.stdout.as_str()), (0, "taken: 600, known before: 0, bad lines: 0\n"), "{}", first.stderr);
    let text =
        format!("{}not json\n{{\"body\":7}}\n{{\"name\":\"no body\"}}\n{}", lines(0..10), json!({ "id": "wp-3", "body": "another text" }));
    let second = submit(&text);
    assert_eq!((second.code, second.stdout.as_str()), (10, "taken: 0, known before: 10, bad lines: 4\n"));
    for line in ["stdin, line 11: ", "stdin, line 12: ", "stdin, line 13: ", "stdin, line 14: "] {
        assert!(second.stderr.contains(line), "{}", second.stderr);
    }
    assert_eq!(submit("nothing\n").code, 1);
    let look = Look::into(&app);
    let held = || look.count("SELECT count(*) FROM comments WHERE status = 'held'");
    until_true("all are judged", || held() == 600).await;
    // Without a daemon they wait in the store for the next one.
    assert!(app.stop().await);
    let third = submit(&lines(595..620));
    assert_eq!((third.code, third.stdout.as_str()), (0, "taken: 20, known before: 5, bad lines: 0\n"), "{}", third.stderr);
    let app = app.start_again().await;
    until_true("the rest are judged", || held() == 620).await;
    assert_eq!(app.submit(BLOG_KEY, &stranger("one more")).await.status, 200);
}
