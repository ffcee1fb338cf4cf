//! Features: what the classifier sees of a comment. Sparse families of hashed pieces, and a few dense ratios. The same text gives the same
//! features on every platform; any change here raises [`FEATURES_VERSION`]. What a piece is called before people is `explain`'s.

use super::hashing::{BUCKETS, Hashing, RUN_CHARS_MAX, bucket};
use crate::text::{Reading, Sign, tokens};

/// Models carry it; a model of another version is refused.
pub const FEATURES_VERSION: u32 = 3;

/// One naive Bayes each: what they learn differs too much in scale and trust to be one sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Words and pairs of neighbours, with the edges of the text.
    Words,
    /// Runs of three characters with blanks and punctuation: spelling, endings, disguises, scripts without spaces. A family for each length:
    /// together in one they cost a tenth of the log loss on SMS and Telegram.
    Threes,
    Fours,
    Fives,
    /// Runs of seven: stems and phrases. Pairs of words at a distance beside them added nothing.
    Sevens,
    /// How links are written: with a scheme or bare, shortened, with a query.
    Links,
    /// Where links lead: hosts, parent domains and top levels. What one site learns of them says nothing to another.
    Hosts,
    /// Binned form: length, capitals, digits, punctuation, links, tags; and the tricks that were seen. What travels between communities. The
    /// tricks as a family of their own measured worse: it is empty for nearly all comments.
    Form,
}

impl Family {
    pub const ALL: [Self; 8] = [Self::Words, Self::Threes, Self::Fours, Self::Fives, Self::Sevens, Self::Links, Self::Hosts, Self::Form];

    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Threes => "runs of three",
            Self::Fours => "runs of four",
            Self::Fives => "runs of five",
            Self::Sevens => "runs of seven",
            Self::Links => "links",
            Self::Hosts => "hosts",
            Self::Form => "form",
        }
    }
}

/// Where a feature comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Bytes `from..to` of [`Reading::folded`].
    Text(u32, u32),
    /// The link of this index.
    Link(u32),
    Form,
    Sign(Sign),
}

/// Dense ratios in their order: what each says when it weighs, for people.
pub const DENSE: [&str; 18] = [
    "length",
    "number of words",
    "number of links",
    "a link",
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
    "an address of mail",
    "longest run of one sign",
];

/// The features of a text: distinct buckets by family, and the dense ratios. Meant to be used again, so that reading allocates nothing.
#[derive(Debug)]
pub struct Features {
    buckets: [Vec<u32>; Family::ALL.len()],
    pub dense: [f64; DENSE.len()],
    pieces: [Vec<(u32, Piece)>; Family::ALL.len()],
    /// A bit for every bucket of one family; all clear between readings.
    met: Vec<u64>,
    codes: Vec<u32>,
    words: Vec<u64>,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            buckets: Default::default(),
            dense: [0.0; DENSE.len()],
            pieces: Default::default(),
            met: vec![0; BUCKETS / 64],
            codes: Vec::new(),
            words: Vec::new(),
        }
    }
}

impl Features {
    /// Total on any text; linear in its length but for one sort of its words.
    pub fn read(&mut self, reading: &Reading, hashing: &Hashing) {
        self.buckets.iter_mut().for_each(Vec::clear);
        let Self { buckets, met, codes, words, dense, .. } = self;
        *dense = visit(reading, hashing, codes, words, |family, bucket, _| {
            if let Some(list) = buckets.get_mut(family as usize) {
                list.push(bucket);
            }
        });
        // Family by family, so that the bits of one stay in the nearest cache.
        for list in buckets {
            list.retain(|bucket| first(met, *bucket));
            for bucket in list.iter() {
                clear(met, *bucket);
            }
        }
    }

    /// The distinct buckets of one family, in the order of the text.
    pub fn family(&self, family: Family) -> &[u32] {
        self.buckets.get(family as usize).map_or(&[], Vec::as_slice)
    }

    /// All families in their order.
    pub fn families(&self) -> &[Vec<u32>; Family::ALL.len()] {
        &self.buckets
    }

