//! Which sessions may be asked for more.

use std::collections::BTreeSet;

use crate::peer::SessionId;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Refill {
    these: BTreeSet<SessionId>,
    everybody: bool,
    /// Some had to wait for others when they were last looked at, see
    /// [`Download::is_guarded`](crate::pieces::Download::is_guarded).
    guarded: bool,
}

impl Refill {
    /// This one may.
    pub(super) fn ask(&mut self, id: SessionId) {
        self.these.insert(id);
    }

    /// All of them may.
    pub(super) fn ask_everybody(&mut self) {
        self.everybody = true;
    }

    /// A session is over.
    pub(super) fn forget(&mut self, id: SessionId) {
        self.these.remove(&id);
    }

    /// Somebody may be asked, and was not yet.
    pub(super) fn is_due(&self) -> bool {
        self.everybody || !self.these.is_empty()
    }

    /// Who may be asked, out of all that there are. They are asked now.
    pub(super) fn take(&mut self, all: impl FnOnce() -> Vec<SessionId>) -> Vec<SessionId> {
        let these = std::mem::take(&mut self.these);
        if std::mem::take(&mut self.everybody) {
            all()
        } else {
            these.into_iter().collect()
        }
    }

    /// Whether some have to wait for others; true if they had to, and need not any more.
    pub(super) fn guarded(&mut self, guarded: bool) -> bool {
        std::mem::replace(&mut self.guarded, guarded) && !guarded
    }
}
