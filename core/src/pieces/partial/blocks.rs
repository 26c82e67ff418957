//! The blocks of a piece in progress: which are here, and of whom the others are asked.

use std::ops::Range;

use crate::pieces::download::SessionId;

/// See the module. Blocks go by their numbers within the piece.
#[derive(Debug)]
pub(super) struct Blocks {
    states: Vec<State>,
    /// Blocks that have not arrived.
    missing: usize,
    /// Blocks that have.
    received: usize,
    /// Missing blocks that are asked of nobody.
    unasked: usize,
    /// No block before this one is asked of nobody.
    first_unasked: usize,
    /// Of how many sessions that deliver a block may be asked in the endgame.
    copies: usize,
    /// Blocks that are asked of somebody, and may be asked of others too.
    repeatable: usize,
}

/// Who asks for blocks, or lets go of them.
#[derive(Clone, Copy, Debug)]
pub(in crate::pieces) struct Asker {
    pub(in crate::pieces) session: SessionId,
    /// It has sent something, and keeps nobody waiting.
    pub(in crate::pieces) delivers: bool,
}

/// Of how many sessions a block is asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::pieces) struct Copies {
    /// Those of them that deliver.
    pub(in crate::pieces) sure: usize,
    /// All of them.
    pub(in crate::pieces) all: usize,
}

#[derive(Clone, Debug)]
enum State {
    Missing {
        asked: Vec<SessionId>,
        /// How many of them deliver: what the others promise is nothing to rely on.
        sure: usize,
    },
    Received {
        from: SessionId,
    },
    /// It is padding and nothing else: zeros, which nobody is asked for.
    Padding,
}

impl State {
    const UNASKED: State = State::Missing {
        asked: Vec::new(),
        sure: 0,
    };

    fn is_missing(&self) -> bool {
        matches!(self, State::Missing { .. })
    }

    fn sender(&self) -> Option<SessionId> {
        match self {
            State::Received { from } => Some(*from),
            State::Missing { .. } | State::Padding => None,
        }
    }
}

impl Blocks {
    /// Nothing has arrived, nothing is asked. Of each block it is said whether it is padding.
    pub(super) fn new(padding: impl Iterator<Item = bool>, copies: usize) -> Self {
        let states = padding.map(|padding| match padding {
            true => State::Padding,
            false => State::UNASKED,
        });
        let states: Vec<State> = states.collect();
        let missing = states.iter().filter(|state| state.is_missing()).count();
        Blocks {
            states,
            missing,
            received: 0,
            unasked: missing,
            first_unasked: 0,
            copies,
            repeatable: 0,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.states.len()
    }

    /// How many have not arrived.
    pub(super) fn missing(&self) -> usize {
        self.missing
    }

    /// How many of them are asked of nobody.
    pub(super) fn unasked(&self) -> usize {
        self.unasked
    }

    /// How many are here.
    pub(super) fn received(&self) -> usize {
        self.received
    }

    /// Which are here.
    pub(super) fn here(&self) -> impl Iterator<Item = usize> + '_ {
        let states = self.states.iter().enumerate();
        states.filter_map(|(number, state)| state.sender().map(|_| number))
    }

    /// One of these has not arrived.
    pub(super) fn any_missing(&self, of: Range<usize>) -> bool {
        self.states[of].iter().any(State::is_missing)
    }

    /// Some block is asked of somebody, and may be asked of others too.
    pub(super) fn is_repeatable(&self) -> bool {
        self.repeatable > 0
    }

    /// Asks the session for the first that is asked of nobody.
    pub(super) fn ask_next(&mut self, asker: Asker) -> Option<usize> {
        let unasked =
            |state: &State| matches!(state, State::Missing { asked, .. } if asked.is_empty());
        let mut behind = self.states[self.first_unasked..].iter();
        let number = self.first_unasked + behind.position(unasked)?;
        self.first_unasked = number + 1;
        self.unasked -= 1;
        self.ask(number, asker);
        Some(number)
    }

    /// Asks the session too for one that is asked of others.
    pub(super) fn ask(&mut self, number: usize, asker: Asker) {
        self.change(number, |asked, sure| {
            asked.push(asker.session);
            *sure += usize::from(asker.delivers);
        });
    }

