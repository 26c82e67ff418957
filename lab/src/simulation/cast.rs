//! Who comes when, as what, with what: drawn once, at the start.

use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::Bitfield;
use swarm_core::rng::Rng;

use super::attacker::Attack;
use super::{Nanos, nanos};
use crate::Scenario;
use crate::scenario::{AccessLink, Arrivals, Start, Stay};
use crate::snapshot::Role;

/// One peer, before it comes.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) role: Role,
    pub(super) arrives: Nanos,
    pub(super) leaves: Option<Nanos>,
    pub(super) link: AccessLink,
    /// What it has when it comes.
    pub(super) have: Bitfield,
    /// Its disk will fill up.
    pub(super) fills_up: bool,
    /// What it does in place of an engine.
    pub(super) attack: Option<Attack>,
}

/// Everybody, in the order of arrival.
pub(super) fn cast(scenario: &Scenario, metainfo: &Metainfo) -> Vec<Part> {
    let root = Rng::new(scenario.seed).fork("cast");
    let pieces = metainfo.layout().piece_count();
    let seeders = match scenario.start {
        Start::Centralized => scenario.seeders,
        Start::SpreadOut => 0,
    };
    let seeder = Part {
        role: Role::Seeder,
        arrives: 0,
        leaves: scenario.seeders_leave_after.map(nanos),
        link: scenario.seeder_link,
        have: Bitfield::full(pieces),
        fills_up: false,
        attack: None,
    };
    let mut parts = attackers(scenario, pieces);
    parts.extend(vec![seeder; seeders as usize]);
    let first = parts.len();
    let roles = roles(scenario, root.fork("roles"));
    let times = arrivals(scenario, root.fork("arrivals"));
    let mut stays = root.fork("stays");
    for (number, (role, arrives)) in roles.into_iter().zip(times).enumerate() {
        let full = role == Role::Liar;
        parts.push(Part {
            role,
            arrives,
            leaves: stay(scenario, number, &mut stays).map(|stay| arrives + stay),
            link: scenario.leecher_link,
            have: if full {
                Bitfield::full(pieces)
            } else {
                Bitfield::empty(pieces)
            },
            fills_up: false,
            attack: None,
        });
    }
    let leechers = &mut parts[first..];
    let mut disks = root.fork("disks");
    let honest: Vec<usize> = (0..leechers.len())
        .filter(|&i| leechers[i].role != Role::Liar)
        .collect();
    let full = share(scenario.store.full_share, honest.len());
    for index in drawn(honest, full, &mut disks) {
        leechers[index].fills_up = true;
    }
    if scenario.start == Start::SpreadOut {
        spread_out(leechers, metainfo, &mut root.fork("pieces"));
    }
    parts.sort_by_key(|part| part.arrives);
    parts
}

/// They are there first: whoever wants to be in the way is early.
fn attackers(scenario: &Scenario, pieces: u32) -> Vec<Part> {
    let kinds = [
        (Attack::Idle, scenario.idle),
        (Attack::Promise, scenario.promisers),
        (Attack::Impersonate, scenario.impostors),
    ];
    let attackers = kinds.into_iter().flat_map(|(attack, count)| {
        let part = Part {
            role: Role::Attacker,
            arrives: 0,
            leaves: None,
            link: scenario.leecher_link,
            have: Bitfield::empty(pieces),
            fills_up: false,
            attack: Some(attack),
        };
        vec![part; count as usize]
    });
    attackers.collect()
}

/// One copy of each piece to the contributors that are there first, as evenly as it goes.
fn spread_out(leechers: &mut [Part], metainfo: &Metainfo, rng: &mut Rng) {
    let start = leechers.iter().map(|part| part.arrives).min();
    let mut holders: Vec<&mut Part> = leechers
        .iter_mut()
        .filter(|part| part.role == Role::Contributor && Some(part.arrives) == start)
        .collect();
    if holders.is_empty() {
        return;
    }
    let mut pieces: Vec<_> = metainfo.layout().pieces().collect();
    rng.shuffle(&mut pieces);
    rng.shuffle(&mut holders);
    let count = holders.len();
    for (number, piece) in pieces.into_iter().enumerate() {
        holders[number % count].have.insert(piece);
    }
}

fn roles(scenario: &Scenario, mut rng: Rng) -> Vec<Role> {
    let count = scenario.leechers as usize;
    let riders = share(scenario.free_riders, count);
    let liars = share(scenario.liars, count);
    let mut roles = vec![Role::FreeRider; riders];
    roles.resize(riders + liars, Role::Liar);
    roles.resize(count.max(riders + liars), Role::Contributor);
    rng.shuffle(&mut roles);
    roles.truncate(count);
    roles
}

fn arrivals(scenario: &Scenario, mut rng: Rng) -> Vec<Nanos> {
    let count = scenario.leechers as usize;
    match &scenario.arrivals {
        Arrivals::AtOnce => vec![0; count],
        Arrivals::Poisson(rate) => {
            let mut time = 0;
            let next = |_| {
                time += exponential(1.0 / rate, &mut rng);
                time
            };
            (0..count).map(next).collect()
        }
        Arrivals::Trace(times) => {
            let last = times.last().copied().unwrap_or(0.0);
            let listed = times.iter().copied().chain(std::iter::repeat(last));
            listed.take(count).map(nanos).collect()
        }
    }
}

fn stay(scenario: &Scenario, number: usize, rng: &mut Rng) -> Option<Nanos> {
    match &scenario.stay {
        Stay::Exponential(mean) => Some(exponential(*mean, rng)),
        Stay::Trace(stays) => stays.get(number).copied().map(nanos),
        Stay::Forever | Stay::UntilComplete | Stay::SeedFor(_) => None,
    }
}

/// Exponentially distributed. In whole microseconds, because the last bits of a logarithm
/// are not the same on every platform.
fn exponential(mean: f64, rng: &mut Rng) -> Nanos {
    nanos((-mean * (1.0 - rng.unit()).ln() * 1e6).round() / 1e6)
}

fn share(share: f64, of: usize) -> usize {
    (share * of as f64).round() as usize
}

fn drawn(mut of: Vec<usize>, count: usize, rng: &mut Rng) -> Vec<usize> {
    rng.shuffle(&mut of);
    of.truncate(count);
    of
}
