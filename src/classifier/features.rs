//! Features: what the classifier sees of a text. Sparse families of hashed pieces, and a few dense ratios.
//! The same text gives the same features on every platform; any change here raises [`FEATURES_VERSION`].

use crate::text::{LINK_MARK, Link, Reading, tokens};

/// Models carry it; a model of another version is refused.
pub const FEATURES_VERSION: u32 = 1;

/// Buckets of one family: 2^18. Smaller tables cost accuracy (2^16: .0007 of AUC on unseen pages), larger ones only memory.
pub const BUCKETS: usize = 1 << 18;

/// One naive Bayes each: what they learn differs too much in scale and trust to be one sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Words and pairs of neighbours, with the edges of the text.
    Words,
    /// Runs of 3 to 5 characters with blanks and punctuation: spelling, endings, disguises, scripts without spaces.
    Characters,
    /// How links are written: with a scheme or bare, shortened, with a query.
    Links,
    /// Where links lead: hosts, parent domains and top levels. What one site learns of them says nothing to another.
    Hosts,
    /// Binned form: length, capitals, digits, punctuation, links, tags. What travels between communities.
    Form,
}

impl Family {
    pub const ALL: [Self; 5] = [Self::Words, Self::Characters, Self::Links, Self::Hosts, Self::Form];

    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Characters => "characters",
            Self::Links => "links",
            Self::Hosts => "hosts",
            Self::Form => "form",
        }
    }
}

/// A feature as people could read it, borrowed from the text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Piece<'a> {
    Word(&'a str),
    /// Two neighbours; an empty side is the edge of the text.
    Pair(&'a str, &'a str),
    Characters(&'a str),
    Link(&'static str, &'a str),
    Form(&'static str, u32),
}

/// One feature of one text.
#[derive(Debug, Clone, Copy)]
pub struct Feature<'a> {
    pub family: Family,
    pub bucket: u32,
    pub piece: Piece<'a>,
}

/// The features of a text: distinct, sorted by family and bucket; and the dense ratios.
pub struct Features<'a> {
    sparse: Vec<Feature<'a>>,
    pub dense: [f64; DENSE.len()],
}

/// Features as they are found. Keys of family, bucket and place are sorted instead of the features: a third of the time.
#[derive(Default)]
struct Found<'a> {
    keys: Vec<u64>,
    pieces: Vec<Piece<'a>>,
}

impl<'a> Found<'a> {
    fn put(&mut self, family: Family, hash: u64, piece: Piece<'a>) {
        // The high bits of the finished hash are the best mixed ones.
        let bucket = hash >> (64 - BUCKETS.trailing_zeros());
        let place = u64::try_from(self.pieces.len()).unwrap_or(0);
        self.keys.push((family as u64) << 56 | bucket << 32 | place);
        self.pieces.push(piece);
    }

    fn distinct(mut self) -> Vec<Feature<'a>> {
        self.keys.sort_unstable();
        self.keys.dedup_by_key(|key| *key >> 32);
        let feature = |key: u64| {
            let [family, _, _, _, place @ ..] = key.to_be_bytes();
            Some(Feature {
                family: Family::ALL.get(usize::from(family)).copied()?,
                bucket: u32::try_from(key >> 32 & 0x00ff_ffff).ok()?,
                piece: self.pieces.get(u32::from_be_bytes(place) as usize).copied()?,
            })
        };
        self.keys.iter().copied().filter_map(feature).collect()
    }
}

/// The dense ratios in their order: what each says when it weighs, for people.
pub const DENSE: [&str; 15] = [
    "length",
    "number of words",
    "number of links",
    "share of capitals",
    "share of digits",
    "share of punctuation",
    "emoji",
    "exclamation marks",
    "number of lines",
    "length of words",
    "variety of words",
    "long number",
    "tags",
    "money signs",
    "hidden or mixed letters",
];

impl<'a> Features<'a> {
    /// Total on any reading; linear in its length but for one sort.
    pub fn of(reading: &'a Reading) -> Self {
        let mut found = Found::default();
        let words = words(reading, &mut found);
        characters(&reading.folded, &mut found);
        for link in &reading.links {
            self::link(link, &mut found);
        }
        let dense = dense(reading, &words);
        form(reading, &dense, &mut found);
        Self { sparse: found.distinct(), dense }
    }

    /// The features of one family; a comment has each at most once.
    pub fn family(&self, family: Family) -> &[Feature<'a>] {
        let from = self.sparse.partition_point(|feature| feature.family < family);
        let to = self.sparse.partition_point(|feature| feature.family <= family);
        self.sparse.get(from..to).unwrap_or(&[])
    }
}

