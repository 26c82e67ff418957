//! Recordings: files that a stranger may hand over, to be read and replayed.

use swarm_core::engine::{Config, Engine, Event, Output};
use swarm_core::record::{
    Entry, Header, Reader, RecordError, Recorder, Replay, ReplayError, Sink, Torrents,
};
use swarm_core::time::Time;

use crate::trace;

/// Inputs of a run.
const MAX_INPUTS: usize = 400;
/// Outputs that are taken after one input.
const MAX_OUTPUTS: usize = 2000;

/// Says in the first byte that the rest are the entries alone, behind a usual header: so
/// they stay of use when configurations have changed.
const ENTRIES: u8 = 1 << 7;

/// A recording reads the same however it is cut, and is replayed or refused. What an engine
/// makes of its inputs can be recorded, and replays to the same outputs then. The first byte
/// says how the rest is cut, and whether the header is among it.
pub fn recording(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    let mut bytes = Vec::new();
    if first & ENTRIES != 0 {
        let header = Header::new(Config::default(), 5, Time::ZERO);
        bytes.record(Recorder::begin(&header).1);
    }
    bytes.extend_from_slice(rest);
    let cut = usize::from(first & !ENTRIES);
    let whole = read(bytes.chunks(bytes.len().max(1)));
    assert_eq!(whole, read(bytes.chunks(cut.max(1))));
    let Some(header) = whole.header else {
        return;
    };
    replay_as_it_is(&header, &whole.entries);
    record_again(&header, whole.entries);
}

/// What is in a recording.
#[derive(Debug, Default, PartialEq)]
struct Contents {
    header: Option<Header>,
    entries: Vec<Entry>,
    /// Why there is no more.
    error: Option<RecordError>,
}

fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Contents {
    let mut reader = Reader::default();
    let mut contents = Contents::default();
    for chunk in chunks {
        reader.push(chunk);
        if let Err(error) = read_on(&mut reader, &mut contents) {
            contents.error = Some(error);
            break;
        }
    }
    contents
}

fn read_on(reader: &mut Reader, contents: &mut Contents) -> Result<(), RecordError> {
    if contents.header.is_none() {
        contents.header = reader.header()?;
    }
    while contents.header.is_some()
        && let Some(entry) = reader.next_entry()?
    {
        contents.entries.push(entry);
    }
    Ok(())
}

/// Up to where it differs, as it mostly does soon: the bytes hold hashes.
fn replay_as_it_is(header: &Header, entries: &[Entry]) {
    let mut replay = Replay::new(header.clone());
    for entry in entries.iter().take(MAX_INPUTS) {
        let _ = entry.to_string();
        match replay.step(entry.clone()) {
            Ok(()) => {}
            Err(ReplayError::Diverged(divergence)) => {
                let _ = divergence.to_string();
                break;
            }
            Err(ReplayError::Unreadable(..)) => break,
        }
    }
    replay.view();
}

/// Feeds an engine with every input up to the first that is none, whatever the recorded
/// engine said to it, and checks the recording of that.
fn record_again(header: &Header, entries: Vec<Entry>) {
    let mut now = Time::from_epoch(header.start);
    let mut engine = Engine::new(header.config.clone(), header.seed, now);
    let (mut recorder, part) = Recorder::begin(header);
    let mut recording = Vec::new();
    recording.record(part);
    let mut torrents = Torrents::default();
    let mut inputs = Vec::new();
    for entry in entries.into_iter().take(MAX_INPUTS) {
        now = entry.time();
        let Ok(Some(input)) = entry.input(&mut torrents) else {
            break;
        };
        let told = format!("{:?} {input:?}", now.since_epoch());
        if trace() {
            eprintln!("{told}");
        }
        inputs.push(told);
        recording.record(recorder.input(now, &input));
        engine.handle(now, input);
        drain(&mut engine, &mut recorder, &mut torrents);
        engine.view(now);
    }
    recording.record(recorder.end(now));

    let again = read([&recording[..]]);
    assert_eq!(again.error, None);
    assert_eq!(again.header.as_ref(), Some(header));
    assert!(again.entries.last().is_some_and(Entry::is_end));
    let mut replay = Replay::new(header.clone());
    for entry in &again.entries {
        assert_eq!(replay.step(entry.clone()), Ok(()));
    }
    // Inputs can't be compared; their words say all that is in them.
    let words = |entry: Entry| {
        let time = entry.time().since_epoch();
        let input = entry.input(&mut torrents).expect("it was read before");
        input.map(|input| format!("{time:?} {input:?}"))
    };
    let reread: Vec<String> = again.entries.into_iter().filter_map(words).collect();
    assert_eq!(reread, inputs);
}

fn drain(engine: &mut Engine, recorder: &mut Recorder, torrents: &mut Torrents) {
    for _ in 0..MAX_OUTPUTS {
        let output = engine.poll_output();
        recorder.polled(output.as_ref());
        let Some(output) = output else { return };
        if trace() {
            eprintln!("    {output:?}");
        }
        if let Output::Event(Event::Metadata(metainfo)) = output {
            torrents.describe(&metainfo);
        }
    }
}
