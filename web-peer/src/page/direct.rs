//! Direct links: the page makes them, because workers have no `RTCPeerConnection`.
//!
//! All of them have one certificate, by which others know whom they are linked with, whoever
//! carries the descriptions. It is another one each time that the page is loaded.
//!
//! It hands the data channel to the worker at once, and keeps the connection, which ends with
//! the channel. Where a channel can't leave the page ([`forward`]), it passes messages on.

mod forward;

use std::cell::RefCell;
use std::rc::Rc;
use swarm_core::sorted::SortedMap;

use futures_channel::oneshot;
use js_sys::{Array, Object, Promise, Reflect};
use page_kit::dom::{after, by_id, listen, window};
use swarm_core::engine::{DirectId, DirectWork};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Event, HtmlInputElement, RtcConfiguration, RtcDataChannel, RtcDataChannelEvent,
    RtcIceGatheringState, RtcIceServer, RtcPeerConnection, RtcPeerConnectionState, RtcSdpType,
    RtcSessionDescriptionInit,
};

use super::browser;
use super::port::Port;
use crate::messages::ToWorker;

/// Gathering candidates may take for ever where a STUN server is silent: what is there after
/// this has to do. Milliseconds.
const GATHER_WITHIN: i32 = 2000;
/// A connection that lost its peer may come back by itself. Milliseconds.
const MEND_WITHIN: i32 = 5000;

/// See the module.
#[derive(Clone)]
pub(crate) struct Directs {
    port: Port,
    /// Resolves to the certificate. It is made before anybody needs it, so that nothing waits.
    certificate: Promise,
    links: Rc<RefCell<SortedMap<DirectId, Link>>>,
}

/// A connection, and what listens to it.
struct Link {
    connection: RtcPeerConnection,
    _listeners: Vec<Closure<dyn FnMut(Event)>>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.connection.set_onconnectionstatechange(None);
        self.connection.set_ondatachannel(None);
        self.connection.close();
    }
}

impl Directs {
    /// None yet. All of them end with the page.
    pub(crate) fn new(port: &Port) -> Self {
        let directs = Directs {
            port: port.clone(),
            certificate: make_certificate().unwrap_or_else(|error| Promise::reject(&error)),
            links: Rc::default(),
        };
        let ending = directs.clone();
        listen(&window(), "pagehide", move |_| {
            ending.links.borrow_mut().clear();
        });
        directs
    }

    /// Does what the worker says about a link.
    pub(crate) fn handle(&self, id: DirectId, work: DirectWork, stun: &[String]) {
        if let DirectWork::Drop = work {
            self.links.borrow_mut().remove(&id);
            return;
        }
        let (directs, stun) = (self.clone(), stun.to_vec());
        spawn_local(async move {
            let done = match work {
                DirectWork::Offer => directs.offer(id, &stun).await,
                DirectWork::Answer(theirs) => directs.answer(id, &stun, &theirs).await,
                DirectWork::Accept(theirs) => directs.accept(id, &theirs).await.map(|()| None),
                DirectWork::Drop => Ok(None),
            };
            match done {
                Ok(Some(ours)) => directs.port.send(ToWorker::Direct(id, Some(ours))),
                Ok(None) => {}
                // Not for a person: the relay goes on carrying everything.
                Err(_) => directs.fail(id),
            }
        });
    }

    fn fail(&self, id: DirectId) {
        if self.links.borrow_mut().remove(&id).is_some() {
            self.port.send(ToWorker::Direct(id, None));
        }
    }

    async fn offer(&self, id: DirectId, stun: &[String]) -> Result<Option<String>, JsValue> {
        let connection = self.open(id, stun).await?;
        self.hand_over(id, connection.create_data_channel("tabswarm"));
        let ours = JsFuture::from(connection.create_offer()).await?;
        describe(&connection, &ours.unchecked_into()).await
    }

    async fn answer(
        &self,
        id: DirectId,
        stun: &[String],
        theirs: &str,
    ) -> Result<Option<String>, JsValue> {
        let connection = self.open(id, stun).await?;
        set_theirs(&connection, RtcSdpType::Offer, theirs).await?;
        let ours = JsFuture::from(connection.create_answer()).await?;
        describe(&connection, &ours.unchecked_into()).await
    }

    async fn accept(&self, id: DirectId, theirs: &str) -> Result<(), JsValue> {
        let known = |links: &SortedMap<DirectId, Link>| Some(links.get(&id)?.connection.clone());
        let Some(connection) = known(&self.links.borrow()) else {
            return Ok(());
        };
        set_theirs(&connection, RtcSdpType::Answer, theirs).await
    }

