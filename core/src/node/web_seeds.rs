//! Web seeds (BEP 19): servers from which a torrent's files can be had by HTTP.
//!
//! The engine takes each for a peer that has everything, on a link of its own, and knows only
//! that it is one of last resort ([`PeerPath::WebSeed`]). So pieces are chosen, verified and
//! blamed as ever, and recordings know nothing of HTTP. Here what the engine asks for becomes
//! ranges of files that the host fetches, and their bytes become blocks, without a copy.

mod io;
mod seed;
mod talk;

use std::collections::VecDeque;
use std::time::Duration;

pub use io::{Answer, Fetch, SeedTrouble, WebInput, WebOutput, WebSeedView};

use super::wire::{key, link_up};
use crate::chunk::Chunk;
use crate::engine::config::WebSeedConfig;
use crate::engine::{self, Ending, Engine, Opening, PeerPath};
use crate::id::{InfoHash, LinkId, MemberId};
use crate::metainfo::WebSeedAddress;
use crate::net::{Contact, Parts};
use crate::peer::UNCOUNTED;
use crate::sorted::SortedMap;
use crate::time::Time;
use seed::{Seed, peer_id};
use talk::{Step, Talk};

/// See the module.
#[derive(Debug)]
pub(super) struct WebSeeds<C> {
    /// By their links, which count down: hosts count up.
    seeds: SortedMap<LinkId, Seed<C>>,
    next_link: u32,
    next_fetch: u32,
    /// Since when torrents lack something.
    wanting: SortedMap<InfoHash, Time>,
    /// A person wants no other ways than relays.
    relay_only: bool,
    inputs: VecDeque<engine::Input<C>>,
    out: VecDeque<WebOutput>,
}

impl<C> Default for WebSeeds<C> {
    fn default() -> Self {
        WebSeeds {
            seeds: SortedMap::new(),
            next_link: LinkId::FIRST_WEB_SEED.0,
            next_fetch: 0,
            wanting: SortedMap::new(),
            relay_only: false,
            inputs: VecDeque::new(),
            out: VecDeque::new(),
        }
    }
}

impl<C: Chunk> WebSeeds<C> {
    /// A torrent has these and no others.
    pub(super) fn learn(&mut self, info_hash: InfoHash, urls: &[String], config: &WebSeedConfig) {
        let urls = &urls[..urls.len().min(config.known)];
        let gone = self.seeds.iter();
        let gone =
            gone.filter(|(_, seed)| seed.info_hash == info_hash && !urls.contains(&seed.url));
        let gone: Vec<LinkId> = gone.map(|(link, _)| *link).collect();
        for link in gone {
            self.hang_up(link);
            self.seeds.remove(&link);
        }
        for url in urls {
            let mut known = self.seeds.values();
            if known.any(|seed| seed.info_hash == info_hash && seed.url == *url) {
                continue;
            }
            let address = WebSeedAddress::parse(url);
            let trouble = address
                .as_ref()
                .err()
                .map(|unfit| SeedTrouble::Unfit(*unfit));
            let seed = Seed {
                info_hash,
                url: url.clone(),
                again: address.is_ok().then_some(Time::ZERO),
                address: address.ok(),
                talk: None,
                failures: 0,
                trouble: trouble.clone(),
            };
            if let Some(trouble) = trouble {
                self.out.push_back(seed.in_trouble(trouble));
            }
            self.seeds.insert(LinkId(self.next_link), seed);
            self.next_link -= 1;
        }
    }

    /// A torrent is gone.
    pub(super) fn forget(&mut self, info_hash: InfoHash) {
        self.learn(info_hash, &[], &WebSeedConfig::default());
        self.wanting.remove(&info_hash);
    }

    /// A person wants no other ways than relays, or takes that back.
    pub(super) fn set_relay_only(&mut self, only: bool) {
        self.relay_only = only;
    }

    /// A torrent's web seeds, for a person.
    pub(super) fn view(&self, now: Time, info_hash: InfoHash) -> Vec<WebSeedView> {
        let seeds = self.seeds.values().rev();
        let seeds = seeds.filter(|seed| seed.info_hash == info_hash);
        let seeds = seeds.map(|seed| WebSeedView {
            url: seed.url.clone(),
            up: seed.talk.is_some(),
            trouble: seed.trouble.clone(),
            rest: seed.again.map(|again| again.saturating_since(now)),
        });
        seeds.collect()
    }

    /// The engine believes that there is a peer on this link.
    pub(super) fn has(&self, link: LinkId) -> bool {
        let seed = self.seeds.get(&link);
        seed.is_some_and(|seed| seed.talk.is_some())
    }