/// Words over the whole text, for the dense ratios.
struct Words {
    count: usize,
    chars: usize,
    distinct: usize,
}

fn words<'a>(reading: &'a Reading, found: &mut Found<'a>) -> Words {
    let mut distinct = Vec::new();
    let (mut count, mut chars, mut previous) = (0, 0, "");
    for word in tokens::words(&reading.folded) {
        let hashed = hash(&[b"w", word.as_bytes()]);
        distinct.push(hashed);
        found.put(Family::Words, hashed, Piece::Word(word));
        found.put(Family::Words, hash(&[b"p", previous.as_bytes(), b" ", word.as_bytes()]), Piece::Pair(previous, word));
        count += 1;
        chars += word.chars().count();
        previous = word;
    }
    if count > 0 {
        found.put(Family::Words, hash(&[b"p", previous.as_bytes(), b" "]), Piece::Pair(previous, ""));
    }
    distinct.sort_unstable();
    distinct.dedup();
    Words { count, chars, distinct: distinct.len() }
}

fn characters<'a>(folded: &'a str, found: &mut Found<'a>) {
    let starts: Vec<usize> = folded.char_indices().map(|(at, _)| at).chain([folded.len()]).collect();
    for (length, tag) in [(3, b"3"), (4, b"4"), (5, b"5")] {
        for window in starts.windows(length + 1) {
            let (Some(&from), Some(&to)) = (window.first(), window.last()) else { continue };
            let Some(run) = folded.get(from..to) else { continue };
            found.put(Family::Characters, hash(&[tag, run.as_bytes()]), Piece::Characters(run));
        }
    }
}

fn link<'a>(link: &'a Link, found: &mut Found<'a>) {
    let mut put = |family, kind: &'static str, value: &'a str| {
        found.put(family, hash(&[kind.as_bytes(), b":", value.as_bytes()]), Piece::Link(kind, value));
    };
    let labels = link.host.split('.').count();
    if labels > 2
        && let Some(at) = link.host.rmatch_indices('.').nth(1).map(|(at, _)| at + 1)
        && let Some(parent) = link.host.get(at..)
    {
        put(Family::Hosts, "domain", parent);
    }
    put(Family::Hosts, "host", &link.host);
    put(Family::Hosts, "ending", link.top_level());
    if link.is_shortened() {
        put(Family::Links, "shortener", "");
    }
    if link.url.contains('?') {
        put(Family::Links, "query", "");
    }
    put(Family::Links, if link.has_scheme { "scheme" } else { "bare" }, "");
}

/// Ratios and logarithms, each about 0 to 8; in the order of [`DENSE`].
fn dense(reading: &Reading, words: &Words) -> [f64; DENSE.len()] {
    let shape = &reading.shape;
    let share = |part: usize, whole: usize| ratio(part, whole.max(1));
    [
        ln1p(shape.chars),
        ln1p(words.count),
        ln1p(reading.links.len()),
        share(shape.capitals, shape.letters),
        share(shape.digits, shape.chars),
        share(shape.punctuation, shape.chars),
        ln1p(shape.emoji),
        ln1p(shape.exclamations),
        ln1p(shape.lines),
        share(words.chars, words.count),
        share(words.distinct, words.count),
        if shape.longest_digit_run >= 7 { 1.0 } else { 0.0 },
        ln1p(shape.tags),
        ln1p(shape.money),
        ln1p(shape.hidden + shape.mixed_words),
    ]
}

