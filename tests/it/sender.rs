//! What `hamlet doctor --online` finds of the domain that mails come from, asked of a resolver on loopback.

use crate::app::{Setup, TestApp, command};
use crate::commands::str;
use crate::resolver::Resolver;
use crate::smtp::SmtpServer;
use serde_json::Value;

/// RFC 8463, appendix A.
const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// What is said of the sender: level and words, the fix behind them.
async fn said(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    let (server, resolver) = (SmtpServer::open(None).await, Resolver::with_texts(texts));
    let setup = Setup::default().mail_by(&server).set("DNS__RESOLVER", resolver.address());
    let setup = setup.set("MAIL__DKIM__DOMAIN", "hamlet.example").set("MAIL__DKIM__SELECTOR", "s1").set("MAIL__DKIM__KEY", SEED);
    let app = TestApp::start(setup).await;
    let (settings, data) = (app.folder().join("hamlet.toml"), app.data());
    let arguments = ["doctor", "--online", "--format", "json", "--config", str(&settings), "--data", str(&data)];
    let mut doctor = command(&arguments, &app.setup);
    let output = tokio::task::spawn_blocking(move || doctor.output().unwrap()).await.unwrap();
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let of_dns = findings.iter().filter(|finding| text(finding, "what").contains("hamlet.example"));
    of_dns.map(|finding| (text(finding, "level"), format!("{} {}", text(finding, "what"), text(finding, "fix")))).collect()
}

fn has(said: &[(String, String)], level: &str, words: &str) {
    assert!(said.iter().any(|(found, text)| found == level && text.contains(words)), "{level} {words}: {said:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_is_set_up_well_is_told_so() {
    let found = said(&[
        ("hamlet.example", "v=spf1 ip4:127.0.0.1 -all"),
        ("s1._domainkey.hamlet.example", KEY),
        ("_dmarc.hamlet.example", "v=DMARC1; p=quarantine"),
    ])
    .await;
    has(&found, "ok", "SPF of hamlet.example: v=spf1 ip4:127.0.0.1 -all");
    has(&found, "ok", "the key at s1._domainkey.hamlet.example is that of mail.dkim.key");
    has(&found, "ok", "DMARC at _dmarc.hamlet.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_wrong_is_told_with_what_to_publish() {
    let found = said(&[("s1._domainkey.hamlet.example", "v=DKIM1; k=ed25519; p=AAAA")]).await;
    has(&found, "doubtful", "hamlet.example has no SPF record");
    has(&found, "broken", KEY);
    has(&found, "doubtful", "no DMARC record");
}
