//! The log: to standard error, without ever waiting for whoever reads that, and without
//! saying the same thing a million times.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hasher as _};
use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::{self, Filter};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, fmt as format};

/// Different lines of one kind in a [`WINDOW`]; those beyond are counted. So many show what is
/// going on, and a day of them is a few megabytes.
const LINES: usize = 20;

/// How long lines are counted, and how often the count is written.
const WINDOW: Duration = Duration::from_secs(60);

/// Lines that wait for a reader of standard error who is slow. Those beyond are lost.
const WAITING: usize = 4096;

/// Logs what `filter` lets through. What waits to be written is written when the guard is
/// dropped.
pub(crate) fn start(filter: &str) -> anyhow::Result<(WorkerGuard, Repeats)> {
    let filter = EnvFilter::try_new(filter).context("--log is no filter")?;
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING)
        .finish(Heedless);
    let repeats = Repeats::default();
    let lines = format::layer()
        .with_writer(writer)
        .with_ansi(io::stderr().is_terminal())
        .with_filter(repeats.clone());
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
    Ok((guard, repeats))
}

/// Standard error. Nothing is stopped when it is closed.
struct Heedless;

impl Write for Heedless {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().flush();
        Ok(())
    }
}

/// Lets the first lines of each kind through, the same line once, and counts the others. A kind
/// is a place in the program. Who asks for `debug` or `trace` gets all of those.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repeats(Arc<Mutex<HashMap<Identifier, Kind>>>);

#[derive(Debug, Default)]
struct Kind {
    /// The lines that were, as [`digest`]s: at most [`LINES`] of them.
    written: Vec<u64>,
    held_back: u64,
    message: String,
}

impl Repeats {
    /// Writes how many lines were held back, every so often, for ever.
    pub(crate) async fn report(self) {
        loop {
            tokio::time::sleep(WINDOW).await;
            self.tell();
        }
    }

    /// Writes how many lines were held back since it last was.
    pub(crate) fn tell(&self) {
        for (count, message) in self.take() {
            tracing::info!(count, message, "more lines like this one were not written");
        }
    }

    /// Begins to count anew.
    fn take(&self) -> Vec<(u64, String)> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held_back = kinds.drain().map(|(_, it)| (it.held_back, it.message));
        held_back.filter(|&(count, _)| count > 0).collect()
    }
}

impl<S: Subscriber> Filter<S> for Repeats {
    fn enabled(&self, _: &Metadata<'_>, _: &layer::Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &layer::Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::INFO {
            return true;
        }
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = kinds.entry(metadata.callsite()).or_default();
        let line = digest(event);
        if kind.written.len() < LINES && !kind.written.contains(&line) {
            kind.written.push(line);
            return true;
        }
        if kind.held_back == 0 {
            event.record(&mut Message(&mut kind.message));
        }
        kind.held_back += 1;
        false
    }
}

/// Stands for what a line says: long ones are not kept.
fn digest(event: &Event<'_>) -> u64 {
    let mut all = Fields(DefaultHasher::new());
    event.record(&mut all);
    all.0.finish()
}

/// All that a line says.
struct Fields(DefaultHasher);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self, "{}={value:?} ", field.name());
    }
}

impl fmt::Write for Fields {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// Its words alone.
struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_repeats_is_counted_and_what_is_rare_is_written() {
        let (sink, repeats) = (Sink::default(), Repeats::default());
        let writer = sink.clone();
        let lines = format::layer()
            .with_writer(move || writer.clone())
            .with_filter(repeats.clone());
        let count = |needle: &str| {
            let written = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
            written.matches(needle).count()
        };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            let refuse = |number: u32| tracing::info!(number, "refused");
            (0..1000).for_each(refuse);
            tracing::warn!("rare");
            tracing::debug!("asked for");
            assert_eq!((count("refused"), count("rare")), (LINES, 1));
            assert_eq!(count("asked for"), 1);
            let held_back = |count: usize| [(count as u64, "refused".to_owned())];
            assert_eq!(repeats.take(), held_back(1000 - LINES));
            // The next minute begins anew. The same line is written once.
            (0..1000).for_each(|number| refuse(1000 + number % 2));
            assert_eq!(count("refused"), LINES + 2);
            assert_eq!(repeats.take(), held_back(998));
            assert_eq!(repeats.take(), []);
        });
    }
}
