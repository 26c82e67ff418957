//! What is written goes to the disk while more is fetched.
//!
//! A file gets its name only once the disk has all of it. The system writes of its own accord when
//! much has gathered, or after half a minute: of a fast download everything would be left to the
//! end, where nothing else is done. So a thread has the file synchronised whenever so much more
//! was written to it.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use cap_std::fs::File;

/// Bytes that gather before the disk is to have them: few enough that what is left in the end is
/// written in a moment, and enough that a disk with a moving head seldom has to go back and forth.
const STRETCH: u64 = 32 << 20;

/// See the module; of one file.
#[derive(Debug, Default)]
pub(super) struct Flush(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Bytes written since the disk was last asked to take them.
    gathered: u64,
    /// It is, or was.
    running: Option<JoinHandle<io::Result<()>>>,
    /// What the disk could not take. The system tells it once: who asks when the file is complete
    /// would hear that all is well.
    failed: Option<(io::ErrorKind, String)>,
}

impl Flush {
    /// So many bytes were written to the file. An error is that of an earlier stretch.
    pub(super) fn wrote(&self, file: &File, bytes: usize) -> io::Result<()> {
        self.gather(bytes, || {
            let file = file.try_clone()?;
            Ok(move || file.sync_data())
        })
    }

    /// Has what gathered written, if that is enough and nothing is under way.
    fn gather<F>(&self, bytes: usize, sync: impl FnOnce() -> io::Result<F>) -> io::Result<()>
    where
        F: FnOnce() -> io::Result<()> + Send + 'static,
    {
        let mut state = self.state();
        state.gathered += bytes as u64;
        if state.gathered < STRETCH || state.is_running() {
            return Ok(());
        }
        state.join()?;
        let thread = thread::Builder::new().name("flush".to_owned());
        // Without a thread it is written as late as it would be anyway.
        if let Ok(running) = thread.spawn(sync()?) {
            state.running = Some(running);
            state.gathered = 0;
        }
        Ok(())
    }

    /// Waits until nothing is under way. An error says that something that was written will not be
    /// on the disk.
    pub(super) fn settle(&self) -> io::Result<()> {
        self.state().join()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole at every point where a thread can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_running(&self) -> bool {
        let running = self.running.as_ref();
        running.is_some_and(|running| !running.is_finished())
    }

    /// Waits for what is under way; says what went wrong, now or before.
    fn join(&mut self) -> io::Result<()> {
        if let Some(running) = self.running.take() {
            let ended = running.join();
            let ended = ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            if let Err(error) = ended {
                self.failed = Some((error.kind(), error.to_string()));
            }
        }
        match &self.failed {
            Some((kind, words)) => Err(io::Error::new(*kind, words.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const WHOLE: usize = STRETCH as usize;

    #[test]
    fn a_stretch_is_written_while_the_next_one_gathers() {
        let flush = Flush::default();
        let (begun, begins) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let mut ended = Some(ended);
        let mut wrote = |bytes| {
            let (begun, ended) = (begun.clone(), ended.take());
            let sync = move || {
                begun.send(()).unwrap();
                ended.map_or(Ok(()), |ended: mpsc::Receiver<()>| {
                    ended.recv().unwrap();
                    Ok(())
                })
            };
            flush.gather(bytes, || Ok(sync)).unwrap();
        };
        wrote(WHOLE);
        begins.recv().unwrap();
        // The first is not over.
        wrote(WHOLE);
        wrote(1);
        end.send(()).unwrap();
        flush.settle().unwrap();
        assert!(begins.try_recv().is_err(), "one at a time");
        wrote(1);
        flush.settle().unwrap();
        assert!(begins.try_recv().is_ok(), "what gathered meanwhile");
        wrote(WHOLE - 1);
        flush.settle().unwrap();
        assert!(begins.try_recv().is_err(), "it is not much yet");
    }

    #[test]
    fn what_the_disk_did_not_take_is_told_for_ever() {
        let flush = Flush::default();
        let full = || Err(io::ErrorKind::StorageFull.into());
        flush.gather(WHOLE, || Ok(full)).unwrap();
        for _ in 0..2 {
            let error = flush.settle().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
        let next = flush.gather(WHOLE, || Ok(|| Ok(())));
        assert_eq!(next.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
