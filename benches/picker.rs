//! How the cost of choosing a piece grows with the torrent and with the swarm.
//!
//! `cargo bench -p swarm-benches`: every figure is the mean time of one choice, or of one
//! change, over a whole download: costs that come seldom are in it.

use bytes::Bytes;
use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use swarm_core::pieces::download::SessionId;
use swarm_core::pieces::{
    Bitfield, Block, BlockOutcome, Download, DownloadLimits, Layout, Picker, PieceIndex, Strategy,
};
use swarm_core::rng::Rng;

const PIECES: [u32; 3] = [1_000, 10_000, 100_000];
const PEERS: [u32; 3] = [10, 50, 200];
/// Requests that each session of a download has in flight.
const IN_FLIGHT: usize = 16;

/// Who has what.
#[derive(Clone, Copy)]
enum Spread {
    /// Every tenth peer has everything, the others a random half.
    Dense,
    /// Every piece is with two random peers.
    Sparse,
    /// One peer alone has half of the pieces, all the others have the other half: no luck
    /// with the rarest.
    Split,
}

/// A swarm that one picker sees.
struct Swarm {
    pieces: u32,
    peers: Vec<(SessionId, Bitfield)>,
}

impl Swarm {
    fn new(spread: Spread, pieces: u32, peers: u32) -> Self {
        let mut rng = Rng::new(u64::from(pieces) << 32 | u64::from(peers));
        let layout = one_byte_pieces(pieces);
        let mut has = vec![Bitfield::empty(pieces); peers as usize];
        for piece in layout.pieces() {
            let owners = [rng.below(has.len()), rng.below(has.len())];
            for (number, has) in has.iter_mut().enumerate() {
                let gets = match spread {
                    Spread::Dense => number % 10 == 0 || rng.below(2) == 0,
                    Spread::Sparse => owners.contains(&number),
                    Spread::Split => (number == 0) == (piece.get() % 2 == 0),
                };
                if gets {
                    has.insert(piece);
                }
            }
        }
        Swarm {
            pieces,
            peers: (1..).zip(has).collect(),
        }
    }

    fn picker(&self, strategy: Strategy) -> Picker {
        let nothing = Bitfield::empty(self.pieces);
        let mut picker = Picker::new(&nothing, strategy, 1_000, Rng::new(1));
        for (session, has) in &self.peers {
            picker.peer_joined(*session, has);
        }
        picker
    }

    /// Peers in turn are asked for a piece until they have nothing any more.
    fn pick_all(&self, mut picker: Picker) -> u32 {
        let mut picked = 0;
        let mut peers: Vec<_> = self.peers.iter().collect();
        while !peers.is_empty() {
            peers.retain(|(session, has)| {
                let piece = black_box(picker.pick(*session, has, &[]));
                picked += u32::from(piece.is_some());
                piece.is_some()
            });
        }
        picked
    }

    fn download(&self) -> Download {
        let layout = one_byte_pieces(self.pieces);
        let nothing = Bitfield::empty(self.pieces);
        let limits = DownloadLimits::default();
        let strategy = Strategy::RarestFirst;
        let mut download = Download::new(layout, nothing, strategy, limits, Rng::new(1));
        for (session, has) in &self.peers {
            download.peer_joined(*session, has);
        }
        download
    }

    /// A whole download of pieces of one byte, so that choosing is nearly all there is.
    fn complete(&self, mut download: Download) -> Download {
        let mut asked: Vec<Vec<Block>> = vec![Vec::new(); self.peers.len()];
        while !download.is_complete() {
            for ((session, has), asked) in self.peers.iter().zip(&mut asked) {
                for block in asked.drain(..) {
                    if let BlockOutcome::Complete { piece, .. } =
                        download.receive(*session, block, &Bytes::copy_from_slice(&[0]))
                    {
                        download.verified(piece);
                        download.written(piece);
                    }
                }
                *asked = download.pick(*session, has, IN_FLIGHT, &[]);
            }
        }
        download
    }
}

fn one_byte_pieces(pieces: u32) -> Layout {
    Layout::new(u64::from(pieces), 1).expect("few enough pieces")
}

fn measure(
    criterion: &mut Criterion,
    name: &str,
    spread: Spread,
    run: impl Fn(&mut criterion::Bencher<'_>, &Swarm),
) {
    let mut group = criterion.benchmark_group(name);
    for pieces in PIECES {
        for peers in PEERS {
            let swarm = Swarm::new(spread, pieces, peers);
            group.throughput(Throughput::Elements(u64::from(pieces)));
            let id = BenchmarkId::from_parameter(format!("{pieces} pieces x {peers} peers"));
            group.bench_with_input(id, &swarm, &run);
        }
    }
    group.finish();
}

fn choices(criterion: &mut Criterion) {
    for (name, spread, strategy) in [
        ("rarest, dense", Spread::Dense, Strategy::RarestFirst),
        ("rarest, sparse", Spread::Sparse, Strategy::RarestFirst),
        ("rarest, split", Spread::Split, Strategy::RarestFirst),
        ("sequential, sparse", Spread::Sparse, Strategy::Sequential),
        ("streaming, split", Spread::Split, Strategy::Streaming),
    ] {
        measure(criterion, name, spread, |bencher, swarm| {
            let picker = swarm.picker(strategy);
            assert_eq!(swarm.pick_all(picker.clone()), swarm.pieces);
            bencher.iter_batched(
                || picker.clone(),
                |picker| swarm.pick_all(picker),
                BatchSize::LargeInput,
            );
        });
    }
}

/// A peer without anything gets everything; a peer with half of it comes and goes.
fn changes(criterion: &mut Criterion) {
    let pieces = |swarm: &Swarm| -> Vec<PieceIndex> {
        let mut pieces: Vec<_> = one_byte_pieces(swarm.pieces).pieces().collect();
        Rng::new(2).shuffle(&mut pieces);
        pieces
    };
    measure(criterion, "have", Spread::Dense, |bencher, swarm| {
        let picker = swarm.picker(Strategy::RarestFirst);
        let all = pieces(swarm);
        bencher.iter_batched(
            || {
                let mut picker = picker.clone();
                picker.peer_joined(0, &Bitfield::empty(swarm.pieces));
                picker
            },
            |mut picker| {
                for piece in &all {
                    picker.peer_has(0, *piece);
                }
                picker
            },
            BatchSize::LargeInput,
        );
    });
    measure(
        criterion,
        "join and leave",
        Spread::Dense,
        |bencher, swarm| {
            let mut picker = swarm.picker(Strategy::RarestFirst);
            let mut half = Bitfield::empty(swarm.pieces);
            for piece in &pieces(swarm)[..swarm.pieces as usize / 2] {
                half.insert(*piece);
            }
            bencher.iter(|| {
                picker.peer_joined(0, &half);
                picker.peer_left(0, &half);
            });
        },
    );
}

fn downloads(criterion: &mut Criterion) {
    for (name, spread) in [
        ("whole piece, dense", Spread::Dense),
        ("whole piece, sparse", Spread::Sparse),
    ] {
        measure(criterion, name, spread, |bencher, swarm| {
            bencher.iter_batched(
                || swarm.download(),
                |download| swarm.complete(download),
                BatchSize::PerIteration,
            );
        });
    }
}

criterion_group! {
    name = picker;
    // Each run is thousands of choices already.
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(std::time::Duration::from_millis(200))
        .measurement_time(std::time::Duration::from_secs(1));
    targets = choices, changes, downloads
}
criterion_main!(picker);
