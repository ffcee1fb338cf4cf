//! What the receivers of mails look up of their sender: SPF, DKIM and DMARC, each judged as the text that it is. Whether SPF's record really
//! lets the mail server send is the receivers' to work out; what is missing, double or does not match is found here.

use crate::config::{Config, Transport};
use crate::dice::Dice;
use crate::dns::{NoTexts, texts};
use crate::flow::doctor::Finding;
use crate::outbox;
use std::future::Future;

/// Asks for the three records of the domain that mails come from.
pub async fn ask(config: &Config, dice: &Dice) -> Vec<Finding> {
    let (Transport::Smtp(smtp), Some(domain)) = (&config.mail.transport, config.mail.from.rsplit('@').next()) else { return Vec::new() };
    let look_up = |name: String| {
        let (resolver, timeout, [high, low, ..]) = (config.dns.resolver, config.outbox.timeout, dice.bytes());
        async move { (texts(resolver, &name, timeout, u16::from_be_bytes([high, low])).await, name) }
    };
    let mut findings = vec![found(look_up(domain.to_owned()), |texts, name| spf(texts, name, &smtp.host)).await];
    if let Some(dkim) = &config.mail.dkim {
        let (name, ours) = (format!("{}._domainkey.{}", dkim.selector, dkim.domain), outbox::public_record(dkim));
        findings.push(found(look_up(name), |texts, name| signature(texts, name, ours.as_deref())).await);
    }
    findings.push(found(look_up(format!("_dmarc.{domain}")), dmarc).await);
    findings
}

async fn found(
    asked: impl Future<Output = (Result<Vec<String>, NoTexts>, String)>,
    judge: impl FnOnce(&[String], &str) -> Finding,
) -> Finding {
    match asked.await {
        (Ok(texts), name) => judge(&texts, &name),
        (Err(error), name) => Finding::doubtful(
            "mail",
            format!("what DNS says of {name} is not known: {error}"),
            format!("ask from elsewhere: dig +short TXT {name}"),
        ),
    }
}

/// RFC 7208, section 4.5: one record, or none of them counts.
fn spf(texts: &[String], domain: &str, host: &str) -> Finding {
    let records: Vec<&String> = texts.iter().filter(|text| is_version(text, "v=spf1")).collect();
    match records.as_slice() {
        [] => Finding::doubtful(
            "mail",
            format!("{domain} has no SPF record, so that receivers cannot tell its mails from forged ones"),
            format!("publish a TXT record at {domain} that lets {host} send, as its provider says: v=spf1 include:PROVIDER -all"),
        ),
        [record] if record.split_whitespace().any(|term| ["all", "+all"].contains(&term)) => Finding::doubtful(
            "mail",
            format!("the SPF record of {domain} lets everybody send: {record}"),
            "end it in -all, behind what names your mail server",
        ),
        [record] => Finding::good("mail", format!("SPF of {domain}: {record} (it must let {host} send)")),
        records => Finding::broken(
            "mail",
            format!("{domain} has {} SPF records, and so receivers go by none of them", records.len()),
            "merge them into one",
        ),
    }
}

/// `ours`: the record as it should be.
fn signature(texts: &[String], name: &str, ours: Option<&str>) -> Finding {
    let fix = || ours.map_or_else(|| "see mail.dkim.key".to_owned(), |ours| format!("publish a TXT record there: {ours}"));
    let Some(key) = texts.iter().find_map(|text| tag(text, "p")) else {
        return Finding::broken("mail", format!("no key stands at {name}, so that nobody can check what mail.dkim.key signs"), fix());
    };
    match ours.and_then(|ours| tag(ours, "p")) {
        _ if key.is_empty() => Finding::broken("mail", format!("the key at {name} was revoked: its p= is empty"), fix()),
        Some(ours) if ours == key => Finding::good("mail", format!("the key at {name} is that of mail.dkim.key")),
        Some(_) => Finding::broken("mail", format!("the key at {name} is not that of mail.dkim.key: every signature fails"), fix()),
        None => Finding::broken("mail", "nothing can be signed with mail.dkim.key", "see mail.dkim.key in the manual"),
    }
}

/// RFC 7489. The great mailbox providers ask for one since 2024.
fn dmarc(texts: &[String], name: &str) -> Finding {
    match texts.iter().find(|text| is_version(text, "v=DMARC1")) {
        Some(record) => Finding::good("mail", format!("DMARC at {name}: {record}")),
        None => Finding::doubtful(
            "mail",
            format!("no DMARC record stands at {name}; large providers think less of mail without one"),
            "publish a TXT record there: v=DMARC1; p=none",
        ),
    }
}

fn is_version(text: &str, version: &str) -> bool {
    text.split([' ', ';']).next().is_some_and(|first| first.trim().eq_ignore_ascii_case(version))
}

/// The value of a tag, without the blanks that may stand in it.
fn tag(record: &str, name: &str) -> Option<String> {
    let tags = record.split(';').filter_map(|tag| tag.split_once('='));
    let value = tags.into_iter().find(|(given, _)| given.trim() == name)?.1;
    Some(value.split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::doctor::Level::{self, Broken, Doubtful, Good};

    fn check(finding: Finding, level: Level, says: &str) {
        let Finding { level: found, what, fix, .. } = finding;
        assert!(found == level && format!("{what} -> {fix}").contains(says), "{found:?} {what} -> {fix}");
        assert_eq!(fix.is_empty(), level == Good, "what is not well has its fix, and nothing else has");
    }

    fn given(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn of_spf_there_must_be_one_record_that_does_not_let_everybody_send() {
        let spf = |texts: &[&str]| spf(&given(texts), "blog.example", "smtp.blog.example");
        check(spf(&["google-site-verification=x", "V=SPF1 mx -all"]), Good, "V=SPF1 mx -all (it must let smtp.blog.example send)");
        check(spf(&["v=spf10 mx -all"]), Doubtful, "no SPF record");
        check(spf(&["v=spf1 mx +all"]), Doubtful, "lets everybody send");
        check(spf(&["v=spf1 mx ~all", "v=spf1 a -all"]), Broken, "2 SPF records");
    }

    #[test]
    fn the_key_in_dns_must_be_the_one_that_signs() {
        let ours = "v=DKIM1; k=ed25519; p=11qYAYKx";
        let signature = |texts: &[&str], ours| signature(&given(texts), "s._domainkey.blog.example", ours);
        check(signature(&["k=ed25519; p=11qY AYKx"], Some(ours)), Good, "is that of mail.dkim.key");
        check(signature(&[], Some(ours)), Broken, ours);
        check(signature(&["v=DKIM1; p="], Some(ours)), Broken, "revoked");
        check(signature(&["v=DKIM1; p=other"], Some(ours)), Broken, ours);
        check(signature(&["v=DKIM1; p=other"], None), Broken, "nothing can be signed");
    }

    #[test]
    fn dmarc_is_asked_for() {
        let dmarc = |texts: &[&str]| dmarc(&given(texts), "_dmarc.blog.example");
        check(dmarc(&["v=DMARC1;p=reject"]), Good, "v=DMARC1;p=reject");
        check(dmarc(&["v=spf1 -all"]), Doubtful, "p=none");
    }
}
