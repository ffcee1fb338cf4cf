//! Mail as written becomes mail as it is sent: by which way, under which name, and who hears when it fails.

use super::problem::{Problems, is_host};
use super::settings;
use super::{Dkim, Mail, Smtp, Tls, Transport};
use std::path::{Path, PathBuf};

/// RFC 5321 allows 64 before the `@`; a digest's mark takes a plus sign, its id and a signature of it.
const BOUNCES_LOCAL_BYTES_MAX: usize = 64 - 1 - 32 - 16;

pub(super) fn mail(problems: &mut Problems, mail: &settings::Mail, data: &Path) -> Mail {
    let transport = transport(problems, mail, data);
    if transport.sends() || !mail.from.is_empty() {
        problems.email("mail.from", &mail.from);
    }
    Mail {
        from: mail.from.clone(),
        admin: (!mail.admin.is_empty()).then(|| problems.email("mail.admin", &mail.admin)),
        bounces: bounces(problems, &mail.bounces),
        transport,
        dkim: dkim(problems, &mail.dkim),
    }
}

impl Transport {
    pub(super) fn sends(&self) -> bool {
        match self {
            Self::None => false,
            Self::Files(_) | Self::Smtp(_) => true,
        }
    }
}

/// Only the chosen transport is looked at: what is not used may be half written.
fn transport(problems: &mut Problems, mail: &settings::Mail, data: &Path) -> Transport {
    match mail.transport.as_str() {
        "none" => Transport::None,
        "files" if mail.files.dir.is_empty() => Transport::Files(data.join("mail")),
        "files" => Transport::Files(PathBuf::from(&mail.files.dir)),
        "smtp" => Transport::Smtp(smtp(problems, &mail.smtp)),
        other => {
            problems.add("mail.transport", format!("{other:?}"), "write none, files or smtp");
            Transport::None
        }
    }
}

fn smtp(problems: &mut Problems, smtp: &settings::Smtp) -> Smtp {
    if !is_host(&smtp.host) {
        problems.add("mail.smtp.host", format!("{:?}", smtp.host), "write the host name of your mail server, like smtp.example.org");
    }
    let password = problems.secret("mail.smtp.password", &smtp.password, &smtp.password_file);
    if password.is_some() == smtp.username.is_empty() {
        problems.add("mail.smtp.username", format!("{:?}", smtp.username), "write both a username and a password, or neither");
    }
    Smtp {
        host: smtp.host.clone(),
        port: problems.number("mail.smtp.port", smtp.port, "a port", 1..=65_535),
        tls: tls(problems, &smtp.tls),
        login: password.map(|password| (smtp.username.clone(), password)),
    }
}

fn tls(problems: &mut Problems, written: &str) -> Tls {
    match written {
        "none" => Tls::None,
        "starttls" => Tls::Starttls,
        "implicit" => Tls::Implicit,
        other => {
            problems.add("mail.smtp.tls", format!("{other:?}"), "write starttls, implicit or none");
            Tls::Starttls
        }
    }
}

fn bounces(problems: &mut Problems, written: &str) -> Option<String> {
    if written.is_empty() {
        return None;
    }
    let address = problems.email("mail.bounces", written);
    if address.split('@').next().is_some_and(|local| local.len() > BOUNCES_LOCAL_BYTES_MAX) {
        let instead = format!("write an address with at most {BOUNCES_LOCAL_BYTES_MAX} characters before the @, like bounces@example.org");
        problems.add("mail.bounces", format!("{written:?}"), instead);
    }
    Some(address)
}

/// All three or none; the key itself is read by who signs.
fn dkim(problems: &mut Problems, dkim: &settings::Dkim) -> Option<Dkim> {
    let key = problems.secret("mail.dkim.key", &dkim.key, &dkim.key_file);
    let (domain, selector) = (&dkim.domain, &dkim.selector);
    if key.is_none() && domain.is_empty() && selector.is_empty() {
        return None;
    }
    for (name, value) in [("mail.dkim.domain", domain), ("mail.dkim.selector", selector)] {
        if !is_host(value) || value.starts_with('[') {
            problems.add(
                name,
                format!("{value:?}"),
                "write a name as it stands in DNS, like example.org and hamlet for hamlet._domainkey.example.org",
            );
        }
    }
    if key.is_none() {
        problems.add(
            "mail.dkim.key_file",
            "missing",
            "name the file with the private key: RSA in PEM (`openssl genrsa -traditional 2048`)",
        );
    }
    key.map(|key| Dkim { domain: domain.clone(), selector: selector.clone(), key })
}
