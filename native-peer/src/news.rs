//! What happens is told at once, but not again and again, nor as fast as strangers like.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::text::plain;

/// After this long the same may be told again.
const AGAIN: Duration = Duration::from_mins(10);
/// So many lines in so long are told; the rest is counted.
const MOST: usize = 20;
const LATELY: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// What was told, and when, the oldest first; nothing where it is no longer true.
    told: VecDeque<(Instant, Option<String>)>,
    left_out: usize,
}

/// Something that took the place of something else.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// How lines begin that said the opposite.
    pub(crate) past: &'static str,
    pub(crate) line: String,
}

impl News {
    /// What to tell, now that this happened.
    pub(crate) fn of(&mut self, now: Instant, line: &str) -> Vec<String> {
        let line = plain(line);
        self.told.retain(|(at, _)| now - *at < AGAIN);
        if self
            .told
            .iter()
            .any(|(_, told)| told.as_ref() == Some(&line))
        {
            return Vec::new();
        }
        let lately = self.told.iter().rev();
        let lately = lately.take_while(|(at, _)| now - *at < LATELY);
        if lately.count() >= MOST {
            self.left_out += 1;
            return Vec::new();
        }
        let mut lines = Vec::new();
        match std::mem::take(&mut self.left_out) {
            0 => {}
            1 => lines.push("one line was left out".to_owned()),
            more => lines.push(format!("{more} lines were left out")),
        }
        self.told.push_back((now, Some(line.clone())));
        lines.push(line);
        lines
    }

    /// The same of a turn: should the opposite happen again, that is told again.
    pub(crate) fn of_turn(&mut self, now: Instant, turn: &Turn) -> Vec<String> {
        for (_, told) in &mut self.told {
            // That it was told still counts.
            told.take_if(|told| told.starts_with(turn.past));
        }
        self.of(now, &turn.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_in_a_while() {
        let mut news = News::default();
        let begin = Instant::now();
        let mut tell = |after, line: &str| news.of(begin + after, line).len();
        for _ in 0..3 {
            assert_eq!(tell(Duration::ZERO, "one"), tell(Duration::ZERO, "two"));
        }
        assert_eq!(tell(AGAIN - LATELY, "one"), 0);
        assert_eq!(tell(AGAIN, "one"), 1);
        assert_eq!(tell(AGAIN + LATELY, "one"), 0);
    }

    #[test]
    fn a_flood_is_counted() {
        let mut news = News::default();
        let now = Instant::now();
        let all = (0..MOST + 7).flat_map(|n| news.of(now, &n.to_string()));
        assert_eq!(all.count(), MOST);
        assert_eq!(
            news.of(now + LATELY, "after"),
            ["7 lines were left out", "after"]
        );
    }

    #[test]
    fn turns_are_told_each_time_but_no_faster_than_the_rest() {
        let mut news = News::default();
        let begin = Instant::now();
        let turn = |past, line: &str| Turn {
            past,
            line: line.to_owned(),
        };
        let (down, other) = (turn("up", "down: one"), turn("up", "down: two"));
        let up = turn("down", "up");
        let mut tell = |after, turn| news.of_turn(begin + after, turn).len();
        for _ in 0..3 {
            assert_eq!(tell(Duration::ZERO, &down), 1);
            assert_eq!(tell(Duration::ZERO, &other), 1);
            assert_eq!(tell(Duration::ZERO, &down), 0, "it was not up since");
            assert_eq!(tell(Duration::ZERO, &up), 1);
        }
        let flood = (0..MOST).map(|_| tell(Duration::ZERO, &down) + tell(Duration::ZERO, &up));
        assert_eq!(flood.sum::<usize>(), MOST - 9);
    }

    #[test]
    fn what_strangers_say_is_told_without_its_control_characters() {
        let told = News::default().of(Instant::now(), "no\x1broute");
        assert_eq!(told, ["no\u{fffd}route"]);
    }
}
