//! Who owns the store: the daemon that runs on it, which is asked through its socket; else this process, which opens it for as long as the
//! command takes and does what the daemon would do.

use super::{Environment, Place};
use crate::clock::Clock;
use crate::control::{self, Command, Reply};
use crate::flow::App;
use crate::store::{Bounds, Reader, Store};
use anyhow::{Context, bail};
use std::path::PathBuf;
use std::sync::Arc;

pub enum Owner {
    Daemon(PathBuf),
    Here { app: Arc<App>, runtime: tokio::runtime::Runtime },
}

impl Owner {
    /// Of a store that is there.
    pub fn of_store(place: &Place, environment: &Environment) -> anyhow::Result<Self> {
        let data = place.data(environment)?;
        if control::answers(&data) {
            return Ok(Self::Daemon(data));
        }
        Reader::open(&data)?;
        Self::here(place, environment)
    }

    /// Of a store that is made where there is none: imports come before the first start.
    pub fn of_store_to_be(place: &Place, environment: &Environment) -> anyhow::Result<Self> {
        let data = place.data(environment)?;
        if control::answers(&data) { Ok(Self::Daemon(data)) } else { Self::here(place, environment) }
    }

    /// What must leave because of a command waits in the store for the next start.
    fn here(place: &Place, environment: &Environment) -> anyhow::Result<Self> {
        let config = place.settings(environment)?.check()?;
        let bounds = Bounds { wal_bytes_max: config.store.wal_bytes_max, disk_free_bytes_min: config.store.disk_free_bytes_min };
        let store = Store::open(&place.data(environment)?, bounds)?;
        let (app, _) = App::new(config, store, Clock::System, crate::dice::Dice::system()?, String::new())?;
        Ok(Self::Here { app, runtime: super::serve::runtime()? })
    }

    /// As [`Owner::ask`]; where it cannot be done, the reason is the error.
    pub fn obeys(&self, command: Command) -> anyhow::Result<Reply> {
        let reply = self.ask(command)?;
        if let Reply::Failed { reason } = reply {
            bail!("{reason}");
        }
        Ok(reply)
    }

    pub fn ask(&self, command: Command) -> anyhow::Result<Reply> {
        match self {
            Self::Here { app, runtime } => Ok(runtime.block_on(control::obey(app, command))),
            Self::Daemon(data) => match control::ask(data, &command).context("the daemon does not answer")? {
                Some(reply) => Ok(reply),
                None => bail!("the daemon has stopped in the meantime; say it again"),
            },
        }
    }
}
