//! Whatever peers do, the picker knows what a plain list of bitfields knows.

use arbitrary::Unstructured;

use super::*;

const WINDOW: u32 = 5;

struct Model {
    picker: Picker,
    pieces: u32,
    strategy: Strategy,
    random_first: bool,
    play_position: u32,
    priorities: Vec<Priority>,
    unbegun: BTreeSet<u32>,
    peers: BTreeMap<SessionId, Bitfield>,
    next_session: SessionId,
}

#[test]
fn agrees_with_a_plain_model() {
    arbtest::arbtest(|u| {
        let mut model = Model::new(u)?;
        while !u.is_empty() {
            model.step(u)?;
            if model.pieces <= 20 {
                model.check();
            }
        }
        model.check();
        Ok(())
    })
    // Many short stories tell more than a few long ones.
    .size_max(1_500);
}

impl Model {
    /// Few pieces, where everything happens to each, or many, where not all are looked at.
    fn new(u: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let pieces = u.int_in_range(1..=20)? * if u.ratio(1, 3)? { 30 } else { 1 };
        let strategy = Strategy::RarestFirst;
        let rng = Rng::new(u.arbitrary()?);
        Ok(Model {
            picker: Picker::new(&Bitfield::empty(pieces), strategy, WINDOW, rng),
            pieces,
            strategy,
            random_first: false,
            play_position: 0,
            priorities: vec![Priority::Normal; pieces as usize],
            unbegun: (0..pieces).collect(),
            peers: BTreeMap::new(),
            next_session: 0,
        })
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let sessions: Vec<SessionId> = self.peers.keys().copied().collect();
        let kind = u.int_in_range(0..=12)?;
        if kind == 0 || sessions.is_empty() {
            self.join(u)?;
            return Ok(());
        }
        let session = *u.choose(&sessions)?;
        match kind {
            1 => {
                let has = self.peers.remove(&session).unwrap();
                self.picker.peer_left(session, &has);
            }
            2 | 3 => {
                let has = self.peers.get_mut(&session).unwrap();
                let first = u.int_in_range(0..=self.pieces - 1)?;
                for piece in (first..self.pieces).take(u.int_in_range(1..=20)?) {
                    if has.insert(PieceIndex(piece)) {
                        self.picker.peer_has(session, PieceIndex(piece));
                    }
                }
            }
            4 => self.change(u)?,
            5 | 6 => {
                let begun = (0..self.pieces).filter(|piece| !self.unbegun.contains(piece));
                let begun: Vec<u32> = begun.collect();
                if !begun.is_empty() {
                    let piece = *u.choose(&begun)?;
                    self.picker.put_back(PieceIndex(piece));
                    self.unbegun.insert(piece);
                }
            }
            7 => self.pick_among(session, u)?,
            _ => self.pick(session, u)?,
        }
        Ok(())
    }

    fn join(&mut self, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let has = match u.int_in_range(0..=2)? {
            0 => Bitfield::full(self.pieces),
            1 => {
                let (start, step) = (u.int_in_range(0..=50)?, u.int_in_range(1..=100)?);
                bits(self.pieces, (start..self.pieces).step_by(step))
            }
            _ => {
                let seed = Rng::new(u.arbitrary()?).next_u64();
                bits(
                    self.pieces,
                    (0..self.pieces).filter(|piece| seed >> (piece % 61) & 1 == 1),
                )
            }
        };
        self.next_session += 1;
        self.picker.peer_joined(self.next_session, &has);
        self.peers.insert(self.next_session, has);
        Ok(())
    }

    fn change(&mut self, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        match u.int_in_range(0..=3)? {
            0 => {
                self.strategy = *u.choose(&[
                    Strategy::Sequential,
                    Strategy::RarestFirst,
                    Strategy::Streaming,
                ])?;
                self.picker.set_strategy(self.strategy);
            }
            1 => {
                self.play_position = u.int_in_range(0..=self.pieces - 1)?;
                self.picker
                    .set_play_position(PieceIndex(self.play_position));
            }
            2 => {
                self.random_first = u.arbitrary()?;
                self.picker.set_random_first(self.random_first);
            }
            _ => {
                let first = u.int_in_range(0..=self.pieces - 1)?;
                let priority = *u.choose(&[
                    Priority::Skip,
                    Priority::Low,
                    Priority::Normal,
                    Priority::High,
                ])?;
                for piece in (first..self.pieces).take(u.int_in_range(1..=30)?) {
                    self.priorities[piece as usize] = priority;
                }
                self.picker.set_priorities(&self.priorities);
            }
        }
        Ok(())
    }

