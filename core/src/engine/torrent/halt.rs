//! Why a torrent does not run: a person paused it, or something failed that only a person can
//! mend.

use crate::engine::Failure;

/// See the module.
#[derive(Debug)]
pub(super) struct Halt {
    paused: bool,
    failure: Option<Failure>,
}

impl Halt {
    pub(super) fn new(paused: bool) -> Self {
        Halt {
            paused,
            failure: None,
        }
    }

    pub(super) fn pause(&mut self) {
        self.paused = true;
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.failure = Some(failure);
    }

    /// It goes on, whatever was in its way.
    pub(super) fn lift(&mut self) {
        (self.paused, self.failure) = (false, None);
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// There is no reason.
    pub(super) fn is_none(&self) -> bool {
        !self.paused && self.failure.is_none()
    }
}
