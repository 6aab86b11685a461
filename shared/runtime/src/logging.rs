//! JSON lines on standard error. `docs/LOGGING.md` lists the fields, and the data that is never logged.

use std::io;

use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::Environment;

/// Starts logging with [`lines`] and [`filter`]. A second call does nothing.
pub fn start(environment: &Environment) {
    let filter = filter(environment, &[]);
    let _ = tracing_subscriber::registry().with(filter).with(lines()).try_init();
}

/// Writes each event as a JSON line on standard error.
pub fn lines<S>() -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(io::stderr)
}

/// The events to log: those of the level in `PLACET_LOG` (`error`, `warn`, `info` or `debug`; `info` if it is
/// not set) and above, but from the `quiet` targets only errors.
pub fn filter(environment: &Environment, quiet: &[&str]) -> Targets {
    let level = match environment.get("PLACET_LOG").as_deref() {
        Some("error") => Level::ERROR,
        Some("warn") => Level::WARN,
        Some("debug") => Level::DEBUG,
        _ => Level::INFO,
    };
    let quiet = quiet.iter().map(|target| (*target, Level::ERROR));
    Targets::new().with_default(level).with_targets(quiet)
}
