//! What there is a bounded amount of, and who has how much of it.
//!
//! While some is left, anybody may have it. When nothing is, it is taken back from whoever
//! has most: so one address may use all of it as long as nobody else wants any, and cannot
//! keep it from others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Whom it is taken back from when there is none left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The oldest holder of the source that has most. For what nobody needs for long.
    Oldest,
    /// The largest holder of the source that has most: that may be the one who wants more.
    Largest,
}

/// An amount, given out in [`Share`]s to holders that belong to sources.
#[derive(Debug)]
pub(crate) struct Shares<S> {
    limit: u64,
    rule: Rule,
    state: Mutex<State<S>>,
}

#[derive(Debug)]
struct State<S> {
    used: u64,
    /// What each source has that has any.
    sources: BTreeMap<S, Holders>,
    /// The same the other way round.
    order: BTreeSet<(u64, S)>,
    next: u64,
    /// How often some was taken back.
    taken_back: u64,
}

#[derive(Debug, Default)]
struct Holders {
    used: u64,
    /// By age.
    by_age: BTreeMap<u64, Holder>,
}

#[derive(Debug)]
struct Holder {
    amount: u64,
    taken_back: CancellationToken,
}

/// Nothing is left, and it can be taken back from nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// What one holder has. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Share<S: Copy + Ord> {
    shares: Arc<Shares<S>>,
    /// None: it counts, and is never taken back.
    source: Option<S>,
    id: u64,
    taken_back: CancellationToken,
    /// What an unbounded holder has; those of sources are in their books.
    exempt: u64,
}

impl<S: Copy + Ord> Shares<S> {
    /// `limit` in all.
    pub(crate) fn new(limit: u64, rule: Rule) -> Arc<Self> {
        let state = State {
            used: 0,
            sources: BTreeMap::new(),
            order: BTreeSet::new(),
            next: 0,
            taken_back: 0,
        };
        Arc::new(Shares {
            limit,
            rule,
            state: Mutex::new(state),
        })
    }

    /// What is given out.
    pub(crate) fn used(&self) -> u64 {
        self.lock().used
    }

    /// How often some was taken back for another.
    pub(crate) fn taken_back(&self) -> u64 {
        self.lock().taken_back
    }

    /// Some for a new holder. Without a source (a proxy that speaks for many) it is neither
    /// limited by what the others of its kind have nor ever taken back.
    pub(crate) fn take(
        self: &Arc<Self>,
        source: Option<S>,
        amount: u64,
    ) -> Result<Share<S>, Refused> {
        let mut state = self.lock();
        state.next += 1;
        let id = state.next;
        let taken_back = CancellationToken::new();
        if let Some(source) = source {
            let holders = &mut state.sources.entry(source).or_default().by_age;
            let taken_back = taken_back.clone();
            holders.insert(
                id,
                Holder {
                    amount: 0,
                    taken_back,
                },
            );
        }
        let mut share = Share {
            shares: self.clone(),
            source,
            id,
            taken_back,
            exempt: 0,
        };
        let given = self.give(&mut state, &mut share, amount);
        drop(state);
        // Refused, it leaves again when it is dropped.
        given.map(|()| share)
    }

    /// Makes what a holder has `amount`.
    fn give(&self, state: &mut State<S>, share: &mut Share<S>, amount: u64) -> Result<(), Refused> {
        let Some(source) = share.source else {
            let more = amount.saturating_sub(share.exempt);
            if more > 0 && !self.make_room(state, more) {
                return Err(Refused);
            }
            state.used = state.used - share.exempt + amount;
            share.exempt = amount;
            return Ok(());
        };
        let Some(has) = state.amount(source, share.id) else {
            // It was taken back, and its end is on its way to the holder.
            return Ok(());
        };
        // First booked, then made room for: the one who wants more may be the largest.
        if self.rule == Rule::Largest {
            state.book(source, share.id, amount);
            self.make_room(state, 0);
            return Ok(());
        }
        let more = amount.saturating_sub(has);
        if more > 0 && !self.make_room(state, more) {
            return Err(Refused);
        }
        state.book(source, share.id, amount);
        Ok(())
    }

    /// Takes back until `more` is left. False: there is nobody to take it from.
    fn make_room(&self, state: &mut State<S>, more: u64) -> bool {
        while state.used.saturating_add(more) > self.limit {
            let Some(&(_, largest)) = state.order.last() else {
                return false;
            };
            let holders = &state.sources[&largest].by_age;
            let holding = holders.iter().filter(|(_, holder)| holder.amount > 0);
            let chosen = match self.rule {
                Rule::Oldest => holding.map(|(&id, _)| id).next(),
                Rule::Largest => holding.max_by_key(|(_, it)| it.amount).map(|(&id, _)| id),
            };
            let Some(id) = chosen else { return false };
            state.taken_back += 1;
            if let Some(holder) = state.remove(largest, id) {
                holder.taken_back.cancel();
            }
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State<S>> {
        // The books are changed in steps that can't panic half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Copy + Ord> State<S> {
    fn amount(&self, source: S, id: u64) -> Option<u64> {
        Some(self.sources.get(&source)?.by_age.get(&id)?.amount)
    }

    fn book(&mut self, source: S, id: u64, amount: u64) {
        let Some(entry) = self.sources.get_mut(&source) else {
            return;
        };
        let Some(holder) = entry.by_age.get_mut(&id) else {
            return;
        };
        self.order.remove(&(entry.used, source));
        entry.used = entry.used - holder.amount + amount;
        self.used = self.used - holder.amount + amount;
        holder.amount = amount;
        if entry.used > 0 {
            self.order.insert((entry.used, source));
        }
    }

    fn remove(&mut self, source: S, id: u64) -> Option<Holder> {
        self.book(source, id, 0);
        let entry = self.sources.get_mut(&source)?;
        let holder = entry.by_age.remove(&id);
        if entry.by_age.is_empty() {
            self.sources.remove(&source);
        }
        holder
    }
}

impl<S: Copy + Ord> Share<S> {
    /// Makes it larger or smaller.
    pub(crate) fn resize(&mut self, amount: u64) -> Result<(), Refused> {
        let shares = self.shares.clone();
        let mut state = shares.lock();
        shares.give(&mut state, self, amount)
    }

    /// Completes when it is taken back.
    pub(crate) async fn taken_back(&self) {
        self.taken_back.cancelled().await;
    }

    /// The same, for whoever polls it beside the share.
    pub(crate) fn until_taken_back(&self) -> WaitForCancellationFutureOwned {
        self.taken_back.clone().cancelled_owned()
    }
}

impl<S: Copy + Ord> Drop for Share<S> {
    fn drop(&mut self) {
        let mut state = self.shares.lock();
        match self.source {
            Some(source) => {
                state.remove(source, self.id);
            }
            None => state.used -= self.exempt,
        }
    }
}

#[cfg(test)]
mod tests;
