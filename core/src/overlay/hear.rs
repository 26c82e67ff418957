//! What neighbours ask, and answer.

use super::calls::{Back, Call, Purpose};
use super::upkeep::Candidate;
use super::{BRIDGES, Output, Overlay, id_of};
use crate::dht::NodeId;
use crate::id::Fingerprint;
use crate::time::Time;
use crate::wire::introduce::Unlinked;
use crate::wire::overlay::{Answer, MAX_NAMED, OverlayMessage, Question, Target};

/// A question that came.
struct Asked {
    from: Fingerprint,
    number: u32,
    hops: u8,
    origin: Fingerprint,
    target: Target,
}

impl Overlay {
    /// Something came from a neighbour.
    pub fn hear(&mut self, now: Time, from: Fingerprint, message: OverlayMessage) {
        if !self.knows(from) {
            return;
        }
        match message {
            OverlayMessage::Question {
                number,
                hops,
                origin,
                target,
                question,
            } => {
                let asked = Asked {
                    from,
                    number,
                    hops,
                    origin: origin.unwrap_or(from),
                    target,
                };
                self.hear_question(now, &asked, question);
            }
            OverlayMessage::Answer { number, answer } => {
                if let Some(call) = self.calls.end(number, from) {
                    self.hear_answer(now, call, answer);
                }
            }
        }
    }

    fn hear_question(&mut self, now: Time, asked: &Asked, question: Question) {
        let offer = matches!(question, Question::Offer { .. });
        let Some(buckets) = &mut self.buckets else {
            return;
        };
        let own = buckets.own_id();
        let may = buckets.takes_question(now, asked.from, offer, &self.config)
            && self.calls.len() < self.config.calls
            && self.calls.asked_by(asked.from) < self.config.calls_each;
        if !may {
            return self.reply(asked.from, asked.number, Answer::End(Unlinked::Busy));
        }
        if asked.origin == buckets.ours() {
            // It came around to us: nobody is nearer than those who had it.
            let none = Answer::End(Unlinked::NoSuchPeer);
            return self.reply(asked.from, asked.number, none);
        }
        if question == Question::Carry {
            return self.hear_carry(now, asked.from, asked.number, asked.target);
        }
        let target = NodeId(asked.target);
        let next = (asked.hops > 0)
            .then(|| buckets.next(target, &[asked.from, asked.origin]))
            .flatten();
        let (next, question) = match question {
            Question::Offer {
                way,
                topic,
                description,
            } if next.is_none_or(|next| id_of(next) != target) && way != asked.target => {
                let but = [asked.from, asked.origin];
                let there = (asked.hops > 0).then(|| buckets.next(NodeId(way), &but));
                let there = there.flatten();
                // Nobody is nearer to where it was heard of: on by itself.
                let way = there.map_or(asked.target, |_| way);
                let offer = Question::Offer {
                    way,
                    topic,
                    description,
                };
                (there.or(next), offer)
            }
            question => (next, question),
        };
        let answer = match question {
            Question::Offer {
                topic, description, ..
            } if target == own => {
                let back = Back::To(asked.from, asked.number);
                // It waits for the one who owns us, under a number of its own.
                let until = now + self.config.timeout;
                let number = self.calls.begin(buckets.ours(), back, until);
                self.out.push_back(Output::Offered {
                    number,
                    from: asked.origin,
                    topic,
                    description,
                });
                return;
            }
            Question::Get => {
                let known = self.storage.members(asked.target, asked.origin);
                match next {
                    // Whoever is on the way may know; if not, it goes on.
                    Some(next) if known.is_empty() => {
                        return self.pass_on(now, asked, next, Question::Get);
                    }
                    _ => Answer::Peers(known),
                }
            }
            question => match (next, question) {
                (Some(next), question) => return self.pass_on(now, asked, next, question),
                (None, Question::Find) => {
                    let ours = buckets.ours();
                    let mut near = buckets.nearest(target, MAX_NAMED);
                    near.retain(|tab| *tab != asked.origin);
                    near.insert(0, ours);
                    near.truncate(MAX_NAMED);
                    Answer::Nodes(near)
                }
                (None, Question::Announce) => {
                    self.keep(now, asked.target, asked.origin, asked.hops > 0);
                    Answer::Noted
                }
                (None, _) => Answer::End(Unlinked::NoSuchPeer),
            },
        };
        self.reply(asked.from, asked.number, answer);
    }

