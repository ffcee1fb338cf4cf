//! Signs: what a text shows of tricks and habits, found while it is read once. A closed set; each says in plain words what was seen. What a
//! sign is worth is the classifier's to learn, and none of them decides by itself but [`Sign::OnlyLinks`] (see `rules::signs`).

use super::html::Anchor;
use super::normalise::{Plain, trim_blank};
use super::{Link, Shape, domains};

/// One thing that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    DisguisedLink,
    LyingLink,
    ShortenedLink,
    NumericHost,
    PunycodeHost,
    MixedHost,
    UserInLink,
    OddPort,
    OnlyLinks,
    HiddenLetters,
    MixedScripts,
    StyledLetters,
    PiledMarks,
    DirectionOverride,
    Leet,
    SpacedLetters,
    Repetition,
    Shouting,
    BbCode,
    RandomString,
}

impl Sign {
    pub const ALL: [Self; 20] = [
        Self::DisguisedLink,
        Self::LyingLink,
        Self::ShortenedLink,
        Self::NumericHost,
        Self::PunycodeHost,
        Self::MixedHost,
        Self::UserInLink,
        Self::OddPort,
        Self::OnlyLinks,
        Self::HiddenLetters,
        Self::MixedScripts,
        Self::StyledLetters,
        Self::PiledMarks,
        Self::DirectionOverride,
        Self::Leet,
        Self::SpacedLetters,
        Self::Repetition,
        Self::Shouting,
        Self::BbCode,
        Self::RandomString,
    ];

    /// Its name in findings.
    pub fn code(self) -> &'static str {
        self.told().0
    }

    /// What was seen, for a person.
    pub fn reason(self) -> &'static str {
        self.told().1
    }

    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::DisguisedLink => ("disguised_link", "a link in disguise"),
            Self::LyingLink => ("lying_link", "a link whose text names another site"),
            Self::ShortenedLink => ("shortened_link", "a shortened link, which hides where it leads"),
            Self::NumericHost => ("numeric_host", "a link to a number instead of a name"),
            Self::PunycodeHost => ("punycode_host", "a link to a name in the code for foreign letters"),
            Self::MixedHost => ("mixed_host", "a link to a name with letters that look like others"),
            Self::UserInLink => ("user_in_link", "a link with something before its host"),
            Self::OddPort => ("odd_port", "a link to an unusual port"),
            Self::OnlyLinks => ("only_links", "nothing but links"),
            Self::HiddenLetters => ("hidden_letters", "invisible characters inside words"),
            Self::MixedScripts => ("mixed_scripts", "words with letters that look like others"),
            Self::StyledLetters => ("styled_letters", "letters made of symbols"),
            Self::PiledMarks => ("piled_marks", "marks piled on letters"),
            Self::DirectionOverride => ("direction_override", "characters that turn the text around"),
            Self::Leet => ("leet", "digits in place of letters"),
            Self::SpacedLetters => ("spaced_letters", "words spelt letter by letter"),
            Self::Repetition => ("repetition", "the same sentence again and again"),
            Self::Shouting => ("shouting", "written in capitals"),
            Self::BbCode => ("bbcode", "mark-up of forums"),
            Self::RandomString => ("random_string", "a long string of random characters"),
        }
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Those that one text shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signs(u32);

impl Signs {
    pub fn add_if(&mut self, sign: Sign, is_seen: bool) {
        self.0 |= if is_seen { sign.bit() } else { 0 };
    }

    pub fn has(self, sign: Sign) -> bool {
        self.0 & sign.bit() != 0
    }

    /// In the order of [`Sign::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Sign> {
        Sign::ALL.into_iter().filter(move |sign| self.has(*sign))
    }
}

/// A link that names one site and leads to another, or links that are all there is.
pub(super) fn of_anchors(stripped: &str, anchors: &[Anchor]) -> Signs {
    let mut signs = Signs::default();
    if anchors.is_empty() {
        return signs;
    }
    let (mut between, mut from) = (String::new(), 0);
    for anchor in anchors {
        let named = trim_blank(stripped.get(anchor.text.clone()).unwrap_or(""));
        signs.add_if(Sign::LyingLink, names_another_site(named, &anchor.target));
        between.push_str(stripped.get(from..anchor.text.start).unwrap_or(""));
        from = anchor.text.end;
    }
    between.push_str(stripped.get(from..).unwrap_or(""));
    signs.add_if(Sign::OnlyLinks, !between.contains(char::is_alphanumeric));
    signs
}

