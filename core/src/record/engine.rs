//! An engine that may be recorded: what hosts own, so that no input is forgotten.

use super::{Header, Part, Recorder, Sink};
use crate::engine::{Config, Contents, Engine, Input, Output, TimerKind, View};
use crate::id::{InfoHash, PeerId};
use crate::time::Time;

/// An [`Engine`] whose every input and output passes through here, and from here into a
/// recording if there is one.
#[derive(Debug)]
pub struct RecordedEngine<S> {
    engine: Engine,
    recording: Option<(Recorder, S)>,
    /// The sink of a recording that it ended by itself.
    ended: Option<S>,
}

impl<S: Sink> RecordedEngine<S> {
    /// As [`Engine::new`]; recorded from now on if there is a sink.
    pub fn new(config: Config, seed: u64, now: Time, sink: Option<S>) -> Self {
        let mut engine = RecordedEngine {
            engine: Engine::new(config.clone(), seed, now),
            recording: None,
            ended: None,
        };
        if let Some(sink) = sink {
            let (recorder, part) = Recorder::begin(&Header::new(config, seed, now));
            engine.recording = Some((recorder, sink));
            engine.append(part);
        }
        engine
    }

    /// As [`Engine::handle`].
    pub fn handle(&mut self, now: Time, input: Input) {
        // Before it is handled: if the engine panics, the recording has the reason.
        if let Some((recorder, _)) = &mut self.recording {
            let part = recorder.input(now, &input);
            self.append(part);
        }
        self.engine.handle(now, input);
    }

    /// As [`Engine::poll_output`].
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.engine.poll_output();
        if let Some((recorder, _)) = &mut self.recording {
            recorder.polled(output.as_ref());
        }
        output
    }

    /// As [`Engine::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<(Time, TimerKind)> {
        self.engine.poll_timeout()
    }

    /// As [`Engine::view`].
    pub fn view(&self, now: Time) -> View {
        self.engine.view(now)
    }

    /// As [`Engine::contents`].
    pub fn contents(&self, info_hash: InfoHash) -> Option<Contents<'_>> {
        self.engine.contents(info_hash)
    }

    /// As [`Engine::peer_id`].
    pub fn peer_id(&self) -> PeerId {
        self.engine.peer_id()
    }

    /// What the recording goes to, while it goes on.
    pub fn recording(&self) -> Option<&S> {
        self.recording.as_ref().map(|(_, sink)| sink)
    }

    /// Ends the recording; the engine goes on. Returns its sink, also of one that ended
    /// by itself, once.
    pub fn stop(&mut self, now: Time) -> Option<S> {
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
    pub fn take_ended(&mut self) -> Option<S> {
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