/// Bin edges were read off quantiles of public comment corpora; a bin says "at most the edge".
fn form<'a>(reading: &'a Reading, dense: &[f64; DENSE.len()], found: &mut Found<'a>) {
    let shape = &reading.shape;
    let [_, _, _, capitals, digits, punctuation, _, _, _, word_length, variety, ..] = *dense;
    let bins = [
        ("length", bin(count(shape.chars), &[10.0, 20.0, 35.0, 50.0, 70.0, 100.0, 140.0, 200.0, 300.0, 500.0])),
        ("capitals", bin(capitals, &[0.0, 0.03, 0.06, 0.1, 0.2, 0.5, 0.8])),
        ("digits", bin(digits, &[0.0, 0.02, 0.05, 0.1, 0.2])),
        ("punctuation", bin(punctuation, &[0.0, 0.02, 0.04, 0.07, 0.12, 0.2])),
        ("length of words", bin(word_length, &[3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0])),
        ("variety of words", bin(variety, &[0.5, 0.7, 0.8, 0.9, 0.99])),
        ("links", bin(count(reading.links.len()), &[0.0, 1.0, 2.0, 3.0])),
        ("exclamation marks", bin(count(shape.exclamations), &[0.0, 1.0, 2.0, 3.0])),
        ("emoji", bin(count(shape.emoji), &[0.0, 1.0, 2.0])),
        ("tags", bin(count(shape.tags), &[0.0, 1.0, 2.0])),
        ("lines", bin(count(shape.lines), &[1.0, 2.0, 4.0])),
        ("long number", u32::from(shape.longest_digit_run >= 7)),
        ("money signs", bin(count(shape.money), &[0.0, 1.0])),
        ("hidden letters", bin(count(shape.hidden), &[0.0])),
        ("mixed letters", bin(count(shape.mixed_words), &[0.0])),
    ];
    for (name, bin) in bins {
        found.put(Family::Form, hash(&[name.as_bytes(), &bin.to_le_bytes()]), Piece::Form(name, bin));
    }
}

fn bin(value: f64, edges: &[f64]) -> u32 {
    u32::try_from(edges.iter().take_while(|&&edge| value > edge).count()).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts of characters are far below 2^52")]
fn count(n: usize) -> f64 {
    n as f64
}

fn ratio(part: usize, whole: usize) -> f64 {
    count(part) / count(whole)
}

fn ln1p(n: usize) -> f64 {
    count(n).ln_1p()
}

/// FNV-1a over the parts, finished by the mixer of MurmurHash3 so that the high bits are good.
fn hash(parts: &[&[u8]]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for &byte in *part {
            h = (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// A longer word is no reason but the comment itself, which reasons must not repeat.
const READABLE_CHARS_MAX: usize = 40;

impl Piece<'_> {
    /// What [`Piece::readable`] would repeat of the comment.
    fn quoted(&self) -> impl Iterator<Item = &str> {
        let (a, b) = match *self {
            Self::Word(text) | Self::Characters(text) | Self::Link(_, text) => (text, ""),
            Self::Pair(a, b) => (a, b),
            Self::Form(..) => ("", ""),
        };
        [a, b].into_iter()
    }

    /// As a moderator would read it; none where only the machine could.
    pub fn readable(&self) -> Option<String> {
        if self.quoted().any(|text| text.chars().count() > READABLE_CHARS_MAX || text.contains('@')) {
            return None;
        }
        let word = |word: &str| if word.starts_with(LINK_MARK) { "a link".to_owned() } else { format!("“{word}”") };
        match *self {
            Self::Word(text) => Some(word(text)),
            Self::Pair("", text) => Some(format!("begins with {}", word(text))),
            Self::Pair(text, "") => Some(format!("ends with {}", word(text))),
            Self::Pair(a, b) if a.starts_with(LINK_MARK) || b.starts_with(LINK_MARK) => Some(format!("{} then {}", word(a), word(b))),
            Self::Pair(a, b) => Some(format!("“{a} {b}”")),
            Self::Link("host" | "domain", host) => Some(format!("link to {}", host.replace('.', "[.]"))),
            Self::Link("ending", ending) => Some(format!("link to a .{ending} address")),
            Self::Link("shortener", _) => Some("shortened link".to_owned()),
            Self::Characters(_) | Self::Link(..) | Self::Form(..) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn buckets_are_the_same_on_every_platform() {
        assert_eq!(hash(&[b"w", b"hello"]), 0xb360_67ce_26af_da4f);
        let reading = Reading::of("Buy now: http://a.b.example/x?y");
        let features = Features::of(&reading);
        let words: Vec<_> = features.family(Family::Words).iter().filter_map(|f| f.piece.readable()).collect();
        assert_eq!(words.len(), 7);
        let mut links: Vec<_> = features.family(Family::Hosts).iter().filter_map(|f| f.piece.readable()).collect();
        links.sort();
        assert_eq!(links, ["link to a .example address", "link to a[.]b[.]example", "link to b[.]example"]);
    }

    proptest! {
        #[test]
        fn features_are_total_distinct_and_in_range(text in "\\PC{0,120}") {
            let reading = Reading::of(&text);
            let features = Features::of(&reading);
            prop_assert!(features.sparse.iter().all(|f| (f.bucket as usize) < BUCKETS));
            prop_assert!(features.sparse.windows(2).all(|w| (w[0].family, w[0].bucket) < (w[1].family, w[1].bucket)));
            prop_assert!(features.dense.iter().all(|x| x.is_finite()));
        }
    }
}
