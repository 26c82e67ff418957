mod any;
mod versions;

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use bytes::Bytes;

use any::arbitrary_input;

use super::entry::What;
use super::*;
use crate::engine::{
    Command, Config, DirectId, DirectNews, Done, Found, Input, Job, Resume, StoreError,
};
use crate::id::{ChannelId, ChannelKey, InfoHash, LinkId, MemberId, PeerId};
use crate::metainfo::{Builder, Metainfo, NewFile};
use crate::net::{Contact, LaneLimits, Rates, RelayPolicy};
use crate::peer::{Opening, PeerPath};
use crate::pieces::{Bitfield, Priority, Strategy};
use crate::time::{MAX_TIME, Time};

/// Twenty pieces.
fn metainfo() -> Metainfo {
    metainfo_of(20)
}

fn metainfo_of(pieces: u16) -> Metainfo {
    let file = NewFile {
        path: vec!["file".to_owned()],
        length: u64::from(pieces) << 14,
    };
    let builder = Builder::new(None, vec![file], Some(16 << 10)).unwrap();
    let trackers = vec!["wss://b".to_owned(), "udp://a".to_owned()];
    builder.finish(vec![7; 20 * usize::from(pieces)], trackers, true)
}

fn header() -> Header {
    Header::new(Config::default(), 0x0102_0304, Time::from_millis(1500))
}

const LINK: LinkId = LinkId(1);

fn up() -> Input {
    Input::LinkUp {
        link: LINK,
        limits: LaneLimits {
            max_channels: 8,
            max_payload: 1 << 18,
        },
        policy: RelayPolicy::Free,
    }
}

fn key(channel: u32) -> ChannelKey {
    ChannelKey {
        link: LINK,
        channel: ChannelId(channel),
    }
}

fn read(recording: &[u8]) -> std::result::Result<(Header, Vec<Entry>), RecordError> {
    let mut reader = Reader::default();
    reader.push(recording);
    let header = reader.header()?.ok_or(RecordError::Header)?;
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        entries.push(entry);
    }
    Ok((header, entries))
}

fn replay(recording: &[u8]) -> std::result::Result<Replay, ReplayError> {
    let (header, entries) = read(recording).expect("it is readable");
    let mut replay = Replay::new(header);
    for entry in entries {
        replay.step(entry)?;
    }
    Ok(replay)
}

/// A peer that joins a swarm, meets another, and loses its link.
fn session() -> Vec<u8> {
    let mut engine = RecordedEngine::new(Config::default(), 5, Time::ZERO, Some(Vec::new()));
    let inputs = [
        up(),
        Input::Command(Command::AddTorrent {
            metainfo: metainfo(),
            resume: Resume::Nothing,
            paused: false,
        }),
        Input::Offered {
            opening: Opening {
                info_hash: metainfo().info_hash(),
                channel: key(1),
                contact: Contact::Member {
                    link: LINK,
                    member: MemberId(9),
                },
                path: PeerPath::Relay,
                here: [0, 0, 0, 1],
            },
            peer_id: PeerId([9; 20]),
            room: 1000,
            crossing: false,
        },
        Input::LinkDown { link: LINK },
    ];
    let mut now = Time::ZERO;
    for input in inputs {
        now += Duration::from_nanos(1_000_000_001);
        engine.absorb(now, input);
        engine.flush(now);
        while engine.poll_output().is_some() {}
    }
    engine.stop(now).unwrap()
}

#[test]
fn golden_bytes() {
    let (mut recorder, part) = Recorder::begin(&header());
    let header = &part.head[MAGIC.len() + LENGTHS..];
    assert_eq!(part.head[..MAGIC.len()], *b"SWARMREC\x03");
    let length = u16::try_from(header.len()).unwrap().to_be_bytes();
    let lengths = [0, 0, length[0], length[1], 0, 0, 0, 0];
    assert_eq!(part.head[MAGIC.len()..][..LENGTHS], lengths);
    // The configuration changes with the engine; what is around it stays.
    assert!(header.starts_with(b"d6:configd12:allowed_fasti0e"));
    let ends = concat!(
        "e4:seed8:\0\0\0\0\x01\x02\x03\x048:software5:",
        env!("CARGO_PKG_VERSION"),
        "5:startd5:nanosi500000000e4:secsi1eee",
    );
    assert!(header.ends_with(ends.as_bytes()));

    let mut recording = Vec::new();
    recording.record(recorder.input(
        Time::from_millis(2000),
        &Input::Received {
            channel: key(7),
            bytes: Bytes::from_static(b"bytes"),
        },
    ));
    recorder.polled::<Bytes>(None);
    recording.record(recorder.input(
        Time::from_epoch(Duration::new(3, 1)),
        &Input::<Bytes>::Sent {
            link: LINK,
            bytes: 300,
        },
    ));
    recording.record(recorder.end(Time::from_millis(4000)));
    let empty = b"\xef\x46\xdb\x37\x51\xd8\xe9\x99";
    let expected = [
        &b"\0\0\0\x0f\0\0\0\x05\x00\x00"[..],
        empty,
        b"\x02\x00\x0c\x01\x07",
        b"bytes",
        b"\0\0\0\x10\0\0\0\0\x00\x01",
        empty,
        b"\x03\x01\x04\x01\xac\x02",
        b"\0\0\0\x0d\0\0\0\0\x00\x00",
        empty,
        b"\x04\x00\x00",
    ];
    assert_eq!(recording, expected.concat());

    // The example of the documentation.
    let example: String = expected[4..7]
        .concat()
        .iter()
        .map(|&byte| match byte {
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02x}"),
        })
        .collect();
    let documentation = include_str!("../../../docs/protocol.md");
    assert!(
        documentation.lines().any(|line| line == example),
        "docs/protocol.md lacks {example}"
    );
}

