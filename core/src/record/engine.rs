//! An engine that may be recorded: what nodes own, so that no input is forgotten.

use super::{Header, Part, Recorder, Sink};
use bytes::Bytes;

use crate::chunk::Chunk;
use crate::engine::{Config, Engine, Input, Output};
use crate::time::Time;

/// An [`Engine`] whose every input and output passes through here, and from here into a
/// recording if there is one.
#[derive(Debug)]
pub(crate) struct RecordedEngine<S, C: Chunk = Bytes> {
    engine: Engine<C>,
    recording: Option<(Recorder, S)>,
    /// The sink of a recording that it ended by itself.
    ended: Option<S>,
}

impl<S: Sink, C: Chunk> RecordedEngine<S, C> {
    /// As [`Engine::new`]; recorded from now on if there is a sink.
    pub(crate) fn new(config: Config, seed: u64, now: Time, sink: Option<S>) -> Self {
        let header = Header::new(config, seed, now);
        let begun = sink.map(|sink| (Recorder::begin(&header), sink));
        let mut engine = RecordedEngine {
            engine: Engine::new(header.config, seed, now),
            recording: None,
            ended: None,
        };
        if let Some(((recorder, part), sink)) = begun {
            engine.recording = Some((recorder, sink));
            engine.append(part);
        }
        engine
    }

    /// The first half of [`Engine::handle`]; the second, [`RecordedEngine::flush`], must follow
    /// before the next.
    pub(crate) fn absorb(&mut self, now: Time, input: Input<C>) {
        // Before it is handled: if the engine panics, the recording has the reason.
        if let Some((recorder, _)) = &mut self.recording {
            let part = recorder.input(now, &input);
            self.append(part);
        }
        self.engine.absorb(now, input);
    }

    /// The second half of [`Engine::handle`].
    pub(crate) fn flush(&mut self, now: Time) {
        self.engine.flush(now);
    }

    /// As [`Engine::poll_output`].
    pub(crate) fn poll_output(&mut self) -> Option<Output<C>> {
        let output = self.engine.poll_output();
        if let Some((recorder, _)) = &mut self.recording {
            recorder.polled(output.as_ref());
        }
        output
    }

    /// The engine, to be looked at.
    pub(crate) fn engine(&self) -> &Engine<C> {
        &self.engine
    }

    /// As [`Engine::wake`]: no recording knows of it.
    pub(crate) fn wake(&mut self, now: Time) -> bool {
        self.engine.wake(now)
    }

    /// What the recording goes to, while it goes on.
    pub(crate) fn recording(&self) -> Option<&S> {
        self.recording.as_ref().map(|(_, sink)| sink)
    }

    /// Ends the recording; the engine goes on. Returns its sink, also of one that ended
    /// by itself, once.
    pub(crate) fn stop(&mut self, now: Time) -> Option<S> {
        match self.recording.take() {
            Some((recorder, mut sink)) => {
                // A sink without room has all that it is going to have.
                let _ = sink.record(recorder.end(now));
                Some(sink)
            }
            None => self.ended.take(),
        }
    }

    /// The sink of a recording that ended by itself, because the sink had no more room;
    /// once.
    pub(crate) fn take_ended(&mut self) -> Option<S> {
        self.ended.take()
    }

    fn append(&mut self, part: Part) {
        let goes_on = match &mut self.recording {
            Some((_, sink)) => sink.record(part),
            None => return,
        };
        if !goes_on {
            self.ended = self.recording.take().map(|(_, sink)| sink);
        }
    }
}
