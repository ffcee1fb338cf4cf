//! The hidden command that fits: see `flow::learn`.

use crate::flow::learn::fit_from_pipe;
use std::io;

pub fn run() -> anyhow::Result<()> {
    fit_from_pipe(io::stdin().lock(), io::stdout().lock())?;
    Ok(())
}