#[test]
fn a_session_replays_to_the_same_outputs() {
    let recording = session();
    let replay = replay(&recording).unwrap();
    assert_eq!(replay.inputs(), 4);
    // It looks for others; accepts and greets; closes, and looks for others.
    assert_eq!(replay.outputs(), 5);
    assert_eq!(replay.now(), Time::from_epoch(Duration::new(4, 4)));
    assert_eq!(replay.view().torrents.len(), 1);
}

#[test]
fn the_first_difference_is_found() {
    let (header, entries) = read(&session()).unwrap();
    // What was recorded after the third input, another seed's engine says differently.
    let mut other = header.clone();
    other.seed += 1;
    let mut replay = Replay::new(other);
    let mut steps = entries.iter().cloned().map(|entry| replay.step(entry));
    let Some(ReplayError::Diverged(divergence)) = steps.find_map(std::result::Result::err) else {
        panic!("another peer id must show");
    };
    assert_eq!(divergence.input, 3);
    assert!(divergence.what.contains("Offered"), "{divergence}");
    assert_eq!(divergence.recorded.count, divergence.replayed.count);
    assert!(divergence.said[1].contains("Send"), "{divergence}");

    // An engine that says less than was recorded, and one that says more.
    for change in [1, -1] {
        let mut replay = Replay::new(header.clone());
        let mut entries = entries.clone();
        let before = &mut entries[3].head.before;
        before.count = before.count.checked_add_signed(change).unwrap();
        let mut steps = entries.into_iter().map(|entry| replay.step(entry));
        let error = steps.find_map(std::result::Result::err);
        assert!(
            matches!(&error, Some(ReplayError::Diverged(d)) if d.input == 3),
            "{error:?}"
        );
    }
}

#[test]
fn what_was_cut_off_gives_all_whole_entries() {
    let recording = session();
    let (_, all) = read(&recording).unwrap();
    let mut most = 0;
    for length in 0..recording.len() {
        let mut reader = Reader::default();
        reader.push(&recording[..length]);
        let Some(_) = reader.header().unwrap() else {
            continue;
        };
        let mut entries = Vec::new();
        while let Some(entry) = reader.next_entry().unwrap() {
            entries.push(entry);
        }
        assert_eq!(entries[..], all[..entries.len()]);
        assert!(!reader.is_complete(), "{length}");
        most = entries.len();
    }
    assert_eq!(most, all.len() - 1);
}

#[test]
fn it_may_come_in_any_stretches() {
    let recording = session();
    let (header, all) = read(&recording).unwrap();
    for step in [1, 7, 100] {
        let mut reader = Reader::default();
        let (mut begun, mut entries) = (None, Vec::new());
        for stretch in recording.chunks(step) {
            reader.push(stretch);
            if begun.is_none() {
                begun = reader.header().unwrap();
            }
            while begun.is_some()
                && let Some(entry) = reader.next_entry().unwrap()
            {
                entries.push(entry);
            }
        }
        assert_eq!((begun, entries), (Some(header.clone()), all.clone()));
        assert!(reader.is_complete() && reader.rest() == 0);
    }
}

#[test]
fn what_is_no_recording_is_refused_with_its_reason() {
    let good = session();
    let spoiled = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        read(&bytes).map(|_| ()).unwrap_err()
    };
    assert_eq!(spoiled(0, b'X'), RecordError::Magic);
    assert_eq!(spoiled(8, 1), RecordError::Version(1));
    assert_eq!(spoiled(8, 4), RecordError::Version(4));
    assert_eq!(
        spoiled(9, 0xff),
        RecordError::TooLong(0xff00_0000 + u64::from(good[11]) * 256 + u64::from(good[12]))
    );
    assert_eq!(spoiled(12, good[12] - 1), RecordError::Header);
    assert_eq!(spoiled(17, b'l'), RecordError::Header);
    assert_eq!(read(b"hello").map(|_| ()), Err(RecordError::Magic));
    let more = [&good[..], b"x"].concat();
    assert_eq!(read(&more).map(|_| ()), Err(RecordError::AfterEnd));
}

