//! The log of `placet dev` on standard error: for a person on a terminal, JSON lines elsewhere.

mod repeats;

use std::fmt::{self, Debug, Write as _};
use std::io::IsTerminal as _;

use anstyle::Style;
use placet_core::Timestamp;
use placet_runtime::{Clock, Environment, logging};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer as _;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::repeats::Repeats;
use crate::style;

/// The libraries below the engines and the clients, of which only errors are logged.
const QUIET: [&str; 8] =
    ["aws_", "dynoxide", "h2", "hyper", "object_store", "reqwest", "rustack", "rustls"];

/// Starts logging in the format of `PLACET_LOG_FORMAT`. If it is not set, the log is text on a terminal and
/// JSON elsewhere.
pub fn start(environment: &Environment) {
    let text = match environment.get("PLACET_LOG_FORMAT").as_deref() {
        Some("text") => true,
        Some(_) => false,
        None => std::io::stderr().is_terminal(),
    };
    let repeats = Repeats::default();
    let lines = match text {
        true => {
            let lines = tracing_subscriber::fmt::layer().event_format(Text);
            lines.with_writer(anstream::stderr).boxed()
        }
        false => logging::lines().boxed(),
    };
    let filter = logging::filter(environment, &QUIET);
    let log = tracing_subscriber::registry().with(filter).with(repeats.clone()).with(lines);
    let _ = log.try_init();
    tokio::spawn(repeats.report());
}

/// A line for a person: the time in UTC, the level, the message, the fields.
struct Text;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut parts = Parts::default();
        event.record(&mut parts);
        writeln!(writer, "{}", line(Clock::System.now(), *event.metadata().level(), &parts))
    }
}

/// The message and the fields of an event.
#[derive(Default)]
struct Parts {
    message: String,
    fields: String,
}

impl Visit for Parts {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let value = format!("{value:?}");
        let value = style::printable(&value);
        let _ = match field.name() {
            "message" => write!(self.message, "{value}"),
            name => write!(self.fields, " {name}={value}"),
        };
    }
}

fn line(now: Timestamp, level: Level, parts: &Parts) -> String {
    let of_level = match level {
        Level::ERROR => style::ERROR,
        Level::WARN => style::WARNING,
        Level::INFO => style::GOOD,
        _ => Style::new(),
    };
    let (now, dim) = (now.to_string(), style::DIM);
    let time = style::time(&now);
    let Parts { message, fields } = parts;
    format!("{dim}{time}{dim:#} {of_level}{level:5}{of_level:#} {message}{dim}{fields}{dim:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_when_how_bad_what_and_about_what() {
        let now = Timestamp::from_millis(1_795_165_200_007);
        let parts = Parts {
            message: "webhook refused".to_owned(),
            fields: " source=github reason=no signature holds".to_owned(),
        };
        let plain = anstream::adapter::strip_str(&line(now, Level::WARN, &parts)).to_string();
        insta::assert_snapshot!(plain, @"09:00:00.007 WARN  webhook refused source=github reason=no signature holds");
    }
}
