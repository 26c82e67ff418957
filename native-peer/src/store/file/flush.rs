//! What is written goes to the disk while more is fetched.
//!
//! A file gets its name only once the disk has all of it. The system writes of its own accord when
//! much has gathered, or after half a minute: of a fast download everything would be left to the
//! end, where nothing else is done. So a thread has a file synchronised whenever so much more was
//! written to it: one for all files, since they lie on one disk. It ends when there is nothing to
//! do.

use std::collections::VecDeque;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use cap_std::fs::File;

/// Bytes that gather before the disk is to have them: few enough that what is left in the end is
/// written in a moment, and enough that a disk with a moving head seldom has to go back and forth.
const STRETCH: u64 = 32 << 20;

/// Files that wait for their turn, and are held open for that. Others gather on.
const MOST: usize = 16;

/// See the module; of a whole folder.
#[derive(Debug)]
pub(super) struct Flusher<F = File>(Arc<Shared<F>>);

/// A file that is open.
pub(super) trait Synchronise: Send + 'static {
    /// Waits until the disk has what was written to it, and closes it.
    fn synchronise(self) -> io::Result<()>;
}

impl Synchronise for File {
    fn synchronise(self) -> io::Result<()> {
        self.sync_data()
    }
}

#[derive(Debug)]
struct Shared<F> {
    state: Mutex<State<F>>,
    /// A file was synchronised.
    done: Condvar,
}

#[derive(Debug)]
struct State<F> {
    files: Vec<Written>,
    waiting: VecDeque<(usize, F)>,
    /// The one that is being synchronised.
    current: Option<usize>,
    /// There is a thread.
    running: bool,
}

/// Of one file.
#[derive(Clone, Debug, Default)]
struct Written {
    /// Bytes since the disk was last asked to take them.
    gathered: u64,
    /// What the disk could not take. The system tells it once: who asks when the file is complete
    /// would hear that all is well.
    failed: Option<(io::ErrorKind, String)>,
}

impl<F: Synchronise> Flusher<F> {
    /// Of so many files.
    pub(super) fn new(files: usize) -> Self {
        Flusher(Arc::new(Shared {
            state: Mutex::new(State {
                files: vec![Written::default(); files],
                waiting: VecDeque::new(),
                current: None,
                running: false,
            }),
            done: Condvar::new(),
        }))
    }

    /// So many bytes were written to a file, which is closed once it is not needed. An error is
    /// that of an earlier stretch.
    pub(super) fn wrote(&self, file: usize, opened: F, bytes: usize) -> io::Result<()> {
        let mut state = self.0.state();
        let written = &mut state.files[file];
        written.gathered += bytes as u64;
        written.told()?;
        if written.gathered < STRETCH || !state.has_room_for(file) {
            return Ok(());
        }
        state.files[file].gathered = 0;
        state.waiting.push_back((file, opened));
        if !state.running {
            let shared = Arc::clone(&self.0);
            let thread = thread::Builder::new().name("flush".to_owned());
            state.running = thread.spawn(move || shared.run()).is_ok();
            if !state.running {
                // Without a thread it is written as late as it would be anyway.
                state.waiting.clear();
            }
        }
        Ok(())
    }

    /// A file is complete, and whoever says so has the rest of it synchronised: it waits for its
    /// turn no longer, only for what is under way. An error says that something that was written
    /// will not be on the disk.
    pub(super) fn settle(&self, file: usize) -> io::Result<()> {
        let mut state = self.0.state();
        state.waiting.retain(|(waiting, _)| *waiting != file);
        let is_under_way = |state: &mut State<F>| state.current == Some(file);
        let state = self.0.done.wait_while(state, is_under_way);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        state.files[file].told()
    }
}

impl<F: Synchronise> Shared<F> {
    /// The thread.
    fn run(&self) {
        let mut state = self.state();
        while let Some((file, opened)) = state.waiting.pop_front() {
            state.current = Some(file);
            drop(state);
            // Somebody may wait for it.
            let ended = panic::catch_unwind(AssertUnwindSafe(|| opened.synchronise()));
            let ended = ended.unwrap_or_else(|_| Err(io::Error::other("it was not synchronised")));
            state = self.state();
            state.current = None;
            if let Err(error) = ended {
                state.files[file].failed = Some((error.kind(), error.to_string()));
            }
            self.done.notify_all();
        }
        state.running = false;
    }

    fn state(&self) -> MutexGuard<'_, State<F>> {
        // It is whole at every point where a thread can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F> State<F> {
    /// A file is synchronised once at a time.
    fn has_room_for(&self, file: usize) -> bool {
        let mut waiting = self.waiting.iter();
        self.waiting.len() < MOST
            && self.current != Some(file)
            && waiting.all(|(waiting, _)| *waiting != file)
    }
}

