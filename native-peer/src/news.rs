//! What happens is told at once, but not again and again, nor as fast as strangers like.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// After this long the same may be told again.
const AGAIN: Duration = Duration::from_mins(10);
/// So many lines in so long are told; the rest is counted.
const MOST: usize = 20;
const LATELY: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// What was told, and when, the oldest first.
    told: VecDeque<(Instant, String)>,
    left_out: usize,
}

impl News {
    /// What to tell, now that this happened.
    pub(crate) fn of(&mut self, now: Instant, line: String) -> Vec<String> {
        self.told.retain(|(at, _)| now - *at < AGAIN);
        if self.told.iter().any(|(_, told)| *told == line) {
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
        self.told.push_back((now, line.clone()));
        lines.push(line);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_in_a_while() {
        let mut news = News::default();
        let begin = Instant::now();
        let mut tell = |after, line: &str| news.of(begin + after, line.to_owned()).len();
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
        let all = (0..MOST + 7).flat_map(|n| news.of(now, n.to_string()));
        assert_eq!(all.count(), MOST);
        assert_eq!(
            news.of(now + LATELY, "after".to_owned()),
            ["7 lines were left out", "after"]
        );
    }
}
