//! The overlay of tabs: what neighbours say, in any order.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use swarm_core::id::{Fingerprint, InfoHash};
use swarm_core::overlay::{
    BRIDGES, BridgeConfig, ITSELF, Output, Overlay, OverlayConfig, Want, id_of, topic_of,
};
use swarm_core::rng::Rng;
use swarm_core::time::Time;
use swarm_core::wire::introduce::Unlinked;
use swarm_core::wire::overlay::{Answer, MAX_HOPS, MAX_NAMED, OverlayMessage, Question};

/// A message is read or refused, and written as it is read; a node hears any of them, and what it
/// remembers and says stays within its bounds.
pub fn overlay(input: &[u8]) {
    if let Ok(Some(message)) = OverlayMessage::decode(input) {
        let again = OverlayMessage::decode(&message.encode());
        assert_eq!(again, Ok(Some(message)));
    }
    let mut u = Unstructured::new(input);
    // An end of the bytes is an end of the run.
    let _ = run(&mut u);
}

fn tab(u: &mut Unstructured<'_>) -> Result<Fingerprint> {
    Ok(Fingerprint([u.int_in_range(1..=24)?; 16]))
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let config = OverlayConfig {
        links: u.int_in_range(1..=8)?,
        topics: 4,
        members: 2,
        calls: 16,
        calls_each: 4,
        candidates: 4,
        bridges: 2,
        bridge: BridgeConfig {
            torrents: 1,
            ..BridgeConfig::default()
        },
        ..OverlayConfig::default()
    };
    let mut overlay = Overlay::new(config.clone(), Rng::new(1));
    let ours = Fingerprint([1; 16]);
    overlay.is_called(ours);
    let mut now = Time::from_millis(1000);
    // Questions that wait for an answer, and offers and wishes for the owner's.
    let (mut asked, mut offered, mut carried) = (Vec::new(), Vec::new(), Vec::new());
    // What a bridge may be asked for.
    let mut wanted = None;
    while !u.is_empty() {
        let from = tab(u)?;
        match u.int_in_range(0..=9)? {
            0 => overlay.meet(now, from, u.arbitrary()?),
            1 => overlay.part(now, from),
            2 => now += Duration::from_millis(u.int_in_range(0..=20_000)?),
            3 => {
                let info_hash = InfoHash([u.arbitrary()?; 20]);
                let want = Want {
                    announce: u.arbitrary()?,
                    look: u.arbitrary()?,
                    carry: Some(info_hash).filter(|hash| !hash.0[0].is_multiple_of(2)),
                };
                wanted = want.carry;
                overlay.want(now, &[(topic_of(info_hash), want)]);
            }
            4 => overlay.offer(now, u.arbitrary()?, from, ITSELF, "offer".to_owned()),
            5 => {
                if let Some(number) = carried.pop() {
                    overlay.carries(number);
                }
                if let Some(number) = offered.pop() {
                    let yes: bool = u.arbitrary()?;
                    let answer = match yes {
                        true => Ok("answer".to_owned()),
                        false => Err(Unlinked::Unwanted),
                    };
                    overlay.answer(number, answer);
                }
            }
            6 | 7 => {
                if let Some((to, number)) = asked.pop() {
                    let named = u.int_in_range(0..=MAX_NAMED)?;
                    let named = (0..named).map(|_| tab(u)).collect::<Result<Vec<_>>>()?;
                    let answer = match u.int_in_range(0..=4)? {
                        0 => Answer::Nodes(named),
                        1 => Answer::Peers(named),
                        2 => Answer::Noted,
                        3 => Answer::Linked("answer".to_owned()),
                        _ => Answer::End(Unlinked::NoSuchPeer),
                    };
                    overlay.hear(now, to, OverlayMessage::Answer { number, answer });
                }
            }
            _ => {
                let target = match u.int_in_range(0..=7)? {
                    0..=3 => id_of(tab(u)?).0,
                    4 => BRIDGES,
                    _ => [u.arbitrary()?; 20],
                };
                let question = match u.int_in_range(0..=4)? {
                    0 => Question::Find,
                    1 => Question::Get,
                    2 => Question::Announce,
                    3 => Question::Carry,
                    _ => Question::Offer {
                        way: [u.arbitrary()?; 20],
                        topic: [u.arbitrary()?; 20],
                        description: "offer".to_owned(),
                    },
                };
                let message = OverlayMessage::Question {
                    number: u.arbitrary()?,
                    hops: u.int_in_range(0..=MAX_HOPS)?,
                    origin: Some(tab(u)?).filter(|origin| *origin != from),
                    target,
                    question,
                };
                overlay.hear(now, from, message);
            }
        }
        overlay.tick(now);
        while let Some(output) = overlay.poll() {
            match output {
                Output::Send { to, message } => {
                    assert!(overlay.knows(to), "only neighbours are talked to");
                    let again = OverlayMessage::decode(&message.encode());
                    assert_eq!(again, Ok(Some(message.clone())), "others can read it");
                    if let OverlayMessage::Question {
                        number,
                        hops,
                        target,
                        question,
                        ..
                    } = message
                    {
                        asked.push((to, number));
                        if question == Question::Carry {
                            assert_eq!(hops, 0, "for a neighbour alone");
                            assert_eq!(Some(InfoHash(target)), wanted, "nobody else's");
                        }
                    }
                }
                Output::Offered { number, .. } => offered.push(number),
                Output::Carry { number, from, .. } => {
                    assert!(overlay.knows(from), "only neighbours ask");
                    carried.push(number);
                }
                Output::Peers { peers, .. } => assert!(!peers.contains(&ours)),
                Output::Link(tab) => assert!(tab != ours && !overlay.knows(tab)),
                Output::Part(_) | Output::Answered { .. } => {}
            }
        }
        assert!(overlay.topics() <= config.topics);
    }
    Ok(())
}
