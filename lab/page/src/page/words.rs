//! What is seen, in words: for everybody as a sentence, for screen readers instead of the
//! pictures.

use lab_page::settings::Side;
use swarm_lab::Snapshot;
use swarm_lab::snapshot::{PeerSnapshot, Role};

use super::figures::seconds;
use crate::messages::Figures;

/// The part of the pieces that those leechers have who ever came.
pub(super) fn part_of_pieces(snapshot: &Snapshot, pieces: u32) -> f64 {
    let leechers = snapshot.peers.iter().filter(|peer| is_leecher(peer));
    let (count, had) = leechers.fold((0_u64, 0_u64), |(count, had), peer| {
        (count + 1, had + u64::from(peer.pieces))
    });
    match count * u64::from(pieces) {
        0 => 0.0,
        all => had as f64 / all as f64,
    }
}

pub(super) fn is_leecher(peer: &PeerSnapshot) -> bool {
    matches!(peer.role, Role::Contributor | Role::FreeRider)
}

/// How one run is.
pub(super) fn of_run(name: &str, side: Side, snapshot: &Snapshot, pieces: u32) -> String {
    let waiting = match snapshot.waiting {
        0 => "nobody waits".to_owned(),
        1 => "1 waits".to_owned(),
        waiting => format!("{waiting} wait"),
    };
    format!(
        "{name}, {}: {} complete, {waiting}, {:.0}% of the pieces are there.",
        lowercase(&side.words()),
        snapshot.complete,
        (part_of_pieces(snapshot, pieces) * 100.0).floor(),
    )
}

/// How it ended.
pub(super) fn verdict(sides: &[Side], figures: &[Option<Figures>]) -> Option<String> {
    let ends: Vec<(&str, Side, &Figures)> = ["A", "B"]
        .into_iter()
        .zip(sides)
        .zip(figures)
        .filter_map(|((name, side), figures)| Some((name, *side, figures.as_ref()?)))
        .collect();
    let all: Vec<String> = ends
        .iter()
        .map(|(name, side, figures)| {
            format!("{name}, {}: {}", lowercase(&side.words()), end(figures))
        })
        .collect();
    let ratio = match &ends[..] {
        [(_, _, a), (_, _, b)] if has_ended(a) && has_ended(b) => {
            comparison(a.completion.mean, b.completion.mean)
        }
        _ => String::new(),
    };
    (!all.is_empty()).then(|| all.join(" ") + &ratio)
}

fn has_ended(figures: &Figures) -> bool {
    figures.completion.count == figures.completion.of && figures.completion.count > 0
}

fn end(figures: &Figures) -> String {
    let completion = &figures.completion;
    if completion.count < completion.of {
        return format!(
            "{} of {} complete, the others left before or could not.",
            completion.count, completion.of,
        );
    }
    let mean = seconds(completion.mean);
    let free_riders = &figures.free_rider_completion;
    let others = match free_riders.count {
        0 => String::new(),
        _ => format!(", free-riders after {}", seconds(free_riders.mean)),
    };
    format!("complete after {mean} on average{others}.")
}

fn comparison(a: f64, b: f64) -> String {
    let (name, factor) = if b >= a { ("B", b / a) } else { ("A", a / b) };
    match factor.is_finite() && factor >= 1.02 {
        true => format!(" {name} takes {factor:.2} times as long."),
        false => " There is hardly a difference.".to_owned(),
    }
}

fn lowercase(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_lowercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
