//! Web seeds: what is asked of them, and what they make of it.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use swarm_core::engine::Config;
use swarm_core::id::InfoHash;
use swarm_core::node::{Answer, Fetch, Input, WebInput, WebOutput};

use super::World;
use super::fixtures::{FIXTURES, Fixture, any_torrent};

/// See the module.
#[derive(Default)]
pub(super) struct Web {
    /// How many each torrent has.
    known: BTreeMap<InfoHash, usize>,
    /// What is being fetched: its number, what comes, and whether that was answered.
    open: BTreeMap<u32, (Bytes, Answer, bool)>,
}

impl Web {
    /// The engine wants something of web seeds.
    pub(super) fn hear(&mut self, output: WebOutput, config: &Config) {
        match output {
            WebOutput::Fetch(fetch) => {
                assert!(
                    fetch.length <= config.web_seeds.range.into(),
                    "a long range"
                );
                let bytes = range(&fetch);
                let answer = Answer {
                    status: 206,
                    length: Some(fetch.length),
                    first: Some(fetch.first),
                };
                let before = self.open.insert(fetch.number, (bytes, answer, false));
                assert!(before.is_none(), "numbers are not used again");
                let most = FIXTURES.len() * config.web_seeds.at_once;
                // What is here as a whole only waits for its end to be said.
                let coming = self.open.values().filter(|(bytes, ..)| !bytes.is_empty());
                assert!(coming.count() <= most, "too much at once");
            }
            WebOutput::Drop(number) => {
                let open = self.open.remove(&number);
                assert!(open.is_some(), "only what is under way is given up");
            }
            WebOutput::Trouble { info_hash, .. } => {
                assert!(self.known.contains_key(&info_hash), "somebody else's");
            }
        }
    }
}

/// What a file has where something of it is asked for.
fn range(fetch: &Fetch) -> Bytes {
    let (fixture, file) = FIXTURES
        .iter()
        .find_map(|fixture| Some((fixture, file(fixture, &fetch.url)?)))
        .expect("the address of a file");
    let file = &fixture.metainfo.files()[file];
    assert!(fetch.length > 0 && fetch.first + fetch.length <= file.length);
    let begin = usize::try_from(file.offset + fetch.first).expect("a small torrent");
    let length = usize::try_from(fetch.length).expect("a small torrent");
    fixture.content.slice(begin..begin + length)
}

fn file(fixture: &Fixture, url: &str) -> Option<usize> {
    let (_, path) = url.split_once(".example/")?;
    let mut files = fixture.metainfo.files().iter();
    files.position(|file| file.path.to_string() == path)
}

/// A torrent's web seeds are known, or one of them goes on.
pub(super) fn next(world: &mut World, u: &mut Unstructured<'_>) -> Result<()> {
    let open: Vec<u32> = world.model.web.open.keys().copied().collect();
    if open.is_empty() || u.ratio(1, 8)? {
        let fixture = any_torrent(u)?;
        let count = u.int_in_range(0..=3)?;
        tell(world, fixture, count);
        return Ok(());
    }
    let number = *u.choose(&open)?;
    let (mut bytes, answer, answered) = world.model.web.open[&number].clone();
    let kind = u.int_in_range(0..=15)?;
    if kind == 15 {
        world.model.web.open.remove(&number);
        let failed = WebInput::Failed("the line is cut".to_owned());
        world.handle(Input::Web(number, failed));
    } else if !answered {
        let answer = match kind {
            0 => Answer {
                status: *u.choose(&[200, 206, 404])?,
                length: u.arbitrary()?,
                first: u.arbitrary()?,
            },
            _ => answer,
        };
        let open = world.model.web.open.get_mut(&number);
        open.expect("it is under way").2 = true;
        world.handle(Input::Web(number, WebInput::Answered(answer)));
    } else if bytes.is_empty() || kind == 14 {
        world.model.web.open.remove(&number);
        world.handle(Input::Web(number, WebInput::End));
    } else {
        let length = match u.ratio(1, 2)? {
            true => bytes.len(),
            false => u.int_in_range(1..=bytes.len())?,
        };
        let mut stretch = bytes.split_to(length);
        if kind == 0 {
            // Wrong, or too long.
            let more = usize::from(u.ratio(1, 2)?);
            stretch = vec![0x55; length + more].into();
        }
        let open = world.model.web.open.get_mut(&number);
        open.expect("it is under way").0 = bytes;
        world.handle(Input::Web(number, WebInput::Received(stretch)));
    }
    Ok(())
}

/// They are gone.
pub(super) fn leave(world: &mut World) {
    for fixture in &*FIXTURES {
        tell(world, fixture, 0);
    }
    world.model.web.open.clear();
}

fn tell(world: &mut World, fixture: &Fixture, count: usize) {
    let info_hash = fixture.info_hash();
    world.model.web.known.insert(info_hash, count);
    let urls = (0..count).map(|number| match number {
        2 => "ftp://nobody/".to_owned(),
        _ => format!("http://seed{number}.example/"),
    });
    let urls = urls.collect();
    world.handle(Input::WebSeeds { info_hash, urls });
}
