//! DNS lists: whether the address a comment came from, or a domain that it links to, is on a list that somebody else keeps. Off until the
//! admin names a list, for it is the one thing that tells others of a comment: the reversed address or the domain, and never anything else.
//!
//! It asks before the judge takes the comment, within one time for all, and the judge reads what came back. No answer is no opinion: a
//! resolver that is silent, refuses or fails holds nothing up and moves nothing. What a listing is worth is the rule's (see `rules`).

mod cache;
mod message;
mod texts;

pub use message::{Reply, Wanted, question, reply};
pub use texts::{NoTexts, texts};

use crate::clock::{Clock, Timestamp};
use crate::comment::Comment;
use crate::dice::Dice;
use crate::rules;
use crate::text::{Link, Reading};
use cache::{Cache, Known};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;

/// Domains of one comment that are asked about; a comment with more links has its links against it already.
const DOMAINS_MAX: usize = 5;

/// Questions for one comment.
const QUESTIONS_MAX: usize = 16;

/// Comments asked for at once, each by a socket of its own; who comes in a crowd goes on without an opinion.
const AT_ONCE_MAX: usize = 64;

/// A list that was silent for so many comments in a row is left alone
const SILENT_MAX: u32 = 3;

/// for so long, then tried with one comment.
const REST: Duration = Duration::from_mins(1);

/// The longest answer over UDP that crosses every network whole (DNS flag day 2020).
const MESSAGE_BYTES_MAX: usize = 1232;

/// Answers in which lists tell of an error, such as a resolver that they refuse: no listing (RFC 5782 leaves 127/8 to the lists).
const ERRORS: Network = Network { address: Ipv4Addr::new(127, 255, 255, 0), bits: 24 };

/// Where listings lie; any other answer is a resolver that makes answers up.
pub const LISTINGS: Network = Network { address: Ipv4Addr::new(127, 0, 0, 0), bits: 8 };

/// What the settings say of all lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// None: the system's.
    pub resolver: Option<SocketAddr>,
    /// For all questions about one comment.
    pub timeout: Duration,
    /// Names whose answers are kept.
    pub cache_max: usize,
    pub lives_min: Duration,
    pub lives_max: Duration,
    pub lists: Vec<List>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    pub name: String,
    /// May hold a key that the admin pays for; no log shows it.
    pub zone: String,
    pub asks: Asks,
    /// Answers that mean listed.
    pub answers: Vec<Network>,
}

/// What a list is asked about, and so what leaves the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// The address it came from.
    Ip,
    /// The domains it links to, its author's website included.
    Domain,
}

/// IPv4 addresses with the same leading bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    pub address: Ipv4Addr,
    /// 0 to 32.
    pub bits: u32,
}

impl Network {
    pub fn holds(self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(self.bits)).unwrap_or(0);
        (u32::from(self.address) ^ u32::from(address)) & mask == 0
    }
}

/// Asks, and remembers.
#[derive(Debug)]
pub struct Dns {
    lists: Vec<List>,
    resolver: Option<SocketAddr>,
    timeout: Duration,
    cache: Mutex<Cache>,
    /// By list.
    silences: Mutex<Vec<Silence>>,
    at_once: Semaphore,
}

/// How often in a row a list gave no answer, and until when it is left alone.
#[derive(Debug, Clone, Copy)]
struct Silence {
    comments: u32,
    until: Timestamp,
}

impl Dns {
    /// Reads the system's resolver where the settings name none and there are lists.
    pub fn new(settings: &Settings) -> Self {
        let Settings { resolver, timeout, cache_max, lives_min, lives_max, lists } = settings.clone();
        let resolver = resolver.or_else(|| (!lists.is_empty()).then(system_resolver).flatten());
        if resolver.is_none() && !lists.is_empty() {
            tracing::warn!("dns.no_resolver");
        }
        let silences = vec![Silence { comments: 0, until: Timestamp::from_ms(i64::MIN) }; lists.len()];
        let (cache, silences) = (Mutex::new(Cache::new(cache_max, (lives_min, lives_max))), Mutex::new(silences));
        Self { lists, resolver, timeout, cache, silences, at_once: Semaphore::new(AT_ONCE_MAX) }
    }

    /// Asks what is not known yet of a comment. Never fails, and takes no longer than the settings allow.
    pub async fn look_up(&self, comment: &Comment, clock: &Clock, dice: &Dice) {
        let Some(resolver) = self.resolver else { return };
        let (Ok(_permit), questions) = (self.at_once.try_acquire(), self.unknown(comment, clock.now())) else { return };
        if questions.is_empty() {
            return;
        }
        let mut asked = Vec::with_capacity(questions.len());
        for (list, name) in questions {
            let [high, low, ..] = dice.bytes();
            asked.extend(question(u16::from_be_bytes([high, low]), &name, Wanted::Addresses).map(|bytes| Asked {
                list,
                name,
                bytes,
                reply: None,
            }));
        }
        // What cannot be sent was not answered.
        let _ = ask(resolver, &mut asked, self.timeout).await;
        self.learn(asked, clock.now());
    }

