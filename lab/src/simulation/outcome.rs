//! What there is to see, and what was measured.

use swarm_core::pieces::Waste;

use super::measure::Stall;
use super::peer::Peer;
use super::{Nanos, Simulation, time};
use crate::results::{Fairness, PeerResult, Results, Summary};
use crate::scenario::{Arrivals, Start};
use crate::schedule::seconds;
use crate::snapshot::{Flow, PeerSnapshot, Role, Snapshot};

/// Bytes of a block.
const BLOCK: u64 = 16 << 10;

pub(super) fn snapshot(simulation: &mut Simulation) -> Snapshot {
    let flow = |((from, to), (bytes, direct))| Flow {
        from: from as u32,
        to: to as u32,
        bytes,
        direct,
    };
    let complete = |peer: &&Peer| peer.completed.is_some();
    Snapshot {
        time: seconds(simulation.now),
        peers: simulation.peers.iter().map(peer_snapshot).collect(),
        flows: simulation
            .measure
            .take_flows()
            .into_iter()
            .map(flow)
            .collect(),
        complete: simulation.peers.iter().filter(complete).count() as u32,
        waiting: simulation.waiting as u32,
    }
}

fn peer_snapshot(peer: &Peer) -> PeerSnapshot {
    PeerSnapshot {
        role: peer.part.role,
        present: peer.is_connected(),
        links: peer.wires.len() as u32,
        have: peer.have.as_bytes().to_vec(),
        pieces: peer.have.count(),
        received: peer.received,
        sent: peer.sent,
    }
}

pub(super) fn results(simulation: &Simulation) -> Results {
    let now = simulation.now;
    let peers: Vec<PeerResult> = simulation
        .peers
        .iter()
        .map(|p| peer_result(p, now))
        .collect();
    let leechers = || simulation.peers.iter().filter(|peer| peer.is_leecher());
    let wastes: Vec<Waste> = leechers().map(|peer| peer.waste(time(now))).collect();
    let wasted = |kind: fn(&Waste) -> u64| wastes.iter().map(kind).sum();
    let starved = leechers().map(|peer| peer.starved.longest(now)).max();
    Results {
        time: seconds(now),
        events: simulation.measure.events,
        blocks: simulation.measure.received / BLOCK,
        completion: summary(&peers, Role::Contributor),
        free_rider_completion: summary(&peers, Role::FreeRider),
        least_time: least_time(simulation),
        utilisation: simulation.measure.utilisation(now),
        relayed: simulation.measure.relayed,
        direct: simulation.measure.direct(),
        links: simulation.measure.linked,
        links_broken: simulation.measure.broken,
        by_source: by_source(&peers),
        duplicate: wasted(|waste| waste.duplicate),
        corrupt: wasted(|waste| waste.corrupt),
        unrequested: wasted(|waste| waste.unrequested),
        given_up: wasted(|waste| waste.given_up),
        fairness: fairness(&peers),
        fairness_index: fairness_index(&peers),
        longest_stall: seconds(starved.unwrap_or(0)),
        peers,
    }
}

fn peer_result(peer: &Peer, now: Nanos) -> PeerResult {
    let stall = |clock: &Stall| seconds(clock.longest(now));
    PeerResult {
        role: peer.part.role,
        arrived: seconds(peer.part.arrives),
        completed: peer.completed.map(seconds),
        left: peer.left.map(seconds),
        pieces: peer.have.count(),
        received: peer.received,
        sent: peer.sent,
        wasted: peer.waste(time(now)).total(),
        banned: peer.banned,
        links: peer.links_made,
        longest_stall: stall(&peer.quiet),
    }
}

const ROLES: [Role; 5] = [
    Role::Seeder,
    Role::Contributor,
    Role::FreeRider,
    Role::Liar,
    Role::Attacker,
];

fn by_source(peers: &[PeerResult]) -> Vec<(Role, u64)> {
    ROLES
        .into_iter()
        .map(|role| {
            let of_role = peers.iter().filter(|peer| peer.role == role);
            (role, of_role.map(|peer| peer.sent).sum())
        })
        .collect()
}

