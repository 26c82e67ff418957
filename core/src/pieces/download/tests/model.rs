//! Whatever peers do, every piece is in exactly one state, every request is accounted for,
//! liars and nobody else are named, and a peer that has everything completes the download.

use bytes::Bytes;
use std::collections::VecDeque;

use arbitrary::Unstructured;

use super::*;
use crate::pieces::Cut;

/// What the engine would know, and what nobody knows: who lies.
struct Model {
    download: Download,
    layout: Layout,
    limits: DownloadLimits,
    priorities: Vec<Priority>,
    peers: BTreeMap<SessionId, Peer>,
    /// Who last sent each block, and whether it was bad.
    sent: BTreeMap<Block, (SessionId, bool)>,
    /// Stretches of pieces in parts on their way to the disk, and what is there.
    writing: Vec<Stretch>,
    disk: BTreeMap<PieceIndex, Vec<u8>>,
    /// Assembled pieces.
    verifying: BTreeSet<PieceIndex>,
    /// Liars of pieces to which several contributed, the oldest first.
    evidence: VecDeque<(PieceIndex, Vec<SessionId>)>,
    waste: Waste,
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
    })
    // Many short stories tell more than a few long ones.
    .size_max(1_500);
}

impl Model {
    fn new(u: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let piece_length = u.int_in_range(1..=4 * BLOCK)?;
        let length = u.int_in_range(1..=6 * u64::from(piece_length))?;
        let layout = Layout::new(length, piece_length).unwrap();
        let limits = DownloadLimits {
            bytes_in_progress: u.int_in_range(0..=length)?,
            endgame_copies: u.int_in_range(0..=3)?,
            random_first: u.int_in_range(0..=2)?,
            streaming_window: u.int_in_range(0..=length)?,
            suspects: u.int_in_range(0..=2)?,
            cut: Cut {
                whole: *u.choose(&[u32::MAX, 2 * BLOCK, 0])?,
                part: BLOCK * u.int_in_range(1..=2)?,
            },
        };
        let have = any_bitfield(u, layout.piece_count())?;
        let strategy = *u.choose(&STRATEGIES)?;
        let rng = Rng::new(u.arbitrary()?);
        Ok(Model {
            download: Download::new(layout, have, strategy, limits, rng),
            layout,
            limits,
            priorities: vec![Priority::Normal; layout.piece_count() as usize],
            peers: BTreeMap::new(),
            sent: BTreeMap::new(),
            writing: Vec::new(),
            disk: BTreeMap::new(),
            verifying: BTreeSet::new(),
            evidence: VecDeque::new(),
            waste: Waste::default(),
            next_session: 0,
        })
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let sessions: Vec<SessionId> = self.peers.keys().copied().collect();
        let kind = u.int_in_range(0..=20)?;
        if sessions.is_empty() || kind == 0 {
            let has = any_bitfield(u, self.layout.piece_count())?;
            self.join(has);
            return Ok(());
        }
        let session = *u.choose(&sessions)?;
        match kind {
            1 => self.leave(session),
            2 => {
                let piece = self.any_piece(u)?;
                self.learn(session, piece);
            }
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
                if let Some(piece) = self.verifying.first() {
                    self.end_verifying(*piece, u.ratio(1, 5)?);
                }
            }
            7..=9 => {
                let suggested = [self.any_piece(u)?];
                self.pick(session, u.int_in_range(0..=12)?, &suggested);
            }
            10 => {
                let allowed = [self.any_piece(u)?, self.any_piece(u)?];
                self.pick_among(session, u.int_in_range(0..=12)?, &allowed);
            }
            11 => {
                self.change(u)?;
                self.download.doubt(session);
            }
            12 => {
                let piece = self.any_piece(u)?;
                let number = u.int_in_range(0..=self.layout.block_count(piece) - 1)?;
                self.push(session, self.layout.block(piece, number));
            }
            13 | 14 => {
                if let Some(last) = self.writing.len().checked_sub(1) {
                    let index = u.int_in_range(0..=last)?;
                    self.end_writing(index, u.ratio(1, 8)?);
                }
            }
            _ => {
                if let Some(block) = self.any_asked(session, u)? {
                    self.receive(session, block, u.ratio(1, 10)?);
                }
            }
        }
        Ok(())
    }

    fn join(&mut self, has: Bitfield) -> SessionId {
        let asked = BTreeSet::new();
        self.next_session += 1;
        self.download.peer_joined(self.next_session, &has);
        self.peers.insert(self.next_session, Peer { has, asked });
        self.next_session
    }

    fn leave(&mut self, session: SessionId) {
        let peer = self.peers.remove(&session).unwrap();
        self.download.peer_left(session, &peer.has);
    }

    fn learn(&mut self, session: SessionId, piece: PieceIndex) {
        if self.peer(session).has.insert(piece) {
            self.download.peer_has(session, piece);
        }
    }

    fn change(&mut self, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        self.download.set_strategy(*u.choose(&STRATEGIES)?);
        self.download.set_play_position(self.any_piece(u)?);
        let piece = self.any_piece(u)?;
        self.priorities[piece.as_usize()] = *u.choose(&[
            Priority::Skip,
            Priority::Low,
            Priority::Normal,
            Priority::High,
        ])?;
        self.download.set_priorities(&self.priorities);
        Ok(())
    }

    fn pick(&mut self, session: SessionId, count: usize, suggested: &[PieceIndex]) {
        let has = self.peer(session).has.clone();
        let blocks = self.download.pick(session, &has, count, suggested);
        self.asked(session, count, &blocks);
    }

    fn pick_among(&mut self, session: SessionId, count: usize, pieces: &[PieceIndex]) {
        let has = self.peer(session).has.clone();
        let blocks = self.download.pick_among(session, &has, pieces, count);
        assert!(blocks.iter().all(|block| pieces.contains(&block.piece)));
        self.asked(session, count, &blocks);
    }

    fn asked(&mut self, session: SessionId, count: usize, blocks: &[Block]) {
        assert!(blocks.len() <= count);
        let copies = usize::from(self.limits.endgame_copies).max(1);
        let delivers = |session| self.download.asker(session).delivers;
        let sure: BTreeSet<SessionId> = self
            .peers
            .keys()
            .copied()
            .filter(|s| delivers(*s))
            .collect();
        for &block in blocks {
            assert!(self.peer(session).has.has(block.piece), "the peer has it");
            assert!(!self.download.have().has(block.piece), "we don't");
            assert!(self.wants(block.piece), "and want it");
            assert_eq!(self.layout.check(block.to_ref()), Some(block));
            assert!(self.peer(session).asked.insert(block), "asked twice");
            let asked = self.peers.iter();
            let asked = asked.filter(|(_, peer)| peer.asked.contains(&block));
            let asked = asked.filter(|(session, _)| sure.contains(session));
            // Promises don't count.
            assert!(asked.count() <= copies, "asked of too many");
        }
    }

    fn release(&mut self, session: SessionId, block: Block) {
        let alone = self.download.suspects.contains(block.piece);
        self.download.release(session, block);
        self.peer(session)
            .asked
            .retain(|other| *other != block && !(alone && other.piece == block.piece));
    }

    /// Sends what was not asked of it.
    fn push(&mut self, session: SessionId, block: Block) {
        if self.peer(session).asked.contains(&block) {
            return;
        }
        let bytes = bytes_of(block);
        match self
            .download
            .receive(session, block, &Bytes::copy_from_slice(&bytes))
        {
            BlockOutcome::Unrequested => self.waste.unrequested += u64::from(block.length),
            BlockOutcome::Duplicate => self.waste.duplicate += u64::from(block.length),
            taken => panic!("{taken:?}, but nobody asked"),
        }
    }

    fn receive(&mut self, session: SessionId, block: Block, lie: bool) {
        self.peer(session).asked.remove(&block);
        let mut data = bytes_of(block);
        if lie {
            data[0] ^= 1;
        }
        self.sent.insert(block, (session, lie));
        let mut others = Vec::new();
        for (other, peer) in &mut self.peers {
            if peer.asked.remove(&block) {
                others.push(*other);
            }
        }
        match self
            .download
            .receive(session, block, &Bytes::copy_from_slice(&data))
        {
            BlockOutcome::Kept { mut cancel } => {
                cancel.sort_unstable();
                assert_eq!(cancel, others);
            }
            BlockOutcome::Complete {
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
                assert_eq!(
                    data == right,
                    self.senders(piece).iter().all(|(_, lie)| !lie)
                );
                self.verifying.insert(piece);
            }
            other => panic!("{block:?} was asked for, but {other:?}"),
        }
        while let Some(stretch) = self.download.next_stretch() {
            let range = |s: &Stretch| s.begin..s.begin + u32::try_from(s.data.len()).unwrap();
            let new = range(&stretch);
            let mut under_way = self.writing.iter().filter(|s| s.piece == stretch.piece);
            assert!(
                under_way.all(|s| range(s).end <= new.start || new.end <= range(s).start),
                "the same place is written twice at once"
            );
            self.writing.push(stretch);
        }
    }

    fn end_writing(&mut self, index: usize, fails: bool) {
        let Stretch { piece, begin, data } = self.writing.remove(index);
        if !fails {
            let length = self.layout.length(piece) as usize;
            let place = self.disk.entry(piece).or_insert_with(|| vec![0; length]);
            place[begin as usize..][..data.len()].copy_from_slice(&data);
        }
        if !self.download.stretch_written(piece, begin, !fails) {
            return;
        }
        let blocks = 0..self.layout.block_count(piece);
        let right: Vec<u8> = blocks
            .flat_map(|number| bytes_of(self.layout.block(piece, number)))
            .collect();
        let honest = self.senders(piece).iter().all(|(_, lie)| !lie);
        assert_eq!(self.disk[&piece] == right, honest);
        self.verifying.insert(piece);
    }

    fn end_verifying(&mut self, piece: PieceIndex, store_fails: bool) {
        self.verifying.remove(&piece);
        let senders = self.senders(piece);
        let liars: BTreeSet<SessionId> = senders
            .iter()
            .filter(|(_, lie)| *lie)
            .map(|(sender, _)| *sender)
            .collect();
        if liars.is_empty() {
            let evidence = self.evidence.iter().position(|(other, _)| *other == piece);
            let known = evidence.and_then(|number| self.evidence.remove(number));
            let liars = known.map_or(vec![], |(_, liars)| liars);
            assert_eq!(self.download.verified(piece), liars);
            if store_fails {
                self.download.write_failed(piece);
            } else {
                self.download.written(piece);
            }
            return;
        }
        self.waste.corrupt += u64::from(self.layout.length(piece));
        let was_suspect = self.download.suspects.contains(piece);
        let named = self.download.rejected(piece);
        let contributors: BTreeSet<_> = senders.into_iter().map(|(sender, _)| sender).collect();
        if contributors.len() == 1 {
            assert_eq!(named, liars.into_iter().collect::<Vec<_>>());
        } else {
            assert!(!was_suspect, "it was filled by one session alone");
            assert_eq!(named, []);
            self.evidence
                .push_back((piece, liars.into_iter().collect()));
            if self.evidence.len() > self.limits.suspects {
                self.evidence.pop_front();
            }
        }
    }

    /// Everybody leaves, and somebody comes who has everything.
    fn complete(&mut self) {
        for session in self.peers.keys().copied().collect::<Vec<_>>() {
            self.leave(session);
        }
        self.check();
        let session = self.join(Bitfield::full(self.layout.piece_count()));
        while !self.download.is_finished() {
            self.advance(session);
        }
        // What is under way of skipped pieces comes to its end.
        while self.download.in_progress().next().is_some() {
            self.advance(session);
        }
        self.priorities.fill(Priority::Low);
        self.download.set_priorities(&self.priorities);
        while !self.download.is_complete() {
            self.advance(session);
        }
        assert_eq!(self.download.bytes_had(), self.layout.total_length());
        assert_eq!(self.download.bytes_begun, 0);
    }

    fn advance(&mut self, session: SessionId) {
        self.pick(session, 3, &[]);
        let asked: Vec<Block> = self.peer(session).asked.iter().copied().collect();
        assert!(
            !(asked.is_empty() && self.verifying.is_empty() && self.writing.is_empty()),
            "there is something to do"
        );
        for block in asked {
            self.receive(session, block, false);
        }
        while !self.writing.is_empty() {
            self.end_writing(0, false);
        }
        while let Some(piece) = self.verifying.first() {
            self.end_verifying(*piece, false);
        }
        self.check();
    }

    fn check(&mut self) {
        let wants: Vec<bool> = self.layout.pieces().map(|p| self.wants(p)).collect();
        let have = self.download.have().clone();
        let missing = |piece: &PieceIndex| wants[piece.as_usize()] && !have.has(*piece);
        let finished = !self.layout.pieces().any(|piece| missing(&piece));
        assert_eq!(self.download.is_finished(), finished);
        for (session, peer) in &self.peers {
            let useful = peer.has.iter().any(|piece| missing(&piece));
            let known = self.download.wants_any_of(*session, &peer.has);
            assert_eq!(known, useful);
            assert_eq!(self.download.load(*session).asked, peer.asked);
        }
        self.check_states();
        self.check_lists();
    }

    fn check_states(&self) {
        let download = &self.download;
        for piece in self.layout.pieces() {
            let states = [
                download.picker.is_unbegun(piece),
                download.begun.contains_key(&piece),
                download.have().has(piece),
            ];
            let states = states.iter().filter(|state| **state).count();
            assert_eq!(states, 1, "{piece:?}");
            let verifying = matches!(download.begun.get(&piece), Some(Begun::Verifying { .. }));
            assert_eq!(verifying, self.verifying.contains(&piece));
            let holders = self.peers.values().filter(|peer| peer.has.has(piece));
            assert_eq!(download.availability(piece) as usize, holders.count());
        }
        assert_eq!(download.verifying, self.verifying.len());
        let bytes = |pieces: &Bitfield| {
            pieces
                .iter()
                .map(|p| download.stock.bytes_of(p))
                .sum::<u64>()
        };
        assert_eq!(download.bytes_had(), bytes(download.have()));
        assert_eq!(download.bytes_missing(), bytes(download.stock.missing()));
        let lengths = download
            .in_progress()
            .map(|p| self.limits.memory(self.layout.length(p)));
        assert_eq!(download.bytes_begun, lengths.sum::<u64>());
        assert!(download.begun.len() <= 2 || download.bytes_begun <= self.limits.bytes_in_progress);
        let waste = Waste {
            given_up: download.waste().given_up,
            ..self.waste
        };
        assert_eq!(download.waste(), waste);
    }

    fn check_lists(&self) {
        let download = &self.download;
        let copies = usize::from(self.limits.endgame_copies);
        let (mut open, mut joinable) = (BTreeSet::new(), BTreeSet::new());
        let mut repeatable = BTreeSet::new();
        let mut owned = BTreeSet::new();
        for piece in download.in_progress() {
            let Some(partial) = download.filling(piece) else {
                continue;
            };
            let mut asked: BTreeMap<Block, usize> = BTreeMap::new();
            let mut sure: BTreeMap<Block, usize> = BTreeMap::new();
            for (session, peer) in &self.peers {
                let delivers = usize::from(download.asker(*session).delivers);
                for block in peer.asked.iter().filter(|block| block.piece == piece) {
                    *asked.entry(*block).or_default() += 1;
                    *sure.entry(*block).or_default() += delivers;
                }
            }
            let known: BTreeMap<Block, usize> = partial
                .asked()
                .map(|(block, sessions)| (block, sessions.len()))
                .collect();
            assert_eq!(known, asked);
            assert!(
                self.wants(piece) || !asked.is_empty() || partial.writing().next().is_some(),
                "it should be given up"
            );
            let writing = self.writing.iter().filter(|s| s.piece == piece);
            let written: usize = writing.map(|s| s.data.len()).sum();
            let memory = written as u64 + known.len() as u64 * u64::from(BLOCK);
            let length = self.layout.length(piece);
            if self.limits.cut.in_parts(length) {
                let most = self.limits.memory(length) + u64::from(BLOCK);
                assert!(memory <= most, "{memory} bytes of {most}");
            }
            owned.extend(partial.owner.map(|owner| (owner, piece)));
            if !self.wants(piece) {
                continue;
            }
            if partial.has_unasked() {
                open.insert((partial.owner, piece));
                if !partial.alone {
                    joinable.insert(piece);
                }
            }
            if !partial.alone && sure.values().any(|sure| *sure < copies) {
                repeatable.insert(piece);
            }
        }
        assert_eq!(download.open, open);
        assert_eq!(download.joinable, joinable);
        assert_eq!(download.repeatable, repeatable);
        let loads = download.loads.iter();
        let loads = loads.flat_map(|(session, load)| {
            let pieces = load.owned.iter();
            pieces.map(|piece| (*session, *piece))
        });
        assert_eq!(loads.collect::<BTreeSet<_>>(), owned);
        assert!(download.loads.keys().all(|s| self.peers.contains_key(s)));
    }

    fn wants(&self, piece: PieceIndex) -> bool {
        self.priorities[piece.as_usize()] > Priority::Skip
    }

    fn senders(&self, piece: PieceIndex) -> Vec<(SessionId, bool)> {
        (0..self.layout.block_count(piece))
            .map(|number| self.sent[&self.layout.block(piece, number)])
            .collect()
    }

    fn any_piece(&self, u: &mut Unstructured<'_>) -> arbitrary::Result<PieceIndex> {
        let piece = u.int_in_range(0..=self.layout.piece_count() - 1)?;
        Ok(PieceIndex(piece))
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

const STRATEGIES: [Strategy; 3] = [
    Strategy::RarestFirst,
    Strategy::Sequential,
    Strategy::Streaming,
];

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
