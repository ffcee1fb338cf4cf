//! Lists: what an admin blocks or vouches for, in files of up to millions of entries. Words stand on word boundaries, so that "cialis" is
//! never found in "specialist"; domains hold their sub-domains; networks their addresses. This room makes a list of bytes and looks a
//! comment up in it; which files there are is `config`'s, when they are read again is `flow::lists`'.

mod hashes;
mod literals;
mod networks;
mod patterns;
mod read;
mod sought;

use crate::rules::{Case, Effect, Finding};
use hashes::{BEGINS, ENTRY, Hashes, Of, followed_by, hash};
pub use networks::{Networks, parse as parse_network};
use patterns::Patterns;
use read::shown;
use sought::{Host, Sought, numbers};

/// The code of a list's finding, before the list's name.
pub const CODE: &str = "list:";

/// Entries that one list reports of one comment: enough to see why, a bound on what is written down.
const HITS_MAX: usize = 8;

/// What a vouched-for link or address takes back: people need not look at it for being a stranger's first.
const LIFTED: [&str; 1] = ["first_link"];

/// What the lines of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words and phrases.
    Words,
    /// Regular expressions.
    Patterns,
    /// Domains with all below them.
    Domains,
    /// Email addresses, and domains of such.
    Addresses,
    /// Networks and single IP addresses.
    Networks,
    /// Phone numbers.
    Numbers,
    /// Words, domains, addresses and networks, told apart by their looks.
    DisallowedKeys,
}

/// Where in a comment a list looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Text,
    Name,
    /// Hosts of the links in the text.
    Links,
    /// The author's website.
    Url,
    Email,
    Ip,
    UserAgent,
}

/// What a list is and does, as the admin set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub name: String,
    pub kind: Kind,
    pub effect: Effect,
    /// What a hit of an evidence list adds, and one of a trusted link or address takes off; within ±[`crate::rules::LOG_ODDS_MAX`].
    pub log_odds: f64,
    pub places: Vec<Place>,
    /// Patterns match whole words only.
    pub whole_words: bool,
    /// For people, after the list's name.
    pub reason: Option<String>,
}

/// A line that is no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// From 1; 0 for what is wrong with the list as a whole.
    pub line: usize,
    pub reason: String,
}

/// A list ready to be asked.
#[derive(Debug)]
pub struct List {
    pub spec: Spec,
    hashes: Hashes,
    networks: Networks,
    patterns: Patterns,
    /// The first of them.
    pub bad_lines: Vec<BadLine>,
    pub bad_count: usize,
}

/// An entry found in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hit {
    entry: String,
    place: Place,
    /// Whether people may be shown the entry; addresses and numbers they may not.
    is_harmless: bool,
}

/// Everything that stands on a list of the site.
pub fn listed(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let sought = Sought::new(case.comment, case.reading);
    for list in &case.settings.lists {
        let hits = list.hits(&sought);
        let is_vouched = list.spec.effect != Effect::Trust || list.vouches(&sought);
        let Some(first) = hits.first().filter(|_| is_vouched) else { continue };
        let is_claim = list.spec.effect == Effect::Trust && first.place != Place::Ip;
        if is_claim {
            findings.retain(|finding| !LIFTED.contains(&finding.code.as_str()));
        }
        let (effect, log_odds) = match list.spec.effect {
            Effect::Trust if is_claim => (Effect::Evidence, -list.spec.log_odds),
            Effect::Evidence => (Effect::Evidence, list.spec.log_odds),
            effect @ (Effect::Reject | Effect::Hold | Effect::Trust) => (effect, 0.0),
        };
        let text = list.told(first);
        let entries = hits.into_iter().map(|hit| hit.entry).collect();
        findings.push(Finding { log_odds, entries, ..Finding::new(format!("{CODE}{}", list.spec.name), effect, text) });
    }
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Words, Self::Patterns, Self::Domains, Self::Addresses, Self::Networks, Self::Numbers, Self::DisallowedKeys];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Patterns => "patterns",
            Self::Domains => "domains",
            Self::Addresses => "addresses",
            Self::Networks => "networks",
            Self::Numbers => "numbers",
            Self::DisallowedKeys => "disallowed_keys",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Where such a list can look: at first, and at all.
    pub fn places(self) -> (&'static [Place], &'static [Place]) {
        use Place::{Email, Ip, Links, Name, Text, Url, UserAgent};
        match self {
            Self::Words => (&[Text, Name], &[Text, Name, UserAgent]),
            Self::Patterns => (&[Text, Name, Links, Url], &[Text, Name, Links, Url, UserAgent]),
            Self::Domains => (&[Links, Url, Email], &[Links, Url, Email]),
            Self::Addresses => (&[Email], &[Email]),
            Self::Networks => (&[Ip], &[Ip]),
            Self::Numbers => (&[Text, Name], &[Text, Name]),
            Self::DisallowedKeys => (&[Text, Name, Links, Url, Email, Ip], &[Text, Name, Links, Url, Email, Ip, UserAgent]),
        }
    }
}

