//! The hidden command that trains a site's model for the daemon: see `flow::schedule`. It steps back behind whatever else wants the processor.

use crate::dice::Dice;
use crate::flow::schedule::Order;
use anyhow::Context;
use std::io;

/// Half of the way down: judging comes first, and an idle machine still trains at full speed.
const NICE: i32 = 10;

pub fn run() -> anyhow::Result<()> {
    // Where either is refused it trains all the same. A daemon that ended has no use for the model, and its next start trains again.
    let _ = rustix::process::nice(NICE);
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    let order: Order =
        serde_json::from_reader(io::stdin().lock()).context("this command is for the daemon; people use `hamlet retrain`")?;
    let program = std::env::current_exe().context("cannot find this program to run the fit in a process of its own")?;
    let answer = order.obey(&program, Dice::system()?.bytes());
    super::say(serde_json::to_string(&answer)?)?;
    Ok(())
}
