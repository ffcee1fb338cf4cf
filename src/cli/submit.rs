//! `hamlet submit`: comments of a JSONL file into a site's durable queue, through the daemon that runs or straight into the store. It may be
//! broken off and run again: a line that was taken is known.

use super::listing::DryRun;
use super::{Environment, Place, queue};
use crate::control::{Command, Reply};
use crate::flow::spool::{Line, Outcome};
use crate::flow::submission::SubmissionBody;
use anyhow::Context;
use clap::Args;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::BufRead;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub struct Submit {
    #[command(flatten)]
    place: Place,
    /// The site that they were written on
    #[arg(long)]
    site: String,
    /// JSONL with the fields of the API; a line's `id` is what it is known by. `-` is stdin
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    #[command(flatten)]
    dry: DryRun,
}

/// What one command to the daemon carries: enough to share a write, little enough to wait for.
const LINES_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Above the longest comment that settings allow; a file without line breaks is not read whole.
const LINE_BYTES_MAX: usize = 17 << 20;

/// Bad lines that are told by number; the rest are counted.
const TOLD_MAX: u64 = 100;

/// The queue is full: how often, and how long between, before giving up. A daemon that judges makes room within seconds.
const TRIES_MAX: u32 = 60;
const TRY_EVERY: Duration = Duration::from_millis(500);

/// Not everything was taken.
#[derive(Debug, thiserror::Error)]
pub enum NotAll {
    #[error("{bad} lines were not taken, {taken} were")]
    Partly { taken: u64, bad: u64 },
    #[error("no line was taken: {bad} are bad")]
    Nothing { bad: u64 },
    #[error("{reason}; run the same command again later, lines that were taken are known")]
    Full { reason: String },
}

impl NotAll {
    pub fn code(&self) -> u8 {
        match self {
            Self::Partly { .. } => 10,
            Self::Nothing { .. } => 1,
            Self::Full { .. } => 5,
        }
    }
}

/// What became of the file so far.
#[derive(Default)]
struct Told {
    taken: u64,
    known: u64,
    bad: u64,
}

impl Submit {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let mut input = super::open_input(&self.input)?;
        let (mut told, mut batch, mut bytes, mut number) = (Told::default(), Vec::new(), 0, 0);
        let mut line = Vec::new();
        while read_line(&mut input, &mut line).with_context(|| super::input_name(&self.input))? {
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            match parse(number, &line) {
                Ok(parsed) => batch.push(parsed),
                Err(reason) => self.tell_bad(&mut told, number, &reason),
            }
            bytes += line.len();
            if batch.len() == LINES_MAX || bytes > BATCH_BYTES_MAX {
                self.send(environment, &batch, &mut told)?;
                batch.clear();
                bytes = 0;
            }
        }
        self.send(environment, &batch, &mut told)?;
        let Told { taken, known, bad } = told;
        if self.dry.dry_run {
            self.dry.ends(format_args!("hand over: {taken}, bad lines: {bad}"))?;
        } else {
            super::say(format_args!("taken: {taken}, known before: {known}, bad lines: {bad}"))?;
        }
        match (taken + known, bad) {
            (_, 0) => Ok(()),
            (0, bad) => Err(NotAll::Nothing { bad }.into()),
            (_, bad) => Err(NotAll::Partly { taken, bad }.into()),
        }
    }

    fn tell_bad(&self, told: &mut Told, number: u64, reason: &str) {
        told.bad += 1;
        if told.bad <= TOLD_MAX {
            eprintln!("{}, line {number}: {reason}", super::input_name(&self.input));
        }
        if told.bad == TOLD_MAX {
            eprintln!("more bad lines are only counted");
        }
    }

    /// Until all of them are taken, known or bad. What was taken before a full queue comes again and is known, and is counted once.
    fn send(&self, environment: &Environment, lines: &[Line], told: &mut Told) -> anyhow::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.dry.dry_run {
            told.taken += u64::try_from(lines.len()).unwrap_or(u64::MAX);
            return Ok(());
        }
        let mut taken_before = 0;
        for _ in 0..TRIES_MAX {
            let command = Command::Submit { site: self.site.clone(), lines: lines.to_vec() };
            let reply = queue::ask(&self.place, environment, command)?;
            let Reply::Submitted(Outcome { taken, known, bad, full }) = reply else { return Err(super::refusal(reply)) };
            let Some(reason) = full else {
                told.taken += taken + taken_before;
                told.known += known.saturating_sub(taken_before);
                bad.iter().for_each(|(number, reason)| self.tell_bad(told, *number, reason));
                return Ok(());
            };
            taken_before += taken;
            if !crate::control::answers(&self.place.data(environment)?) {
                return Err(NotAll::Full { reason: format!("{reason}, and no daemon runs that would judge what waits") }.into());
            }
            std::thread::sleep(TRY_EVERY);
        }
        Err(NotAll::Full { reason: "the queue stays full".to_owned() }.into())
    }
}

/// The next line without its end; false at the end of the file. Of one that is too long only the beginning is kept.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let room = LINE_BYTES_MAX.saturating_sub(line.len());
        let piece = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        line.extend(piece.iter().take(room));
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            // An empty line is a line.
            line.push(b'\n');
            return Ok(true);
        }
    }
}

fn parse(number: u64, line: &[u8]) -> Result<Line, String> {
    let line = line.trim_ascii();
    if line.len() >= LINE_BYTES_MAX {
        return Err(format!("longer than {LINE_BYTES_MAX} bytes"));
    }
    let json: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let hash: [u8; 32] = Sha256::digest(line).into();
    let key = match json.get("id") {
        Some(Value::String(id)) => hex(&Sha256::digest(id.as_bytes()).into()),
        Some(Value::Number(id)) => hex(&Sha256::digest(id.to_string().as_bytes()).into()),
        _ => hex(&hash),
    };
    let submission: SubmissionBody = serde_json::from_value(json).map_err(|error| error.to_string())?;
    Ok(Line { number, key: format!("spool:{key}"), hash, submission })
}

/// Short and in the alphabet of idempotency keys, whatever an id looks like.
fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_known_by_their_id_or_by_what_they_say() {
        let text = "{\"body\":\"a\"}\n\n{\"body\":\"a\",\"id\":7}\r\n{\"body\":\"b\",\"id\":7}";
        let (mut input, mut line, mut lines) = (text.as_bytes(), Vec::new(), Vec::new());
        while read_line(&mut input, &mut line).unwrap() {
            lines.push(line.clone());
        }
        assert_eq!(lines.len(), 4);
        let [first, third, fourth] = [0, 2, 3].map(|at| parse(1, &lines[at]).unwrap());
        assert!(third.key == fourth.key && third.hash != fourth.hash && first.key != third.key);
        assert_eq!(parse(1, b"{\"body\":\"a\"}  ").unwrap().key, first.key);
        for bad in ["{", "[]", "{\"body\":7}", "\u{0}", "{\"body\":\"a\"} x"] {
            assert!(parse(1, bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
