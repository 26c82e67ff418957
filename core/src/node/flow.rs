//! The credit that we keep a channel of the relay at.
//!
//! In few, large grants: each is a message through the hub.

/// Bytes of a grant that is large enough, however large the window: over a long way, what is
/// not given back yet is missing on it. A quarter of what is given to those who are near.
const GRANT: u32 = 1 << 20;

/// What may come through a channel, in bytes.
#[derive(Debug)]
pub(super) struct Flow {
    /// Credit that we keep it at.
    window: u32,
    /// Bytes that arrived since we last gave credit.
    consumed: u32,
    /// Credit that is outstanding beyond the window: it can't be taken back, but need not be
    /// renewed.
    surplus: u32,
}

impl Flow {
    /// A channel that was given so much.
    pub(super) fn new(window: u32) -> Self {
        Flow {
            window,
            consumed: 0,
            surplus: 0,
        }
    }

    /// So much of what came is done with. Returns what to give anew, if anything.
    pub(super) fn consume(&mut self, bytes: usize) -> u32 {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let kept = bytes.min(self.surplus);
        self.surplus -= kept;
        self.consumed = self.consumed.saturating_add(bytes - kept);
        if self.consumed < (self.window / 4).min(GRANT) {
            return 0;
        }
        std::mem::take(&mut self.consumed)
    }

    /// So much is expected from now on; what is beyond `near` only as long as it is. Returns
    /// what to give.
    pub(super) fn expect(&mut self, wanted: u32, near: u32) -> u32 {
        if wanted > self.window + self.window / 2 {
            let more = wanted - self.window;
            self.window = wanted;
            let had = more.min(self.surplus);
            self.surplus -= had;
            return more - had;
        }
        let least = wanted.max(near);
        if least < self.window / 2 {
            // Others may need it more.
            self.surplus += self.window - least;
            self.window = least;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_comes_back_in_quarters_and_grows_with_what_is_expected() {
        let mut flow = Flow::new(100);
        assert_eq!((flow.consume(24), flow.consume(1)), (0, 25));
        assert_eq!((flow.expect(150, 400), flow.expect(200, 400)), (0, 100));
        assert_eq!(flow.expect(10, 400), 0, "near by nothing is taken back");
        assert_eq!(flow.consume(50), 50);
    }

    #[test]
    fn what_a_far_peer_needs_no_more_is_not_renewed() {
        let mut flow = Flow::new(100);
        assert_eq!(flow.expect(1000, 400), 900);
        assert_eq!(flow.expect(300, 400), 0);
        // 600 of what is outstanding are too much now.
        assert_eq!((flow.consume(600), flow.consume(100)), (0, 100));
        assert_eq!(flow.expect(1000, 400), 600);
    }

    #[test]
    fn what_is_outstanding_is_not_given_twice() {
        let mut flow = Flow::new(100);
        assert_eq!((flow.expect(1000, 400), flow.expect(300, 400)), (900, 0));
        assert_eq!((flow.consume(200), flow.expect(1000, 400)), (0, 200));
    }
}