impl Place {
    pub const ALL: [Self; 7] = [Self::Text, Self::Name, Self::Links, Self::Url, Self::Email, Self::Ip, Self::UserAgent];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Name => "name",
            Self::Links => "links",
            Self::Url => "url",
            Self::Email => "email",
            Self::Ip => "ip",
            Self::UserAgent => "user_agent",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.as_str() == word)
    }

    /// Of the places that hold words, which one.
    fn text_index(self) -> Option<usize> {
        [Self::Text, Self::Name, Self::UserAgent].iter().position(|place| *place == self)
    }
}

impl Spec {
    /// As a list of this kind is unless something else is set.
    pub fn new(name: impl Into<String>, kind: Kind, effect: Effect) -> Self {
        // Whoever writes an address of a good domain into the form has shown nothing yet: links vouch, claims do not.
        let is_claim = |place: &Place| effect == Effect::Trust && kind == Kind::Domains && *place == Place::Email;
        let places = kind.places().0.iter().copied().filter(|place| !is_claim(place)).collect();
        Self { name: name.into(), kind, effect, log_odds: 1.0, places, whole_words: true, reason: None }
    }
}

impl List {
    pub fn entries(&self) -> usize {
        self.hashes.entries() + self.networks.entries() + self.patterns.entries()
    }

    /// What it takes of memory, about.
    pub fn memory_bytes(&self) -> usize {
        self.hashes.memory_bytes() + self.networks.memory_bytes() + self.patterns.memory_bytes()
    }