    /// The same, and where in the text each feature is, for [`Features::pieces`].
    pub fn read_pieces(&mut self, reading: &Reading, hashing: &Hashing) {
        self.pieces.iter_mut().for_each(Vec::clear);
        let Self { buckets, met, codes, words, dense, pieces } = self;
        *dense = visit(reading, hashing, codes, words, |family, bucket, piece| {
            if let Some(list) = pieces.get_mut(family as usize) {
                list.push((bucket, piece));
            }
        });
        for (list, buckets) in pieces.iter_mut().zip(buckets) {
            list.retain(|(bucket, _)| first(met, *bucket));
            buckets.clear();
            buckets.extend(list.iter().map(|(bucket, _)| *bucket));
            buckets.iter().for_each(|bucket| clear(met, *bucket));
        }
    }

    /// The distinct buckets of one family with the piece that each first came from, as [`Features::read_pieces`] found them.
    pub fn pieces(&self, family: Family) -> &[(u32, Piece)] {
        self.pieces.get(family as usize).map_or(&[], Vec::as_slice)
    }
}

/// Whether this bucket is met for the first time.
fn first(met: &mut [u64], bucket: u32) -> bool {
    let Some(word) = met.get_mut(bucket as usize / 64) else { return false };
    let bit = 1 << (bucket % 64);
    let first = *word & bit == 0;
    *word |= bit;
    first
}

fn clear(met: &mut [u64], bucket: u32) {
    if let Some(word) = met.get_mut(bucket as usize / 64) {
        *word = 0;
    }
}

/// Every feature in the order of the text, with repeats; answers the dense ratios.
fn visit(
    reading: &Reading,
    hashing: &Hashing,
    codes: &mut Vec<u32>,
    words: &mut Vec<u64>,
    mut found: impl FnMut(Family, u32, Piece),
) -> [f64; DENSE.len()] {
    characters(&reading.folded, hashing, codes, &mut found);
    let counted = self::words(&reading.folded, hashing, words, &mut found);
    for (index, link) in (0..).zip(&reading.links) {
        self::link(link, index, hashing, &mut found);
    }
    for sign in reading.signs.iter().filter(|sign| !is_said_already(*sign)) {
        found(Family::Form, bucket(hashing.pair(hashing.word("sign"), hashing.word(sign.code()), 0)), Piece::Sign(sign));
    }
    let dense = dense(reading, &counted);
    form(reading, &dense, hashing, &mut found);
    dense
}

/// Signs that other features tell of: shorteners are a feature of links, capitals and mixed scripts are bins of form. Said twice they made the
/// starter reject announcements on Twitter for their shorteners, and worse on foreign comments (mean AUC .9317 for .9336). Words spelt letter
/// by letter are as common in ham.
fn is_said_already(sign: Sign) -> bool {
    matches!(sign, Sign::ShortenedLink | Sign::Shouting | Sign::MixedScripts | Sign::SpacedLetters)
}

/// Words over the whole text, for the dense ratios.
struct Words {
    count: usize,
    chars: usize,
    distinct: usize,
}

/// A pair with an edge of the text is of another kind than a pair of words.
const EDGE: u64 = 1;

fn words(folded: &str, hashing: &Hashing, hashes: &mut Vec<u64>, found: &mut impl FnMut(Family, u32, Piece)) -> Words {
    hashes.clear();
    let edge = hashing.word("");
    let mut last = (edge, 0);
    let (mut count, mut chars, mut end) = (0, 0, 0);
    for (from, word) in tokens::words(folded) {
        let (from, to) = (offset(from), offset(from + word.len()));
        let hash = hashing.word(word);
        hashes.push(hash);
        found(Family::Words, bucket(hash), Piece::Text(from, to));
        let (neighbour, at) = last;
        let kind = if count == 0 { EDGE } else { 0 };
        found(Family::Words, bucket(hashing.pair(neighbour, hash, kind)), Piece::Text(at, to));
        last = (hash, from);
        count += 1;
        chars += word.chars().count();
        end = to;
    }
    if count > 0 {
        let (neighbour, at) = last;
        found(Family::Words, bucket(hashing.pair(neighbour, edge, EDGE)), Piece::Text(at, end));
    }
    hashes.sort_unstable();
    hashes.dedup();
    Words { count, chars, distinct: hashes.len() }
}

