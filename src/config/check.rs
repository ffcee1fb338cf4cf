//! The check: [`Settings`] as written become the [`Config`] that runs, or every problem they have. Ranges are those that
//! `config/default.toml` states, and a test compares the two. Sites and moderators are in `people`.

use super::problem::{Invalid, Problems};
use super::settings::{self, Settings};
use super::{Config, Http, Intake, Keys, Outbox, Review, Store, TlsFiles, learning, lists, mail, people};
use crate::campaign;
use crate::comment::Limits;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub(super) const MINUTE_SECONDS: u64 = 60;
pub(super) const HOUR_SECONDS: u64 = 60 * MINUTE_SECONDS;
pub(super) const DAY_SECONDS: u64 = 24 * HOUR_SECONDS;

impl Settings {
    /// How much is remembered, for who looks at it without a daemon.
    ///
    /// # Errors
    /// [`Invalid`] when it is out of range.
    pub fn memory(&self) -> Result<campaign::Bounds, Invalid> {
        let mut problems = Problems::default();
        let memory = memory(&mut problems, &self.memory);
        problems.settle(memory)
    }

    /// What runs, if everything makes sense. Reads the files that secrets are in.
    ///
    /// # Errors
    /// [`Invalid`]: all problems.
    pub fn check(self) -> Result<Config, Invalid> {
        let mut problems = Problems::default();
        let problem = &mut problems;
        let data = data(problem, &self.data);
        let listen = listen(problem, "http.listen", &self.http.listen);
        let mut config = Config {
            listen,
            metrics: (!self.metrics.listen.is_empty()).then(|| self::listen(problem, "metrics.listen", &self.metrics.listen)),
            public_url: (!self.http.public_url.is_empty()).then(|| problem.base_url("http.public_url", &self.http.public_url)),
            http: http(problem, &self.http),
            tls: tls_files(problem, &self.http.tls),
            limits: limits(problem, &self.http),
            client_address_header: client_address_header(problem, &self.http.client_address_header),
            key_requests_per_minute_max: problem.number(
                "http.key_requests_per_minute_max",
                self.http.key_requests_per_minute_max,
                "requests",
                0..=10_000_000,
            ),
            intake: intake(problem, &self.intake),
            store: store(problem, &self.store),
            memory: memory(problem, &self.memory),
            outbox: outbox(problem, &self.outbox),
            mail: mail::mail(problem, &self.mail, &data),
            review: review(problem, &self.review),
            lists: lists::lists(problem, &self),
            dns: super::dns::dns(problem, &self),
            learning: learning::learning(problem, &self.learning),
            sites: people::sites(problem, &self),
            keys: Keys::default(),
            moderators: people::moderators(problem, &self),
            source: None,
            data,
        };
        config.keys = Keys::of(config.sites.values());
        check_links(problem, &config);
        problems.settle(config)
    }
}

impl Settings {
    /// What a submission may weigh, for those made away from any site.
    ///
    /// # Errors
    /// [`Invalid`] when that is out of range.
    pub fn limits(&self) -> Result<Limits, Invalid> {
        let mut problems = Problems::default();
        let limits = limits(&mut problems, &self.http);
        problems.settle(limits)
    }
}

fn listen(problems: &mut Problems, key: &str, written: &str) -> SocketAddr {
    written.parse().unwrap_or_else(|_| {
        problems.add(key, format!("{written:?}"), "write an IP address and a port like 127.0.0.1:8025");
        SocketAddr::from(([127, 0, 0, 1], 0))
    })
}

fn tls_files(problems: &mut Problems, tls: &settings::HttpTls) -> Option<TlsFiles> {
    let settings::HttpTls { certificate_file, key_file } = tls;
    if certificate_file.is_empty() != key_file.is_empty() {
        let value = format!("{key_file:?} while http.tls.certificate_file is {certificate_file:?}");
        problems.add("http.tls.key_file", value, "write both, or neither for plain HTTP");
    }
    (!certificate_file.is_empty()).then(|| TlsFiles { certificate: certificate_file.into(), key: key_file.into() })
}

/// A link in a mail to `0.0.0.0` leads nowhere.
fn check_links(problems: &mut Problems, config: &Config) {
    if config.mail.transport.sends() && config.public_url.is_none() && config.listen.ip().is_unspecified() {
        let value = format!("empty while http.listen is {}", config.listen);
        problems.add("http.public_url", value, "write where moderators reach hamlet, like https://hamlet.example.org");
    }
}

