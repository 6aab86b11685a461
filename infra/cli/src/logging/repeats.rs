//! Failures that repeat: a failure that occurs again and again fills the log and hides the other lines. It is
//! logged once, and then counted.

use std::collections::{HashMap, HashSet};
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// A run of the same message ends when the message has not come for this time.
const QUIET: Duration = Duration::from_secs(10);

/// How often a run that goes on is reported.
const REPORT: Duration = Duration::from_secs(60);

/// How often the runs are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The most lines of a run that are written.
const MOST: usize = 10;

/// Lets the first lines of a run of warnings or errors with the same message through, and counts the others.
/// A line with an `error` gets through once for each error.
#[derive(Clone, Default)]
pub(super) struct Repeats(Arc<Mutex<HashMap<String, Run>>>);

/// Lines with the same message that come one soon after the other.
struct Run {
    errors: HashSet<String>,
    written: usize,
    left_out: u64,
    last: Instant,
    reported: Instant,
}

/// How many lines of a run were left out since the last report.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    message: String,
    left_out: u64,
}

/// What of a line makes it the same as another one.
#[derive(Default)]
struct Line {
    message: String,
    error: Option<String>,
}

impl Repeats {
    /// Reports the counted lines, for as long as the process runs.
    pub(super) async fn report(self) {
        let mut looks = tokio::time::interval(LOOK);
        loop {
            looks.tick().await;
            for Report { message, left_out } in self.reports(Instant::now()) {
                tracing::warn!(line = message, left_out, "lines left out, because they repeat");
            }
        }
    }

    /// Whether a line is written.
    fn admit(&self, Line { message, error }: Line, now: Instant) -> bool {
        let mut runs = self.runs();
        let run = runs.entry(message).or_insert_with(|| Run {
            errors: HashSet::new(),
            written: 0,
            left_out: 0,
            last: now,
            reported: now,
        });
        run.last = now;
        let admitted = run.written < MOST && error.is_none_or(|error| run.errors.insert(error));
        match admitted {
            true => run.written += 1,
            false => run.left_out += 1,
        }
        admitted
    }

    /// The reports that are due. Forgets the runs that have ended.
    fn reports(&self, now: Instant) -> Vec<Report> {
        let mut reports = Vec::new();
        self.runs().retain(|message, run| {
            let over = now.duration_since(run.last) >= QUIET;
            if run.left_out > 0 && (over || now.duration_since(run.reported) >= REPORT) {
                let left_out = std::mem::take(&mut run.left_out);
                run.reported = now;
                reports.push(Report { message: message.clone(), left_out });
            }
            !over
        });
        reports
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<String, Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Repeats {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN || metadata.target() == module_path!() {
            return true;
        }
        let mut line = Line::default();
        event.record(&mut line);
        self.admit(line, Instant::now())
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            "error" => write!(self.error.get_or_insert_default(), "{value:?}"),
            _ => Ok(()),
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn line(message: &str, error: Option<&str>) -> Line {
        Line { message: message.to_owned(), error: error.map(str::to_owned) }
    }

    fn left_out(message: &str, left_out: u64) -> Report {
        Report { message: message.to_owned(), left_out }
    }

    #[test]
    fn a_run_of_the_same_failure_is_one_line_and_a_count() {
        let (repeats, start) = (Repeats::default(), Instant::now());
        let full = || line("not stored", Some("disk full"));
        let mut written = 0;
        for n in 0..11_136 {
            written += u32::from(repeats.admit(full(), start + SECOND * n / 318));
        }
        assert_eq!(written, 1);
        let end = start + 35 * SECOND;
        assert_eq!(repeats.reports(end + 9 * SECOND), []);
        assert_eq!(repeats.reports(end + 11 * SECOND), [left_out("not stored", 11_135)]);
        assert_eq!(repeats.reports(end + 60 * SECOND), []);
        assert!(repeats.admit(full(), end + 60 * SECOND), "this is a new run");
    }

    #[test]
    fn a_long_run_is_reported_once_a_minute() {
        let (repeats, start) = (Repeats::default(), Instant::now());
        let mut reports = 0;
        for second in 0..600 {
            let now = start + second * SECOND;
            repeats.admit(line("not stored", Some("disk full")), now);
            reports += repeats.reports(now).len();
        }
        assert_eq!(reports, 9);
    }

    #[test]
    fn other_failures_and_lines_without_an_error_are_written() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!(repeats.admit(line("not stored", Some("disk full")), now));
        assert!(repeats.admit(line("not stored", Some("timeout")), now));
        assert!(!repeats.admit(line("not stored", Some("disk full")), now));
        let refused = (0..100).filter(|_| repeats.admit(line("refused", None), now));
        assert_eq!(refused.count(), MOST);
    }

    #[test]
    fn only_warnings_and_errors_are_counted() {
        let repeats = Repeats::default();
        let written = Written::default();
        let log = tracing_subscriber::registry().with(repeats.clone()).with(written.clone());
        tracing::subscriber::with_default(log, || {
            for _ in 0..50 {
                tracing::info!("operation created");
                tracing::error!(error = "disk full", "webhook not stored");
            }
        });
        assert_eq!(*written.0.lock().unwrap(), 51);
        let end = Instant::now() + QUIET;
        assert_eq!(repeats.reports(end), [left_out("webhook not stored", 49)]);
    }

    /// Counts the lines that are written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<usize>>);

    impl<S: Subscriber> Layer<S> for Written {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            *self.0.lock().unwrap() += 1;
        }
    }
}
