//! Whatever peers do, every piece is in exactly one state, every request is accounted for,
//! and a peer that has everything completes the download.

use arbitrary::Unstructured;

use super::*;

/// What the engine would know.
struct Model {
    download: Download,
    layout: Layout,
    limits: Limits,
    peers: BTreeMap<SessionId, Peer>,
    /// Assembled pieces, and whether their bytes are right.
    verifying: BTreeMap<PieceIndex, bool>,
    /// Who sent a bad block of a piece since it was begun.
    liars: BTreeMap<PieceIndex, BTreeSet<SessionId>>,
    next_session: SessionId,
}

struct Peer {
    has: Bitfield,
    asked: BTreeSet<Block>,
}

#[test]
fn nothing_is_lost_whatever_happens() {
    arbtest::arbtest(|u| {
        let mut model = Model::new(u)?;
        while !u.is_empty() {
            model.step(u)?;
            model.check();
        }
        model.complete();
        Ok(())
    });
}

impl Model {
    fn new(u: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let piece_length = u.int_in_range(1..=4 * BLOCK)?;
        let length = u.int_in_range(1..=6 * u64::from(piece_length))?;
        let layout = Layout::new(length, piece_length).unwrap();
        let limits = Limits {
            bytes_in_progress: u.int_in_range(0..=length)?,
            endgame_copies: u.int_in_range(0..=3)?,
        };
        let have = any_bitfield(u, layout.piece_count())?;
        let strategy = *u.choose(&[Strategy::RarestFirst, Strategy::Sequential])?;
        let rng = Rng::new(u.arbitrary()?);
        Ok(Model {
            download: Download::new(layout, have, strategy, limits, rng),
            layout,
            limits,
            peers: BTreeMap::new(),
            verifying: BTreeMap::new(),
            liars: BTreeMap::new(),
            next_session: 0,
        })
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let sessions: Vec<SessionId> = self.peers.keys().copied().collect();
        let kind = u.int_in_range(0..=15)?;
        if sessions.is_empty() || kind == 0 {
            let has = any_bitfield(u, self.layout.piece_count())?;
            self.join(has);
            return Ok(());
        }
        let session = *u.choose(&sessions)?;
        match kind {
            1 => self.leave(session),
            2 => self.learn(session, u.int_in_range(0..=self.layout.piece_count() - 1)?),
            3 => {
                self.download.release_all(session);
                self.peer(session).asked.clear();
            }
            4 => {
                if let Some(block) = self.any_asked(session, u)? {
                    self.release(session, block);
                }
            }
            5 | 6 => {
                if let Some((piece, _)) = self.verifying.first_key_value() {
                    let piece = *piece;
                    self.end_verifying(piece, u.ratio(1, 5)?);
                }
            }
            7..=9 => self.pick(session, u.int_in_range(0..=12)?),
            _ => {
                if let Some(block) = self.any_asked(session, u)? {
                    self.receive(session, block, u.ratio(1, 10)?);
                }
            }
        }
        Ok(())
    }

    fn join(&mut self, has: Bitfield) -> SessionId {
        self.download.peer_joined(&has);
        let asked = BTreeSet::new();
        self.next_session += 1;
        self.peers.insert(self.next_session, Peer { has, asked });
        self.next_session
    }

    fn leave(&mut self, session: SessionId) {
        let peer = self.peers.remove(&session).unwrap();
        self.download.peer_left(session, &peer.has);
    }

    fn learn(&mut self, session: SessionId, piece: u32) {
        let piece = self.layout.piece(piece).unwrap();
        if self.peer(session).has.insert(piece) {
            self.download.peer_has(piece);
        }
    }

    fn pick(&mut self, session: SessionId, count: usize) {
        let has = self.peer(session).has.clone();
        let blocks = self.download.pick(session, &has, count);
        assert!(blocks.len() <= count);
        let copies = usize::from(self.limits.endgame_copies).max(1);
        for block in blocks {
            assert!(has.has(block.piece), "the peer has it");
            assert!(!self.download.have().has(block.piece), "we don't");
            assert_eq!(self.layout.check(block.to_ref()), Some(block));
            assert!(self.peer(session).asked.insert(block), "asked twice");
            let asked = self
                .peers
                .values()
                .filter(|peer| peer.asked.contains(&block));
            assert!(asked.count() <= copies, "asked of too many");
        }
    }

    fn release(&mut self, session: SessionId, block: Block) {
        let alone = self.download.suspect.contains(&block.piece);
        self.download.release(session, block);
        self.peer(session)
            .asked
            .retain(|other| *other != block && !(alone && other.piece == block.piece));
    }