fn http(problems: &mut Problems, http: &settings::Http) -> Http {
    let mut seconds = |key, written, range| Duration::from_secs(problems.number(key, written, "seconds", range));
    Http {
        head_max: seconds("http.head_seconds_max", http.head_seconds_max, 1..=300),
        body_max: seconds("http.body_seconds_max", http.body_seconds_max, 1..=3_600),
        idle_max: seconds("http.idle_seconds_max", http.idle_seconds_max, 1..=3_600),
        connections_max: problems.number("http.connections_max", http.connections_max, "a number", 1..=1_000_000),
    }
}

/// RFC 9110, 5.6.2: what a field may be called.
fn client_address_header(problems: &mut Problems, written: &str) -> Option<String> {
    if written.bytes().any(|byte| !byte.is_ascii_alphanumeric() && !b"!#$%&'*+-.^_`|~".contains(&byte)) {
        problems.add("http.client_address_header", format!("{written:?}"), "write the name of a header like X-Forwarded-For, or nothing");
    }
    (!written.is_empty()).then(|| written.to_ascii_lowercase())
}

fn limits(problems: &mut Problems, http: &settings::Http) -> Limits {
    Limits {
        body_bytes_max: problems.number("http.body_bytes_max", http.body_bytes_max, "bytes", 1_024..=16_777_216),
        field_bytes_max: problems.number("http.field_bytes_max", http.field_bytes_max, "bytes", 64..=65_536),
        excerpt_bytes_max: problems.number("http.excerpt_bytes_max", http.excerpt_bytes_max, "bytes", 0..=65_536),
    }
}

fn data(problems: &mut Problems, data: &settings::Data) -> PathBuf {
    if data.dir.is_empty() {
        problems.add("data.dir", "empty", "write a directory like ./data");
    }
    PathBuf::from(&data.dir)
}

fn intake(problems: &mut Problems, intake: &settings::Intake) -> Intake {
    Intake {
        waiting_max: problems.number("intake.waiting_max", intake.waiting_max, "a number", 1..=65_536),
        batch_max: problems.number("intake.batch_max", intake.batch_max, "a number", 1..=4_096),
        queued_max: problems.number("intake.queued_max", intake.queued_max, "a number", 1..=10_000_000),
    }
}

fn store(problems: &mut Problems, store: &settings::Store) -> Store {
    let (wal, free) = (store.wal_bytes_max, store.disk_free_bytes_min);
    Store {
        wal_bytes_max: problems.number("store.wal_bytes_max", wal, "bytes", 1_048_576..=17_179_869_184),
        disk_free_bytes_min: problems.number("store.disk_free_bytes_min", free, "bytes", 0..=1_099_511_627_776),
    }
}

fn memory(problems: &mut Problems, memory: &settings::Memory) -> campaign::Bounds {
    let days: u64 = problems.number("memory.days", memory.days, "days", 1..=3_650);
    campaign::Bounds {
        comments_max: problems.number("memory.comments_max", memory.comments_max, "a number", 1_000..=10_000_000),
        age_max: Duration::from_secs(days * DAY_SECONDS),
    }
}

fn outbox(problems: &mut Problems, outbox: &settings::Outbox) -> Outbox {
    let (first, max) = (outbox.retry_seconds_first, outbox.retry_seconds_max);
    if first > max {
        problems.add("outbox.retry_seconds_max", max.to_string(), format!("write no less than outbox.retry_seconds_first, {first}"));
    }
    Outbox {
        waiting_max: problems.number("outbox.waiting_max", outbox.waiting_max, "a number", 1..=10_000_000),
        attempts_max: problems.number("outbox.attempts_max", outbox.attempts_max, "a number", 1..=100),
        retry_first: Duration::from_secs(problems.number("outbox.retry_seconds_first", first, "seconds", 1..=3_600)),
        retry_max: Duration::from_secs(problems.number("outbox.retry_seconds_max", max, "seconds", 1..=86_400)),
        timeout: Duration::from_secs(problems.number("outbox.timeout_seconds", outbox.timeout_seconds, "seconds", 1..=300)),
        at_once_max: problems.number("outbox.at_once_max", outbox.at_once_max, "a number", 1..=256),
    }
}