/// Texts are cut at 64 KiB before they are read.
fn offset(byte: usize) -> u32 {
    u32::try_from(byte).unwrap_or(u32::MAX)
}

const BLANK: u32 = 0x20;

/// Runs over the text with a blank at either end, so that beginnings and endings of words look alike everywhere.
fn characters(folded: &str, hashing: &Hashing, codes: &mut Vec<u32>, found: &mut impl FnMut(Family, u32, Piece)) {
    codes.clear();
    codes.push(BLANK);
    codes.extend(folded.chars().map(u32::from));
    codes.push(BLANK);
    let whole = codes.len();
    // Every run is read at full length; what would reach beyond the text is not a feature.
    codes.extend([0; RUN_CHARS_MAX - 1]);
    // The first run begins at the blank before the text.
    let mut from = 0;
    for (run, left) in codes.array_windows().zip((1..=whole).rev()) {
        let [_, _, three, four, five, _, seven] = hashing.runs(run);
        let end = |length| Piece::Text(from, from + run.iter().take(length).copied().map(width).sum::<u32>());
        if left >= 3 {
            found(Family::Threes, bucket(three), end(3));
        }
        if left >= 4 {
            found(Family::Fours, bucket(four), end(4));
        }
        if left >= 5 {
            found(Family::Fives, bucket(five), end(5));
        }
        if left >= 7 {
            found(Family::Sevens, bucket(seven), end(7));
        }
        from += if left == whole { 0 } else { run.first().copied().map_or(0, width) };
    }
}

/// Bytes of a code point in UTF-8.
fn width(code: u32) -> u32 {
    match code {
        0..0x80 => 1,
        0x80..0x800 => 2,
        0x800..0x1_0000 => 3,
        _ => 4,
    }
}