fn fairness(peers: &[PeerResult]) -> Vec<Fairness> {
    let of = |role| {
        let of_role = || peers.iter().filter(move |peer| peer.role == role);
        let given = of_role().map(|peer| peer.sent).sum();
        let taken = of_role().map(|peer| peer.received).sum();
        Fairness {
            role,
            peers: of_role().count() as u32,
            given,
            taken,
            ratio: ratio(given, taken),
        }
    };
    let came = |fairness: &Fairness| fairness.peers > 0;
    ROLES.into_iter().map(of).filter(came).collect()
}

fn fairness_index(peers: &[PeerResult]) -> Option<f64> {
    let contributors = peers.iter().filter(|peer| peer.role == Role::Contributor);
    let ratios = contributors.filter_map(|peer| ratio(peer.sent, peer.received));
    let (count, sum, squares) = ratios.fold((0.0, 0.0, 0.0), |(count, sum, squares), ratio| {
        (count + 1.0, sum + ratio, squares + ratio * ratio)
    });
    (squares > 0.0).then(|| sum * sum / (count * squares))
}

fn ratio(given: u64, taken: u64) -> Option<f64> {
    (taken > 0).then(|| given as f64 / taken as f64)
}

fn summary(peers: &[PeerResult], role: Role) -> Summary {
    let of_role = || peers.iter().filter(|peer| peer.role == role);
    let times = of_role().filter_map(|peer| Some(peer.completed? - peer.arrived));
    Summary::of(times.collect(), of_role().count())
}

impl Summary {
    /// Of these times, out of `of` that there might have been.
    pub fn of(mut times: Vec<f64>, of: usize) -> Self {
        let of = of as u32;
        times.sort_by(f64::total_cmp);
        let Some(&last) = times.last() else {
            return Summary {
                of,
                ..Summary::default()
            };
        };
        // The smallest time by which this share of them is complete (nearest rank).
        let quantile = |share: f64| {
            let rank = (share * times.len() as f64).ceil() as usize;
            times[rank.clamp(1, times.len()) - 1]
        };
        Summary {
            count: times.len() as u32,
            of,
            mean: times.iter().sum::<f64>() / times.len() as f64,
            p50: quantile(0.5),
            p95: quantile(0.95),
            last,
        }
    }
}

/// Kurose and Ross, "Computer Networking", on peer-to-peer file distribution. Free-riders
/// and liars give nothing.
fn least_time(simulation: &Simulation) -> Option<f64> {
    let scenario = &simulation.scenario;
    if scenario.start != Start::Centralized || scenario.arrivals != Arrivals::AtOnce {
        return None;
    }
    let size = f64::from(scenario.pieces) * f64::from(scenario.piece_length);
    let seeders = f64::from(scenario.seeders) * scenario.seeder_link.up;
    let count = |roles: &[Role]| {
        let parts = simulation.cast.iter().map(|part| part.role);
        let all = parts.chain(simulation.peers.iter().map(|peer| peer.part.role));
        all.filter(|role| roles.contains(role)).count() as f64
    };
    let takers = count(&[Role::Contributor, Role::FreeRider]);
    let givers = count(&[Role::Contributor]) * scenario.leecher_link.up;
    (seeders > 0.0 && takers > 0.0).then(|| {
        let first = size / seeders;
        let download = size / scenario.leecher_link.down;
        let all = takers * size / (seeders + givers);
        first.max(download).max(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_times_that_were_measured() {
        let summary = Summary::of(vec![4.0, 1.0, 3.0, 2.0], 5);
        assert_eq!((summary.count, summary.of), (4, 5));
        assert_eq!((summary.p50, summary.p95, summary.last), (2.0, 4.0, 4.0));
        assert!((summary.mean - 2.5).abs() < 1e-12);
        assert_eq!(Summary::of(Vec::new(), 3).of, 3);
    }
}
