//! Spot checks: what the score decided stands as decided, yet comes by mail without saying how, and a ruling on it answers.

use crate::app::{BLOG_KEY, Setup, TestApp, editor, stranger};
use crate::page::{mail, path, press};
use crate::smtp::SmtpServer;
use crate::store::Look;
use hamlet::classifier::Label;
use hamlet::decision::Verdict;
use hamlet::id::SiteId;
use hamlet::store::{Audit, Reader};
use serde_json::json;

#[tokio::test]
async fn a_spot_check_is_published_comes_by_mail_without_its_score_and_can_be_ruled() {
    let server = SmtpServer::open(None).await;
    let every = |setup: Setup, key: &str, value: f64| setup.set(&format!("SITES__BLOG__POLICY__{key}"), value);
    let setup = every(Setup::default().mail_by(&server), "PUBLISH_MAX", 0.999_999_999);
    let app = TestApp::start(every(every(setup, "AUDIT_PUBLISHED_SHARE", 1.0), "AUDIT_REJECTED_SHARE", 1.0)).await;
    app.submit(BLOG_KEY, &editor("Thank you.")).await;
    app.submit(BLOG_KEY, &stranger("blockedword")).await;
    let published = app.submit(BLOG_KEY, &stranger("A word about the kettle.")).await.json();
    assert_eq!((&published["status"], &published["verdict"]), (&json!("published"), &json!("publish")));
    let letter = mail(&server, 1).await;
    assert!(
        letter.text.contains("--- Decided automatically, a second look ---") && letter.text.contains("Drawn by chance."),
        "{}",
        letter.text
    );
    assert!(letter.text.contains("1. SPOT CHECK") && !letter.text.contains("2. "), "rules are not checked: {}", letter.text);
    for told in ["likely", "Likely", "Why held", "published"] {
        assert!(!letter.text.contains(told) && !letter.header("subject").contains(told), "{told}: {}", letter.text);
    }
    assert!(letter.text.contains("first comment"), "its own verdict is not in its author's record: {}", letter.text);
    let link = path(&app, &letter.link(&app.base));
    let page = app.get(&link).await.text;
    assert!(
        page.contains("Spot check") && !page.contains("Speaks for") && !page.contains("ikely") && page.contains("first comment"),
        "{page}"
    );
    let id = published["id"].as_str().unwrap();
    assert_eq!(press(&app, &link, 1, "spam").await.status, 200);
    assert_eq!(app.document(BLOG_KEY, id).await.json()["status"], "rejected");
    let look = Look::into(&app);
    let drawn = "FROM decisions WHERE audited = 1 AND audit_probability = 1.0";
    assert_eq!((look.count(&format!("SELECT count(*) {drawn}")), look.count("SELECT count(*) FROM comments WHERE audited = 1")), (1, 1));
    assert_eq!(look.count("SELECT count(*) FROM decisions WHERE audit_probability = 0.0"), 2);
    let (reader, site) = (Reader::open(&app.data()).unwrap(), SiteId::new("blog"));
    let model = reader.last_audited(&site).unwrap().unwrap();
    assert_eq!(model.as_str(), published["model"]);
    assert_eq!(reader.audits(&site, &model).unwrap(), [Audit { verdict: Verdict::Publish, label: Label::Spam }]);
}