    /// A new connection, which tells when it ends.
    async fn open(&self, id: DirectId, stun: &[String]) -> Result<RtcPeerConnection, JsValue> {
        let configuration = RtcConfiguration::new();
        // Without it there are links all the same, that nobody is introduced through.
        if let Ok(certificate) = JsFuture::from(self.certificate.clone()).await {
            configuration.set_certificates(&Array::of1(&certificate));
        }
        let servers = stun.iter().map(|url| {
            let server = RtcIceServer::new();
            server.set_urls(&url.as_str().into());
            server
        });
        configuration.set_ice_servers(&servers.collect::<Array>());
        let connection = RtcPeerConnection::new_with_configuration(&configuration)?;

        let (directs, of) = (self.clone(), connection.clone());
        let changed = Closure::<dyn FnMut(Event)>::new(move |_| directs.look_at(id, &of));
        connection.set_onconnectionstatechange(Some(changed.as_ref().unchecked_ref()));
        // Who answers gets the channel; a second one would be nobody's.
        let (directs, mut first) = (self.clone(), true);
        let arrived = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let channel = event.unchecked_into::<RtcDataChannelEvent>().channel();
            match std::mem::take(&mut first) {
                true => directs.hand_over(id, channel),
                false => channel.close(),
            }
        });
        connection.set_ondatachannel(Some(arrived.as_ref().unchecked_ref()));
        let link = Link {
            connection: connection.clone(),
            _listeners: vec![changed, arrived],
        };
        self.links.borrow_mut().insert(id, link);
        Ok(connection)
    }

    fn look_at(&self, id: DirectId, connection: &RtcPeerConnection) {
        match connection.connection_state() {
            RtcPeerConnectionState::Failed | RtcPeerConnectionState::Closed => self.fail(id),
            RtcPeerConnectionState::Disconnected => {
                let (directs, of) = (self.clone(), connection.clone());
                after(MEND_WITHIN, move || {
                    if of.connection_state() == RtcPeerConnectionState::Disconnected {
                        directs.fail(id);
                    }
                });
            }
            _ => {}
        }
    }

    /// Gives the channel to the worker: only possible in the very task in which it was made.
    fn hand_over(&self, id: DirectId, channel: RtcDataChannel) {
        let message = ToWorker::Channel(id);
        if self
            .port
            .hand_over(&message, &[channel.clone().into()])
            .is_err()
        {
            let port = forward::through(channel);
            let sent = self.port.hand_over(&message, &[port.into()]);
            sent.expect("a port can be handed over");
        }
    }
}

/// As browsers make them by themselves, which they do anew for each connection.
fn make_certificate() -> Result<Promise, JsValue> {
    let algorithm = Object::new();
    Reflect::set(&algorithm, &"name".into(), &"ECDSA".into())?;
    Reflect::set(&algorithm, &"namedCurve".into(), &"P-256".into())?;
    RtcPeerConnection::generate_certificate_with_object(&algorithm)
}

/// Sets our end, and says what it is, with its candidates.
async fn describe(
    connection: &RtcPeerConnection,
    ours: &RtcSessionDescriptionInit,
) -> Result<Option<String>, JsValue> {
    JsFuture::from(connection.set_local_description(ours)).await?;
    gathered(connection).await;
    let description = connection.local_description();
    let description = description.ok_or(JsValue::UNDEFINED)?;
    Ok(Some(description.sdp()))
}

async fn set_theirs(
    connection: &RtcPeerConnection,
    kind: RtcSdpType,
    sdp: &str,
) -> Result<(), JsValue> {
    let theirs = RtcSessionDescriptionInit::new(kind);
    theirs.set_sdp(sdp);
    JsFuture::from(connection.set_remote_description(&theirs)).await?;
    Ok(())
}

/// Waits for the candidates, but not for long.
async fn gathered(connection: &RtcPeerConnection) {
    let (done, end) = oneshot::channel();
    let done = Rc::new(RefCell::new(Some(done)));
    let finish = move || {
        if let Some(done) = done.borrow_mut().take() {
            let _ = done.send(());
        }
    };
    let complete =
        |of: &RtcPeerConnection| of.ice_gathering_state() == RtcIceGatheringState::Complete;
    if complete(connection) {
        return;
    }
    let (of, at_last) = (connection.clone(), finish.clone());
    let changed = Closure::<dyn FnMut(Event)>::new(move |_| {
        if complete(&of) {
            at_last();
        }
    });
    connection.set_onicegatheringstatechange(Some(changed.as_ref().unchecked_ref()));
    after(GATHER_WITHIN, finish);
    let _ = end.await;
    connection.set_onicegatheringstatechange(None);
}

/// The switch for those who want no direct links.
pub(crate) fn listen_to_clicks(port: &Port) {
    let switch: HtmlInputElement = by_id("relay-only").unchecked_into();
    switch.set_checked(browser::relay_only());
    switch.set_disabled(!browser::has_direct_links());
    let (port, by) = (port.clone(), switch.clone());
    listen(&switch, "change", move |_| {
        browser::set_relay_only(by.checked());
        port.send(ToWorker::RelayOnly(by.checked()));
    });
}
