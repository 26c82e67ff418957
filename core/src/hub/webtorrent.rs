//! What the hub does for those who speak WebTorrent's protocol, and for members of ours that take
//! offers from them, and make some.

use super::accounts::cost;
use super::kind::Kind;
use super::{Frame, Hub, HubOutput};
use crate::id::{InfoHash, MemberId, PeerId};
use crate::time::Time;
use crate::wire::relay::{self, Signal, Signalled};
use crate::wire::tracker::Event;
use crate::wire::webtorrent::{Announce, Answer, ClientMessage, Offer, ServerMessage};

impl<F: Frame> Hub<F> {
    /// One that speaks WebTorrent's protocol said something.
    pub(super) fn hear_webtorrent(&mut self, now: Time, member: MemberId, message: ClientMessage) {
        if !self.charge(now, member, cost::of_webtorrent(&message)) {
            return;
        }
        match message {
            ClientMessage::Announce(announce) => self.announce_webtorrent(now, member, announce),
            ClientMessage::Answer(Answer {
                info_hash, id, sdp, ..
            }) => self.answer(member, Signal { info_hash, id, sdp }),
            ClientMessage::Scrape { swarms } => {
                let scraped = self.registry.scrape_webtorrent(&swarms);
                self.say_webtorrent(member, ServerMessage::Scraped(scraped));
            }
        }
    }

    fn announce_webtorrent(&mut self, now: Time, member: MemberId, announce: Announce) {
        let info_hash = announce.info_hash;
        if announce.event == Event::Stopped {
            self.signal.leave(member, info_hash);
            self.leave(member, info_hash, "", true);
            return;
        }
        let counts = match self.registry.announce_webtorrent(now, member, &announce) {
            Ok(counts) => counts,
            Err(reason) => return self.error(member, info_hash, reason),
        };
        let interval = self.config.announce_interval.as_secs();
        let announced = ServerMessage::Announced {
            info_hash,
            interval: u32::try_from(interval).unwrap_or(u32::MAX),
            complete: counts.complete,
            incomplete: counts.incomplete,
        };
        self.say_webtorrent(member, announced);
        self.spread_offers(now, member, announce);
    }

    /// Each offer goes to another member of the swarm, drawn at random among those with whom
    /// there was none lately. Those for whom there is nobody are dropped, and made anew by
    /// their sender, as they live for a minute only.
    fn spread_offers(&mut self, now: Time, member: MemberId, announce: Announce) {
        let Announce {
            info_hash,
            numwant,
            mut offers,
            ..
        } = announce;
        let wanted = numwant.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX));
        offers.truncate(wanted.min(self.config.max_numwant));
        if offers.is_empty() {
            return;
        }
        let partners = self.partners(member, info_hash, offers.len());
        let Some(peer_id) = self.registry.takes_offers(member, info_hash) else {
            return;
        };
        for (offer, to) in offers.into_iter().zip(partners) {
            self.hand_on(now, info_hash, peer_id, [member, to], offer);
        }
    }

    /// How many would be given an offer of this member just now.
    pub(super) fn count_partners(&mut self, member: MemberId, info_hash: InfoHash) -> u32 {
        let partners = self.partners(member, info_hash, self.config.max_numwant);
        u32::try_from(partners.len()).unwrap_or(u32::MAX)
    }

    /// A member of ours makes an offer to anybody who can be reached so alone.
    pub(super) fn offer(&mut self, now: Time, member: MemberId, signal: Signal) {
        let Signal { info_hash, id, sdp } = signal;
        if let Some(&to) = self.partners(member, info_hash, 1).first()
            && let Some(peer_id) = self.registry.takes_offers(member, info_hash)
        {
            self.hand_on(now, info_hash, peer_id, [member, to], Offer { id, sdp });
        }
    }

    /// And answers one.
    pub(super) fn answer(&mut self, member: MemberId, signal: Signal) {
        let Signal { info_hash, id, sdp } = signal;
        let Some(peer_id) = self.registry.takes_offers(member, info_hash) else {
            return;
        };
        // One that comes too late, or twice, is for nobody.
        let Some(to) = self.signal.answer(member, info_hash, id) else {
            return;
        };
        match self.door.kind(to) {
            Some(Kind::Tab) => {
                let answer = Signalled {
                    info_hash,
                    member,
                    peer_id,
                    id,
                    sdp,
                };
                self.door.send(to, relay::ServerMessage::Answer(answer));
            }
            Some(Kind::WebTorrent) => {
                let answer = ServerMessage::Answer {
                    info_hash,
                    peer_id,
                    id,
                    sdp,
                };
                self.say_webtorrent(to, answer);
            }
            None => {}
        }
    }

    /// Those that a member may make offers to, with whom there was none lately, in an order of
    /// no meaning: `wanted`, or more, if so many are found.
    fn partners(&mut self, member: MemberId, info_hash: InfoHash, wanted: usize) -> Vec<MemberId> {
        let most = self.config.max_numwant;
        let mut partners = Vec::new();
        // Drawing costs, and in a large swarm hardly anybody drawn was offered something lately.
        for count in [2 * wanted, most] {
            partners = self.registry.partners(member, info_hash, count.min(most));
            let drawn = partners.len();
            self.signal
                .retain_offerable(info_hash, member, &mut partners);
            if partners.len() >= wanted || drawn < count {
                break;
            }
        }
        partners
    }

    /// An offer goes from one, who calls itself `peer_id`, to another, in the words of that one.
    fn hand_on(
        &mut self,
        now: Time,
        info_hash: InfoHash,
        peer_id: PeerId,
        pair: [MemberId; 2],
        offer: Offer,
    ) {
        let [from, to] = pair;
        if !self.signal.offer(now, info_hash, pair, offer.id) {
            return;
        }
        if self.door.kind(to) == Some(Kind::Tab) {
            let Offer { id, sdp } = offer;
            let offer = Signalled {
                info_hash,
                member: from,
                peer_id,
                id,
                sdp,
            };
            self.door.send(to, relay::ServerMessage::Offer(offer));
        } else {
            let offer = ServerMessage::Offer {
                info_hash,
                peer_id,
                offer,
            };
            self.say_webtorrent(to, offer);
        }
    }

    fn say_webtorrent(&mut self, member: MemberId, message: ServerMessage) {
        self.door.say(member, HubOutput::WebTorrent(message));
    }
}
