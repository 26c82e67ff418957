//! What somebody watches, hears or reads while it comes.
//!
//! The page says which file it shows; as long as it does, that file comes before all others, and
//! in the order in which it is read. The service worker asks for stretches of it: of those that
//! wait for a piece the one that waits longest says where the reading is.

use std::rc::Rc;

use js_sys::Uint8Array;
use swarm_core::engine::Command;
use swarm_core::id::InfoHash;
use swarm_core::metainfo::{File, Metainfo};
use swarm_core::pieces::{PieceIndex, Priority, Strategy};
use web_sys::MessagePort;

use super::host::{Host, Input};
use super::line::{Ear, Line};
use super::reader::Reader;
use crate::media;

/// Bytes of an answer, at most. The browser asks for the next when it has room for it.
const STRETCH: u64 = 1 << 20;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Plays {
    /// What the page shows: of which torrent, and the file's index.
    shown: Option<(InfoHash, u32)>,
    /// In the order in which they began to wait.
    waiting: Vec<Waiting>,
    /// Where the reading is, as the node was last told.
    position: Option<(InfoHash, u64)>,
}

/// Who waits for a piece.
#[derive(Clone, Debug)]
struct Waiting {
    info_hash: InfoHash,
    piece: PieceIndex,
    /// Of the torrent; none for a save, which does not mind what comes first.
    byte: Option<u64>,
    ear: Rc<Ear>,
}

impl Host {
    /// The page shows this file from now on, and no other.
    pub(super) fn play(self: &Rc<Self>, shown: Option<(InfoHash, u32)>) {
        let before = std::mem::replace(&mut self.plays.borrow_mut().shown, shown);
        for (info_hash, _) in before.into_iter().chain(shown) {
            self.tell_wishes(info_hash);
        }
    }

    /// Tells the node what is wanted of a torrent: what a person once said, but what they look
    /// at just now before everything else.
    pub(super) fn tell_wishes(self: &Rc<Self>, info_hash: InfoHash) {
        let Some((files, wishes)) = self.torrents.look(info_hash, |torrent| {
            let files = torrent.metainfo.as_ref().map_or(0, |m| m.files().len());
            let mut wishes = torrent.record.wishes.clone();
            // Which files a link means is known with the metadata.
            if torrent.metainfo.is_none() && torrent.record.more.files.is_some() {
                wishes.priorities = vec![Priority::Skip];
            }
            (files, wishes)
        }) else {
            return;
        };
        let (mut strategy, mut priorities) = (wishes.strategy, wishes.priorities);
        let shown = self.plays.borrow().shown;
        if let Some((_, file)) = shown.filter(|(of, _)| *of == info_hash) {
            strategy = Strategy::Streaming;
            priorities.resize(files, Priority::Normal);
            if let Some(priority) = priorities.get_mut(file as usize) {
                *priority = Priority::High;
            }
        }
        self.feed(Input::Command(Command::SetStrategy(info_hash, strategy)));
        self.feed(Input::Command(Command::SetPriorities(
            info_hash, priorities,
        )));
    }

    /// Answers the service worker, as long as it asks for more of the file.
    pub(super) async fn stream(self: Rc<Self>, info_hash: InfoHash, file: u32, port: MessagePort) {
        let line = Line::new(port);
        let metainfo = self.torrents.metainfo(info_hash);
        let found = metainfo.as_ref().and_then(|m| file_of(m, file));
        let (Some(metainfo), Some(file)) = (&metainfo, found) else {
            // There is nothing of which to say anything.
            return line.refuse("");
        };
        let name = file.path.parts().last().map_or("", String::as_str);
        line.describe(file.length, media::type_of(name), name);
        let mut reader = Reader::new(&self, metainfo.clone());
        while let Some((from, to)) = line.asked().await {
            let to = to.min(file.length);
            if from >= to {
                return line.refuse("the file has no such bytes");
            }
            let range = (file.offset + from, file.offset + to);
            match self.read_for(&line, &mut reader, metainfo, range).await {
                Ok(Some(bytes)) => line.give(&bytes),
                Ok(None) => return,
                Err(reason) => return line.refuse(&reason),
            }
        }
    }

