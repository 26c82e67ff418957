//! The peer that the engine believes to talk with: what it asks for becomes ranges of files, and
//! their bytes become blocks.

use std::collections::VecDeque;

use bytes::Bytes;

use super::io::{Answer, Fetch, SeedTrouble};
use crate::chunk::Chunk;
use crate::engine::config::WebSeedConfig;
use crate::id::{InfoHash, PeerId};
use crate::metainfo::{FileSpan, Metainfo, WebSeedAddress};
use crate::net::Parts;
use crate::time::Time;
use crate::wire::extension::ExtensionHandshake;
use crate::wire::peer::{BlockRef, Decoder, Handshake, Message, Received, Reserved, piece_head};

/// Requests that are kept at the most: as many as the engine ever has in flight, and as many
/// again that it has given up. Beyond that they are rejected.
const MAX_ASKED: usize = 2 * 1024;
/// Bytes of the longest message that the engine sends: a bitfield.
const MAX_MESSAGE: u32 = 16 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Talk<C> {
    metainfo: Metainfo,
    address: WebSeedAddress,
    /// What the engine says.
    decoder: Decoder<Bytes>,
    /// What it asked for, in order, and of which nothing is under way.
    asked: VecDeque<BlockRef>,
    run: Option<Run>,
    /// When anything that counts last came, or was first asked for.
    pub(super) heard: Time,
    /// Bytes that came since.
    trickled: u32,
    /// What comes through the channel, for the engine.
    pub(super) said: VecDeque<C>,
}

/// Blocks that lie side by side, and are fetched one after the other.
#[derive(Debug)]
struct Run {
    /// Those that are to come, and whether they are wanted still.
    blocks: VecDeque<(BlockRef, bool)>,
    /// How many bytes of the first of them came.
    begun: u32,
    /// The torrent's byte that comes next.
    at: u64,
    /// The one behind the last.
    end: u64,
    /// The file of which something is being fetched: how long it is, and how much is to come.
    fetching: Option<Fetching>,
}

#[derive(Debug)]
struct Fetching {
    fetch: Fetch,
    file: u64,
    answered: bool,
    left: u64,
}

/// What is to be done next.
pub(super) enum Step {
    /// Fetch this.
    Fetch(Fetch),
    /// Nothing.
    Wait,
}

impl<C: Chunk> Talk<C> {
    /// It says that it has everything, and gives it.
    pub(super) fn new(
        now: Time,
        metainfo: Metainfo,
        address: WebSeedAddress,
        peer_id: PeerId,
    ) -> Self {
        let info_hash: InfoHash = metainfo.info_hash();
        let handshake = Handshake {
            reserved: Reserved::EXTENSION.with(Reserved::FAST),
            info_hash,
            peer_id,
        };
        let about = ExtensionHandshake {
            client: Some(format!("Web seed {}", address.host())),
            ..ExtensionHandshake::default()
        };
        let mut talk = Talk {
            metainfo,
            address,
            decoder: Decoder::new(MAX_MESSAGE),
            asked: VecDeque::new(),
            run: None,
            heard: now,
            trickled: 0,
            said: VecDeque::new(),
        };
        talk.said
            .push_back(C::of(handshake.encode().to_vec().into()));
        talk.say(&Message::Extended {
            id: 0,
            payload: about.encode(),
        });
        talk.say(&Message::HaveAll);
        talk.say(&Message::Unchoke);
        talk
    }

    /// Something came, and too little to count.
    pub(super) fn trickles(&self) -> bool {
        self.trickled > 0
    }

