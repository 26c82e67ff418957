//! Whether a file is as we left it.
//!
//! What was verified before it was written need not be read again if nobody else has written to
//! the file since: so each time that we write to it, it must look as it did when we had written
//! last, and in the end as it did after the last write. The system says when a file was changed
//! (on Unix also when anything about it was, which no program can set back). A change that this
//! can't show falls into a moment in which we write ourselves. Where such a moment is long, or
//! where the clock is so coarse that it does not even show what we write, the file is not trusted,
//! and read back. Linux shows every change since 6.13 (multigrain timestamps), most file systems
//! of others do; what Linux showed before, in steps of some milliseconds, is enough while little
//! is written.

use std::io;
use std::time::{Duration, Instant};

use cap_std::fs::{File, Metadata};

use crate::store::Stamp;

/// A write that took longer than this was interrupted, and others may have written meanwhile:
/// whoever stops a program to change its file takes longer. A busy machine and a slow disk seldom
/// do, and then the file is read once more.
const MOMENT: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// How we left it.
    left: Option<Look>,
    broken: bool,
}

/// What a file looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    stamp: Stamp,
    /// Unix: when anything about it was changed, its times included.
    status: Option<(i64, i64)>,
}

impl Trail {
    /// The file is like this, and will be verified as it is now.
    pub(super) fn begin(&mut self, metadata: &Metadata) {
        self.broken = false;
        self.leave(metadata);
    }

    /// It is to be read, however it looks.
    pub(super) fn give_up(&mut self) {
        self.broken = true;
    }

    /// Writes to the file.
    pub(super) fn write(
        &mut self,
        file: &mut File,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let before = file.metadata()?;
        // One that nobody has written to is as good as one that is not there.
        let is_new = self.left.is_none() && before.len() == 0;
        self.broken |= !is_new && !self.is_at(&before);
        let begin = Instant::now();
        let written = write(file);
        let after = file.metadata()?;
        // A clock that does not show this does not show what others do.
        self.broken |= !is_new && Look::of(&before).when() == Look::of(&after).when();
        self.broken |= written.is_err() || begin.elapsed() > MOMENT;
        self.leave(&after);
        written
    }

    /// We have done something to it of which this is what came.
    pub(super) fn leave(&mut self, metadata: &Metadata) {
        self.left = Some(Look::of(metadata));
    }

    /// Nobody but us has written to it.
    pub(super) fn is_at(&self, metadata: &Metadata) -> bool {
        !self.broken && self.left == Some(Look::of(metadata))
    }
}

impl Look {
    fn of(metadata: &Metadata) -> Self {
        Look {
            stamp: Stamp::from(metadata),
            status: status(metadata),
        }
    }

    fn when(self) -> impl PartialEq {
        (self.stamp.modified, self.status)
    }
}

#[cfg(unix)]
fn status(metadata: &Metadata) -> Option<(i64, i64)> {
    use cap_std::fs::MetadataExt;
    Some((metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn status(_: &Metadata) -> Option<(i64, i64)> {
    None
}
