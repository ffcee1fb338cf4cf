//! The hidden command that trains a site's model for the daemon: see `flow::schedule`. Trainings step back behind whatever else wants the
//! processor, those of `hamlet retrain` too.

use crate::dice::Dice;
use crate::flow::schedule::Order;
use anyhow::Context;
use std::io;

/// Half of the way down: judging comes first, and an idle machine still trains at full speed.
const NICE: i32 = 10;

/// Where it is refused it is as it was. Processes that this one starts step back with it.
pub fn step_back() {
    let _ = rustix::process::nice(NICE);
}

pub fn run() -> anyhow::Result<()> {
    step_back();
    // A daemon that ended has no use for the model, and its next start trains again; where this is refused it trains all the same.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    let order: Order =
        serde_json::from_reader(io::stdin().lock()).context("this command is for the daemon; people use `hamlet retrain`")?;
    let program = std::env::current_exe().context("cannot find this program to run the fit in a process of its own")?;
    let answer = order.obey(&program, Dice::system()?.bytes());
    super::say(serde_json::to_string(&answer)?)?;
    Ok(())
}