    fn receive(&mut self, session: SessionId, block: Block, lie: bool) {
        self.peer(session).asked.remove(&block);
        let mut data = bytes_of(block);
        if lie {
            data[0] ^= 1;
            self.liars.entry(block.piece).or_default().insert(session);
        }
        let mut others = Vec::new();
        for (other, peer) in &mut self.peers {
            if peer.asked.remove(&block) {
                others.push(*other);
            }
        }
        match self.download.receive(session, block, &data) {
            Received::Kept { mut cancel } => {
                cancel.sort_unstable();
                assert_eq!(cancel, others);
            }
            Received::Complete {
                mut cancel,
                piece,
                data,
            } => {
                cancel.sort_unstable();
                assert_eq!(cancel, others);
                let blocks = 0..self.layout.block_count(piece);
                let right: Vec<u8> = blocks
                    .flat_map(|number| bytes_of(self.layout.block(piece, number)))
                    .collect();
                self.verifying.insert(piece, data == right);
            }
            other => panic!("{block:?} was asked for, but {other:?}"),
        }
    }

    fn end_verifying(&mut self, piece: PieceIndex, store_fails: bool) {
        let right = self.verifying.remove(&piece).unwrap();
        let liars = self.liars.remove(&piece).unwrap_or_default();
        if !right {
            let was_suspect = self.download.suspect.contains(&piece);
            let senders = self.download.rejected(piece);
            assert!(senders.iter().any(|sender| liars.contains(sender)));
            assert!(!was_suspect || senders.len() == 1, "blame is certain");
        } else if store_fails {
            self.download.write_failed(piece);
        } else {
            self.download.written(piece);
        }
    }

    /// Everybody leaves, and somebody comes who has everything.
    fn complete(&mut self) {
        for session in self.peers.keys().copied().collect::<Vec<_>>() {
            self.leave(session);
        }
        self.check();
        let session = self.join(Bitfield::full(self.layout.piece_count()));
        loop {
            while let Some((piece, _)) = self.verifying.first_key_value() {
                let piece = *piece;
                self.end_verifying(piece, false);
            }
            self.check();
            if self.download.is_complete() {
                break;
            }
            self.pick(session, 3);
            let asked: Vec<Block> = self.peer(session).asked.iter().copied().collect();
            assert!(!asked.is_empty(), "there is something to ask for");
            for block in asked {
                self.receive(session, block, false);
            }
        }
        assert_eq!(self.download.bytes_had(), self.layout.total_length());
        assert_eq!(self.download.bytes_begun, 0);
    }

    fn check(&self) {
        let download = &self.download;
        for piece in self.layout.pieces() {
            let states = [
                download.picker.is_wanted(piece),
                download.begun.contains_key(&piece),
                download.have.has(piece),
            ];
            assert_eq!(
                states.iter().filter(|state| **state).count(),
                1,
                "{piece:?}"
            );
            let verifying = matches!(download.begun.get(&piece), Some(Begun::Verifying { .. }));
            assert_eq!(verifying, self.verifying.contains_key(&piece));
            let holders = self.peers.values().filter(|peer| peer.has.has(piece));
            assert_eq!(download.availability(piece) as usize, holders.count());
        }
        let lengths = download
            .in_progress()
            .map(|p| u64::from(self.layout.length(p)));
        assert_eq!(download.bytes_begun, lengths.sum::<u64>());
        assert!(download.begun.len() <= 2 || download.bytes_begun <= self.limits.bytes_in_progress);
        let mut open = BTreeSet::new();
        for (piece, begun) in &download.begun {
            let Begun::Filling(partial) = begun else {
                continue;
            };
            for (session, peer) in &self.peers {
                let asked = peer.asked.iter().filter(|block| block.piece == *piece);
                assert_eq!(partial.asked_of(*session), asked.count());
            }
            if partial.has_unasked() {
                open.insert((partial.owner, *piece));
            }
        }
        assert_eq!(download.open, open);
    }

    fn any_asked(
        &mut self,
        session: SessionId,
        u: &mut Unstructured<'_>,
    ) -> arbitrary::Result<Option<Block>> {
        let asked: Vec<Block> = self.peer(session).asked.iter().copied().collect();
        if asked.is_empty() {
            return Ok(None);
        }
        u.choose(&asked).map(|block| Some(*block))
    }

    fn peer(&mut self, session: SessionId) -> &mut Peer {
        self.peers.get_mut(&session).unwrap()
    }
}

fn any_bitfield(u: &mut Unstructured<'_>, pieces: u32) -> arbitrary::Result<Bitfield> {
    let mut bits = Bitfield::empty(pieces);
    let ratio = u.int_in_range(0..=4)?;
    for piece in (0..pieces).map(PieceIndex) {
        if u.int_in_range(1..=4)? <= ratio {
            bits.insert(piece);
        }
    }
    Ok(bits)
}

/// What the block really holds.
fn bytes_of(block: Block) -> Vec<u8> {
    let tag = block.piece.get() * 8 + block.begin / BLOCK;
    vec![u8::try_from(tag).unwrap(); block.length as usize]
}
