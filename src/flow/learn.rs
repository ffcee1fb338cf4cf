//! Learning: from labels to a model on the shelf. The fit itself runs in a process of its own (see `classifier::train` for why), which also
//! keeps a big retrain out of the daemon's memory.

use super::examples::{self, BadLine};
use crate::classifier::train::{CannotTrain, Fitted, Folded, Reach, train};
use crate::classifier::{Example, Model, Source};
use crate::shelf::{Shelf, ShelfError};
use crate::store::{Reader, StoreError};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// The corpus that ships, so that a retrain needs no files: name and content.
pub const STARTER_CORPUS: [(&str, &str); 20] = [
    ("ar-ham.jsonl", include_str!("../../training-data/ar-ham.jsonl")),
    ("ar-spam.jsonl", include_str!("../../training-data/ar-spam.jsonl")),
    ("de-ham.jsonl", include_str!("../../training-data/de-ham.jsonl")),
    ("de-spam.jsonl", include_str!("../../training-data/de-spam.jsonl")),
    ("en-ham.jsonl", include_str!("../../training-data/en-ham.jsonl")),
    ("en-spam.jsonl", include_str!("../../training-data/en-spam.jsonl")),
    ("es-ham.jsonl", include_str!("../../training-data/es-ham.jsonl")),
    ("es-spam.jsonl", include_str!("../../training-data/es-spam.jsonl")),
    ("fr-ham.jsonl", include_str!("../../training-data/fr-ham.jsonl")),
    ("fr-spam.jsonl", include_str!("../../training-data/fr-spam.jsonl")),
    ("id-ham.jsonl", include_str!("../../training-data/id-ham.jsonl")),
    ("id-spam.jsonl", include_str!("../../training-data/id-spam.jsonl")),
    ("pt-ham.jsonl", include_str!("../../training-data/pt-ham.jsonl")),
    ("pt-spam.jsonl", include_str!("../../training-data/pt-spam.jsonl")),
    ("ru-ham.jsonl", include_str!("../../training-data/ru-ham.jsonl")),
    ("ru-spam.jsonl", include_str!("../../training-data/ru-spam.jsonl")),
    ("tr-ham.jsonl", include_str!("../../training-data/tr-ham.jsonl")),
    ("tr-spam.jsonl", include_str!("../../training-data/tr-spam.jsonl")),
    ("zh-ham.jsonl", include_str!("../../training-data/zh-ham.jsonl")),
    ("zh-spam.jsonl", include_str!("../../training-data/zh-spam.jsonl")),
];

