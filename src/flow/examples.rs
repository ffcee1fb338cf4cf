//! Labelled comments as JSONL: one object a line with `id, label, author, email, url, date, content, group`. Only reads; a line that is
//! broken is named by its number, one that carries no label of ours is counted.

use crate::classifier::{Example, Label};
use serde::Deserialize;
use std::io::BufRead;

/// One line. `author`, `email` and `url` are known and not learnt from.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub label: Option<String>,
    pub content: String,
    #[serde(default)]
    pub group: Option<String>,
    #[serde(default)]
    pub date: Option<String>,
    /// Where it is from and what it is written in: nothing learns from these; an evaluation tells them apart.
    #[serde(default)]
    pub source: Option<String>,
    #[serde(default)]
    pub language: Option<String>,
}

/// A line that is no labelled comment.
#[derive(Debug, thiserror::Error)]
pub enum BadLine {
    #[error("line {number} is no comment in JSON: {reason}")]
    Malformed { number: usize, reason: String },
    #[error("line {number} cannot be read")]
    Unreadable { number: usize, source: std::io::Error },
}

/// Every line, numbered from 1; blank lines are nothing.
pub fn lines(input: impl BufRead) -> impl Iterator<Item = Result<(usize, Line), BadLine>> {
    unread(input).map(|unread| unread.and_then(|unread| Ok((unread.number, unread.read()?))))
}

/// A line as it came, still to be [`read`](Self::read).
pub struct Unread {
    number: usize,
    bytes: Vec<u8>,
}

/// As [`lines`], for those who read them elsewhere.
pub fn unread(input: impl BufRead) -> impl Iterator<Item = Result<Unread, BadLine>> {
    (1..).zip(input.split(b'\n')).filter_map(|(number, bytes)| match bytes {
        Err(source) => Some(Err(BadLine::Unreadable { number, source })),
        Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => None,
        Ok(bytes) => Some(Ok(Unread { number, bytes })),
    })
}

impl Unread {
    /// # Errors
    /// [`BadLine::Malformed`].
    pub fn read(&self) -> Result<Line, BadLine> {
        serde_json::from_slice(&self.bytes).map_err(|error| BadLine::Malformed { number: self.number, reason: error.to_string() })
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

impl Line {
    /// The example it is; none where its label is neither spam nor ham.
    pub fn example(self) -> Option<Example> {
        let label = match self.label.as_deref() {
            Some("spam") => Label::Spam,
            Some("ham") => Label::Ham,
            _ => return None,
        };
        Some(Example { body: self.content, label, group: self.group, time: self.date })
    }
}

/// The labelled ones, and how many lines were labelled neither spam nor ham.
///
/// # Errors
/// [`BadLine`], the first: half a corpus is worse than none.
pub fn read(input: impl BufRead) -> Result<(Vec<Example>, usize), BadLine> {
    let (mut examples, mut skipped) = (Vec::new(), 0);
    for line in lines(input) {
        match line?.1.example() {
            Some(example) => examples.push(example),
            None => skipped += 1,
        }
    }
    Ok((examples, skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labelled_lines_are_read_and_others_counted() {
        let text = "{\"label\":\"spam\",\"content\":\"a\",\"extra\":1}\n\n{\"label\":\"abuse\",\"content\":\"b\"}\r\n{\"label\":\"ham\",\"content\":\"c\",\"group\":\"p\"}";
        let (examples, skipped) = read(text.as_bytes()).unwrap();
        assert_eq!(skipped, 1);
        let labels: Vec<Label> = examples.iter().map(|example| example.label).collect();
        assert_eq!(labels, [Label::Spam, Label::Ham]);
        assert_eq!(examples[1].group.as_deref(), Some("p"));
    }

    #[test]
    fn a_broken_line_is_named() {
        let broken = read("{\"label\":\"ham\",\"content\":\"c\"}\n{\"label\":".as_bytes()).unwrap_err();
        assert!(broken.to_string().starts_with("line 2 is no comment in JSON"), "{broken}");
        assert!(read(&b"{\"content\":\"\xff\"}"[..]).is_err());
    }
}
