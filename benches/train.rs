//! Training from end to end: `hamlet train` reads 10,000, 100,000 and 1,000,000 generated comments from a pipe and writes a model. States wall time, peak
//! memory of the program and of the process it fits in, and the size of the model. `cargo bench --bench train`, or with
//! sizes after `--`; `-- lines 1000` writes the comments themselves.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench measures time, and may fall over when it cannot"
)]

mod generate;

use generate::Generator;
use std::io::{BufWriter, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const SEED: u64 = 20_261;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    if arguments.iter().any(|argument| argument == "lines") {
        return write(sizes[0], std::io::stdout().lock());
    }
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    println!("{:>9}  {:>7}  {:>8}  {:>8}  {:>8}", "comments", "seconds", "peak MB", "fit MB", "model MB");
    for size in sizes {
        measure(size);
    }
}

fn write(size: usize, to: impl Write) {
    let (mut generator, mut to) = (Generator::new(SEED), BufWriter::new(to));
    (0..size).for_each(|_| writeln!(to, "{}", generator.line()).unwrap());
    to.flush().unwrap();
}

/// The comments come from a file: making them costs more than reading them.
fn measure(size: usize) {
    let folder = tempfile::tempdir().unwrap();
    let (lines, model) = (folder.path().join("lines.jsonl"), folder.path().join("model"));
    write(size, std::fs::File::create(&lines).unwrap());
    let started = Instant::now();
    let mut hamlet = Command::new(env!("CARGO_BIN_EXE_hamlet"))
        .args(["train", "--input", "-", "--output"])
        .arg(&model)
        .stdin(std::fs::File::open(&lines).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (peak, fit) = watch(&mut hamlet);
    let seconds = started.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&model).unwrap().len();
    println!("{size:>9}  {seconds:>7.2}  {:>8}  {:>8}  {:>8}", peak / 1024, fit / 1024, bytes >> 20);
}

/// Waits for the end; the highest resident memory in KB of the process and of any child, as Linux keeps it.
fn watch(process: &mut Child) -> (u64, u64) {
    let (mut peak, mut fit) = (0, 0);
    let id = process.id();
    while process.try_wait().unwrap().is_none() {
        peak = peak.max(peak_kb(&id.to_string()));
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        fit = children.split_whitespace().map(peak_kb).fold(fit, u64::max);
        std::thread::sleep(Duration::from_millis(10));
    }
    (peak, fit)
}

fn peak_kb(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).and_then(|line| line.split_whitespace().nth(1));
    line.and_then(|kb| kb.parse().ok()).unwrap_or(0)
}
