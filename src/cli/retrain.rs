//! `hamlet retrain`: learn from the rulings in the store, and let the running daemon take the new model.

use super::{Environment, Place};
use crate::clock::Clock;
use crate::control::{self, Command, Reply};
use crate::flow::learn;
use crate::shelf::Shelf;
use crate::store::Reader;
use anyhow::Context;
use clap::Args;

#[derive(Debug, Args)]
pub struct Retrain {
    #[command(flatten)]
    place: Place,
}

impl Retrain {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let data = self.place.data(environment)?;
        let reader = Reader::open(&data)?;
        let program = std::env::current_exe().context("cannot find this program to run the fit in a process of its own")?;
        let model = learn::retrain(&reader, &Shelf::of(&data), &program, Clock::System.now().to_string())?;
        let rulings = model.card.sources.last().map_or(0, |source| source.examples);
        let figures = model.card.figures;
        if rulings == 0 {
            eprintln!("no rulings yet: this is what the starter corpus alone teaches");
        }
        eprintln!("learnt from {} spam and {} ham, {rulings} of them rulings", model.card.spam, model.card.ham);
        eprintln!("each scored unseen: accuracy {:.4}, AUC {:.4}, log loss {:.4}", figures.accuracy, figures.auc, figures.log_loss);
        match control::ask(&data, &Command::SwapModel).context("the daemon did not answer; restart it to use the new model")? {
            Some(Reply::Model { id: Some(id) }) if id == model.id.as_str() => eprintln!("the running daemon judges with it"),
            Some(reply) => anyhow::bail!("the daemon did not take the model: {reply:?}"),
            None => eprintln!("no daemon runs on {}; the next start uses it", data.display()),
        }
        super::say(&model.id)?;
        Ok(())
    }
}