    /// The engine sends something to it.
    pub(super) fn hear(&mut self, now: Time, link: LinkId, parts: &Parts<C>) {
        let Some(talk) = self.talk(link) else { return };
        talk.hear(now, parts);
        let given_up = talk.give_up();
        self.out.extend(given_up.map(WebOutput::Drop));
        let bytes = parts.len();
        self.inputs.push_back(engine::Input::Sent { link, bytes });
        self.pass_on(link);
    }

    /// The engine ends its channel.
    pub(super) fn closed(
        &mut self,
        now: Time,
        link: LinkId,
        reason: &Ending,
        config: &WebSeedConfig,
    ) {
        match reason {
            Ending::CorruptData | Ending::WrongMetadata | Ending::Banned => {
                self.fail(now, link, Some(SeedTrouble::Corrupt), config);
                if let Some(seed) = self.seeds.get_mut(&link) {
                    seed.again = None;
                }
            }
            Ending::Fault(_) | Ending::Silent => {
                self.fail(now, link, Some(SeedTrouble::Slow), config);
            }
            _ => self.fail(now, link, None, config),
        }
    }

    /// What comes of a fetch.
    pub(super) fn came(
        &mut self,
        now: Time,
        number: u32,
        input: WebInput<C>,
        config: &WebSeedConfig,
    ) {
        let mut talking = self.seeds.iter_mut();
        let found = talking.find_map(|(link, seed)| {
            let talk = seed.talk.as_mut()?;
            let shown = (&mut seed.failures, &mut seed.trouble);
            (talk.fetching() == Some(number)).then_some((*link, talk, shown))
        });
        // Nobody waits for what was given up, or is complete.
        let Some((link, talk, (failures, trouble))) = found else {
            return;
        };
        let ended = matches!(input, WebInput::End | WebInput::Failed(_));
        let result = match input {
            WebInput::Answered(answer) => talk.answered(now, &answer),
            WebInput::Received(bytes) => talk.received(now, bytes, config).map(|complete| {
                if complete {
                    (*failures, *trouble) = (0, None);
                }
            }),
            WebInput::End => Err(SeedTrouble::BrokenOff),
            WebInput::Failed(why) => Err(SeedTrouble::Unreachable(why)),
        };
        self.pass_on(link);
        if let Err(trouble) = result {
            if !ended {
                self.out.push_back(WebOutput::Drop(number));
            }
            self.end(now, link, Some(trouble), config);
        }
    }

    /// Has everything done that has become possible, or due.
    pub(super) fn work(&mut self, now: Time, engine: &Engine<C>) {
        let config = &engine.config().web_seeds;
        let links: Vec<LinkId> = self.seeds.keys().rev().copied().collect();
        for link in links {
            let Some(seed) = self.seeds.get_mut(&link) else {
                continue;
            };
            let info_hash = seed.info_hash;
            let wanted = !self.relay_only && engine.takes_web_seeds(info_hash);
            if !wanted {
                self.wanting.remove(&info_hash);
                self.hang_up(link);
                continue;
            }
            let since = *self.wanting.entry(info_hash).or_insert(now);
            let Some(seed) = self.seeds.get_mut(&link) else {
                continue;
            };
            if let Some(talk) = &seed.talk {
                if talk.owes() && now - talk.heard >= config.patience {
                    let trouble = match talk.trickles() {
                        true => SeedTrouble::Slow,
                        false => SeedTrouble::Silent,
                    };
                    self.fail(now, link, Some(trouble), config);
                }
            } else if now - since >= config.head_start && seed.again.is_some_and(|at| at <= now) {
                self.open(now, link, engine);
            }
            self.go_on(now, link, config);
        }
    }

    /// When something is due.
    pub(super) fn due(&self, engine: &Engine<C>) -> Option<Time> {
        let config = &engine.config().web_seeds;
        let due = self.seeds.values().filter_map(|seed| match &seed.talk {
            Some(talk) => talk.owes().then_some(talk.heard + config.patience),
            None => {
                let since = *self.wanting.get(&seed.info_hash)?;
                let full = self.open_of(seed.info_hash) >= config.at_once;
                let again = seed.again.filter(|_| !full)?;
                Some(again.max(since + config.head_start))
            }
        });
        due.min()
    }

    /// The next thing to tell the engine.
    pub(super) fn poll_input(&mut self) -> Option<engine::Input<C>> {
        self.inputs.pop_front()
    }