impl Written {
    /// What went wrong, if something did.
    fn told(&self) -> io::Result<()> {
        match &self.failed {
            Some((kind, words)) => Err(io::Error::new(*kind, words.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::thread::ThreadId;

    use super::*;

    const WHOLE: usize = STRETCH as usize;

    /// A file on a disk that says when it begins, and by whom.
    struct Fake {
        begun: Sender<(usize, ThreadId)>,
        number: usize,
        end: End,
    }

    enum End {
        Now,
        When(Receiver<()>),
        With(io::ErrorKind),
        Panic,
    }

    impl Synchronise for Fake {
        fn synchronise(self) -> io::Result<()> {
            let begun = (self.number, thread::current().id());
            self.begun.send(begun).unwrap();
            match self.end {
                End::Now => Ok(()),
                End::When(end) => {
                    end.recv().unwrap();
                    Ok(())
                }
                End::With(kind) => Err(kind.into()),
                End::Panic => panic!("as wished"),
            }
        }
    }

    struct Test {
        flusher: Flusher<Fake>,
        begun: Sender<(usize, ThreadId)>,
        begins: Receiver<(usize, ThreadId)>,
    }

    impl Test {
        fn of(files: usize) -> Self {
            let flusher = Flusher::new(files);
            let (begun, begins) = mpsc::channel();
            Test {
                flusher,
                begun,
                begins,
            }
        }

        fn wrote(&self, number: usize, bytes: usize, end: End) -> io::Result<()> {
            let begun = self.begun.clone();
            let fake = Fake { begun, number, end };
            self.flusher.wrote(number, fake, bytes)
        }

        /// One whose synchronising has begun, and ends when that is said.
        fn hold(&self, number: usize) -> Sender<()> {
            let (end, ended) = mpsc::channel();
            self.wrote(number, WHOLE, End::When(ended)).unwrap();
            assert_eq!(self.begins.recv().unwrap().0, number);
            end
        }
    }

    #[test]
    fn a_stretch_is_written_while_the_next_one_gathers() {
        let test = Test::of(1);
        let end = test.hold(0);
        // The first is not over.
        test.wrote(0, WHOLE, End::Now).unwrap();
        test.wrote(0, 1, End::Now).unwrap();
        end.send(()).unwrap();
        test.flusher.settle(0).unwrap();
        assert!(test.begins.try_recv().is_err(), "one at a time");
        test.wrote(0, 1, End::Now).unwrap();
        test.begins.recv().expect("what gathered meanwhile");
        test.flusher.settle(0).unwrap();
        test.wrote(0, WHOLE - 1, End::Now).unwrap();
        let gathered = test.flusher.0.state().files[0].gathered;
        assert_eq!(gathered, STRETCH - 1, "it is not much yet");
        test.wrote(0, 1, End::Now).unwrap();
        test.begins.recv().expect("now it is");
    }

    #[test]
    fn many_files_share_one_thread_and_few_wait_for_it() {
        let test = Test::of(1000);
        let end = test.hold(0);
        for file in 1..1000 {
            test.wrote(file, WHOLE, End::Now).unwrap();
        }
        end.send(()).unwrap();
        let begun = (1..=MOST).map(|_| test.begins.recv().unwrap());
        let (begun, mut threads): (Vec<usize>, Vec<ThreadId>) = begun.unzip();
        assert!(begun.into_iter().eq(1..=MOST), "in turn");
        threads.dedup();
        assert_eq!(threads.len(), 1);
        test.flusher.settle(MOST).unwrap();
        assert!(test.begins.try_recv().is_err(), "the others gather on");
        test.wrote(999, 1, End::Now).unwrap();
        assert_eq!(test.begins.recv().unwrap().0, 999);
    }

    #[test]
    fn a_file_is_complete_without_waiting_for_others() {
        let test = Test::of(2);
        let end = test.hold(0);
        test.wrote(1, WHOLE, End::Now).unwrap();
        test.flusher.settle(1).unwrap();
        end.send(()).unwrap();
        test.flusher.settle(0).unwrap();
        test.wrote(0, WHOLE, End::Now).unwrap();
        assert_eq!(test.begins.recv().unwrap().0, 0, "it has left the queue");
    }

    #[test]
    fn what_the_disk_did_not_take_is_told_for_ever() {
        let test = Test::of(2);
        let full = io::ErrorKind::StorageFull;
        test.wrote(0, WHOLE, End::With(full)).unwrap();
        test.begins.recv().unwrap();
        for _ in 0..2 {
            let error = test.flusher.settle(0).unwrap_err();
            assert_eq!(error.kind(), full);
        }
        let next = test.wrote(0, WHOLE, End::Now);
        assert_eq!(next.unwrap_err().kind(), full);
        test.wrote(1, WHOLE, End::Now).unwrap();
        test.flusher.settle(1).expect("of that file alone");
    }

    #[test]
    fn nobody_waits_for_a_thread_that_panicked() {
        let test = Test::of(1);
        test.wrote(0, WHOLE, End::Panic).unwrap();
        test.begins.recv().unwrap();
        assert!(test.flusher.settle(0).is_err());
    }
}
