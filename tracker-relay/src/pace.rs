//! When a client is listened to again.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Sleep;

use crate::switchboard::Turn;

/// A client's task asks before it reads.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Until then it is not listened to.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// Ready when the client may be listened to; else the task will be woken.
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        Poll::Ready(())
    }

    /// Takes what the switchboard said. Ready when it said to read on; else the task will be
    /// woken.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>, turn: Turn) -> Poll<()> {
        match turn {
            Turn::Read => return Poll::Ready(()),
            Turn::Yield => cx.waker().wake_by_ref(),
            Turn::Wait(time) => {
                let mut pause = Box::pin(tokio::time::sleep(time));
                if pause.as_mut().poll(cx).is_ready() {
                    cx.waker().wake_by_ref();
                } else {
                    self.pause = Some(pause);
                }
            }
            // Writing goes on in the same task, and wakes it.
            Turn::Write => {}
        }
        Poll::Pending
    }
}