fn names_another_site(named: &str, target: &str) -> bool {
    if named.len() > super::links::URL_BYTES_MAX || !named.contains('.') || named.contains(char::is_whitespace) {
        return false;
    }
    let (link, target) = (Link::parse(named), Link::parse(target));
    let (host, path) = named.split_at(named.find(['/', '?', '#']).unwrap_or(named.len()));
    let is_site = link.has_scheme || domains::is_bare_host(host, path);
    is_site && !target.host.is_empty() && link.domain() != target.domain()
}

/// Letters from the alphabets of symbols before they are a sign: one or two stand for themselves.
const STYLED_MIN: usize = 4;
/// Marks too many before they are a sign.
const PILED_MIN: usize = 3;
/// Letters before capitals are shouting, and their share in percent: names and abbreviations have fewer.
const SHOUTED_LETTERS_MIN: usize = 16;
const SHOUTED_PERCENT_MIN: usize = 70;

pub(super) fn of_characters(plain: &Plain<'_>, shape: &Shape, signs: &mut Signs) {
    signs.add_if(Sign::HiddenLetters, plain.hidden_inside > 0);
    signs.add_if(Sign::StyledLetters, plain.styled >= STYLED_MIN);
    signs.add_if(Sign::PiledMarks, plain.piled >= PILED_MIN);
    signs.add_if(Sign::DirectionOverride, plain.overrides > 0);
    let is_shouted = shape.letters >= SHOUTED_LETTERS_MIN && 100 * shape.capitals >= SHOUTED_PERCENT_MIN * shape.letters;
    signs.add_if(Sign::Shouting, is_shouted);
}

pub(super) fn of_link(link: &Link, signs: &mut Signs) {
    signs.add_if(Sign::ShortenedLink, link.is_shortened());
    signs.add_if(Sign::NumericHost, link.is_numeric());
    signs.add_if(Sign::PunycodeHost, link.is_punycode());
    signs.add_if(Sign::MixedHost, link.mixes_scripts());
    signs.add_if(Sign::UserInLink, link.has_user && link.has_scheme);
    signs.add_if(Sign::OddPort, link.has_odd_port());
}

/// Shorter blocks repeat in honest texts: "no, no, no".
const BLOCK_BYTES_MIN: usize = 12;
/// A text pasted twice is an accident. [`of_blocks`] looks at so many neighbours.
const REPEATS_MIN: usize = 3;
/// No word of people is longer, and a wall of base64 is.
const WALL_BYTES_MIN: usize = 40;

/// Sentences and lines that come again, and words that are none. Links are out of the text.
pub(super) fn of_blocks(marked: &str, signs: &mut Signs) {
    if marked.len() < REPEATS_MIN * BLOCK_BYTES_MIN {
        return;
    }
    let bytes = marked.as_bytes();
    let is_wall = |word: &[u8]| word.len() >= WALL_BYTES_MIN && std::str::from_utf8(word).is_ok_and(is_random);
    signs.add_if(Sign::RandomString, bytes.split(u8::is_ascii_whitespace).any(is_wall));
    // By bytes, since all of these but a link's mark are ASCII; the mark's first byte begins nothing else that people write.
    let ends = |byte: &u8| matches!(byte, b'.' | b'!' | b'?' | b'\n' | 0xee);
    let mut blocks: Vec<&[u8]> = bytes.split(ends).map(<[u8]>::trim_ascii).filter(|block| block.len() >= BLOCK_BYTES_MIN).collect();
    if blocks.len() >= REPEATS_MIN {
        blocks.sort_unstable();
        signs.add_if(Sign::Repetition, blocks.array_windows().any(|[first, _, third]| first == third));
    }
}

