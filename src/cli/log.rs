//! The daemon's log on stderr: how much of it and in which form, as the environment says, and traces beside it where this program was built for
//! them. What is told is each room's own matter, and never a text, a name, an address or a token.

mod traces;

use super::Environment;
use std::io::IsTerminal;
use traces::Traces;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

const FILTER: &str = "HAMLET_LOG";
const FORMAT: &str = "HAMLET_LOG_FORMAT";

/// As long as it lives the daemon is traced; with it go the last traces.
#[must_use]
pub struct Log {
    _traces: Option<Traces>,
}

/// Starts the log. What is wrong about its own settings is the first that it tells; nobody is kept from serving by it.
pub fn start(environment: &Environment) -> Log {
    let asked = |name: &str| environment.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    let filter = EnvFilter::try_new(asked(FILTER).unwrap_or("info"));
    let not_understood = filter.as_ref().err().map(ToString::to_string);
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let (traces, no_traces) = match Traces::start(environment) {
        Ok(traces) => (traces, None),
        Err(reason) => (None, Some(reason)),
    };
    let lines = lines(asked(FORMAT)).with_filter(filter);
    tracing_subscriber::registry().with(lines).with(traces.as_ref().map(Traces::layer)).init();
    if let Some(error) = not_understood {
        tracing::warn!(variable = FILTER, error, "log.filter_not_understood");
    }
    if let Some(format) = asked(FORMAT).filter(|format| !["text", "json"].contains(format)) {
        tracing::warn!(variable = FORMAT, format, "log.format_unknown: it is text or json");
    }
    if let Some(reason) = no_traces {
        tracing::warn!(reason, "log.no_traces");
    }
    Log { _traces: traces }
}

/// Text for a person at a terminal; else one object a line, for machines that collect logs. Whoever names a form gets it.
fn lines(format: Option<&str>) -> Box<dyn Layer<Registry> + Send + Sync> {
    let terminal = std::io::stderr().is_terminal();
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false);
    match format {
        Some("text") => layer.with_ansi(terminal).boxed(),
        Some("json") => layer.json().flatten_event(true).boxed(),
        Some(_) | None if terminal => layer.with_ansi(true).boxed(),
        Some(_) | None => layer.json().flatten_event(true).boxed(),
    }
}