fn review(problems: &mut Problems, review: &settings::Review) -> Review {
    let days: u64 = problems.number("review.link_days", review.link_days, "days", 1..=90);
    let minutes: u64 = problems.number("review.nonce_minutes", review.nonce_minutes, "minutes", 1..=1_440);
    Review {
        link_valid: Duration::from_secs(days * DAY_SECONDS),
        nonce_valid: Duration::from_secs(minutes * MINUTE_SECONDS),
        undo: Duration::from_secs(problems.number("review.undo_seconds", review.undo_seconds, "seconds", 0..=3_600)),
        second_look_share: problems.probability("review.second_look_share", review.second_look_share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::audit::Rates;
    use crate::config::settings::DEFAULTS;
    use crate::config::{INIT, Transport};
    use crate::decision::Mode;
    use crate::id::SiteId;
    use crate::rules::Field;
    use std::collections::BTreeMap;
    use std::path::Path;

    const SITE: &str = "[sites.blog]\napi_key = 'an-api-key-00'\n";
    const WEBHOOK_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Settings, Invalid> {
        let owned = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Settings::layered(text, "hamlet.toml", owned)
    }

    fn config(text: &str, environment: &[(&str, &str)]) -> Config {
        load(text, environment).and_then(Settings::check).unwrap_or_else(|invalid| panic!("{invalid}"))
    }

    fn problems(text: &str, environment: &[(&str, &str)]) -> String {
        load(text, environment).and_then(Settings::check).unwrap_err().to_string()
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(problems(text, &[]), expected);
    }

    #[test]
    fn tls_takes_two_files() {
        check(
            &format!("[http.tls]\ncertificate_file = '/etc/ssl/hamlet.pem'\n{SITE}"),
            "http.tls.key_file is \"\" while http.tls.certificate_file is \"/etc/ssl/hamlet.pem\"; write both, or neither for plain HTTP",
        );
        assert!(config(SITE, &[]).tls.is_none());
    }

    #[test]
    fn the_defaults_lack_a_site_and_nothing_else() {
        check("", "sites is empty; no site is configured: add [sites.NAME] with an api_key, or try `hamlet serve --demo`");
        let config = config(SITE, &[]);
        let site = &config.sites[&SiteId::new("blog")];
        assert_eq!((site.name.as_str(), site.mode, site.policy.publish_max, site.rules.links_max), ("blog", Mode::Enforce, 0.45, 2));
        assert_eq!((config.public_url, config.review.link_valid), (None, Duration::from_secs(7 * DAY_SECONDS)));
    }

    #[test]
    fn a_site_overrides_single_keys() {
        let text = format!(
            "{SITE}[sites.blog.policy]\nreject_min = 0.9\naudit_rejected_share = 0.5\n[sites.blog.rules]\nlinks_max = 7\nrequire = ['url', 'ip']\n[rules]\nrequire_email = false\n"
        );
        let config = config(&text, &[]);
        let site = &config.sites[&SiteId::new("blog")];
        assert_eq!((site.policy.publish_max, site.policy.reject_min), (0.45, 0.9));
        assert_eq!(site.audit.rates, Rates { published: 0.01, rejected: 0.5 });
        assert_eq!((site.rules.links_max, site.rules.require_email, site.rules.require_name), (7, false, true));
        assert_eq!(site.rules.require, [Field::Url, Field::Ip]);
        assert_eq!(
            problems(&format!("{SITE}[rules]\nrequire = ['url', 'phone']"), &[]),
            "rules.require is \"phone\"; write some of url, ip, user_agent, page_url, page_title"
        );
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let text = r#"
            [http]
            listen = "localhost"
            public_url = "https://a.example/desk"
            body_bytes_max = -1
            [outbox]
            retry_seconds_first = 60
            retry_seconds_max = 30
            [mail]
            transport = "smtp"
            smtp = { port = 0, tls = "ssl", username = "ana" }
            [policy]
            reject_min = 0.05
            [sites.Blog]
            api_key = "short"
            mode = "watch"
            webhook_url = "blog.example"
            webhook_secret = "whsec_c2hvcnQ="
            [sites.a]
            api_key = "the-same-key-0"
            policy = { publish_max = nan }
            [sites.b]
            api_key = "the-same-key-0"
            webhook_url = "https://b.example"
            [moderators.ana]
            name = "Ana\nBcc: x"
            email = "Ana <ana@example.org>"
            sites = ["c"]
        "#;
        check(
            text,
            r#"http.listen is "localhost"; write an IP address and a port like 127.0.0.1:8025
http.public_url is "https://a.example/desk"; write http:// or https://, a host and no path, such as https://hamlet.example.org
http.body_bytes_max is -1; write bytes from 1024 to 16777216
outbox.retry_seconds_max is 30; write no less than outbox.retry_seconds_first, 60
mail.smtp.host is ""; write the host name of your mail server, like smtp.example.org
mail.smtp.username is "ana"; write both a username and a password, or neither
mail.smtp.port is 0; write a port from 1 to 65535
mail.smtp.tls is "ssl"; write starttls, implicit or none
mail.from is ""; write a bare address like ana@example.org
policy is publish_max 0.45, reject_min 0.05, discard_min 0.999; write them so that publish_max < reject_min <= discard_min
sites.Blog is named "Blog"; write a name of 1 to 40 of a-z, 0-9 and -
sites.Blog.api_key is ***; write 12 visible ASCII characters or more
sites.Blog.mode is "watch"; write enforce or observe
sites.Blog.webhook_url is "blog.example"; write http:// or https://, a host and no login, such as https://blog.example.org/hook
sites.Blog.webhook_secret is ***; write whsec_ and the base64 of 24 to 64 random bytes
sites.a.policy.publish_max is NaN; write a probability from 0 to 1
sites.b.webhook_secret is missing; write whsec_ and the base64 of 24 to 64 random bytes
sites.b.api_key is ***; write a key of its own: sites.a.api_key is the same
moderators.ana.name is "Ana\nBcc: x"; write a name of 1 to 100 characters on one line
moderators.ana.email is "Ana <ana@example.org>"; write a bare address like ana@example.org
moderators.ana.sites is "c"; write sites that are configured: Blog, a, b"#,
        );
    }

    #[test]
    fn what_cannot_be_read_names_its_exact_place() {
        check(
            "[http]\nlisten_on = 'x'",
            "http.listen_on is no key that hamlet knows; write one of `listen`, `public_url`, `body_bytes_max`, `field_bytes_max`, `excerpt_bytes_max`, `tls`, `connections_max`, `head_seconds_max`, `body_seconds_max`, `idle_seconds_max`, `key_requests_per_minute_max`, `client_address_header`",
        );
        let site = "[sites.blog.rules]\nlinks = 1";
        check(
            site,
            "sites.blog.rules.links is no key that hamlet knows; write one of `require_name`, `require_email`, `require`, `links_max`, `hold_first_link`, `known_domains`, `known_domain_comments_min`, `honeypot`, `require_form_token`, `form_seconds_min`, `form_hours_max`, `member_comments_min`, `member_days_min`, `page_days_old`, `page_days_quiet`, `flood_address_hold`, `flood_address_reject`, `flood_network_hold`, `flood_email_hold`, `busy_page_comments`, `repeats_hold`, `campaign_hold`, `blocklist`",
        );
        check("[outbox]\nattempts_max = 'many'", "outbox.attempts_max is string \"many\" in hamlet.toml; write a whole number");
        check("[policy]\nreject_min = 'high'", "policy.reject_min is string \"high\" in hamlet.toml; write a number");
        let from_environment = problems("", &[("HAMLET__MAIL__SMTP__PORT", "often")]);
        assert_eq!(from_environment, "mail.smtp.port is string \"often\" in the environment; write a whole number");
        check("[moderators.ana]\nsites = 'blog'", "moderators.ana.sites is of the wrong type; write a list");
        check("sites = 'blog'", "sites is of the wrong type; write a table");
        check("[http\n", "hamlet.toml is not TOML at line 1, column 6 (unclosed table, expected `]`); correct that line");
        let missing = Settings::load(Some(Path::new("/nowhere/hamlet.toml")), std::iter::empty()).unwrap_err().to_string();
        assert!(missing.starts_with("/nowhere/hamlet.toml is not readable (No such file"), "{missing}");
    }

    #[test]
    fn every_problem_of_lists_is_reported_at_once() {
        let text = format!(
            "{SITE}[rules]\nblocklist = ['ok', '-ish', 'x.example/y']\n[lists.blocklist]\nfile = 'a'\nkind = 'words'\neffect = 'reject'\n\
             [lists.keys]\nfile = 'a'\nkind = 'disallowed_keys'\neffect = 'reject'\nlog_odds = 1.0\nsites = ['shop']\n\
             [lists.words]\nkind = 'words'\neffect = 'trust'\nlooks_at = ['ip']\nwhole_words = false\n\
             [lists.Odd]\nfile = 'a'\nkind = 'word'\neffect = 'block'\n[lists.nets]\nfile = 'a'\nkind = 'networks'\neffect = 'evidence'\nlog_odds = 3.0"
        );
        check(
            &text,
            r#"lists.Odd is named "Odd"; write a name of 1 to 40 of a-z, 0-9 and -
lists.Odd.kind is "word"; write one of words, patterns, domains, addresses, networks, numbers, disallowed_keys
lists.Odd.effect is "block"; write one of reject, hold, evidence, trust
lists.blocklist is named "blocklist"; write another name: the entries of rules.blocklist have this one
lists.keys.effect is reject; write evidence or hold: lists of disallowed keys name what stands in honest comments, too
lists.keys.log_odds is 1; leave it out: only lists of evidence and trust weigh
lists.keys.sites is "shop"; write sites that are configured: blog
lists.nets.log_odds is 3; write log-odds from -2 to 2
lists.words.file is missing; name a file with one entry a line
lists.words.effect is trust; write it for networks, domains or addresses only: words vouch for nobody
lists.words.looks_at is "ip"; write one of text, name, user_agent
lists.words.whole_words is false; leave it out: it is for lists of patterns
rules.blocklist is "-ish" (a piece of a word or link); write whole words, phrases, domains, addresses or networks
rules.blocklist is "x.example/y" (has a path: only whole domains can be listed); write whole words, phrases, domains, addresses or networks"#,
        );
    }

    #[test]
    fn a_secret_that_cannot_be_read_is_not_repeated() {
        for text in ["[sites.blog]\napi_key = 00123456", "[sites.blog]\napi_key = 123456e5", "[sites.blog]\napi_key = hush 123456"] {
            let problem = problems(text, &[]);
            assert!(!problem.contains("123456"), "{problem}");
        }
    }

    #[test]
    fn the_environment_wins_and_secrets_arrive_exactly() {
        for key in ["000000000123", "1e5000000000", "true-true-true", "0x1234567890", "'an-api-key'"] {
            let config = config(SITE, &[("HAMLET__SITES__BLOG__API_KEY", key), ("HAMLET__HTTP__BODY_BYTES_MAX", "2048"), ("PATH", "/bin")]);
            let expected: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(key).into();
            assert_eq!((config.sites[&SiteId::new("blog")].keys.as_slice(), config.limits.body_bytes_max), ([expected].as_slice(), 2048));
        }
    }

    #[test]
    fn a_secret_may_stand_in_a_file_and_in_one_place_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        std::fs::write(&path, "00123 \n\n").unwrap();
        let smtp = |password: &str| {
            format!(
                "{SITE}[mail]\nfrom = 'a@b.example'\ntransport = 'smtp'\n[mail.smtp]\nhost = 'b.example'\nusername = 'a'\n\
                 password = '{password}'\npassword_file = '{}'",
                path.display()
            )
        };
        let Transport::Smtp(server) = config(&smtp(""), &[]).mail.transport else { panic!("not smtp") };
        let (username, password) = server.login.unwrap();
        assert_eq!((username.as_str(), password.bytes()), ("a", b"00123 \n".as_slice()));
        check(&smtp("hush"), &format!("mail.smtp.password is *** while mail.smtp.password_file is {path:?}; write one of the two"));
        std::fs::remove_file(&path).unwrap();
        let gone = problems(&smtp(""), &[]);
        assert!(gone.starts_with(&format!("mail.smtp.password_file is {path:?} (No such file")), "{gone}");
    }

    #[test]
    fn mails_never_carry_links_to_nowhere() {
        let text = format!("{SITE}[http]\nlisten = '0.0.0.0:80'\n[mail]\nfrom = 'a@b.example'\ntransport = 'files'\n");
        check(
            &text,
            "http.public_url is empty while http.listen is 0.0.0.0:80; write where moderators reach hamlet, like https://hamlet.example.org",
        );
        let config = config(&text, &[("HAMLET__HTTP__PUBLIC_URL", "https://h.example/")]);
        assert_eq!(config.public_url.as_deref(), Some("https://h.example"));
        assert!(matches!(config.mail.transport, Transport::Files(dir) if dir == Path::new("./data/mail")));
    }

    #[test]
    fn the_starter_file_lacks_its_secrets_and_nothing_else() {
        check(
            INIT,
            "mail.smtp.username is \"hamlet@example.org\"; write both a username and a password, or neither\n\
             sites.blog.api_key is ***; write 12 visible ASCII characters or more\n\
             sites.blog.webhook_secret is ***; write whsec_ and the base64 of 24 to 64 random bytes",
        );
        let secrets = [
            ("HAMLET__SITES__BLOG__API_KEY", "hush-hush-hush-1"),
            ("HAMLET__SITES__BLOG__WEBHOOK_SECRET", WEBHOOK_SECRET),
            ("HAMLET__MAIL__SMTP__PASSWORD", "hush-hush-hush-2"),
        ];
        let settings = format!("{:?}", load(INIT, &secrets).unwrap());
        let config = config(INIT, &secrets);
        assert_eq!(config.sites[&SiteId::new("blog")].webhook.as_ref().unwrap().secrets[0].bytes(), b"0123456789abcdef0123456789abcdef");
        for hidden in ["hush", "whsec_", "0123456789abcdef", "48, 49, 50"] {
            assert!(!settings.contains(hidden) && !format!("{config:?}").contains(hidden), "{hidden}");
        }
    }

    /// Each number of the manual with the range its comment states: `intake.waiting_max` to `1 to 65536`.
    fn ranges_in_the_manual() -> BTreeMap<String, String> {
        let (mut section, mut comment, mut ranges) = (String::new(), String::new(), BTreeMap::new());
        for line in DEFAULTS.lines() {
            if let Some(text) = line.strip_prefix('#') {
                comment = text.to_owned();
            } else if let Some(name) = line.strip_prefix('[') {
                name.trim_end_matches(']').clone_into(&mut section);
            } else if let Some((key, value)) = line.split_once(" = ").filter(|(_, value)| value.parse::<i64>().is_ok()) {
                let words: Vec<&str> = comment.split([' ', ',', '.']).collect();
                let bounds = words.windows(3).find(|w| w[1] == "to" && w[0].parse::<i64>().is_ok() && w[2].parse::<i64>().is_ok());
                let bounds = bounds.unwrap_or_else(|| panic!("{section}.{key} = {value} states no range"));
                ranges.insert(format!("{section}.{key}"), format!("{} to {}", bounds[0], bounds[2]));
            }
        }
        ranges
    }

    #[test]
    fn the_manual_states_the_ranges_that_are_checked() {
        let ranges = ranges_in_the_manual();
        assert!(!ranges.is_empty());
        let variable = |key: &String| format!("HAMLET__{}", key.to_uppercase().replace('.', "__"));
        let text = format!("{SITE}[mail]\nfrom = 'a@b.example'\ntransport = 'smtp'\n[mail.smtp]\nhost = 'b.example'");
        let with = |value: &dyn Fn(&str) -> String| -> Vec<(String, String)> {
            ranges.iter().map(|(key, range)| (variable(key), value(range))).collect()
        };
        let least = with(&|range| range.split_once(" to ").unwrap().0.to_owned());
        let most = with(&|range| range.split_once(" to ").unwrap().1.to_owned());
        for fits in [least, most] {
            Settings::layered(&text, "", fits.into_iter()).and_then(Settings::check).unwrap_or_else(|invalid| panic!("{invalid}"));
        }
        let beyond = with(&|_| i64::MAX.to_string());
        let found = Settings::layered(&text, "", beyond.into_iter()).and_then(Settings::check).unwrap_err().problems;
        let range = |instead: &str| instead.split_once("from ").unwrap().1.to_owned();
        let found: BTreeMap<String, String> = found.iter().map(|problem| (problem.key.clone(), range(&problem.instead))).collect();
        assert_eq!(found, ranges);
    }
}
