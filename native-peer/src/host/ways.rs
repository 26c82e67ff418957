//! What the node wants of the ways to peers: wires by TCP and by WebRTC, and direct links.

use swarm_core::engine::{DirectId, DirectWork};
use swarm_core::node::{DirectInput, Input, WireOutput};

use super::Host;
use crate::address::TrackerAddress;
use crate::webrtc::WebRtc;
use crate::wires::Wires;

impl Host {
    /// A wire is TCP's or WebRTC's, by its number.
    pub(super) fn wire(&mut self, output: WireOutput) {
        if let WireOutput::Send { wire, .. } | WireOutput::Close { wire, .. } = &output
            && let Some(webrtc) = &mut self.webrtc
            && webrtc.has(*wire)
        {
            return match output {
                WireOutput::Send { wire, parts } => webrtc.send(wire, parts),
                WireOutput::Close { wire, .. } => webrtc.close(wire),
                WireOutput::Dial { .. } => {}
            };
        }
        let Some(wires) = &mut self.wires else {
            return;
        };
        match output {
            WireOutput::Dial { info_hash, address } => wires.dial(info_hash, address),
            WireOutput::Send { wire, parts } => wires.send(wire, parts),
            WireOutput::Close { wire, .. } => wires.close(wire),
        }
    }

    pub(super) fn make_direct(&mut self, id: DirectId, work: DirectWork) {
        let mut stun = Vec::new();
        if let Some((link, servers)) = self.node.stun(id) {
            let hub = self.links.address(link).and_then(TrackerAddress::host);
            let hub = hub.unwrap_or_default();
            stun.extend(servers.iter().map(|server| match server.host() {
                "" => format!("{hub}:{}", server.port()),
                host => format!("{host}:{}", server.port()),
            }));
        }
        match &mut self.webrtc {
            Some(webrtc) => webrtc.make(id, work, stun),
            // A configuration that makes links, and a host that doesn't.
            None if work == DirectWork::Drop => {}
            None => self.handle(Input::Direct(id, DirectInput::Failed)),
        }
    }
}

/// What happens to wires; waits forever if there are none.
pub(super) async fn next_of_wires(wires: &mut Option<Wires>) -> Input {
    match wires {
        Some(wires) => wires.next().await,
        None => std::future::pending().await,
    }
}

/// What happens to direct links; waits forever if there are none.
pub(super) async fn next_of_webrtc(webrtc: &mut Option<WebRtc>) -> Input {
    match webrtc {
        Some(webrtc) => webrtc.next().await,
        None => std::future::pending().await,
    }
}
