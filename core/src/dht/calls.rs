//! Queries that wait for an answer.

use super::address::{Contact, NodeAddress};
use super::config::Config;
use super::id::NodeId;
use super::lookup::LookupId;
use crate::rng::Rng;
use crate::sorted::SortedMap;
use crate::time::Time;
use std::time::Duration;

/// A query that was sent.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// To whom.
    pub(super) to: NodeAddress,
    /// What it is called; unknown of a bootstrap node.
    pub(super) id: Option<NodeId>,
    /// What for.
    pub(super) purpose: Purpose,
    sent: Time,
    stage: Stage,
}

/// How long a query has been waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not longer than most do.
    Fresh,
    /// Longer than most.
    Slow,
    /// So long that nobody waits for it.
    Late,
}

/// What a query is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To see whether somebody is there, and whom it knows.
    Upkeep,
    /// To see whether a stranger is where it says.
    Check,
    /// A step of a lookup.
    Step(LookupId),
    /// To have something stored at the end of one.
    Store(LookupId),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: SortedMap<u16, Call>,
    /// None before the first answer.
    round_trips: Option<RoundTrips>,
}

/// How long answers take, as TCP measures it (RFC 6298, section 2).
#[derive(Clone, Copy, Debug)]
struct RoundTrips {
    smoothed: Duration,
    deviation: Duration,
}

impl RoundTrips {
    fn first(took: Duration) -> Self {
        RoundTrips {
            smoothed: took,
            deviation: took / 2,
        }
    }

    fn and(self, took: Duration) -> Self {
        let RoundTrips {
            smoothed,
            deviation,
        } = self;
        RoundTrips {
            smoothed: smoothed - smoothed / 8 + took / 8,
            deviation: deviation - deviation / 4 + smoothed.abs_diff(took) / 4,
        }
    }
}

/// An answer that takes less time than this is not slow, however near most of them are: the time
/// in which a host may be busy with something else.
const GRANULARITY: Duration = Duration::from_millis(10);

/// What becomes of a query as time passes.
#[derive(Debug)]
pub(super) enum Passed {
    /// It takes longer than most.
    Slow(Call),
    /// Nobody waits for it any more.
    Late(Call),
    /// There will be no answer.
    Over(Call),
}

impl Call {
    /// What is known of whom it went to.
    pub(super) fn contact(&self) -> Option<Contact> {
        let (id, address) = (self.id?, self.to);
        Some(Contact { id, address })
    }

    /// It was late when its answer came, or its end.
    pub(super) fn is_late(&self) -> bool {
        self.stage == Stage::Late
    }
}

impl Calls {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// How many strangers are being asked.
    pub(super) fn checks(&self) -> usize {
        let calls = self.calls.values();
        calls.filter(|call| call.purpose == Purpose::Check).count()
    }

    /// Somebody there is being asked.
    pub(super) fn is_asking(&self, address: NodeAddress) -> bool {
        self.calls.values().any(|call| call.to == address)
    }

    /// The smoothed round trip.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trips.map(|round_trips| round_trips.smoothed)
    }

    /// A query is sent. Its transaction, which nobody can guess who doesn't see it.
    pub(super) fn begin(
        &mut self,
        now: Time,
        to: NodeAddress,
        id: Option<NodeId>,
        purpose: Purpose,
        rng: &mut Rng,
    ) -> [u8; 2] {
        let mut number = rng.next_u64() as u16;
        while self.calls.contains_key(&number) {
            number = number.wrapping_add(1);
        }
        let call = Call {
            to,
            id,
            purpose,
            sent: now,
            stage: match purpose {
                Purpose::Step(_) => Stage::Fresh,
                Purpose::Upkeep | Purpose::Check | Purpose::Store(_) => Stage::Slow,
            },
        };
        self.calls.insert(number, call);
        number.to_be_bytes()
    }

    /// Somebody answered. The query, if it was one of ours and went there, and how long it took.
    pub(super) fn end(
        &mut self,
        now: Time,
        from: NodeAddress,
        transaction: &[u8],
        config: &Config,
    ) -> Option<(Call, Duration)> {
        let number = u16::from_be_bytes(transaction.try_into().ok()?);
        if self.calls.get(&number)?.to != from {
            return None;
        }
        let call = self.calls.remove(&number)?;
        let took = now.saturating_since(call.sent);
        // One that answers out of spite when nobody waits any more has others waited for no longer.
        let counts = took.min(2 * self.late_after(config));
        self.round_trips = Some(match self.round_trips {
            None => RoundTrips::first(counts),
            Some(earlier) => earlier.and(counts),
        });
        Some((call, took))
    }

    /// After this long others are asked beside somebody.
    fn slow_after(&self, config: &Config) -> Duration {
        let late = self.late_after(config);
        self.round_trips.map_or(late, |round_trips| {
            let slow = round_trips.smoothed + config.slow_deviations * round_trips.deviation;
            slow.max(GRANULARITY).min(late)
        })
    }

    /// After this long nobody waits for somebody.
    fn late_after(&self, config: &Config) -> Duration {
        let late = match self.round_trips {
            None => config.first_timeout,
            Some(round_trips) => round_trips.smoothed + 4 * round_trips.deviation,
        };
        late.max(config.short_timeout).min(config.long_timeout)
    }

    /// The next query with which something happens by now.
    pub(super) fn pass(&mut self, now: Time, config: &Config) -> Option<Passed> {
        let over = |call: &Call| now.saturating_since(call.sent) >= config.long_timeout;
        let (slow_after, late_after) = (self.slow_after(config), self.late_after(config));
        let waited = |call: &Call| now.saturating_since(call.sent);
        let late = |call: &Call| call.stage != Stage::Late && waited(call) >= late_after;
        let slow = |call: &Call| call.stage == Stage::Fresh && waited(call) >= slow_after;
        let (number, call) = self
            .calls
            .iter_mut()
            .find(|(_, call)| over(call) || late(call) || slow(call))?;
        if !over(call) {
            let is_late = late(call);
            call.stage = if is_late { Stage::Late } else { Stage::Slow };
            let call = call.clone();
            return Some(match is_late {
                true => Passed::Late(call),
                false => Passed::Slow(call),
            });
        }
        let number = *number;
        self.calls.remove(&number).map(Passed::Over)
    }

    /// When [`Calls::pass`] next finds one.
    pub(super) fn due(&self, config: &Config) -> Option<Time> {
        let (slow_after, late_after) = (self.slow_after(config), self.late_after(config));
        let due = self.calls.values().map(|call| match call.stage {
            Stage::Fresh => call.sent + slow_after,
            Stage::Slow => call.sent + late_after,
            Stage::Late => call.sent + config.long_timeout,
        });
        due.min()
    }
}