    fn pick(&mut self, session: SessionId, u: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        let suggested = self.some_pieces(u)?;
        let has = self.peers[&session].clone();
        let useful: Vec<u32> = self.useful(&has).collect();
        assert_eq!(self.picker.any_of(session, &has), !useful.is_empty());
        let best = useful.iter().map(|piece| self.merit(*piece)).min();
        let picked = self.picker.pick(session, &has, &suggested);
        let picked = picked.map(PieceIndex::get);
        assert_eq!(picked.map(|piece| self.merit(piece)), best);
        if let Some(picked) = picked {
            assert!(useful.contains(&picked));
            let equal = |piece: &u32| useful.contains(piece) && Some(self.merit(*piece)) == best;
            let preferred = suggested.iter().map(|piece| piece.get()).find(equal);
            assert_eq!(preferred.unwrap_or(picked), picked);
            self.unbegun.remove(&picked);
        }
        Ok(())
    }

    fn pick_among(
        &mut self,
        session: SessionId,
        u: &mut Unstructured<'_>,
    ) -> arbitrary::Result<()> {
        let among = self.some_pieces(u)?;
        let has = &self.peers[&session];
        let useful: BTreeSet<u32> = self
            .useful(has)
            .filter(|piece| among.contains(&PieceIndex(*piece)))
            .collect();
        let best = useful.iter().map(|piece| self.merit(*piece)).min();
        let picked = self.picker.pick_among(has, &among).map(PieceIndex::get);
        assert_eq!(picked.map(|piece| self.merit(piece)), best);
        if let Some(picked) = picked {
            assert!(useful.contains(&picked) && self.unbegun.remove(&picked));
        }
        Ok(())
    }

    fn some_pieces(&self, u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<PieceIndex>> {
        let count = u.int_in_range(0..=4)?;
        (0..count)
            .map(|_| Ok(PieceIndex(u.int_in_range(0..=self.pieces - 1)?)))
            .collect()
    }

    fn useful<'a>(&'a self, has: &'a Bitfield) -> impl Iterator<Item = u32> + 'a {
        self.unbegun.iter().copied().filter(|piece| {
            has.has(PieceIndex(*piece)) && self.priorities[*piece as usize] > Priority::Skip
        })
    }

    /// The least is picked.
    fn merit(&self, piece: u32) -> (std::cmp::Reverse<Priority>, u32, usize) {
        let rarity = self.holders(piece);
        let window = self.play_position..self.play_position + WINDOW;
        let (order, rarity) = match self.strategy {
            Strategy::Sequential => (piece, 0),
            Strategy::RarestFirst if self.random_first => (0, 0),
            Strategy::RarestFirst => (0, rarity),
            Strategy::Streaming if window.contains(&piece) => (piece, 0),
            Strategy::Streaming => (u32::MAX, rarity),
        };
        let priority = self.priorities[piece as usize];
        (std::cmp::Reverse(priority), order, rarity)
    }

    fn holders(&self, piece: u32) -> usize {
        let peers = self.peers.values();
        peers.filter(|has| has.has(PieceIndex(piece))).count()
    }

    fn check(&self) {
        let mut available = false;
        for piece in 0..self.pieces {
            let index = PieceIndex(piece);
            let holders = self.holders(piece);
            let wanted = self.priorities[piece as usize] > Priority::Skip;
            let unbegun = self.unbegun.contains(&piece);
            available |= wanted && unbegun && holders > 0;
            assert_eq!(self.picker.availability(index) as usize, holders);
            assert_eq!(self.picker.is_unbegun(index), unbegun);
        }
        assert_eq!(self.picker.any_available(), available);
        let least = (0..self.pieces).map(|piece| self.holders(piece)).min();
        assert_eq!(Some(self.picker.copies() as usize), least);
    }
}