    /// The lists that a comment is on, by what is known.
    pub fn listed(&self, comment: &Comment, reading: &Reading, now: Timestamp) -> Vec<String> {
        if self.lists.is_empty() {
            return Vec::new();
        }
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let is_on = |list: &List, name: &str| matches!(cache.get(name, now), Some(Known::Addresses(found)) if list.means_listed(found));
        let on =
            self.questions(comment, reading).into_iter().filter(|(list, name)| self.lists.get(*list).is_some_and(|list| is_on(list, name)));
        let on: BTreeSet<usize> = on.map(|(list, _)| list).collect();
        on.into_iter().filter_map(|list| self.lists.get(list)).map(|list| list.name.clone()).collect()
    }

    /// Every question about a comment: the list's place, and the name.
    fn questions(&self, comment: &Comment, reading: &Reading) -> Vec<(usize, String)> {
        let ask_domains = self.lists.iter().any(|list| list.asks == Asks::Domain);
        let domains = if ask_domains { domains(comment, reading) } else { Vec::new() };
        let address = comment.author.ip.filter(|ip| is_public(*ip)).map(reversed);
        let mut questions = Vec::new();
        for (at, list) in self.lists.iter().enumerate() {
            let about: Vec<&String> = match list.asks {
                Asks::Ip => address.iter().collect(),
                Asks::Domain => domains.iter().collect(),
            };
            questions.extend(about.into_iter().map(|about| (at, format!("{about}.{}", list.zone))));
        }
        questions.truncate(QUESTIONS_MAX);
        questions
    }

    /// Those that are neither known nor to a list that rests.
    fn unknown(&self, comment: &Comment, now: Timestamp) -> Vec<(usize, String)> {
        let mut questions = self.questions(comment, &Reading::of(&comment.body));
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let silences = self.silences.lock().unwrap_or_else(PoisonError::into_inner);
        let rests = |list: usize| silences.get(list).is_some_and(|silence| now < silence.until);
        questions.retain(|(list, name)| !rests(*list) && cache.get(name, now).is_none());
        questions
    }

    fn learn(&self, asked: Vec<Asked>, now: Timestamp) {
        let answered: BTreeSet<usize> = asked.iter().filter(|asked| asked.reply.is_some()).map(|asked| asked.list).collect();
        let all: BTreeSet<usize> = asked.iter().map(|asked| asked.list).collect();
        let mut silences = self.silences.lock().unwrap_or_else(PoisonError::into_inner);
        for list in all {
            let Some(silence) = silences.get_mut(list) else { continue };
            silence.comments = if answered.contains(&list) { 0 } else { silence.comments.saturating_add(1) };
            if silence.comments >= SILENT_MAX {
                silence.until = now.plus(REST);
                let name = self.lists.get(list).map_or("", |list| list.name.as_str());
                tracing::warn!(list = name, rest_seconds = REST.as_secs(), "dns.silent");
            }
        }
        drop(silences);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        for Asked { name, reply, .. } in asked {
            cache.put(name, reply.unwrap_or(Reply::Failed), now);
        }
    }
}

impl List {
    /// One error or made-up answer among them, and none of them counts.
    fn means_listed(&self, found: &[Ipv4Addr]) -> bool {
        let is_sound = |address: &Ipv4Addr| LISTINGS.holds(*address) && !ERRORS.holds(*address);
        found.iter().all(is_sound) && found.iter().any(|address| self.answers.iter().any(|answers| answers.holds(*address)))
    }
}

/// A question on its way.
#[derive(Debug)]
struct Asked {
    list: usize,
    name: String,
    bytes: Vec<u8>,
    reply: Option<Reply>,
}

/// Sends every question, and those that are unanswered at half of the time once more: a datagram gets lost.
async fn ask(resolver: SocketAddr, asked: &mut [Asked], timeout: Duration) -> std::io::Result<()> {
    let any = if resolver.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    // A fresh port and the ids make an answer hard to forge; a connected socket takes none from elsewhere.
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    socket.connect(resolver).await?;
    for _ in 0..2 {
        for asked in asked.iter().filter(|asked| asked.reply.is_none()) {
            socket.send(&asked.bytes).await?;
        }
        if let Ok(heard) = tokio::time::timeout(timeout / 2, hear(&socket, asked)).await {
            return heard;
        }
    }
    Ok(())
}

