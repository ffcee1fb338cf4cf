//! The flags that are the same for every command: `--format` of those that list, `--dry-run` of those that change.

use crate::app::{BLOG_KEY, Setup, TestApp, stranger};
use crate::import::run;
use serde_json::Value;

fn out(app: &TestApp, arguments: &[&str]) -> String {
    let output = run(app.folder(), arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_list_is_a_document_lines_or_a_table() {
    let app = TestApp::start(Setup::default()).await;
    for number in 0..2 {
        app.submit(BLOG_KEY, &stranger(&format!("A word about kettle {number}."))).await.id();
    }
    out(&app, &["site", "key", "add", "blog", "--name", "=cmd", "--scope", "submit"]);
    let lists: [&[&str]; 10] = [
        &["queue", "list"],
        &["outbox", "list"],
        &["site", "list"],
        &["site", "key", "list"],
        &["lists", "check"],
        &["lists", "stats"],
        &["campaigns", "list"],
        &["config", "show"],
        &["doctor"],
        &["model", "list"],
    ];
    for list in lists {
        let with = |format: &str| out(&app, &[list, &["--format", format]].concat());
        let document: Vec<Value> = serde_json::from_str(&with("json")).unwrap();
        let lines: Vec<Value> = with("jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Ages move on between two calls; names of fields do not.
        let names =
            |rows: &[Value]| rows.iter().map(|row| row.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).collect::<Vec<_>>();
        assert_eq!(names(&document), names(&lines), "{list:?}");
        let table = with("csv");
        let mut rows = csv::Reader::from_reader(table.as_bytes());
        let heads: Vec<String> = rows.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(rows.records().flatten().count(), document.len(), "{list:?}");
        let in_document = |head: &String| document.is_empty() || document.iter().any(|row| row.get(head).is_some());
        assert!(heads.iter().all(|head| in_document(head) || head == "error"), "{list:?}: {heads:?} {document:?}");
        assert!(!table.contains(",=cmd"), "no cell is a formula");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let app = TestApp::start(Setup::default()).await;
    let id = app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await.id();
    let spool = app.folder().join("spool.jsonl");
    std::fs::write(&spool, "{\"id\":1,\"body\":\"A word.\"}\n").unwrap();
    let spool = spool.to_str().unwrap();
    let starter = out(&app, &["model", "list", "--format", "csv"]).lines().nth(1).unwrap().split(',').nth(1).unwrap().to_owned();
    let before = crate::store::Look::into(&app).dump();
    for (arguments, expected) in [
        (&["queue", "rule", &id, "--as", "spam"][..], format!("would rule spam on {id}, which is held now")),
        (&["outbox", "retry", "--all"], "would send again: 0".to_owned()),
        (&["site", "key", "add", "blog", "--name", "x", "--scope", "submit"], "would add the key \"x\" of blog".to_owned()),
        (&["site", "key", "revoke", "blog", "--name", "x"], "would revoke the key \"x\" of blog".to_owned()),
        (&["forget", "--comment", &id], "blog 1".to_owned()),
        (&["moderator", "pause", "ana"], "would turn ana's mails off, which are on now".to_owned()),
        (&["moderator", "resume", "ana"], "would turn ana's mails on, which are on now".to_owned()),
        (
            &["moderator", "reset", "ana"],
            "would forget ana's password, log them out everywhere and print a link that lets them in".to_owned(),
        ),
        (&["submit", "--site", "blog", "--input", spool], "would hand over: 1, bad lines: 0".to_owned()),
        (&["retrain", "--site", "blog"], "would train blog on its 0 labels, 0 spam and 0 ham".to_owned()),
        (&["reload"], "would have the daemon take sound settings, of these sites: blog, open, other, stern, watch".to_owned()),
        (&["model", "promote", "--site", "blog", &starter], format!("would let {starter} judge blog")),
    ] {
        assert_eq!(out(&app, &[arguments, &["--dry-run"]].concat()).trim(), expected);
    }
    assert_eq!(crate::store::Look::into(&app).dump(), before);
    let shown = out(&app, &["queue", "show", &id]);
    assert!(shown.contains("held on blog, waits for a person") && shown.contains("| A word about the kettle."), "{shown}");
    let shown: Value = serde_json::from_str(&out(&app, &["queue", "show", &id, "--format", "json"])).unwrap();
    assert_eq!((&shown["id"], &shown["rulings"]), (&Value::from(id), &Value::Array(vec![])));
}
