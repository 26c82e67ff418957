//! By servers of ours, which say whom offers would find.

use swarm_core::engine::{DirectWork, PeerPath};
use swarm_core::id::{LinkId, MemberId};
use swarm_core::node::{DirectInput, Input, LinkInput, WebTorrentInput, WireInput, WireOutput};
use swarm_core::wire::relay::{self, Signal, Signalled};
use swarm_core::wire::tracker::Event;
use swarm_core::wire::webtorrent::OfferId;

use crate::tab::{LINK, OTHER, Tab, info_hash};

fn signalled(id: OfferId, sdp: &str) -> Signalled {
    Signalled {
        info_hash: info_hash(),
        member: MemberId(7),
        peer_id: OTHER,
        id,
        sdp: sdp.to_owned(),
    }
}

#[test]
fn offers_are_made_as_many_as_find_somebody_and_few_at_once() {
    let mut tab = Tab::new(1, false);
    tab.welcome(false);
    assert_eq!(tab.announced(), [true]);
    tab.invite(3);
    let first = tab.take_direct();
    let offers = first.iter().map(|(_, work)| work);
    assert_eq!(offers.collect::<Vec<_>>(), [&DirectWork::Offer; 2]);
    let [(one, _), (two, _)] = first[..] else {
        unreachable!("two of them")
    };
    tab.describe(one, "one");
    let [relay::ClientMessage::Offer(Signal { id, sdp, .. })] = &tab.said[..] else {
        panic!("no offer: {:?}", tab.said)
    };
    assert_eq!(sdp, "one");
    let answer = signalled(*id, "their answer");
    tab.feed(Input::Direct(two, DirectInput::Failed));
    let third = tab.take_direct();
    assert!(
        matches!(third[..], [(id, DirectWork::Offer)] if id != one && id != two),
        "in its place: {third:?}"
    );
    tab.hear(relay::ServerMessage::Answer(answer.clone()));
    let accepted = (one, DirectWork::Accept("their answer".to_owned()));
    assert_eq!(tab.take_direct(), [accepted]);
    tab.hear(relay::ServerMessage::Answer(answer));
    assert_eq!(tab.take_direct(), [], "once is enough");
    tab.link(one, 1 << 16);
    let Some(WireOutput::Send { parts, .. }) = tab.wires.first() else {
        panic!("nothing is said: {:?}", tab.wires)
    };
    assert!(parts.len() >= 68, "a handshake, at once");
    assert_eq!(tab.paths(), [PeerPath::WebTorrent]);
    // The last one is described by nobody, and given up.
    tab.wait(11);
    let given_up = (third[0].0, DirectWork::Drop);
    assert_eq!(tab.take_direct(), [given_up]);
    // Whom we have met need not be found.
    tab.invite(1);
    assert_eq!(tab.take_direct(), []);
}

#[test]
fn what_fails_is_tried_again_after_a_minute() {
    let mut tab = Tab::new(1, false);
    tab.welcome(false);
    tab.invite(1);
    let (id, _) = tab.take_direct()[0];
    tab.describe(id, "ours");
    let [.., relay::ClientMessage::Offer(Signal { id: offer, .. })] = &tab.said[..] else {
        panic!("no offer: {:?}", tab.said)
    };
    let answer = signalled(*offer, "theirs");
    tab.hear(relay::ServerMessage::Answer(answer));
    tab.announced();
    tab.wait(26);
    let drop = (id, DirectWork::Drop);
    assert_eq!(tab.take_direct().pop(), Some(drop), "no connection came");
    let before = tab.announced().len();
    tab.wait(62);
    assert!(tab.announced().len() > before, "the tracker is asked anew");
}

#[test]
fn offers_of_others_are_answered_once() {
    let mut tab = Tab::new(1, true);
    tab.welcome(false);
    let id = OfferId([9; 20]);
    let offer = relay::ServerMessage::Offer(signalled(id, "their offer"));
    tab.hear(offer.clone());
    let direct = tab.take_direct();
    let answer = DirectWork::Answer("their offer".to_owned());
    assert!(matches!(&direct[..], [(_, work)] if *work == answer));
    let (number, _) = direct[0];
    tab.hear(offer.clone());
    assert_eq!(tab.take_direct(), []);
    tab.describe(number, "our answer");
    let said = relay::ClientMessage::Answer(Signal {
        info_hash: info_hash(),
        id,
        sdp: "our answer".to_owned(),
    });
    assert_eq!(tab.said.pop(), Some(said));
    tab.link(number, 1 << 16);
    assert_eq!(tab.paths(), [PeerPath::WebTorrent]);
    tab.hear(offer.clone());
    assert_eq!(tab.take_direct(), [], "it is here");
    // The other end goes away, and may come back.
    tab.feed(Input::Wire(LinkId(1 << 16), WireInput::Down));
    assert_eq!(tab.paths(), []);
    tab.hear(offer.clone());
    let (number, _) = tab.take_direct()[0];
    // Who talks nonsense may not, for a while.
    tab.describe(number, "our answer");
    tab.link(number, (1 << 16) + 1);
    let nonsense = WireInput::Received(vec![0xff; 100].into());
    tab.feed(Input::Wire(LinkId((1 << 16) + 1), nonsense));
    assert_eq!(tab.paths(), []);
    tab.hear(offer);
    assert_eq!(tab.take_direct(), []);
}

#[test]
fn where_relays_alone_are_wanted_there_are_no_offers() {
    let offer = || relay::ServerMessage::Offer(signalled(OfferId([9; 20]), "their offer"));
    let mut tab = Tab::new(1, false);
    tab.welcome(true);
    tab.invite(3);
    tab.hear(offer());
    tab.feed(Input::WebTorrent(LinkId(1), WebTorrentInput::Up));
    assert_eq!((tab.take_direct(), tab.announced()), (vec![], vec![false]));
    assert_eq!(tab.told(), [], "nor does another tracker hear of us");
    tab.feed(Input::Link(LINK, LinkInput::Down));
    tab.wait(60);
    assert_eq!(tab.told(), [], "nor while the server is away");

    // A person says so while there are some.
    let mut tab = Tab::new(1, false);
    tab.welcome(false);
    tab.feed(Input::WebTorrent(LinkId(1), WebTorrentInput::Up));
    assert_eq!(tab.told().len(), 1);
    tab.invite(2);
    tab.hear(offer());
    assert_eq!(tab.take_direct().len(), 3);
    tab.announced();
    tab.feed(Input::RelayOnly(true));
    let dropped = tab.take_direct();
    assert_eq!(dropped.len(), 3);
    assert!(dropped.iter().all(|(_, work)| *work == DirectWork::Drop));
    assert_eq!(tab.announced(), [false], "and its server hears of that");
    assert_eq!(tab.told()[0].event, Event::Stopped);
    tab.invite(2);
    tab.hear(offer());
    assert_eq!(tab.take_direct(), []);
    tab.feed(Input::RelayOnly(false));
    assert_eq!(tab.announced(), [true]);
    assert_eq!(tab.told()[0].event, Event::Started);
}
