//! Runs a recording of a real session once more, and compares.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use swarm_core::engine::TorrentView;
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::record::{Divergence, Entry, Header, Reader, RecordError, Replay, ReplayError};

/// Bytes that are read at a time.
const STRETCH: usize = 1 << 20;

/// Why a recording could not be replayed to where it ends.
#[derive(Debug, thiserror::Error)]
pub enum ReplayFailure {
    /// The file can't be read.
    #[error("the recording can't be read: {0}")]
    Io(#[from] io::Error),
    /// It is no recording, or a spoiled one.
    #[error("after {inputs} inputs: {}", printable(error))]
    Recording {
        /// What was replayed before that.
        inputs: u64,
        /// What is wrong.
        error: RecordError,
    },
    /// It ends before the engine's configuration.
    #[error("the recording ends before it has begun")]
    Empty,
}

/// What became of a replay.
#[derive(Clone, Debug)]
pub struct Report {
    /// The version of the engine that was recorded.
    pub software: String,
    /// Inputs that were fed.
    pub inputs: u64,
    /// Outputs that were compared.
    pub outputs: u64,
    /// From the engine's beginning to its last input, in its host's time.
    pub session: Duration,
    /// The recording was ended, and did not just stop.
    pub complete: bool,
    /// The torrents, each as it was when it was removed or at the end.
    pub torrents: Vec<Seen>,
    /// Where the engines differed; the replay ends there.
    pub divergence: Option<Divergence>,
}

/// What there was to see of a torrent.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// Bytes of its files.
    pub length: u64,
    /// How it was doing.
    pub view: TorrentView,
}

impl Report {
    /// Every output that was compared was the same.
    pub fn is_identical(&self) -> bool {
        self.divergence.is_none()
    }
}

/// Replays what `source` holds. `on_entry` sees every entry before it is fed, with its
/// number, from 1.
pub fn replay(
    mut source: impl Read,
    mut on_entry: impl FnMut(u64, &Entry) -> io::Result<()>,
) -> Result<Report, ReplayFailure> {
    let mut reader = Reader::default();
    let header = begin(&mut reader, &mut source)?;
    let (software, start) = (header.software.clone(), header.start);
    let mut replay = Replay::new(header);
    let mut torrents = BTreeMap::new();
    let mut divergence = None;
    let spoiled = |inputs, error| ReplayFailure::Recording { inputs, error };
    while divergence.is_none() {
        let inputs = replay.inputs();
        let next = reader
            .next_entry()
            .map_err(|error| spoiled(inputs, error))?;
        let Some(entry) = next else {
            if fill(&mut reader, &mut source)? {
                continue;
            }
            break;
        };
        if !entry.is_end() {
            on_entry(inputs + 1, &entry)?;
        }
        if let Some(info_hash) = entry.removes() {
            remember(&mut torrents, &replay, Some(info_hash));
        }
        match replay.step(entry) {
            Ok(()) => {}
            Err(ReplayError::Diverged(found)) => divergence = Some(*found),
            Err(ReplayError::Unreadable(number, error)) => {
                return Err(spoiled(number - 1, error));
            }
        }
    }
    remember(&mut torrents, &replay, None);
    Ok(Report {
        software,
        inputs: replay.inputs(),
        outputs: replay.outputs(),
        session: replay.now().since_epoch().saturating_sub(start),
        complete: reader.is_complete(),
        torrents: torrents.into_values().collect(),
        divergence,
    })
}

fn begin(reader: &mut Reader, source: &mut impl Read) -> Result<Header, ReplayFailure> {
    loop {
        let header = reader.header();
        let header = header.map_err(|error| ReplayFailure::Recording { inputs: 0, error })?;
        if let Some(header) = header {
            return Ok(header);
        }
        if !fill(reader, source)? {
            return Err(ReplayFailure::Empty);
        }
    }
}