    /// The entries that a comment holds, the first of them, each once.
    fn hits(&self, sought: &Sought<'_>) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        for &place in &self.spec.places {
            for hit in self.hits_in(place, sought) {
                if !hits.iter().any(|other| other.entry == hit.entry) {
                    hits.push(hit);
                }
                if hits.len() == HITS_MAX {
                    return hits;
                }
            }
        }
        hits
    }

    fn hits_in(&self, place: Place, sought: &Sought<'_>) -> Vec<Hit> {
        match (self.spec.kind, place) {
            (Kind::Patterns, Place::Links | Place::Url) => sought.urls(place).iter().flat_map(|url| self.patterns_in(place, url)).collect(),
            (Kind::Patterns, _) => sought.plain(place).map(|text| self.patterns_in(place, text)).unwrap_or_default(),
            (Kind::Numbers, _) => sought.plain(place).map(|text| self.numbers_in(place, text)).unwrap_or_default(),
            (_, Place::Text | Place::Name | Place::UserAgent) => self.words_in(place, sought),
            (_, Place::Links | Place::Url) => self.domains_in(place, sought),
            (_, Place::Email) => self.domains_in(place, sought).into_iter().chain(self.address_in(sought)).collect(),
            (_, Place::Ip) => {
                let network = sought.ip().and_then(|address| self.networks.find(address));
                network.map(|network| Hit { entry: network.to_string(), place, is_harmless: false }).into_iter().collect()
            }
        }
    }

    fn patterns_in(&self, place: Place, text: &str) -> Vec<Hit> {
        self.patterns.find(text).take(HITS_MAX).map(|source| Hit { entry: source.to_owned(), place, is_harmless: true }).collect()
    }

    fn numbers_in(&self, place: Place, text: &str) -> Vec<Hit> {
        let found = numbers(text).filter(|number| self.has(Of::Number, number)).take(HITS_MAX);
        found.map(|entry| Hit { entry, place, is_harmless: false }).collect()
    }

    /// Words, and phrases from each word on for as long as the words before are the beginning of one.
    fn words_in(&self, place: Place, sought: &Sought<'_>) -> Vec<Hit> {
        let Some(words) = sought.words(place) else { return Vec::new() };
        let mut hits = Vec::new();
        for (start, (first, from, _)) in words.at.iter().enumerate() {
            let mut key = *first;
            for (next, (word, _, to)) in words.at.iter().enumerate().skip(start) {
                key = if next == start { key } else { followed_by(key, *word) };
                let flags = self.hashes.flags(key);
                if flags & ENTRY != 0 {
                    hits.push(Hit { entry: words.folded.get(*from..*to).unwrap_or_default().to_owned(), place, is_harmless: true });
                }
                if flags & BEGINS == 0 || hits.len() > HITS_MAX {
                    break;
                }
            }
            if hits.len() > HITS_MAX {
                break;
            }
        }
        hits
    }

    fn domains_in(&self, place: Place, sought: &Sought<'_>) -> Vec<Hit> {
        let listed = sought.hosts(place).filter_map(|host| self.domain_of(host));
        listed.take(HITS_MAX).map(|entry| Hit { entry: entry.to_owned(), place, is_harmless: place != Place::Email }).collect()
    }

    /// The host itself or the nearest of its parents that is an entry.
    fn domain_of<'a>(&self, host: &'a Host) -> Option<&'a str> {
        let (_, from) = host.domains.iter().find(|(hash, _)| self.hashes.flags(*hash) & ENTRY != 0)?;
        host.name.get(*from..)
    }

    fn address_in(&self, sought: &Sought<'_>) -> Option<Hit> {
        let address = sought.address()?;
        let hit = |entry: &str| Hit { entry: entry.to_owned(), place: Place::Email, is_harmless: false };
        if self.has(Of::Address, address) {
            return Some(hit(address));
        }
        let host = Host::new(Place::Email, address.rsplit_once('@')?.1.to_owned(), Of::AddressDomain);
        self.domain_of(&host).map(hit)
    }

    fn has(&self, of: Of, text: &str) -> bool {
        self.hashes.flags(hash(of, text)) & ENTRY != 0
    }

    /// Whether a list of trust speaks for the whole comment: one good link beside a bad one vouches for nothing.
    fn vouches(&self, sought: &Sought<'_>) -> bool {
        let linked = [Place::Links, Place::Url].into_iter().flat_map(|place| sought.hosts(place));
        self.spec.kind != Kind::Domains || linked.into_iter().all(|host| self.domain_of(host).is_some())
    }

    /// For a person: which entry, where, on which list. Never an address, a number or an IP.
    fn told(&self, hit: &Hit) -> String {
        let Spec { name, reason, .. } = &self.spec;
        let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let what = match hit.place {
            Place::Text | Place::Links if hit.is_harmless => format!("“{}” is on the list “{name}”", shown(&hit.entry)),
            Place::Name if hit.is_harmless => format!("“{}” in the name is on the list “{name}”", shown(&hit.entry)),
            Place::Url => format!("“{}”, the author's website, is on the list “{name}”", shown(&hit.entry)),
            Place::Text | Place::Links => format!("a number in the text is on the list {name}"),
            Place::Name => format!("a number in the name is on the list {name}"),
            Place::Email => format!("the email address is on the list {name}"),
            Place::Ip => format!("the network is on the list {name}"),
            Place::UserAgent => format!("the browser's name is on the list {name}"),
        };
        what + &reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comment::{Comment, Submission};
    use crate::rules::Settings;
    use crate::rules::tests::{nobody, parsed, submission};
    use crate::text::{Reading, tokens};
    use proptest::prelude::*;
    use std::sync::Arc;

    fn comment(body: &str) -> Comment {
        parsed(Submission {
            name: Some("Ana".into()),
            email: Some("Ana@Mail.example.org".into()),
            url: Some("http://www.ana.example/x".into()),
            ip: Some("192.0.2.77".into()),
            user_agent: Some("Mozilla/5.0 (compatible; SpamTool 2.0; +http://tool.example)".into()),
            ..submission(body)
        })
    }

    fn findings(comment: &Comment, lists: Vec<List>) -> Vec<Finding> {
        let (reading, facts) = (Reading::of(&comment.body), nobody());
        let settings =
            Settings { hold_first_link: true, links_max: 9, lists: lists.into_iter().map(Arc::new).collect(), ..Settings::default() };
        let mut findings = vec![Finding::new("first_link", Effect::Hold, "first comment of this author, with a link")];
        listed(&Case { comment, reading: &reading, facts: &facts, settings: &settings }, &mut findings);
        findings
    }

    fn list(kind: Kind, effect: Effect, lines: &str) -> List {
        List::read(Spec::new("x", kind, effect), lines.as_bytes())
    }

    /// The entries found in a comment.
    fn check(kind: Kind, lines: &str, comment: &Comment, expected: &[&str]) {
        let list = list(kind, Effect::Hold, lines);
        assert_eq!(list.bad_count, 0, "{:?}", list.bad_lines);
        let found: Vec<String> = findings(comment, vec![list]).into_iter().flat_map(|finding| finding.entries).collect();
        assert_eq!(found, expected, "{lines:?}");
    }

    fn bad(kind: Kind, lines: &str, expected: &[(usize, &str)]) {
        let list = list(kind, Effect::Hold, lines);
        let found: Vec<(usize, &str)> = list.bad_lines.iter().map(|bad| (bad.line, bad.reason.as_str())).collect();
        assert_eq!(found, expected, "{lines:?}");
    }

    #[test]
    fn words_stand_on_their_boundaries() {
        check(Kind::Words, "cialis", &comment("A specialist of socialism"), &[]);
        check(Kind::Words, "# comment\nCIALIS\n\n", &comment("Buy C\u{456}alis."), &["cialis"]);
        check(Kind::Words, "cheap loans\ncheap", &comment("cheap  LOANS!"), &["cheap", "cheap loans"]);
        check(Kind::Words, "cheap loans today", &comment("cheap loans tomorrow"), &[]);
        check(Kind::Words, "娱乐城", &comment("最好的娱乐城在这里"), &["娱乐城"]);
        check(Kind::Words, "ana", &comment("hello"), &["ana"]);
        bad(
            Kind::Words,
            "ok\n\u{feff}...\nspam.com\n",
            &[(2, "no word in it"), (3, "a link: links are found by lists of domains or patterns")],
        );
        assert_eq!(List::read(Spec::new("x", Kind::Words, Effect::Hold), b"\xef\xbb\xbfok\r\n\xff\xfe\n").bad_lines[0].reason, "not UTF-8");
    }

    #[test]
    fn domains_hold_what_is_below_them() {
        let linked = comment("see http://shop.spam.example/x and http://notspam.example");
        check(Kind::Domains, "spam.example # bad", &linked, &["spam.example"]);
        check(Kind::Domains, "*.spam.example\nhttp://ana.example/", &linked, &["spam.example", "ana.example"]);
        check(Kind::Domains, "deeper.shop.spam.example", &linked, &[]);
        check(Kind::Domains, ".example", &linked, &["example"]);
        check(Kind::Domains, "example.org", &linked, &["example.org"]);
        bad(
            Kind::Domains,
            "example\nt.me/channel\na b\n..x",
            &[(1, "no domain"), (2, "has a path: only whole domains can be listed"), (3, "no domain"), (4, "no domain")],
        );
    }

    #[test]
    fn addresses_networks_browsers_and_numbers_are_found() {
        let ana = comment("call (866) 695 9325");
        check(Kind::Addresses, "ana@mail.example.org", &ana, &["ana@mail.example.org"]);
        check(Kind::Addresses, "@example.org\nother.example", &ana, &["example.org"]);
        check(Kind::Addresses, "bob@mail.example.org", &ana, &[]);
        check(Kind::Networks, "; spamhaus\n192.0.2.0/24 ; SBL1\n2001:db8::/32", &ana, &["192.0.2.0/24"]);
        check(Kind::Numbers, "1573110581\tsomebody\t+1-866-695-9325", &ana, &["8666959325"]);
        let spec = Spec { places: vec![Place::UserAgent], ..Spec::new("x", Kind::Words, Effect::Hold) };
        assert_eq!(findings(&ana, vec![List::read(spec, b"SpamTool")])[1].text, "the browser's name is on the list x");
        bad(
            Kind::Addresses,
            "a na@b.example\n.ana@b.example",
            &[(1, "no domain"), (2, "the address is not a bare address like ana@example.org")],
        );
        bad(Kind::Networks, "192.0.2", &[(1, "no network like 192.0.2.0/24 or 2001:db8::/32, and no address")]);
        bad(Kind::Numbers, "12345", &[(1, "5 digits; a phone number has 7 to 15")]);
    }

    #[test]
    fn patterns_are_found_in_texts_and_links() {
        let linked = comment("Dietary-Supplement for all, see <a href='http://hits4slim.example/a'>this</a>");
        check(Kind::Patterns, "1573110581\tsomebody\tdietary\\Wsupplements?", &linked, &["dietary\\Wsupplements?"]);
        check(Kind::Patterns, "hits4slim", &linked, &["hits4slim"]);
        check(Kind::Patterns, "slim", &linked, &[]);
        bad(Kind::Patterns, "ok[ab]word\n(?=x)word", &[(2, "look-around, including look-ahead and look-behind, is not supported")]);
    }

    #[test]
    fn disallowed_keys_are_what_they_look_like() {
        let keys =
            "cheap-loans\n-wholesale.\nspam.example\nana@mail.example.org\n192.0.2.77\ndate white guy\n.ru/ab-\nn\u{43e}\n\u{441}\u{b6}\n";
        let list = list(Kind::DisallowedKeys, Effect::Evidence, keys);
        let bad: Vec<usize> = list.bad_lines.iter().map(|bad| bad.line).collect();
        assert_eq!((list.entries(), bad.as_slice()), (5, [2, 7, 8, 9].as_slice()));
        let found = findings(&comment("cheap loans at http://x.spam.example"), vec![list]);
        assert_eq!(found[1].entries, ["cheap loans", "spam.example", "ana@mail.example.org", "192.0.2.77/32"]);
        assert_eq!((found[1].effect, found[1].log_odds), (Effect::Evidence, 1.0));
    }

    #[test]
    fn a_reason_names_the_entry_and_never_an_address() {
        let ana = comment("buy cialis, call (866) 695 9325");
        let told = |kind, lines: &str, reason: Option<&str>| {
            let spec = Spec { reason: reason.map(str::to_owned), ..Spec::new("pharmacy", kind, Effect::Reject) };
            findings(&ana, vec![List::read(spec, lines.as_bytes())])[1].text.clone()
        };
        assert_eq!(told(Kind::Words, "cialis", None), "“cialis” is on the list “pharmacy”");
        assert_eq!(told(Kind::Words, "ana", Some("our own trouble")), "“ana” in the name is on the list “pharmacy” (our own trouble)");
        assert_eq!(told(Kind::Domains, "ana.example", None), "“ana.example”, the author's website, is on the list “pharmacy”");
        for (kind, lines) in [
            (Kind::Addresses, "ana@mail.example.org"),
            (Kind::Domains, "example.org"),
            (Kind::Networks, "192.0.2.0/24"),
            (Kind::Numbers, "8666959325"),
        ] {
            let told = told(kind, lines, None);
            assert!(told.ends_with("on the list pharmacy") && !told.contains(lines) && !told.contains("192"), "{told}");
        }
    }

    #[test]
    fn trust_in_a_claim_lifts_a_hold_and_trust_in_a_network_publishes() {
        let check = |kind, lines: &str, body: &str, expected: &[(&str, Effect, f64)]| {
            let found = findings(&comment(body), vec![list(kind, Effect::Trust, lines)]);
            let found: Vec<_> = found.iter().map(|finding| (finding.code.as_str(), finding.effect, finding.log_odds)).collect();
            assert_eq!(found, expected, "{lines}");
        };
        let (held, lifted) = (("first_link", Effect::Hold, 0.0), ("list:x", Effect::Evidence, -1.0));
        check(Kind::Networks, "192.0.2.0/24", "hi", &[held, ("list:x", Effect::Trust, 0.0)]);
        check(Kind::Addresses, "ana@mail.example.org", "hi", &[lifted]);
        check(Kind::Domains, "good.example\nana.example", "see http://good.example", &[lifted]);
        check(Kind::Domains, "good.example", "see http://good.example", &[held]);
        check(Kind::Domains, "good.example\nana.example", "see http://good.example http://bad.example", &[held]);
        check(Kind::Domains, "example.org", "hi", &[held]);
    }

    #[test]
    fn a_list_reports_a_few_entries_and_many_lines_cost_no_memory() {
        let words: Vec<String> = (0..100).map(|n| format!("word{n}")).collect();
        let found = findings(&comment(&words.join(" ")), vec![list(Kind::Words, Effect::Hold, &words.join("\n"))]);
        assert_eq!(found[1].entries.len(), HITS_MAX);
        let broken = list(Kind::Networks, Effect::Hold, &"x\n".repeat(5_000));
        assert_eq!((broken.bad_count, broken.bad_lines.len(), broken.entries()), (5_000, 1_000, 0));
    }

    proptest! {
        #[test]
        fn a_list_of_words_finds_just_the_words(words in proptest::collection::vec("[abé加]{1,3}", 1..5), text in "[abé加 .]{0,30}") {
            let list = list(Kind::Words, Effect::Hold, &words.join("\n"));
            let found = !list.words_in(Place::Text, &Sought::new(&comment(&text), &Reading::of(&text))).is_empty();
            let folded = Reading::of(&text).folded;
            let tokens: Vec<&str> = tokens::words(&folded).map(|(_, word)| word).collect();
            let of = |word: &String| tokens::words(&crate::text::folded(word)).map(|(_, word)| word.to_owned()).collect::<Vec<String>>();
            let naive = words.iter().map(of).any(|word| tokens.windows(word.len()).any(|window| window == word));
            prop_assert_eq!(found, naive);
        }

        #[test]
        fn a_list_of_domains_finds_itself_and_what_is_below(domain in "[ab]{1,2}\\.[ab]{1,2}", host in "([ab]{1,2}\\.){0,3}[ab]{1,2}") {
            let list = list(Kind::Domains, Effect::Hold, &domain);
            let found = list.domain_of(&Host::new(Place::Links, host.clone(), Of::Domain)).is_some();
            prop_assert_eq!(found, host == domain || host.ends_with(&format!(".{domain}")));
        }

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0..7_usize) {
            let list = List::read(Spec::new("x", Kind::ALL[kind], Effect::Hold), &bytes);
            findings(&comment(&String::from_utf8_lossy(&bytes)), vec![list]);
        }
    }
}