    fn say(&mut self, message: &Message) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.said.push_back(C::of(bytes.into()));
    }

    /// The engine sends something.
    pub(super) fn hear(&mut self, now: Time, parts: &Parts<C>) {
        for part in parts.iter() {
            let mut bytes = Vec::with_capacity(part.len());
            part.append_to(&mut bytes);
            self.decoder.push(bytes.into());
            while let Ok(Some(received)) = self.decoder.poll() {
                match received {
                    Received::Message(Message::Request(block)) => self.ask(now, block),
                    Received::Message(Message::Cancel(block)) => self.cancel(block),
                    // A sign of life for a sign of life.
                    Received::Message(Message::KeepAlive) => self.say(&Message::KeepAlive),
                    _ => {}
                }
            }
        }
    }

    fn ask(&mut self, now: Time, block: BlockRef) {
        if let Some(run) = &mut self.run
            && let Some((_, wanted)) = run.blocks.iter_mut().find(|(coming, _)| *coming == block)
        {
            *wanted = true;
            return;
        }
        if self.asked.contains(&block) {
            return;
        }
        if self.asked.len() >= MAX_ASKED {
            return self.say(&Message::RejectRequest(block));
        }
        if self.run.is_none() && self.asked.is_empty() {
            self.heard = now;
        }
        self.asked.push_back(block);
    }

    /// BEP 6 wants an answer: it is not sent, unless it is on its way.
    fn cancel(&mut self, block: BlockRef) {
        if let Some(place) = self.asked.iter().position(|asked| *asked == block) {
            self.asked.remove(place);
            return self.say(&Message::RejectRequest(block));
        }
        let Some(run) = &mut self.run else { return };
        let begun = run.begun > 0;
        let mut coming = run.blocks.iter_mut().skip(usize::from(begun));
        if let Some((_, wanted)) = coming.find(|(coming, wanted)| *coming == block && *wanted) {
            *wanted = false;
            self.say(&Message::RejectRequest(block));
        }
    }

    /// The fetch that is under way need not go on: nothing of it is wanted.
    pub(super) fn give_up(&mut self) -> Option<u32> {
        let run = self.run.as_ref()?;
        if run.begun > 0 || run.blocks.iter().any(|(_, wanted)| *wanted) {
            return None;
        }
        let fetching = self.run.take()?.fetching?;
        Some(fetching.fetch.number)
    }

    /// The number of the fetch that is under way.
    pub(super) fn fetching(&self) -> Option<u32> {
        let fetching = self.run.as_ref()?.fetching.as_ref()?;
        Some(fetching.fetch.number)
    }

    /// Something was asked of it, and is to come.
    pub(super) fn owes(&self) -> bool {
        self.run.is_some()
    }

    /// Goes on with what is asked for; a fetch gets this number.
    pub(super) fn go_on(&mut self, now: Time, number: u32, config: &WebSeedConfig) -> Step {
        loop {
            let Some(run) = &mut self.run else {
                let Some(run) = self.next_run(config) else {
                    return Step::Wait;
                };
                self.run = Some(run);
                continue;
            };
            if run.fetching.is_some() {
                return Step::Wait;
            }
            let left = u32::try_from(run.end - run.at).expect("a range is short");
            if left == 0 {
                self.run = None;
                continue;
            }
            let span = self.metainfo.spans(run.at, left).next();
            let zeros = span.map_or(left, |span| span.begin);
            if zeros > 0 {
                // Padding (BEP 47), which no server has.
                self.pass(C::of(vec![0; zeros as usize].into()));
                continue;
            }
            let Some(span) = span else { continue };
            let fetching = self.fetching_of(number, span);
            let fetch = fetching.fetch.clone();
            if let Some(run) = &mut self.run {
                run.fetching = Some(fetching);
            }
            self.heard = now;
            return Step::Fetch(fetch);
        }
    }

    fn fetching_of(&self, number: u32, span: FileSpan) -> Fetching {
        let FileSpan {
            file,
            offset,
            length,
            ..
        } = span;
        let length = u64::from(length);
        Fetching {
            fetch: Fetch {
                number,
                url: self.address.file(&self.metainfo, file),
                first: offset,
                length,
            },
            file: self.metainfo.files()[file].length,
            answered: false,
            left: length,
        }
    }

    /// The first block that was asked for, and those that lie behind it.
    fn next_run(&mut self, config: &WebSeedConfig) -> Option<Run> {
        let layout = *self.metainfo.layout();
        let place = |block: &BlockRef| {
            let piece = u64::from(block.piece) * u64::from(layout.piece_length());
            piece + u64::from(block.begin)
        };
        let first = self.asked.pop_front()?;
        let at = place(&first);
        let mut end = at + u64::from(first.length);
        let mut blocks = VecDeque::from([(first, true)]);
        while end - at < u64::from(config.range)
            && let Some(next) = self.asked.iter().position(|block| place(block) == end)
            && let Some(next) = self.asked.remove(next)
        {
            end += u64::from(next.length);
            blocks.push_back((next, true));
        }
        Some(Run {
            blocks,
            begun: 0,
            at,
            end,
            fetching: None,
        })
    }

    /// The head of an answer is here.
    pub(super) fn answered(&mut self, now: Time, answer: &Answer) -> Result<(), SeedTrouble> {
        self.heard = now;
        match self.run.as_mut().and_then(|run| run.fetching.as_mut()) {
            Some(fetching) => {
                fetching.answered = true;
                answer.check(&fetching.fetch, fetching.file)
            }
            None => Ok(()),
        }
    }

    /// Bytes of a body came; true if it is complete now.
    pub(super) fn received(
        &mut self,
        now: Time,
        bytes: C,
        config: &WebSeedConfig,
    ) -> Result<bool, SeedTrouble> {
        let fetching = self.run.as_mut().and_then(|run| run.fetching.as_mut());
        let Some(fetching) = fetching.filter(|fetching| fetching.answered) else {
            return Err(SeedTrouble::OtherLength);
        };
        let left = fetching.left.checked_sub(bytes.len() as u64);
        fetching.left = left.ok_or(SeedTrouble::OtherLength)?;
        let came = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.trickled = self.trickled.saturating_add(came);
        if self.trickled >= config.least || left == Some(0) {
            (self.heard, self.trickled) = (now, 0);
        }
        self.pass(bytes);
        if left == Some(0)
            && let Some(run) = &mut self.run
        {
            run.fetching = None;
        }
        Ok(left == Some(0))
    }

    /// The next bytes of the run are here: they are passed on as the blocks that they are.
    fn pass(&mut self, mut bytes: C) {
        while !bytes.is_empty()
            && let Some(run) = &mut self.run
            && let Some((block, wanted)) = run.blocks.front().copied()
        {
            let here =
                (block.length - run.begun).min(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            if wanted {
                if run.begun == 0 {
                    let head = piece_head(block.piece, block.begin, block.length as usize);
                    self.said.push_back(C::of(head.to_vec().into()));
                }
                self.said.push_back(bytes.slice(0..here as usize));
            }
            bytes = bytes.slice(here as usize..bytes.len());
            run.at += u64::from(here);
            run.begun += here;
            if run.begun == block.length {
                run.begun = 0;
                run.blocks.pop_front();
            }
        }
    }
}