async fn hear(socket: &UdpSocket, asked: &mut [Asked]) -> std::io::Result<()> {
    let mut buffer = [0; MESSAGE_BYTES_MAX];
    while asked.iter().any(|asked| asked.reply.is_none()) {
        let length = socket.recv(&mut buffer).await?;
        let message = buffer.get(..length).unwrap_or(&[]);
        for asked in asked.iter_mut().filter(|asked| asked.reply.is_none()) {
            asked.reply = reply(message, &asked.bytes);
        }
    }
    Ok(())
}

/// Domains that a comment links to, each once; not its own page's, and no addresses of numbers.
fn domains(comment: &Comment, reading: &Reading) -> Vec<String> {
    let own = comment.page.url.as_deref().map(|url| Link::parse(url).host).unwrap_or_default();
    let is_own = |domain: &str| own == domain || own.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.'));
    let is_name = |domain: &str| domain.rsplit_once('.').is_some_and(|(_, top)| !top.starts_with(|c: char| c.is_ascii_digit()));
    let is_asked = |domain: &String| is_name(domain) && !is_own(domain);
    rules::domains_of(comment, reading).into_iter().filter(is_asked).take(DOMAINS_MAX).collect()
}

/// An address as lists are asked (RFC 5782): its bytes, or for IPv6 its half bytes, from the last to the first.
fn reversed(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(ip) => {
            let halves: Vec<String> = ip.octets().iter().rev().map(|byte| format!("{:x}.{:x}", byte & 15, byte >> 4)).collect();
            halves.join(".")
        }
    }
}

/// Of an address that is no one's out in the world no list knows anything, and it may tell of the network behind the blog.
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            // This network, carriers' own (RFC 6598), protocol assignments, benchmarks, reserved.
            let is_special =
                a == 0 || (a == 100 && (64..128).contains(&b)) || (a, b, c) == (192, 0, 0) || (a, b & 0xfe) == (198, 18) || a >= 240;
            !(is_special || ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_multicast() || ip.is_documentation())
        }
        IpAddr::V6(ip) => {
            // Out in the world is 2000::/3, but for the documentation's 2001:db8::/32.
            let [first, second, ..] = ip.segments();
            first & 0xe000 == 0x2000 && (first, second) != (0x2001, 0x0db8)
        }
    }
}

const DNS_PORT: u16 = 53;

/// The first of the system's name servers.
fn system_resolver() -> Option<SocketAddr> {
    first_nameserver(&std::fs::read_to_string("/etc/resolv.conf").ok()?)
}

