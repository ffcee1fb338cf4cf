//! `hamlet mail-in`: a delivery report on stdin, as a mail server's pipe hands it over. A mail that bounced is counted; all else is left alone.

use super::{Environment, Place};
use crate::bounce::{self, Fate};
use crate::control::{Command, Reply};
use anyhow::Context;
use clap::Args;
use std::io::Read;

/// Read a delivery report on stdin: two mails in a row that bounce pause their moderator's digests
#[derive(Debug, Args)]
pub struct MailIn {
    /// The address that the report was sent to, where its headers do not name it (Postfix: ${recipient})
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Whatever failed here may work in a minute, and the mail server has the report: `EX_TEMPFAIL` of sysexits asks it to try again.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct TryLater(anyhow::Error);

impl MailIn {
    pub fn run(self, environment: &Environment) -> anyhow::Result<()> {
        let mut message = Vec::new();
        std::io::stdin().take(bounce::BYTES_MAX as u64).read_to_end(&mut message).context("cannot read stdin")?;
        let Some(report) = bounce::read(&message) else {
            eprintln!("no delivery report; left alone");
            return Ok(());
        };
        if report.fate == Fate::Other {
            eprintln!("a report of a mail that did not fail for good; left alone");
            return Ok(());
        }
        let reason = format!("the mail came back with {}", report.status);
        let mark = self.recipient.as_deref().and_then(bounce::mark).map(str::to_owned).or(report.mark);
        let command = match (mark, report.digest) {
            (Some(mark), _) => Command::BouncedMark { mark, reason },
            (None, Some(digest)) => Command::Bounced { digest: digest.to_string(), reason },
            (None, None) => {
                eprintln!("a report that names no mail of ours; left alone");
                return Ok(());
            }
        };
        let reply = super::queue::ask(&self.place, environment, command).map_err(TryLater)?;
        if reply == Reply::Unknown {
            eprintln!("a report about no digest of ours; left alone");
            return Ok(());
        }
        let Reply::Changed { .. } = reply else { return Err(TryLater(super::refusal(reply)).into()) };
        super::say("counted")?;
        Ok(())
    }
}