/// Small letters, capitals and digits in one run, as encodings have them.
fn is_random(word: &str) -> bool {
    word.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-'))).any(|run| {
        let has = |is: fn(&u8) -> bool| run.bytes().filter(is).count() >= WALL_BYTES_MIN / 10;
        run.len() >= WALL_BYTES_MIN && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Reading;

    fn check(text: &str, expected: &[Sign]) {
        assert_eq!(Reading::of(text).signs.iter().collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn links_show_what_is_wrong_with_them() {
        check("read http://example.com/a and www.example.org", &[]);
        check("read example[.]com", &[Sign::DisguisedLink]);
        check("read hxxp://shop.example/x", &[Sign::DisguisedLink]);
        check("see <a href='http://evil.example'>www.bank.example.com</a> now", &[Sign::LyingLink]);
        check("see <a href='http://www.bank.example.com/login'>bank.example.com</a> now", &[]);
        check("see <a href='http://evil.example'>my site v1.2</a> now", &[]);
        check("go https://bit.ly/3x and good", &[Sign::ShortenedLink]);
        check("go http://192.0.2.7/x or http://3221225991/", &[Sign::NumericHost]);
        check("my server runs on http://127.0.0.1:8080/ and http://localhost:3000", &[]);
        check("go http://xn--80ak6aa92e.example/ now", &[Sign::PunycodeHost]);
        check("go http://p\u{430}ypal.example/ now", &[Sign::MixedHost]);
        check("go to http://почта.рф now", &[]);
        check("go http://paypal.example@evil.example/ now", &[Sign::UserInLink]);
        check("go https://example.com/@ana now", &[]);
        check("go http://evil.example:8181/x now", &[Sign::OddPort]);
        check("http://a.example \u{200b}", &[Sign::OnlyLinks]);
        check("<a href=\"http://a.example\">cheap pills</a>", &[Sign::OnlyLinks]);
        check("[url=http://a.example]pills[/url] for you", &[Sign::BbCode]);
    }

    #[test]
    fn letters_show_what_was_done_to_them() {
        check("buy v\u{200b}iagra", &[Sign::HiddenLetters]);
        check("buy v\u{456}agra", &[Sign::MixedScripts]);
        check("𝗳𝗿𝗲𝗲 money", &[Sign::StyledLetters]);
        check("c\u{336}a\u{336}s\u{336}ino z\u{301}\u{302}\u{303}\u{304}\u{305}", &[Sign::PiledMarks]);
        check("see \u{202e}moc.elpmaxe", &[Sign::DirectionOverride]);
        check("cheap v1agra", &[Sign::Leet]);
        check("cheap v i a g r a", &[Sign::SpacedLetters]);
        check("Subscribe to me now! Subscribe to me now! ok. Subscribe to me now", &[Sign::Repetition]);
        check("BUY THIS NOW OR NEVER EVER", &[Sign::Shouting]);
        check("aGVsbG8gd29ybGQsIHRoaXMgaXMgYmFzZTY0IGVuY29kZWQgMTIzNDU2Nzg5MA==", &[Sign::RandomString]);
    }

    #[test]
    fn what_honest_scripts_and_habits_need_is_no_sign() {
        for text in [
            "سلام، می\u{200c}خواهم بدانم که این کار می\u{200c}کند",
            "👨\u{200d}👩\u{200d}👧 family ❤\u{fe0f} 1\u{fe0f}\u{20e3} 🏳\u{fe0f}\u{200d}🌈",
            "שלום \u{200f}(abc)\u{200f} לכולם \u{202b}טקסט\u{202c}",
            "مرحبا \u{200f}123\u{200f} hello \u{200e}world\u{200e}",
            "שָׁלוֹם עֲלֵיכֶם",
            "Zoë Ångström và José Nuñez, Łódź",
            "Tiếng Việt rất hay, cảm ơn bạn",
            "Tie\u{302}\u{301}ng Vie\u{323}\u{302}t",
            "IT-отдел купил Wi-Fi-роутер и USB-кабель за 5G",
            "हिन्दी में क्\u{200d}ष और श्री",
            "ক্ষ বাংলা தமிழ் ไทย ខ្មែរ",
            "한국어 日本語 中文 Ｆｕｌｌ",
            "I use Node.js 18.2.1, e.g.this and README.md; it works.But see main.rs",
            "Donau\u{ad}dampf\u{ad}schiff",
            "\u{feff}A text from an editor\u{200b}",
            "mp3 covid19 utf8 sha256 x86_64 2nd B2B",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "NASA and the FBI met in the U.S.A.",
            "no. no. no. no. no.",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn every_sign_has_a_name_and_words_of_its_own() {
        let distinct = |told: fn(Sign) -> &'static str| Sign::ALL.map(told).into_iter().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!((distinct(Sign::code), distinct(Sign::reason)), (Sign::ALL.len(), Sign::ALL.len()));
    }
}