#[test]
fn impossible_configurations_and_times_are_refused() {
    let recorded = |header: &Header, at: Duration| {
        let (mut recorder, part) = Recorder::begin(header);
        let mut recording = part.head;
        recording.record(recorder.input(Time::from_epoch(at), &Input::<Bytes>::Tick));
        read(&recording).map(|_| ())
    };
    assert_eq!(recorded(&header(), MAX_TIME), Ok(()));
    let late = Duration::from_secs(i64::MAX.cast_unsigned());
    assert_eq!(
        recorded(&header(), late),
        Err(RecordError::Time(late.as_secs()))
    );
    let mut other = header();
    other.start = late;
    assert_eq!(
        recorded(&other, MAX_TIME),
        Err(RecordError::Time(late.as_secs()))
    );
    let mut other = header();
    other.config.link_budget = (5, 3);
    let error = recorded(&other, MAX_TIME).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the header's configuration is impossible: link_budget.1 is 3, and not from 5 to 8388608"
    );
}

#[test]
fn outputs_that_nobody_takes_do_not_fill_the_memory() {
    let mut replay = Replay::new(header());
    let mut recorder = Recorder::begin(&header()).0;
    let mut step = |input: &Input| {
        let Part { head, body } = recorder.input(Time::ZERO, input);
        let head = postcard::from_bytes(&head[LENGTHS..]).unwrap();
        replay.step(Entry { head, body })
    };
    let metainfo = metainfo_of(1 << 15);
    let info_hash = metainfo.info_hash();
    let add = Command::AddTorrent {
        metainfo,
        resume: Resume::Nothing,
        paused: false,
    };
    for input in [up(), Input::Command(add)] {
        assert_eq!(step(&input), Ok(()));
    }
    let mut announces = 0;
    let refused = loop {
        announces += 1;
        assert!(announces < 1 << 20, "it goes on for ever");
        if let Err(error) = step(&Input::Command(Command::Resume(info_hash))) {
            break error;
        }
    };
    let number = 2 + announces;
    assert_eq!(
        refused,
        ReplayError::Unreadable(number, RecordError::Waiting)
    );
}

#[test]
fn a_recording_ends_when_its_sink_is_full() {
    #[derive(Debug)]
    struct Few(Vec<u8>, usize);
    impl Sink for Few {
        fn record(&mut self, part: Part) -> bool {
            self.0.record(part);
            self.1 = self.1.saturating_sub(1);
            self.1 > 0
        }
    }
    let sink = Some(Few(Vec::new(), 3));
    let mut engine = RecordedEngine::new(Config::default(), 5, Time::ZERO, sink);
    engine.absorb(Time::ZERO, up());
    assert!(engine.recording().is_some() && engine.take_ended().is_none());
    engine.absorb(Time::ZERO, Input::LinkDown { link: LINK });
    engine.absorb(Time::ZERO, up());
    assert!(engine.recording().is_none());
    let Few(recording, _) = engine.take_ended().expect("it ended by itself");
    assert_eq!(replay(&recording).unwrap().inputs(), 2);
    assert!(engine.stop(Time::ZERO).is_none(), "it is handed out once");
}

#[test]
fn every_input_comes_back_as_it_was() {
    arbtest::arbtest(|u| {
        let metainfo = metainfo();
        let mut torrents = Torrents::default();
        torrents.describe(&metainfo);
        let input = arbitrary_input(u, &metainfo)?;
        let now = Time::from_epoch(Duration::new(
            u.int_in_range(0..=MAX_TIME.as_secs() - 1)?,
            u.int_in_range(0..=999_999_999)?,
        ));
        let (mut recorder, first) = Recorder::begin(&header());
        let mut recording = Vec::new();
        recording.record(first);
        recording.record(recorder.input(now, &input));
        recording.record(recorder.end(now));

        let (begun, mut entries) = read(&recording).unwrap();
        assert_eq!(begun, header());
        assert_eq!(entries.len(), 2);
        let entry = entries.remove(0);
        assert_eq!(entry.time(), now);
        let back = entry.input(&mut torrents).unwrap().expect("an input");
        // Neither inputs nor commands can be compared; what is recorded of them can.
        assert_eq!(What::of(&back), What::of(&input));
        assert_eq!(format!("{back:?}"), format!("{input:?}"));
        Ok(())
    });
}

#[test]
fn arbitrary_bytes_are_read_or_refused() {
    let good = session();
    arbtest::arbtest(|u| {
        let mut bytes = if u.ratio(1, 4)? {
            MAGIC.to_vec()
        } else {
            good.clone()
        };
        for _ in 0..u.int_in_range(0..=4)? {
            let at = u.choose_index(bytes.len())?;
            bytes[at] = u.arbitrary()?;
        }
        bytes.extend(Vec::<u8>::arbitrary(u)?);
        let mut torrents = Torrents::default();
        if let Ok((_, entries)) = read(&bytes) {
            for entry in entries {
                let _ = entry.to_string();
                let _ = entry.input(&mut torrents);
            }
        }
        Ok(())
    });
}