fn link(link: &crate::text::Link, index: u32, hashing: &Hashing, found: &mut impl FnMut(Family, u32, Piece)) {
    let mut put = |family, kind: &str, value: &str| {
        found(family, bucket(hashing.pair(hashing.word(kind), hashing.word(value), 0)), Piece::Link(index));
    };
    if link.domain() != link.host {
        put(Family::Hosts, "host", link.domain());
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
    let flag = |is: bool| if is { 1.0 } else { 0.0 };
    [
        ln1p(shape.chars),
        ln1p(words.count),
        ln1p(reading.links.len()),
        flag(!reading.links.is_empty()),
        share(shape.capitals, shape.letters),
        share(shape.digits, shape.chars),
        share(shape.punctuation, shape.chars),
        ln1p(shape.emoji),
        ln1p(shape.exclamations),
        ln1p(shape.lines),
        share(words.chars, words.count),
        share(words.distinct, words.count),
        flag(shape.longest_digit_run >= 5),
        ln1p(shape.tags),
        ln1p(shape.money),
        ln1p(shape.hidden + shape.mixed_words),
        flag(shape.mail_addresses > 0),
        ln1p(shape.longest_run),
    ]
}

/// Bin edges were read off quantiles of public comment corpora; a bin says "at most the edge".
fn form(reading: &Reading, dense: &[f64; DENSE.len()], hashing: &Hashing, found: &mut impl FnMut(Family, u32, Piece)) {
    let shape = &reading.shape;
    let [_, _, _, _, capitals, digits, punctuation, _, _, _, word_length, variety, ..] = *dense;
    // Length, capitals, digits, punctuation, length and variety of words; links, exclamation marks, emoji, tags, lines, long numbers, money;
    // hidden and mixed letters.
    let bins: [(f64, &[f64]); 15] = [
        (count(shape.chars), &[10.0, 20.0, 35.0, 50.0, 70.0, 100.0, 140.0, 200.0, 300.0, 500.0]),
        (capitals, &[0.0, 0.03, 0.06, 0.1, 0.2, 0.5, 0.8]),
        (digits, &[0.0, 0.02, 0.05, 0.1, 0.2]),
        (punctuation, &[0.0, 0.02, 0.04, 0.07, 0.12, 0.2]),
        (word_length, &[3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0]),
        (variety, &[0.5, 0.7, 0.8, 0.9, 0.99]),
        (count(reading.links.len()), &[0.0, 1.0, 2.0, 3.0]),
        (count(shape.exclamations), &[0.0, 1.0, 2.0, 3.0]),
        (count(shape.emoji), &[0.0, 1.0, 2.0]),
        (count(shape.tags), &[0.0, 1.0, 2.0]),
        (count(shape.lines), &[1.0, 2.0, 4.0]),
        (count(shape.longest_digit_run), &[4.0, 6.0]),
        (count(shape.money), &[0.0, 1.0]),
        (count(shape.hidden), &[0.0]),
        (count(shape.mixed_words), &[0.0]),
    ];
    for ((value, edges), place) in bins.into_iter().zip(0..) {
        let bin = edges.iter().zip(0..).take_while(|(edge, _)| value > **edge).last().map_or(0, |(_, index)| index + 1);
        found(Family::Form, bucket(hashing.pair(place, bin, EDGE)), Piece::Form);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(text: &str, family: Family) -> Vec<String> {
        let reading = Reading::of(text);
        let padded = |from: u32, to: u32| reading.folded.get(from as usize..(to as usize).min(reading.folded.len())).map(str::to_owned);
        let mut features = Features::default();
        features.read_pieces(&reading, &Hashing::of(0));
        let texts = features.pieces(family).iter().filter_map(|(_, piece)| match piece {
            Piece::Text(from, to) => padded(*from, *to),
            Piece::Link(_) | Piece::Form | Piece::Sign(_) => None,
        });
        texts.collect()
    }

    proptest! {
        #[test]
        fn with_pieces_or_without_the_features_are_the_same(text in "\\PC{0,80}|([a-c]{1,3} ){0,20}") {
            let (mut plain, mut placed) = (Features::default(), Features::default());
            let reading = Reading::of(&text);
            plain.read(&reading, &Hashing::of(3));
            placed.read_pieces(&reading, &Hashing::of(3));
            prop_assert_eq!((plain.families(), plain.dense), (placed.families(), placed.dense));
        }
    }

    #[test]
    fn a_piece_says_where_it_stands() {
        assert_eq!(pieces("buy it", Family::Words), ["buy", "buy", "it", "buy it", "it"]);
        assert!(pieces("привет всем", Family::Sevens).contains(&"привет ".to_owned()));
        assert!(pieces("加我微信吧", Family::Threes).contains(&"我微信".to_owned()));
    }

    #[test]
    fn the_same_word_twice_is_one_feature() {
        let (mut once, mut twice) = (Features::default(), Features::default());
        once.read(&Reading::of("no. maybe"), &Hashing::of(0));
        twice.read(&Reading::of("no. maybe no. maybe"), &Hashing::of(0));
        assert_eq!((once.family(Family::Words).len(), twice.family(Family::Words).len()), (5, 6));
    }

    proptest! {
        #[test]
        fn features_are_total_distinct_in_range_and_the_same_again(text in "\\PC{0,120}", other in "\\PC{0,60}") {
            let (reading, hashing) = (Reading::of(&text), Hashing::of(3));
            let mut features = Features::default();
            features.read(&reading, &hashing);
            let first = features.families().clone();
            for buckets in &first {
                let distinct: std::collections::BTreeSet<u32> = buckets.iter().copied().collect();
                prop_assert_eq!(distinct.len(), buckets.len());
                prop_assert!(buckets.iter().all(|bucket| (*bucket as usize) < BUCKETS));
            }
            prop_assert!(features.dense.iter().all(|x| x.is_finite()));
            // Used again after another text, the room is as new.
            features.read(&Reading::of(&other), &hashing);
            features.read(&reading, &hashing);
            prop_assert_eq!(features.families(), &first);
        }
    }
}