    /// Those that are asked of others, but not of this session, and may be asked of it too;
    /// and of how many they are asked.
    ///
    /// Of so many as `copies` says, and of more as long as those don't deliver. Who does not
    /// deliver itself gets such a block as its chance, and others only within `copies`.
    pub(super) fn repeatable_for(
        &self,
        asker: Asker,
    ) -> impl Iterator<Item = (Copies, usize)> + '_ {
        let states = self.states.iter().enumerate();
        states.filter_map(move |(number, state)| match state {
            State::Missing { asked, sure }
                if self.may_repeat(asked.len(), *sure) && !asked.contains(&asker.session) =>
            {
                let copies = Copies {
                    sure: *sure,
                    all: asked.len(),
                };
                let allowed = asker.delivers || copies.all < self.copies || copies.sure == 0;
                allowed.then_some((copies, number))
            }
            _ => None,
        })
    }

    /// Those that are asked of somebody, and of whom.
    pub(super) fn asked(&self) -> impl Iterator<Item = (usize, &[SessionId])> {
        let states = self.states.iter().enumerate();
        states.filter_map(|(number, state)| match state {
            State::Missing { asked, .. } if !asked.is_empty() => Some((number, asked.as_slice())),
            _ => None,
        })
    }

    /// Of whom this one is asked; none if it is here.
    pub(super) fn asked_of(&self, number: usize) -> Option<&[SessionId]> {
        match &self.states[number] {
            State::Missing { asked, .. } => Some(asked),
            State::Received { .. } | State::Padding => None,
        }
    }

    /// A session of which it is asked delivers from now on, or no longer.
    pub(super) fn reconsider(&mut self, number: usize, delivers: bool) {
        self.change(number, |_, sure| {
            if delivers {
                *sure += 1;
            } else {
                *sure -= 1;
            }
        });
    }

    /// The session won't send it; false if it was not asked of it.
    pub(super) fn release(&mut self, number: usize, asker: Asker) -> bool {
        let Asker { session, delivers } = asker;
        let asked = self.asked_of(number).unwrap_or_default();
        if !asked.contains(&session) {
            return false;
        }
        if asked.len() == 1 {
            self.unasked += 1;
            self.first_unasked = self.first_unasked.min(number);
        }
        self.change(number, |asked, sure| {
            asked.retain(|&other| other != session);
            *sure -= usize::from(delivers);
        });
        true
    }

    /// A missing block is here. Of whom else it was asked.
    pub(super) fn arrive(&mut self, number: usize, from: SessionId) -> Vec<SessionId> {
        let mut others = self.asked_of(number).unwrap_or_default().to_vec();
        self.unasked -= usize::from(others.is_empty());
        others.retain(|&other| other != from);
        self.change(number, |asked, sure| {
            asked.clear();
            *sure = 0;
        });
        self.states[number] = State::Received { from };
        self.missing -= 1;
        self.received += 1;
        others
    }

    /// These were here, and are missing again.
    pub(super) fn lose(&mut self, numbers: Range<usize>) {
        self.first_unasked = self.first_unasked.min(numbers.start);
        for number in numbers {
            self.states[number] = State::UNASKED;
            self.missing += 1;
            self.unasked += 1;
            self.received -= 1;
        }
    }

    /// Who sent each of them, once all are here; of padding, which nobody sent and nobody can
    /// get wrong, somebody who sent another.
    pub(super) fn senders(&self) -> Vec<SessionId> {
        let any = self.states.iter().find_map(State::sender);
        let states = self.states.iter();
        states.filter_map(|state| state.sender().or(any)).collect()
    }

    /// Changes of whom a missing block is asked, and how many of them deliver.
    fn change(&mut self, number: usize, change: impl FnOnce(&mut Vec<SessionId>, &mut usize)) {
        let State::Missing { asked, sure } = &mut self.states[number] else {
            return;
        };
        let before = (asked.len(), *sure);
        change(asked, sure);
        let after = (asked.len(), *sure);
        self.repeatable -= usize::from(self.may_repeat(before.0, before.1));
        self.repeatable += usize::from(self.may_repeat(after.0, after.1));
    }

    /// Somebody may be asked, too, for a block that is asked of so many, of which so many
    /// deliver.
    fn may_repeat(&self, asked: usize, sure: usize) -> bool {
        asked > 0 && sure < self.copies
    }
}