    /// Some of these bytes of the torrent, the first ones, as soon as they are here. None if
    /// nobody wants them any more.
    async fn read_for(
        self: &Rc<Self>,
        line: &Line,
        reader: &mut Reader,
        metainfo: &Metainfo,
        (from, to): (u64, u64),
    ) -> Result<Option<Uint8Array>, String> {
        let info_hash = metainfo.info_hash();
        let (piece, end) = reader.piece_at(from).map_err(|error| error.to_string())?;
        let to = to.min(end).min(from + STRETCH);
        let mut is_again = false;
        loop {
            self.follow_readers(info_hash, from);
            self.await_piece(line.ear(), info_hash, piece, Some(from))
                .await?;
            if line.ear().is_gone() {
                return Ok(None);
            }
            match reader.read(from, to).await {
                Ok(mut parts) => return Ok(parts.pop()),
                Err(error) if is_again => return Err(error.to_string()),
                // What the store lost is fetched from others once more.
                Err(_) => {
                    let pieces = vec![piece];
                    self.feed(Input::Lost { info_hash, pieces });
                    is_again = true;
                }
            }
        }
    }

    /// Waits until a piece is here, or nobody wants it any more. Who reads from a byte on of what
    /// is shown says so.
    pub(super) async fn await_piece(
        self: &Rc<Self>,
        ear: &Rc<Ear>,
        info_hash: InfoHash,
        piece: PieceIndex,
        byte: Option<u64>,
    ) -> Result<(), String> {
        let is_missing = || !self.has_piece(info_hash, piece) && !ear.is_gone();
        if !is_missing() {
            return Ok(());
        }
        self.plays.borrow_mut().waiting.push(Waiting {
            info_hash,
            piece,
            byte,
            ear: Rc::clone(ear),
        });
        while is_missing() && self.torrents.contains(info_hash) {
            ear.sleep().await;
        }
        let is_same = |waiting: &Waiting| Rc::ptr_eq(&waiting.ear, ear);
        self.plays.borrow_mut().waiting.retain(|it| !is_same(it));
        match is_missing() {
            true => Err("the torrent was removed".to_owned()),
            false => Ok(()),
        }
    }

    /// Wakes whoever waits for a piece that is here now.
    pub(super) fn wake_readers(self: &Rc<Self>) {
        let waiting = self.plays.borrow().waiting.clone();
        let mut longest_waiting = None;
        for reader in waiting {
            let Waiting {
                info_hash, piece, ..
            } = reader;
            if !self.torrents.contains(info_hash) || self.has_piece(info_hash, piece) {
                reader.ear.wake();
            } else {
                longest_waiting = longest_waiting.or(reader.byte.map(|byte| (info_hash, byte)));
            }
        }
        if let Some((info_hash, byte)) = longest_waiting {
            self.read_at(info_hash, byte);
        }
    }

    /// Somebody reads here: the node is told, unless another one waits for something else.
    fn follow_readers(self: &Rc<Self>, info_hash: InfoHash, byte: u64) {
        let longest = {
            let plays = self.plays.borrow();
            let mut waiting = plays.waiting.iter();
            waiting.find_map(|it| it.byte.filter(|_| it.info_hash == info_hash))
        };
        self.read_at(info_hash, longest.unwrap_or(byte));
    }

    fn read_at(self: &Rc<Self>, info_hash: InfoHash, byte: u64) {
        let position = Some((info_hash, byte));
        if std::mem::replace(&mut self.plays.borrow_mut().position, position) != position {
            self.feed(Input::Command(Command::SetPlayPosition(info_hash, byte)));
        }
    }

    fn has_piece(&self, info_hash: InfoHash, piece: PieceIndex) -> bool {
        let node = self.node();
        let have = node.contents(info_hash).and_then(|contents| contents.have);
        have.is_some_and(|have| have.has(piece))
    }
}

fn file_of(metainfo: &Metainfo, file: u32) -> Option<&File> {
    metainfo.files().get(file as usize)
}