/// False when there is no more.
fn fill(reader: &mut Reader, source: &mut impl Read) -> io::Result<bool> {
    let mut stretch = vec![0; STRETCH];
    loop {
        match source.read(&mut stretch) {
            Ok(length) => {
                reader.push(&stretch[..length]);
                return Ok(length > 0);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Keeps what there is to see of one torrent, or of all.
fn remember(torrents: &mut BTreeMap<InfoHash, Seen>, replay: &Replay, only: Option<InfoHash>) {
    for view in replay.view().torrents {
        let info_hash = view.info_hash;
        if only.is_none_or(|only| only == info_hash)
            && let Some(contents) = replay.contents(info_hash)
        {
            let seen = Seen {
                name: contents.name.to_owned(),
                length: contents.metainfo.map_or(0, Metainfo::length),
                view,
            };
            torrents.insert(info_hash, seen);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "recorded by   Tabswarm {}", printable(&self.software))?;
        writeln!(f, "session       {:.3} s", self.session.as_secs_f64())?;
        writeln!(f, "inputs        {}", self.inputs)?;
        writeln!(f, "outputs       {}", self.outputs)?;
        for Seen { name, length, view } in &self.torrents {
            writeln!(
                f,
                "torrent       {} {:?}, {}, {:.1} % of {} bytes, {} received, {} sent, {} wasted",
                view.info_hash,
                name,
                view.state.as_str(),
                view.progress * 100.0,
                length,
                view.downloaded,
                view.uploaded,
                view.wasted
            )?;
        }
        if !self.complete && self.divergence.is_none() {
            writeln!(
                f,
                "              the recording was cut off; all whole entries of it were replayed"
            )?;
        }
        match &self.divergence {
            None => write!(f, "identical"),
            Some(divergence) => write!(f, "{divergence}"),
        }
    }
}

/// What a recording says, without what a terminal would take for commands.
fn printable(text: impl fmt::Display) -> String {
    text.to_string().replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use swarm_core::engine::{Command, Config};
    use swarm_core::id::{LinkId, MemberId};
    use swarm_core::node::{Input, LinkInput, Node};
    use swarm_core::record::Recorder;
    use swarm_core::time::Time;
    use swarm_core::wire::relay::{ServerMessage, Welcome};

    use super::*;

    fn recording() -> Vec<u8> {
        let now = Time::from_millis;
        let mut node: Node = Node::new(Config::default(), 1, now(500), Some(Vec::new()));
        let link = LinkId(0);
        let welcome = ServerMessage::Welcome(Welcome {
            max_channels: 8,
            max_payload: 1 << 18,
            max_credit: 1 << 20,
            max_swarms: 100,
            ..Welcome::of(MemberId(1))
        });
        let info_hash = InfoHash([7; 20]);
        let inputs = [
            Input::Command(Command::AddLink {
                info_hash,
                name: Some("a link".to_owned()),
                check: false,
                paused: false,
            }),
            Input::Link(link, LinkInput::Up),
            Input::Link(link, welcome.into()),
            Input::Command(Command::Remove(info_hash)),
            Input::Link(link, LinkInput::Down),
        ];
        for (at, input) in (1..).zip(inputs) {
            node.handle(now(1000 * at), input);
            while node.poll_output().is_some() {}
        }
        node.stop_recording(now(9000)).expect("it was recorded")
    }

    #[test]
    fn a_recording_is_identical_and_summed_up() {
        let mut seen = Vec::new();
        let on_entry = |number, entry: &Entry| {
            seen.push(format!("{number} {entry}"));
            Ok(())
        };
        let report = replay(&recording()[..], on_entry).unwrap();
        assert!(report.is_identical() && report.complete, "{report}");
        assert_eq!((report.inputs, seen.len()), (5, 5));
        assert_eq!(report.session, Duration::from_millis(4500));
        // It was removed, and is told of all the same.
        assert_eq!(report.torrents[0].name, "a link");
        assert!(seen[4].contains("LinkDown"), "{seen:?}");
        let text = report.to_string();
        assert!(text.ends_with("identical"), "{text}");
    }

    #[test]
    fn what_was_cut_off_is_replayed_as_far_as_it_goes() {
        let bytes = recording();
        let report = replay(&bytes[..bytes.len() - 3], |_, _| Ok(())).unwrap();
        assert!(report.is_identical() && !report.complete);
        assert_eq!(report.inputs, 5);
        assert!(report.to_string().contains("cut off"), "{report}");
        assert!(matches!(
            replay(&bytes[..12], |_, _| Ok(())),
            Err(ReplayFailure::Empty)
        ));
    }

    #[test]
    fn what_is_no_recording_is_told_so() {
        let error = replay(&b"d8:announce"[..], |_, _| Ok(())).unwrap_err();
        assert!(error.to_string().contains("not a recording"), "{error}");
    }
    /// A recording without inputs.
    fn begun(header: &Header) -> Vec<u8> {
        let (recorder, first) = Recorder::begin(header);
        [first.head, recorder.end(Time::ZERO).head].concat()
    }

    #[test]
    fn an_impossible_configuration_is_refused_with_its_reason() {
        let mut header = Header::new(Config::default(), 1, Time::ZERO);
        header.config.requests.queue = (9, 4);
        let error = replay(&begun(&header)[..], |_, _| Ok(())).unwrap_err();
        assert!(
            error.to_string().contains("requests.queue.1 is 4"),
            "{error}"
        );
    }

    #[test]
    fn a_recording_gives_a_terminal_no_commands() {
        let mut header = Header::new(Config::default(), 1, Time::ZERO);
        header.software = "1\u{1b}[2J".to_owned();
        let report = replay(&begun(&header)[..], |_, _| Ok(())).unwrap();
        let text = report.to_string();
        assert!(text.contains("Tabswarm 1\u{fffd}[2J\n"), "{text:?}");
    }
}
