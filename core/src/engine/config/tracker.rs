//! What is expected of one of our own servers, as tracker.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is expected of the tracker, and what it is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrackerConfig {
    /// A tracker that says nothing for this long is asked whether it is there: a connection
    /// that died with a change of network, or while the machine slept, is closed by nobody.
    /// Half a minute: routers forget idle connections after a minute at the earliest.
    pub ask_after: Duration,
    /// Where no answer comes for this long, the connection is given up. Twenty seconds: what
    /// is in the queues of a slow line is on its way for a few.
    pub answer_within: Duration,
    /// A look for an answer that comes so much later than it was due shows that the host slept,
    /// or was held up, as a browser does with a tab that nobody sees: what came meanwhile is
    /// handled first, and the tracker asked again. Two seconds: hidden tabs are ticked once in
    /// one, as a rule.
    pub slept: Duration,
    /// How often it is asked because of that: three times. Looks that are late every time prove
    /// nothing in the tracker's favour.
    pub max_questions: u32,
    /// An announce that is not answered is repeated after this, and one that was refused: a
    /// minute.
    pub unanswered: Duration,
    /// Who gets nothing, or has only few to get it from, and has nobody left to ask looks around
    /// again after this, at first and at most. It doubles each time. Two seconds, because most
    /// arrive together, without anything; fifteen, because each time is an announce.
    pub look_around: (Duration, Duration),
    /// How soon one looks around after losing the last peer, or its membership: two seconds, lest
    /// a peer that leaves at once makes us hammer the tracker.
    pub soon: Duration,
    /// Verified pieces are gathered for this long before the tracker hears of them: a second.
    pub gather_haves: Duration,
    /// When the tracker takes fewer swarms than there are torrents, how long one keeps its
    /// place: while nobody comes, once everybody has his turns, and while it has peers. Half a
    /// minute, in which whoever looks around in vain does so twice; and ten minutes, after which
    /// it is given up where no other is to be had, so that no transfer keeps others waiting for
    /// ever.
    pub turn: (Duration, Duration),
    /// How long one keeps its place in any case: two seconds, in which two that are a world
    /// apart meet and begin to talk.
    pub least_turn: Duration,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        TrackerConfig {
            ask_after: Duration::from_secs(30),
            answer_within: Duration::from_secs(20),
            slept: Duration::from_secs(2),
            max_questions: 3,
            unanswered: Duration::from_secs(60),
            look_around: (Duration::from_secs(2), Duration::from_secs(15)),
            soon: Duration::from_secs(2),
            gather_haves: Duration::from_secs(1),
            turn: (Duration::from_secs(30), Duration::from_secs(600)),
            least_turn: Duration::from_secs(2),
        }
    }
}
