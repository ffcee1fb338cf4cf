//! Problems: what is wrong with the settings, and the checks of single values that find it. A check always returns a value, so that the
//! next one can go on; the values are used only if there was no problem at all.

use super::secret::{HIDDEN, Secret};
use crate::rules::check_email;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::Ipv6Addr;
use std::ops::RangeInclusive;

/// One line for the operator: what is wrong, and what to write instead. Never a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The path of the key, or of the file that could not be read.
    pub key: String,
    pub value: String,
    pub instead: String,
}

/// Settings that cannot run: every problem that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    pub problems: Vec<Problem>,
}

impl std::error::Error for Invalid {}

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(out, "{line_break}{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} is {}; {}", self.key, self.value, self.instead)
    }
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, value: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into(), instead: instead.into() }
    }
}

impl From<Problem> for Invalid {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

/// Names stand in mail headers, page titles and tables: longer ones would be cut somewhere.
const NAME_CHARS_MAX: usize = 100;
/// Far above any key or password; a path to a log file by mistake is not read whole.
const SECRET_BYTES_MAX: u64 = 4096;

/// Problems as they are found.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub fn add(&mut self, key: &str, value: impl Into<String>, instead: impl Into<String>) {
        self.0.push(Problem::new(key, value, instead));
    }

    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// One of some words.
    pub fn word<T>(&mut self, key: &str, word: &str, parse: impl FnOnce(&str) -> Option<T>, known: &[&str]) -> Option<T> {
        let parsed = parse(word);
        if parsed.is_none() {
            self.add(key, format!("{word:?}"), format!("write one of {}", known.join(", ")));
        }
        parsed
    }

    /// The value, if nothing was wrong with anything.
    pub fn settle<T>(self, value: T) -> Result<T, Invalid> {
        if self.0.is_empty() { Ok(value) } else { Err(Invalid { problems: self.0 }) }
    }

    /// A whole number in its range; `what` is its unit with an article where it needs one.
    pub fn number<T: TryFrom<i64> + Default>(&mut self, key: &str, value: i64, what: &str, range: RangeInclusive<i64>) -> T {
        match T::try_from(value) {
            Ok(number) if range.contains(&value) => number,
            Ok(_) | Err(_) => {
                self.add(key, value.to_string(), format!("write {what} from {} to {}", range.start(), range.end()));
                T::default()
            }
        }
    }

    pub fn probability(&mut self, key: &str, value: f64) -> f64 {
        if !(0.0..=1.0).contains(&value) {
            self.add(key, value.to_string(), "write a probability from 0 to 1");
        }
        value
    }

    pub fn name(&mut self, key: &str, value: &str) -> String {
        let length = value.chars().count();
        if value.trim().is_empty() || length > NAME_CHARS_MAX || value.chars().any(char::is_control) {
            self.add(key, format!("{value:?}"), format!("write a name of 1 to {NAME_CHARS_MAX} characters on one line"));
        }
        value.to_owned()
    }

    pub fn email(&mut self, key: &str, value: &str) -> String {
        if check_email(value).is_err() {
            self.add(key, format!("{value:?}"), "write a bare address like ana@example.org");
        }
        value.to_owned()
    }

    /// An http(s) URL without a login: this text may be logged.
    pub fn url(&mut self, key: &str, value: &str) -> String {
        if after_authority(value).is_none() {
            self.add(key, shown_url(value), "write http:// or https://, a host and no login, such as https://blog.example.org/hook");
        }
        value.to_owned()
    }

    /// An http(s) URL that ends with its host or port, for paths to be added to.
    pub fn base_url(&mut self, key: &str, value: &str) -> String {
        let base = value.strip_suffix('/').unwrap_or(value);
        // Browsers leave the scheme's own port out of an Origin, and it must equal this.
        let default_port = if base.starts_with("https:") { ":443" } else { ":80" };
        let base = base.strip_suffix(default_port).unwrap_or(base);
        if after_authority(base) != Some("") {
            self.add(key, shown_url(value), "write http:// or https://, a host and no path, such as https://hamlet.example.org");
        }
        base.to_owned()
    }

    /// A secret from its key or from the file that its twin names; none when neither is written.
    pub fn secret(&mut self, key: &str, written: &Secret, file: &str) -> Option<Secret> {
        match (written.is_empty(), file.is_empty()) {
            (true, true) => None,
            (false, true) => Some(written.clone()),
            (true, false) => Some(read_secret(file).unwrap_or_else(|error| {
                self.add(
                    &format!("{key}_file"),
                    format!("{file:?} ({error})"),
                    "name a file that hamlet can read and that holds the secret",
                );
                Secret::default()
            })),
            (false, false) => {
                self.add(key, format!("{HIDDEN} while {key}_file is {file:?}"), "write one of the two");
                Some(written.clone())
            }
        }
    }
}

fn read_secret(file: &str) -> io::Result<Secret> {
    let mut text = String::new();
    let length = File::open(file)?.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text)?;
    let line = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    match length as u64 {
        _ if line.is_empty() => Err(io::Error::other("it is empty")),
        length if length > SECRET_BYTES_MAX => Err(io::Error::other(format!("it has more than {SECRET_BYTES_MAX} bytes"))),
        _ => Ok(Secret::new(line)),
    }
}

/// A login in a URL is a secret, wherever it was written.
fn shown_url(url: &str) -> String {
    if url.contains('@') { HIDDEN.to_owned() } else { format!("{url:?}") }
}

/// What follows host and port of an http(s) URL; none if it is no such URL.
fn after_authority(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let is_sound = is_authority(authority) && tail.chars().all(|c| c.is_ascii_graphic());
    is_sound.then_some(tail)
}

fn is_authority(authority: &str) -> bool {
    let with_port = authority.rsplit_once(':');
    is_host(authority) || with_port.is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0))
}

pub(super) fn is_host(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_name = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    is_name || bracketed.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_scheme_a_host_and_no_login() {
        for (url, tail) in [
            ("https://a.example", Some("")),
            ("http://127.0.0.1:8025/x?y", Some("/x?y")),
            ("http://[::1]:80/", Some("/")),
            ("http://[::1]", Some("")),
            ("https://ana:hush@a.example", None),
            ("https://a.example:0", None),
            ("https://a.example:70000", None),
            ("https:///x", None),
            ("ftp://a.example", None),
            ("a.example", None),
            ("https://a.example/a b", None),
            ("https://a.example/\r\nx", None),
        ] {
            assert_eq!(after_authority(url), tail, "{url}");
        }
    }

    #[test]
    fn a_login_in_a_url_is_not_repeated() {
        let mut problems = Problems::default();
        problems.url("webhook_url", "https://ana:hush@a.example");
        assert!(problems.settle(()).unwrap_err().to_string().starts_with("webhook_url is ***; "));
    }
}