    /// The next thing for the host.
    pub(super) fn poll_output(&mut self) -> Option<WebOutput> {
        self.out.pop_front()
    }

    fn talk(&mut self, link: LinkId) -> Option<&mut Talk<C>> {
        self.seeds.get_mut(&link)?.talk.as_deref_mut()
    }

    fn open_of(&self, info_hash: InfoHash) -> usize {
        let of = self
            .seeds
            .values()
            .filter(|seed| seed.info_hash == info_hash);
        of.filter(|seed| seed.talk.is_some()).count()
    }

    /// The engine gets to know it as a peer.
    fn open(&mut self, now: Time, link: LinkId, engine: &Engine<C>) {
        let Some(seed) = self.seeds.get(&link) else {
            return;
        };
        let info_hash = seed.info_hash;
        let full = self.open_of(info_hash) >= engine.config().web_seeds.at_once;
        let contents = engine.contents(info_hash);
        let metainfo = contents.and_then(|contents| contents.metainfo.cloned());
        let (Some(metainfo), Some(seed), false) = (metainfo, self.seeds.get_mut(&link), full)
        else {
            return;
        };
        let Some(address) = seed.address.clone() else {
            return;
        };
        let talk = Talk::new(now, metainfo, address, peer_id(link));
        seed.talk = Some(Box::new(talk));
        self.inputs.push_back(link_up(link, MAX_PAYLOAD));
        self.inputs.push_back(engine::Input::Opened {
            opening: Opening {
                info_hash,
                channel: key(link),
                contact: Contact::Member {
                    link,
                    member: MemberId(0),
                },
                path: PeerPath::WebSeed,
                here: [0; 4],
            },
            room: UNCOUNTED,
        });
        self.pass_on(link);
    }

    /// Goes on with what it was asked for.
    fn go_on(&mut self, now: Time, link: LinkId, config: &WebSeedConfig) {
        let number = self.next_fetch;
        let Some(talk) = self.talk(link) else { return };
        if let Step::Fetch(fetch) = talk.go_on(now, number, config) {
            self.next_fetch = self.next_fetch.wrapping_add(1);
            self.out.push_back(WebOutput::Fetch(fetch));
        }
        self.pass_on(link);
    }

    /// What came through its channel goes to the engine.
    fn pass_on(&mut self, link: LinkId) {
        let channel = key(link);
        if let Some(seed) = self.seeds.get_mut(&link)
            && let Some(talk) = &mut seed.talk
        {
            let said = talk.said.drain(..);
            let said = said.map(|bytes| engine::Input::Received { channel, bytes });
            self.inputs.extend(said);
        }
    }

    /// It is given up for now, with whatever it was asked for.
    fn fail(
        &mut self,
        now: Time,
        link: LinkId,
        trouble: Option<SeedTrouble>,
        config: &WebSeedConfig,
    ) {
        let fetching = self.talk(link).and_then(|talk| talk.fetching());
        self.out.extend(fetching.map(WebOutput::Drop));
        self.end(now, link, trouble, config);
    }

    fn end(
        &mut self,
        now: Time,
        link: LinkId,
        trouble: Option<SeedTrouble>,
        config: &WebSeedConfig,
    ) {
        let Some(seed) = self.seeds.get_mut(&link) else {
            return;
        };
        if seed.talk.take().is_some() {
            self.inputs.push_back(engine::Input::LinkDown { link });
        }
        let (least, most) = config.retry;
        let lasts = trouble.as_ref().is_some_and(SeedTrouble::lasts);
        let rest = match lasts {
            true => most,
            false => least.saturating_mul(1 << seed.failures.min(16)).min(most),
        };
        seed.again = Some(now + rest.max(Duration::from_millis(1)));
        seed.failures += u32::from(trouble.is_some());
        if let Some(trouble) = trouble {
            let news = seed.trouble.as_ref() != Some(&trouble);
            seed.trouble = Some(trouble.clone());
            if news {
                self.out.push_back(seed.in_trouble(trouble));
            }
        }
    }

    /// It is not needed, and nothing is wrong with it.
    fn hang_up(&mut self, link: LinkId) {
        let fetching = self.talk(link).and_then(|talk| talk.fetching());
        self.out.extend(fetching.map(WebOutput::Drop));
        if let Some(seed) = self.seeds.get_mut(&link)
            && seed.talk.take().is_some()
        {
            self.inputs.push_back(engine::Input::LinkDown { link });
        }
    }
}

/// Bytes that leave for it at once at the most: a few hundred requests.
const MAX_PAYLOAD: usize = 16 << 10;