fn first_nameserver(resolv_conf: &str) -> Option<SocketAddr> {
    let server = |line: &str| -> Option<IpAddr> {
        let mut words = line.split_whitespace();
        (words.next()? == "nameserver").then(|| words.next()?.parse().ok()).flatten()
    };
    resolv_conf.lines().find_map(server).map(|ip| SocketAddr::new(ip, DNS_PORT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comment::{Limits, Submission};
    use crate::id::{CommentId, SiteId};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    fn comment(ip: &str, body: &str) -> Comment {
        let submission = Submission {
            ip: Some(ip.into()),
            body: Some(body.into()),
            url: Some("http://me.example/".into()),
            page_url: Some("https://blog.example/post".into()),
            ..Submission::default()
        };
        let limits = Limits { body_bytes_max: 10_000, field_bytes_max: 1_000, excerpt_bytes_max: 1_000 };
        Comment::parse(submission, CommentId::new(at(0), &Dice::seeded(1)), SiteId::new("s"), at(0), limits).unwrap()
    }

    fn dns(asks: &[Asks]) -> Dns {
        let list =
            |(n, asks): (usize, &Asks)| List { name: format!("l{n}"), zone: format!("z{n}.example"), asks: *asks, answers: vec![LISTINGS] };
        Dns::new(&Settings {
            resolver: Some(SocketAddr::from(([127, 0, 0, 1], 9))),
            timeout: Duration::from_millis(100),
            cache_max: 100,
            lives_min: Duration::from_mins(1),
            lives_max: Duration::from_hours(1),
            lists: asks.iter().enumerate().map(list).collect(),
        })
    }

    fn names(dns: &Dns, comment: &Comment) -> Vec<String> {
        dns.questions(comment, &Reading::of(&comment.body)).into_iter().map(|(_, name)| name).collect()
    }

    fn reply(dns: &Dns, comment: &Comment, answer: Option<&Reply>, now: Timestamp) {
        let asked =
            dns.unknown(comment, now).into_iter().map(|(list, name)| Asked { list, name, bytes: Vec::new(), reply: answer.cloned() });
        dns.learn(asked.collect(), now);
    }

    #[test]
    fn what_leaves_is_the_reversed_address_or_the_domain() {
        let linked = comment("11.22.33.44", "see https://www.A.example/x?q, http://a.example, https://blog.example/x and http://10.9.8.7/");
        assert_eq!(names(&dns(&[Asks::Ip]), &linked), ["44.33.22.11.z0.example"]);
        assert_eq!(names(&dns(&[Asks::Domain]), &linked), ["me.example.z0.example", "a.example.z0.example"]);
        assert_eq!(names(&dns(&[]), &linked), [""; 0]);
        let v6 = names(&dns(&[Asks::Ip]), &comment("2606:4700::1", "hi"));
        assert_eq!(v6, [format!("1.{}7.4.6.0.6.2.z0.example", "0.".repeat(25))]);
        let many = comment("11.22.33.44", &(0..50).map(|n| format!("http://d{n}.example/ ")).collect::<String>());
        assert_eq!(names(&dns(&[Asks::Domain]), &many).len(), DOMAINS_MAX);
        assert_eq!(names(&dns(&[Asks::Domain; 8]), &many).len(), QUESTIONS_MAX);
    }

    #[test]
    fn nobody_is_asked_about_addresses_that_are_no_ones() {
        for own in
            ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"]
        {
            assert!(!is_public(own.parse().unwrap()), "{own}");
        }
        for own in ["::1", "::", "fe80::1", "fd00::1", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "192.0.2.1", "198.18.0.1"] {
            assert!(!is_public(own.parse().unwrap()), "{own}");
        }
        for public in ["11.22.33.44", "100.128.0.1", "172.32.0.1", "2606:4700::1", "::ffff:11.22.33.44"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_answer_lists_only_where_it_is_one_of_those_that_mean_it() {
        let asked = |answers: &[&str]| Reply::Addresses(answers.iter().map(|answer| answer.parse().unwrap()).collect(), 300);
        let check = |answers: &[&str], expected: &[&str]| {
            let mut dns = dns(&[Asks::Ip]);
            dns.lists[0].answers = vec![
                Network { address: Ipv4Addr::new(127, 0, 0, 2), bits: 32 },
                Network { address: Ipv4Addr::new(127, 0, 1, 0), bits: 24 },
            ];
            let comment = comment("11.22.33.44", "hi");
            reply(&dns, &comment, Some(&asked(answers)), at(0));
            assert_eq!(dns.listed(&comment, &Reading::of(&comment.body), at(1)), expected, "{answers:?}");
            assert_eq!(dns.listed(&comment, &Reading::of(&comment.body), at(301)), [""; 0]);
        };
        check(&["127.0.0.2"], &["l0"]);
        check(&["127.0.0.9", "127.0.1.77"], &["l0"]);
        check(&["127.0.0.3"], &[]);
        check(&["127.255.255.254"], &[]);
        check(&["127.0.0.2", "127.255.255.255"], &[]);
        check(&["127.0.0.2", "93.184.216.34"], &[]);
        check(&[], &[]);
    }

    #[test]
    fn a_silent_list_is_left_alone_for_a_while_and_the_others_are_asked() {
        let dns = dns(&[Asks::Ip, Asks::Domain]);
        let from = |n: i64| comment(&format!("11.22.33.{n}"), "hi");
        for n in 0..3 {
            let unknown = dns.unknown(&from(n), at(n));
            assert!(unknown.iter().any(|(list, _)| *list == 0), "{n}");
            let asked = unknown.into_iter().map(|(list, name)| Asked {
                list,
                name,
                bytes: Vec::new(),
                reply: (list == 1).then_some(Reply::Failed),
            });
            dns.learn(asked.collect(), at(n));
        }
        let asked_at = |seconds| -> Vec<usize> { dns.unknown(&from(9), at(seconds)).into_iter().map(|(list, _)| list).collect() };
        assert_eq!((asked_at(3), asked_at(61), asked_at(62)), (vec![], vec![1], vec![0, 1]));
        reply(&dns, &from(8), None, at(62));
        assert_eq!(asked_at(63), [0_usize; 0]);
        reply(&dns, &from(7), Some(&Reply::Nothing(None)), at(130));
        assert_eq!(asked_at(131), [0]);
    }

    #[test]
    fn the_systems_resolver_is_the_first_that_it_names() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(first_nameserver(text).map(|at| at.to_string()).as_deref(), expected);
        check("# a\nsearch x\nnameserver 127.0.0.53 # b\nnameserver 1.1.1.1\n", Some("127.0.0.53:53"));
        check("nameserver ::1", Some("[::1]:53"));
        check("nameserver", None);
        check("", None);
    }
}