    /// Notes an announcement, and has our neighbours that are nearest to it do so as well.
    pub(super) fn keep(&mut self, now: Time, topic: Target, origin: Fingerprint, copy: bool) {
        let Some(buckets) = &self.buckets else {
            return;
        };
        let own = buckets.own_id();
        self.storage.note(now, own, topic, origin, &self.config);
        if !copy {
            return;
        }
        let near = buckets.nearest(NodeId(topic), self.config.copies + 1);
        let near = near.into_iter().filter(|tab| *tab != origin);
        let until = now + self.config.timeout;
        let ours = buckets.ours();
        for to in near.take(self.config.copies) {
            let number = self.calls.begin(to, Back::Ours(Purpose::Announce), until);
            let message = OverlayMessage::Question {
                number,
                hops: 0,
                origin: Some(origin).filter(|origin| *origin != ours),
                target: topic,
                question: Question::Announce,
            };
            self.out.push_back(Output::Send { to, message });
        }
    }

    fn pass_on(&mut self, now: Time, asked: &Asked, to: Fingerprint, question: Question) {
        let back = Back::To(asked.from, asked.number);
        let until = now + self.config.timeout;
        let number = self.calls.begin(to, back, until);
        let message = OverlayMessage::Question {
            number,
            hops: asked.hops - 1,
            origin: Some(asked.origin),
            target: asked.target,
            question,
        };
        self.out.push_back(Output::Send { to, message });
    }

    pub(super) fn reply(&mut self, to: Fingerprint, number: u32, answer: Answer) {
        if !self.knows(to) {
            return;
        }
        let message = OverlayMessage::Answer { number, answer };
        self.out.push_back(Output::Send { to, message });
    }

    /// The owner answers an offer.
    pub(super) fn reply_to_offer(&mut self, number: u32, answer: Result<String, Unlinked>) {
        let call = self.ours().and_then(|ours| self.calls.end(number, ours));
        if let Some(Back::To(to, number)) = call.map(|call| call.back) {
            let answer = answer.map_or_else(Answer::End, Answer::Linked);
            self.reply(to, number, answer);
        }
    }

    /// A question is answered, ours or one that we passed on.
    fn hear_answer(&mut self, now: Time, call: Call, answer: Answer) {
        let purpose = match call.back {
            Back::To(to, number) => return self.reply(to, number, answer),
            Back::Ours(purpose) => purpose,
        };
        match (purpose, answer) {
            (Purpose::Look { first, way }, Answer::Nodes(tabs)) => {
                self.found(now, first, way, &tabs);
            }
            (Purpose::Seek(topic), Answer::Peers(peers)) => self.found_members(now, topic, peers),
            (Purpose::Carry(topic), Answer::Noted) => self.found_members(now, topic, vec![call.to]),
            (Purpose::Offer(offer), answer) => {
                let answer = match answer {
                    Answer::Linked(description) => Ok(description),
                    // Those on the way say so; whoever it is for says anything else.
                    Answer::End(why @ (Unlinked::NoSuchPeer | Unlinked::NotConnected)) => {
                        return self.try_offer(now, *offer, why);
                    }
                    Answer::End(why) => Err(why),
                    _ => Err(Unlinked::Unwanted),
                };
                let attempt = offer.attempt;
                self.out.push_back(Output::Answered { attempt, answer });
            }
            _ => {}
        }
    }

    /// A question came to nothing.
    pub(super) fn fail(&mut self, now: Time, call: Call, why: Unlinked) {
        self.hear_answer(now, call, Answer::End(why));
    }

    fn found_members(&mut self, now: Time, topic: Target, mut peers: Vec<Fingerprint>) {
        let ours = self.ours();
        peers.retain(|peer| Some(*peer) != ours);
        if topic == BRIDGES {
            self.found_bridges(now, peers);
        } else if !peers.is_empty() {
            self.out.push_back(Output::Peers { topic, peers });
        }
    }

    /// Some are known: those that we have a place for may become neighbours.
    fn found(&mut self, now: Time, first: Fingerprint, way: Target, tabs: &[Fingerprint]) {
        let Some(buckets) = &self.buckets else {
            return;
        };
        let mut news = false;
        for tab in tabs.iter().filter(|tab| buckets.wants(**tab, &self.config)) {
            let tab = *tab;
            let candidate = Candidate { tab, first, way };
            news |= self.maintenance.consider(now, candidate, &self.config);
        }
        // Those that are nearer to us know more of them.
        if news {
            self.maintenance.look_soon(now, &self.config);
        }
    }

    /// See [`Output::Peers`]: what we were told to keep is known without asking.
    pub(super) fn members_here(&mut self, now: Time, topic: Target) {
        if let Some(ours) = self.ours() {
            let peers = self.storage.members(topic, ours);
            self.found_members(now, topic, peers);
        }
    }

    /// It is nearer to the target than all of our neighbours.
    pub(super) fn is_nearest(&self, target: Target) -> bool {
        let buckets = self.buckets.as_ref();
        buckets.is_none_or(|buckets| buckets.next(NodeId(target), &[]).is_none())
    }
}
