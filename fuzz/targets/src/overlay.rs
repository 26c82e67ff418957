//! The overlay of tabs: what neighbours say, in any order.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use swarm_core::id::{Fingerprint, InfoHash};
use swarm_core::overlay::{ITSELF, Output, Overlay, OverlayConfig, Want, id_of, topic_of};
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
        ..OverlayConfig::default()
    };
    let mut overlay = Overlay::new(config.clone(), Rng::new(1));
    let ours = Fingerprint([1; 16]);
    overlay.is_called(ours);
    let mut now = Time::from_millis(1000);
    // Questions that wait for an answer, and offers for the owner's.
    let (mut asked, mut offered) = (Vec::new(), Vec::new());
    while !u.is_empty() {
        let from = tab(u)?;
        match u.int_in_range(0..=9)? {
            0 => overlay.meet(now, from, u.arbitrary()?),
            1 => overlay.part(now, from),
            2 => now += Duration::from_millis(u.int_in_range(0..=20_000)?),
            3 => {
                let want = Want {
                    announce: u.arbitrary()?,
                    look: u.arbitrary()?,
                };
                let topic = topic_of(InfoHash([u.arbitrary()?; 20]));
                overlay.want(now, &[(topic, want)]);
            }
            4 => overlay.offer(now, u.arbitrary()?, from, ITSELF, "offer".to_owned()),
            5 => {
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
                let target = match u.arbitrary()? {
                    true => id_of(tab(u)?).0,
                    false => [u.arbitrary()?; 20],
                };
                let question = match u.int_in_range(0..=3)? {
                    0 => Question::Find,
                    1 => Question::Get,
                    2 => Question::Announce,
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
                    if let OverlayMessage::Question { number, .. } = message {
                        asked.push((to, number));
                    }
                }
                Output::Offered { number, .. } => offered.push(number),
                Output::Peers { peers, .. } => assert!(!peers.contains(&ours)),
                Output::Link(tab) => assert!(tab != ours && !overlay.knows(tab)),
                Output::Part(_) | Output::Answered { .. } => {}
            }
        }
        assert!(overlay.topics() <= config.topics);
    }
    Ok(())
}
