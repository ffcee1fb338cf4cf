//! The classifier on one core: from text to score by size and language, its parts, one example learnt, a model loaded.
//! `cargo bench --bench classify`; a name after `--` picks some. Of the two times that count, the median stands a shared machine better.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench measures time, and may fall over when it cannot")]

mod generate;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use generate::Generator;
use hamlet::classifier::train::{fit, train};
use hamlet::classifier::{Example, Features, Fold, Label, Model, Reach};
use hamlet::clock::Timestamp;
use hamlet::comment::{Comment, Facts, Limits, Submission};
use hamlet::dice::Dice;
use hamlet::id::{CommentId, SiteId};
use hamlet::rules::{self, Case};
use hamlet::text::Reading;
use std::fmt;
use std::sync::LazyLock;

fn main() {
    // linfa-bayes prints every weight of its fit, and does it here, once.
    LazyLock::force(&MODEL);
    divan::main();
}

const COMMENT: &str = "I tried this with a French press and it worked well. Does water temperature matter much?";

/// Trained on 20,000 generated comments: its tables are as full as those of a blog with some years behind it.
static MODEL: LazyLock<Model> = LazyLock::new(|| {
    let (mut generator, mut fold) = (Generator::new(1), Fold::new(Reach::Home, 1));
    for line in (0..20_000).map(|_| serde_json::from_str::<serde_json::Value>(&generator.line()).unwrap()) {
        let label = if line["label"] == "spam" { Label::Spam } else { Label::Ham };
        fold.add(&Example { body: line["content"].as_str().unwrap().to_owned(), label, group: None, time: None });
    }
    train(fold, Vec::new(), String::new(), |folded| folded.iter().map(fit).collect()).unwrap()
});