/// Why no model came of it.
#[derive(Debug, thiserror::Error)]
pub enum CannotLearn {
    #[error("{name}: {source}")]
    Examples { name: String, source: BadLine },
    #[error(transparent)]
    Train(#[from] CannotTrain),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Shelf(#[from] ShelfError),
}

/// The starter corpus, and where each part of it comes from.
///
/// # Errors
/// [`CannotLearn::Examples`] when a line is broken.
pub fn starter_corpus() -> Result<(Vec<Example>, Vec<Source>), CannotLearn> {
    let (mut all, mut sources) = (Vec::new(), Vec::new());
    for (name, content) in STARTER_CORPUS {
        let name = format!("training-data/{name}");
        let read = examples::read(content.as_bytes()).map_err(|source| CannotLearn::Examples { name: name.clone(), source })?;
        sources.push(source(name, content.as_bytes(), read.examples.len()));
        all.extend(read.examples);
    }
    Ok((all, sources))
}

/// A source as a card names it.
pub fn source(name: String, content: &[u8], examples: usize) -> Source {
    let sha256 = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    Source { name, sha256, examples }
}

/// With fewer rulings than this the corpus is most of what is learnt, and the site is still abroad to it.
const RULINGS_FOR_HOME: usize = 200;

/// Trains on the labels in the store and the starter corpus, puts the model on the shelf and promotes it. `program` is this binary.
///
/// # Errors
/// [`CannotLearn`]; the shelf is then as it was.
pub fn retrain(reader: &Reader, shelf: &Shelf, program: &Path, trained_at: String) -> Result<Model, CannotLearn> {
    let (mut all, mut sources) = starter_corpus()?;
    let rulings = reader.examples()?;
    let digest: Vec<u8> = rulings.iter().flat_map(|example| example.body.bytes().chain([0])).collect();
    sources.push(source("rulings".to_owned(), &digest, rulings.len()));
    let reach = if rulings.len() >= RULINGS_FOR_HOME { Reach::Home } else { Reach::Abroad };
    all.extend(rulings);
    let model = train(&all, reach, sources, trained_at, |folded| fit_apart(program, folded))?;
    shelf.save(&model)?;
    shelf.promote(&model.id)?;
    Ok(model)
}

/// The hidden subcommand that [`fit_apart`] runs.
pub const FIT_COMMAND: &str = "fit-counts";

/// Fits in a process of its own with its stderr closed, since linfa-bayes prints every weight there.
///
/// # Errors
/// [`CannotTrain::Process`] when it does not start or answers what is no fit.
pub fn fit_apart(program: &Path, folded: &[Folded]) -> Result<Vec<Fitted>, CannotTrain> {
    let failed = |error: io::Error| CannotTrain::Process(format!("{}: {error}", program.display()));
    let mut process = Command::new(program)
        .arg(FIT_COMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let mut input = Vec::new();
    for counts in folded {
        put_pair(&mut input, &counts.spam, &counts.ham);
    }
    // The process reads all before it writes, so neither side waits for the other.
    if let Some(mut stdin) = process.stdin.take() {
        stdin.write_all(&input).map_err(failed)?;
    }
    let output = process.wait_with_output().map_err(failed)?;
    let fitted: Vec<Fitted> = take_pairs(&output.stdout).map(|(spam, ham)| Fitted { spam, ham }).collect();
    let whole = output.status.success() && fitted.len() == folded.len();
    if whole { Ok(fitted) } else { Err(CannotTrain::Process(format!("it ended with {}", output.status))) }
}

/// The other side: folded counts in, fitted parameters out.
///
/// # Errors
/// [`CannotTrain`] when the counts cannot be fitted or the pipes break.
pub fn fit_from_pipe(mut input: impl Read, mut output: impl Write) -> Result<(), CannotTrain> {
    let failed = |error: io::Error| CannotTrain::Process(error.to_string());
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).map_err(failed)?;
    let mut answer = Vec::new();
    for (spam, ham) in take_pairs(&bytes) {
        let fitted = crate::classifier::train::fit(&Folded { spam, ham })?;
        put_pair(&mut answer, &fitted.spam, &fitted.ham);
    }
    output.write_all(&answer).map_err(failed)
}

/// A pair of rows on the pipe: columns (u32), then spam and ham (f64 each), little endian.
fn put_pair(bytes: &mut Vec<u8>, spam: &[f64], ham: &[f64]) {
    bytes.extend(u32::try_from(spam.len()).unwrap_or(0).to_le_bytes());
    bytes.extend(spam.iter().chain(ham).flat_map(|value| value.to_le_bytes()));
}

fn take_pairs(bytes: &[u8]) -> impl Iterator<Item = (Vec<f64>, Vec<f64>)> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (columns, after) = rest.split_first_chunk::<4>()?;
        let row = u32::from_le_bytes(*columns) as usize * 8;
        let (spam, after) = after.split_at_checked(row)?;
        let (ham, after) = after.split_at_checked(row)?;
        rest = after;
        Some((floats(spam), floats(ham)))
    })
}

fn floats(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks::<8>().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_starter_corpus_is_in_the_list_and_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("training-data");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| std::path::Path::new(name).extension().is_some_and(|kind| kind == "jsonl"))
            .collect();
        files.sort();
        assert_eq!(files, STARTER_CORPUS.map(|(name, _)| name));
        let (examples, sources) = starter_corpus().unwrap();
        assert!(examples.len() >= 400);
        assert_eq!(sources.iter().map(|source| source.examples).sum::<usize>(), examples.len());
    }

    #[test]
    fn the_starter_model_is_what_its_corpus_makes() {
        let (examples, sources) = starter_corpus().unwrap();
        let shipped = crate::shelf::starter().unwrap();
        let fit = |folded: &[Folded]| folded.iter().map(crate::classifier::train::fit).collect();
        let made = train(&examples, Reach::Abroad, sources, shipped.card.trained_at.clone(), fit).unwrap();
        assert_eq!(made.id, shipped.id, "rebuild it: see training-data/README.md");
        assert!(made.to_bytes() == shipped.to_bytes());
    }

    #[test]
    fn pairs_survive_the_pipe() {
        let mut bytes = Vec::new();
        put_pair(&mut bytes, &[1.5, -2.0], &[0.0, f64::MIN_POSITIVE]);
        put_pair(&mut bytes, &[], &[]);
        let pairs: Vec<_> = take_pairs(&bytes).collect();
        assert_eq!(pairs, [(vec![1.5, -2.0], vec![0.0, f64::MIN_POSITIVE]), (vec![], vec![])]);
    }
}
