//! Learning: from labels to a model; a site's own training is `training`'s. The fit itself runs in a process of its own (see `classifier::train` for why), which also
//! keeps a big retrain out of the daemon's memory.

use super::examples::{self, BadLine, Unread};
use crate::classifier::train::{CannotTrain, Fitted, Folded};
use crate::classifier::{BadModel, Document, Features, Fold, Source};
use crate::shelf::ShelfError;
use crate::store::StoreError;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Why no model came of it.
#[derive(Debug, thiserror::Error)]
pub enum CannotLearn {
    #[error("{name}: {source}")]
    Examples { name: String, source: BadLine },
    #[error("the starter model in this binary cannot be read")]
    Starter(#[source] BadModel),
    #[error("a thread of the evaluation stopped short")]
    Stopped,
    #[error(transparent)]
    Train(#[from] CannotTrain),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Shelf(#[from] ShelfError),
}

/// Folds a stream of labelled comments in; answers what it was, and how many lines were labelled neither spam nor ham.
///
/// # Errors
/// [`CannotLearn::Examples`], the first broken line: half a corpus is worse than none.
pub fn fold_in(fold: &mut Fold, name: String, input: impl BufRead) -> Result<(Source, usize), CannotLearn> {
    let mut input = Digested { input, digest: Sha256::new() };
    let (examples, skipped) = fold_lines(fold, &mut input).map_err(|source| CannotLearn::Examples { name: name.clone(), source })?;
    let source = Source { name, sha256: hex(&input.digest.finalize()), examples, origin: None };
    Ok((source, skipped))
}

/// A batch is closed at so many bytes: comments of 64 KiB must not pile up by the hundred.
const BATCH_BYTES: usize = 64 << 10;

/// Batches that wait between two threads.
const BATCHES_MAX: usize = 4;

/// Lines, features and counts each have a thread, since features cost about what counts cost; everything stays in the order of the lines.
/// Answers how many were examples and how many not.
fn fold_lines(fold: &mut Fold, input: impl BufRead) -> Result<(usize, usize), BadLine> {
    let hashing = fold.hashing.clone();
    let (to_read, unread) = sync_channel::<Vec<Result<Unread, BadLine>>>(BATCHES_MAX);
    let (to_count, read) = sync_channel::<Vec<Result<Option<(Document, String)>, BadLine>>>(BATCHES_MAX);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut features = Features::default();
            let mut read = |line: Result<Unread, BadLine>| {
                let example = line?.read()?.example();
                Ok(example.map(|example| (Document::of(&example, &hashing, &mut features), example.body)))
            };
            // A broken line ends the counting, and so this.
            unread.into_iter().try_for_each(|batch| to_count.send(batch.into_iter().map(&mut read).collect()))
        });
        let counting = scope.spawn(move || {
            let (mut examples, mut skipped) = (0, 0);
            for line in read.into_iter().flatten() {
                match line? {
                    Some((document, body)) => {
                        fold.count(document, &body);
                        examples += 1;
                    }
                    None => skipped += 1,
                }
            }
            Ok((examples, skipped))
        });
        send_lines(input, &to_read);
        drop(to_read);
        counting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Until the end, or until nobody listens.
fn send_lines(input: impl BufRead, to: &SyncSender<Vec<Result<Unread, BadLine>>>) {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for line in examples::unread(input) {
        bytes += line.as_ref().map_or(0, Unread::bytes);
        batch.push(line);
        if bytes >= BATCH_BYTES {
            bytes = 0;
            if to.send(std::mem::take(&mut batch)).is_err() {
                return;
            }
        }
    }
    // Who no longer listens has met a broken line, and says so.
    let _ = to.send(batch);
}

/// A stream whose bytes are digested as they pass.
struct Digested<R> {
    input: R,
    digest: Sha256,
}

impl<R: BufRead> Read for Digested<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.digest.update(buffer.get(..read).unwrap_or(&[]));
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Digested<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Ok(filled) = self.input.fill_buf() {
            self.digest.update(filled.get(..amount).unwrap_or(&[]));
        }
        self.input.consume(amount);
    }
}

pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
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
    use crate::classifier::Reach;
    use crate::classifier::train::train;
    use crate::shelf;

    /// The corpus that ships, in the order that its README names.
    fn corpus() -> Vec<std::path::PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("training-data");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|kind| kind == "jsonl"));
        files.sort();
        files
    }

    #[test]
    fn the_starter_model_is_what_its_corpus_makes() {
        let mut fold = Fold::new(Reach::Abroad, 0);
        let sources = corpus().into_iter().map(|path| {
            let name = format!("training-data/{}", path.file_name().unwrap().to_str().unwrap());
            fold_in(&mut fold, name, io::BufReader::new(std::fs::File::open(path).unwrap())).unwrap().0
        });
        let sources: Vec<Source> = sources.collect();
        let shipped = shelf::starter().unwrap();
        let made =
            train(fold, sources, shipped.card.trained_at.clone(), |folded| folded.iter().map(crate::classifier::train::fit).collect())
                .unwrap();
        assert_eq!(made.id, shipped.id, "rebuild it: see training-data/README.md");
        assert!(made.to_bytes() == shipped.to_bytes());
    }

    /// What a corpus says besides its words must not give the label away.
    #[test]
    fn presence_of_a_field_says_nothing_of_the_label() {
        let mut shares = std::collections::BTreeMap::<(bool, &str), (f64, f64)>::new();
        for path in corpus() {
            for line in std::fs::read_to_string(path).unwrap().lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                for field in ["author", "email", "url", "date", "group"] {
                    let (with, all) = shares.entry((line["label"] == "spam", field)).or_default();
                    (*with, *all) = (*with + if line[field].is_null() { 0.0 } else { 1.0 }, *all + 1.0);
                }
            }
        }
        for field in ["author", "email", "url", "date", "group"] {
            let share = |spam| shares[&(spam, field)].0 / shares[&(spam, field)].1;
            // The AUC of a classifier on one flag is a half and half of the difference of its shares.
            let auc = 0.5 + (share(true) - share(false)) / 2.0;
            assert!((auc - 0.5).abs() < 0.01, "{field}: {auc}");
        }
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