/// A text with its name.
struct Text(&'static str, String);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

fn texts() -> Vec<Text> {
    let mut generator = Generator::new(7);
    let long: String = std::iter::repeat_with(|| generator.english()).take(1500).collect();
    let to = |bytes: usize| long.get(..long.floor_char_boundary(bytes)).unwrap().to_owned();
    let german =
        "<p>Schöner Artikel, danke! Mehr dazu steht auf <a href=\"https://kaffee.example/wissen?x=1\">dieser Seite</a> &amp; hier.</p>";
    vec![
        Text("30 B", "Thanks, this helped me a lot!!".into()),
        Text("90 B", COMMENT.into()),
        Text("500 B", to(500)),
        Text("4 KiB", to(4 << 10)),
        Text("64 KiB", to(64 << 10)),
        Text("Russian, 130 B", "Спасибо за статью, попробовал вчера с френч-прессом, вышло очень вкусно.".into()),
        Text("Chinese, 90 B", "谢谢分享，昨天试了一下，味道真的很好。请问水温重要吗？".into()),
        Text("German, HTML, a link, 130 B", german.into()),
    ]
}

/// What a spammer may send to cost us time; all of 64 KiB.
fn hostile() -> Vec<Text> {
    let all = |name, unit: &str| Text(name, unit.repeat((64 << 10) / unit.len()));
    vec![
        all("links", "http://a.example/x?y=1 "),
        all("a chain of half links", "a.1:"),
        all("half links with far dots", "abcdefghijklmnopqrstuvwxyz.1_"),
        all("tags", "<b>"),
        all("open tags", "<a"),
        all("entities", "&#65;"),
        all("mixed scripts", "cаsино vіagrа "),
        all("one character that is eighteen", "\u{fdfa}"),
        all("marks", "\u{301}\u{323}\u{316}"),
        all("disguised links", "spam dot com, spam[.]com hxxp://a.example spam .com "),
        all("brackets that lead on", "a[.]"),
        all("blanks before dots", "a  . "),
        Text("a dot and blanks", format!("a dot{}", " ".repeat((64 << 10) - 5))),
        all("leet", "v1agra c4sino "),
        all("spaced letters", "v i a g r a "),
        all("letters that never end", "a "),
        all("letters with dots", "я.я."),
        all("the same sentence", "Subscribe to me now! "),
        all("sentences that begin alike", &(0..400).map(|n| format!("{} {n}. ", "the same ".repeat(16))).collect::<String>()),
        all("base64", "aGVsbG8gd29ybGQsIHRoaXMgaXM9"),
        all("invisible characters", "v\u{200b}i"),
        all("styled letters", "𝗳𝗿𝗲𝗲 "),
        all("directions", "\u{202e}a\u{200f}"),
        all("anchors", "<a href=//a.b>c.d</a>"),
        all("anchors in anchors", "<a href=//a.b>"),
        all("hosts of numbers", "http://[::1]/ http://3221225991 "),
    ]
}

#[divan::bench(args = texts())]
fn text_to_score(bencher: Bencher<'_, '_>, text: &Text) {
    let mut features = Features::default();
    bencher.counter(BytesCount::of_str(&text.1)).bench_local(|| MODEL.log_odds(&mut features, &Reading::of(black_box(&text.1))));
}

#[divan::bench(args = hostile())]
fn hostile_text_to_score(bencher: Bencher<'_, '_>, text: &Text) {
    let mut features = Features::default();
    bencher.bench_local(|| MODEL.log_odds(&mut features, &Reading::of(black_box(&text.1))));
}

/// All rules on a comment of median length that was read already, with a name, an address and a website: at most what its score takes.
#[divan::bench]
fn rules_on_a_comment(bencher: Bencher<'_, '_>) {
    let now = Timestamp::from_ms(0);
    let field = |text: &str| Some(text.to_owned());
    let submission = Submission {
        name: field("Ana Miller"),
        email: field("ana@mail.example"),
        url: field("https://ana.example"),
        body: field(COMMENT),
        ..Submission::default()
    };
    let limits = Limits { body_bytes_max: 1 << 20, field_bytes_max: 1 << 13, excerpt_bytes_max: 1 << 13 };
    let comment = Comment::parse(submission, CommentId::new(now, &Dice::seeded(1)), SiteId::new("blog"), now, limits).unwrap();
    let settings = rules::Settings { require_name: true, require_email: true, links_max: 2, hold_first_link: true, ..Default::default() };
    let (reading, facts) = (Reading::of(COMMENT), Facts::none(now));
    bencher.bench_local(|| rules::apply(black_box(&Case { comment: &comment, reading: &reading, facts: &facts, settings: &settings })));
}

#[divan::bench(args = texts())]
fn text_to_reading(bencher: Bencher<'_, '_>, text: &Text) {
    bencher.bench_local(|| Reading::of(black_box(&text.1)));
}

#[divan::bench(args = texts())]
fn reading_to_features(bencher: Bencher<'_, '_>, text: &Text) {
    let (mut features, reading) = (Features::default(), Reading::of(&text.1));
    bencher.bench_local(|| features.read(black_box(&reading), &MODEL.layer.hashing));
}

/// The table part: features to what the stack reads.
#[divan::bench(args = texts())]
fn features_to_inputs(bencher: Bencher<'_, '_>, text: &Text) {
    let mut features = Features::default();
    features.read(&Reading::of(&text.1), &MODEL.layer.hashing);
    bencher.bench_local(|| MODEL.layer.inputs(black_box(&features)));
}

/// As the judge asks: the score with its evidence.
#[divan::bench(args = texts())]
fn text_to_evidence(bencher: Bencher<'_, '_>, text: &Text) {
    let mut features = Features::default();
    bencher.bench_local(|| MODEL.score(&mut features, &Reading::of(black_box(&text.1))));
}

#[divan::bench]
fn learn_one(bencher: Bencher<'_, '_>) {
    let (mut model, mut features) = (MODEL.clone(), Features::default());
    bencher.bench_local(|| model.learn(&mut features, &Reading::of(black_box(COMMENT)), Label::Ham));
}

#[divan::bench]
fn load_starter(bencher: Bencher<'_, '_>) {
    let bytes = include_bytes!("../models/starter.hamlet");
    bencher.bench_local(|| Model::from_bytes(black_box(bytes)).unwrap());
}

/// With the counts of 20,000 comments.
#[divan::bench]
fn load_model(bencher: Bencher<'_, '_>) {
    let bytes = MODEL.to_bytes();
    bencher.bench_local(|| Model::from_bytes(black_box(&bytes)).unwrap());
}
