//! `hamlet init`: a settings file to start from.

use anyhow::{Context, bail};
use clap::Args;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Init {
    /// Where to write it; a file that is there is never touched
    #[arg(default_value = "hamlet.toml", value_name = "FILE")]
    file: PathBuf,
}

impl Init {
    pub fn run(self) -> anyhow::Result<()> {
        // Secrets will stand in it, so nobody else reads it.
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file);
        let name = self.file.display();
        match opened {
            Ok(mut file) => file.write_all(crate::config::settings::INIT.as_bytes()).with_context(|| format!("cannot write {name}"))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => bail!("{name} is there already; name another file"),
            Err(error) => return Err(error).with_context(|| format!("cannot write {name}")),
        }
        super::say(format_args!("wrote {name}"))?;
        eprintln!("fill it in, then: hamlet config check --config {name}");
        Ok(())
    }
}
