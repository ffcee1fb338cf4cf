//! Generated comments: as many as wanted, the same for the same seed, and varied, so that tables fill as they would with real ones. Words
//! follow one another as in a line of the corpus of this project, of one language and label; some are made of two halves, so that the
//! vocabulary goes on growing (Heaps' law), and one label in fifty is wrong, so that a stack has something to learn.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// Comments in a walk from word to word.
pub struct Generator {
    files: Vec<File>,
    state: u64,
    made: usize,
}

/// One language's ham or spam.
struct File {
    name: String,
    is_spam: bool,
    /// Words in the order they stand, lines one after another.
    words: Vec<String>,
    /// Where each word stands.
    places: HashMap<String, Vec<usize>>,
    starts: Vec<usize>,
}

/// Comments to a page.
const PAGE: usize = 20;

impl Generator {
    pub fn new(seed: u64) -> Self {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("training-data");
        let mut paths: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        paths.sort();
        Self { files: paths.iter().map(|path| File::read(path)).collect(), state: seed | 1, made: 0 }
    }

    /// One line of JSON, without its end.
    pub fn line(&mut self) -> String {
        self.made += 1;
        // A file counts by its lines.
        let lines: usize = self.files.iter().map(|file| file.starts.len()).sum();
        let mut at = self.below(lines);
        let index = self
            .files
            .iter()
            .position(|file| {
                file.starts.len() > at || {
                    at -= file.starts.len();
                    false
                }
            })
            .unwrap();
        let is_spam = self.files[index].is_spam != (self.below(50) == 0);
        let content = self.content(index, at);
        let label = if is_spam { "spam" } else { "ham" };
        json!({ "id": format!("{}", self.made), "label": label, "author": "Ann", "email": "ann@mail.example", "content": content,
            "group": format!("page-{}", self.made / PAGE) })
        .to_string()
    }

    /// A comment in English, ham.
    #[allow(dead_code, reason = "each bench uses what it needs")]
    pub fn english(&mut self) -> String {
        let index = self.files.iter().position(|file| file.name == "en-ham.jsonl").unwrap();
        let line = self.below(self.files[index].starts.len());
        self.content(index, line)
    }

    fn content(&mut self, index: usize, line: usize) -> String {
        let mut at = self.files[index].starts[line];
        let mut content = String::new();
        // Twenty to two hundred bytes and more: 110 in the mean.
        let bytes = 20 + self.below(90) + self.below(90);
        while content.len() < bytes {
            let word = self.files[index].words[at].clone();
            if self.below(12) == 0 {
                content.push_str(&self.blend(index, &word));
            } else {
                content.push_str(&word);
            }
            let choices = self.files[index].places[&word].len();
            let choice = self.below(choices);
            at = (self.files[index].places[&word][choice] + 1) % self.files[index].words.len();
        }
        content
    }

    /// The first half of a word and the last of another.
    fn blend(&mut self, index: usize, word: &str) -> String {
        let other = self.below(self.files[index].words.len());
        let other = &self.files[index].words[other];
        let (first, last) = (word.floor_char_boundary(word.len() / 2), other.floor_char_boundary(other.len() / 2));
        format!("{}{}", &word[..first], &other[last..])
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % limit
    }
}

impl File {
    fn read(path: &Path) -> Self {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_spam = name.contains("spam");
        let mut file = Self { name, is_spam, words: Vec::new(), places: HashMap::new(), starts: Vec::new() };
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let content = line["content"].as_str().unwrap();
            file.starts.push(file.words.len());
            // Scripts without spaces go by characters.
            let is_spaced = content.matches(' ').count() * 20 > content.chars().count();
            let words: Vec<&str> =
                if is_spaced { content.split_inclusive(' ').collect() } else { content.split_inclusive(|_| true).collect() };
            for word in words {
                file.places.entry(word.to_owned()).or_default().push(file.words.len());
                file.words.push(word.to_owned());
            }
            // A walk over the end of a line begins another.
            file.places.entry(" ".to_owned()).or_default().push(file.words.len());
            file.words.push(" ".to_owned());
        }
        file
    }
}
