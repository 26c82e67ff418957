//! What a page that embeds the swarm and this worker say to each other.
//!
//! Such a page speaks through `embed/tabswarm.js`, which knows nothing of postcard: messages
//! are arrays of what JavaScript has. They are the same messages, by position where those of
//! [`crate::messages`] have fields; `embed/engine.js` gives the positions names.
//!
//! To the worker: what is asked, a list of what the message's doc has attached, and its fields. From
//! the worker: what it is, its fields, and what is attached.

use std::num::NonZeroU64;

use js_sys::{Array, Uint8Array};
use swarm_core::engine::view::{Changes, Description, HaveChange};
use swarm_core::engine::{DirectId, DirectWork, PeerView, TorrentView, TrackerView};
use swarm_core::id::{ChannelId, ChannelKey, InfoHash, LinkId};
use swarm_core::net::Rates;
use swarm_core::peer::PeerPath;
use swarm_core::pieces::Priority;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::DedicatedWorkerGlobalScope;

use crate::messages::{
    self, HashingView, Limits, State, ToPage, ToWorker, TrackerShown, TrackerState,
};

/// Who speaks with the worker, and so in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listener {
    /// Our own page.
    Page,
    /// A page of somebody else's, which embeds the swarm.
    Embedder,
}

impl Listener {
    /// Reads what was posted, and who says it; none when it is no message.
    pub(super) fn unpack(data: &JsValue) -> Option<(Self, ToWorker, Vec<JsValue>)> {
        if let Some((message, attached)) = messages::unpack(data) {
            return Some((Listener::Page, message, attached));
        }
        let (message, attached) = unpack(data)?;
        Some((Listener::Embedder, message, attached))
    }

    /// Says something, with the objects that the message's doc names. What an embedder has no use
    /// for, it is not told.
    pub(super) fn tell(
        self,
        scope: &DedicatedWorkerGlobalScope,
        message: &ToPage,
        attached: &[JsValue],
    ) {
        let packed = match self {
            Listener::Page => messages::pack(message, attached),
            Listener::Embedder => match pack(message) {
                Some(list) => list.all(attached),
                None => return,
            },
        };
        let sent = scope.post_message(&packed);
        sent.expect("messages are bytes and blobs, all of which can be posted");
    }
}

fn unpack(data: &JsValue) -> Option<(ToWorker, Vec<JsValue>)> {
    let fields = data.dyn_ref::<Array>()?;
    let text = |index| fields.get(index).as_string();
    let number = |index| fields.get(index).as_f64();
    let info_hash = || text(2)?.parse::<InfoHash>().ok();
    let direct = || {
        Some(DirectId {
            channel: ChannelKey {
                link: LinkId(number(2)? as u32),
                channel: ChannelId(number(3)? as u32),
            },
            attempt: number(4)? as u32,
        })
    };
    let message = match &text(0)?[..] {
        "start" => ToWorker::Start {
            tracker: text(2)?,
            slot: number(3).map(|slot| slot as u32),
            relay_only: fields.get(4).is_truthy(),
        },
        "look" => ToWorker::Look {
            at_once: fields.get(2).is_truthy(),
        },
        "add" => ToWorker::AddLink(text(2)?),
        "open" => ToWorker::AddTorrent {
            name: text(2)?,
            bytes: fields.get(3).dyn_into::<Uint8Array>().ok()?.to_vec(),
        },
        "share" => ToWorker::Share {
            folder: text(2),
            paths: fields
                .get(3)
                .dyn_into::<Array>()
                .ok()?
                .iter()
                .map(|path| parts(&path))
                .collect(),
        },
        "pause" => ToWorker::Pause(info_hash()?),
        "resume" => ToWorker::Resume(info_hash()?),
        "remove" => ToWorker::Remove(info_hash()?),
        "want" => ToWorker::SetWanted {
            info_hash: info_hash()?,
            file: number(3)? as u32,
            wanted: fields.get(4).is_truthy(),
        },
        "play" => ToWorker::Play(info_hash().zip(number(3).map(|file| file as u32))),
        "stream" => ToWorker::Stream {
            info_hash: info_hash()?,
            file: number(3).map(|file| file as u32),
            save: fields.get(4).is_truthy(),
        },
        "limit" => {
            let rate = |index| NonZeroU64::new(number(index)? as u64);
            ToWorker::SetLimits(Limits {
                rates: Rates {
                    up: rate(2),
                    down: rate(3),
                },
                ..Limits::default()
            })
        }
        "channel" => ToWorker::Channel(direct()?),
        "direct" => ToWorker::Direct(direct()?, text(5)),
        _ => return None,
    };
    let attached = fields.get(1).dyn_into::<Array>().ok()?;
    Some((message, attached.to_vec()))
}

/// A path as `webkitRelativePath` has it.
fn parts(path: &JsValue) -> Vec<String> {
    let path = path.as_string().unwrap_or_default();
    path.split('/').map(str::to_owned).collect()
}

fn pack(message: &ToPage) -> Option<List> {
    Some(match message {
        ToPage::Slot(slot) => List::of("slot").number((*slot).into()),
        ToPage::Added(info_hash) => List::of("added").text(&info_hash.to_string()),
        ToPage::Notice { error, text } => List::of("notice")
            .number(u8::from(*error).into())
            .text(text),
        ToPage::Direct { id, work, stun } => {
            let (work, theirs) = match work {
                DirectWork::Offer => ("offer", ""),
                DirectWork::Answer(theirs) => ("answer", &theirs[..]),
                DirectWork::Accept(theirs) => ("accept", &theirs[..]),
                DirectWork::Drop => ("drop", ""),
            };
            List::of("direct")
                .number(id.channel.link.0.into())
                .number(id.channel.channel.0.into())
                .number(id.attempt.into())
                .text(work)
                .text(theirs)
                .list(stun, |list, url| list.text(url))
        }
        ToPage::State(state) => pack_state(state),
        ToPage::Ready | ToPage::Glance(_) | ToPage::Saved { .. } | ToPage::Swarm { .. } => {
            return None;
        }
    })
}

fn pack_state(state: &State) -> List {
    List::of("state")
        .text(match state.view.tracker {
            TrackerView::Down => "down",
            TrackerView::Connecting => "connecting",
            TrackerView::Up => "up",
        })
        .list(&state.view.torrents, pack_torrent)
        .list(&state.changes, |list, (info_hash, changes)| {
            let list = list.text(&info_hash.to_string());
            pack_changes(list, changes)
        })
        .list(&state.trackers, |list, (info_hash, trackers)| {
            let list = list.text(&info_hash.to_string());
            list.list(trackers, pack_tracker)
        })
        .list(&state.hashing, |list, hashing| {
            let HashingView { name, progress, .. } = hashing;
            list.text(name).number(*progress)
        })
}

fn pack_torrent(list: List, torrent: &TorrentView) -> List {
    list.text(&torrent.info_hash.to_string())
        .text(torrent.state.as_str())
        .number(torrent.progress)
        .number(torrent.down_rate as f64)
        .number(torrent.up_rate as f64)
        .number(torrent.downloaded as f64)
        .number(torrent.uploaded as f64)
        .number(torrent.eta.map_or(f64::INFINITY, |eta| eta as f64))
        .number(torrent.complete.into())
        .number(torrent.incomplete.into())
        .text(torrent.error.as_deref().unwrap_or_default())
        .list(&torrent.peers, pack_peer)
}

fn pack_peer(list: List, peer: &PeerView) -> List {
    list.text(&peer.peer_id)
        .text(&peer.client)
        .text(match peer.path {
            PeerPath::Relay => "relay",
            PeerPath::Direct => "direct",
            PeerPath::Tcp => "tcp",
            PeerPath::WebTorrent => "webtorrent",
            PeerPath::WebSeed => "webseed",
        })
        .number(peer.progress)
        .number(peer.down as f64)
        .number(peer.up as f64)
        .number(peer.down_rate as f64)
        .number(peer.up_rate as f64)
}

/// What is not new is `undefined`.
fn pack_changes(list: List, changes: &Changes) -> List {
    let Changes {
        description,
        priorities,
        have,
        ..
    } = changes;
    let described = description.as_ref().filter(|it| it.pieces > 0);
    list.text(description.as_ref().map_or("", |it| &it.name))
        .value(described.map(pack_description))
        .value(have.as_ref().map(|have| match have {
            HaveChange::All(have) => Uint8Array::from(&have[..]).into(),
            HaveChange::Toggled(pieces) => {
                let pieces = pieces.iter().map(|piece| JsValue::from(*piece));
                pieces.collect::<Array>().into()
            }
        }))
        .value(priorities.as_ref().map(|priorities| {
            let is_wanted = |it: &Priority| JsValue::from(*it != Priority::Skip);
            priorities.iter().map(is_wanted).collect::<Array>().into()
        }))
}

fn pack_description(description: &Description) -> JsValue {
    let files = description.files.iter().zip(&description.offsets);
    let files: Vec<_> = files.collect();
    List(Array::new())
        .number(description.length as f64)
        .number(description.piece_length.into())
        .list(&files, |list, ((path, length), offset)| {
            let list = list.text(path).number(*length as f64);
            list.number(**offset as f64)
        })
        .all(&[])
}

fn pack_tracker(list: List, tracker: &TrackerShown) -> List {
    let (state, reason) = match &tracker.state {
        TrackerState::Connecting => ("connecting", ""),
        TrackerState::Up | TrackerState::WebSeed { up: true, .. } => ("up", ""),
        TrackerState::Idle | TrackerState::Spare => ("idle", ""),
        TrackerState::Waiting => ("waiting", ""),
        TrackerState::Down => ("down", ""),
        TrackerState::WebSeed { trouble, .. } => ("down", trouble.as_deref().unwrap_or_default()),
        TrackerState::Refused(reason) => ("refused", &reason[..]),
        TrackerState::Unsupported(reason) => ("unsupported", &reason[..]),
    };
    list.text(&tracker.url).text(state).text(reason)
}

/// A list in the making. Its methods are calls, or every field would weigh what they do.
struct List(Array);

impl List {
    fn of(what: &str) -> Self {
        List(Array::new()).text(what)
    }

    #[inline(never)]
    fn text(self, text: &str) -> Self {
        self.0.push(&text.into());
        self
    }

    #[inline(never)]
    fn number(self, number: f64) -> Self {
        self.0.push(&number.into());
        self
    }

    #[inline(never)]
    fn value(self, value: Option<JsValue>) -> Self {
        self.0.push(&value.unwrap_or_default());
        self
    }

    /// A list of lists.
    fn list<T>(self, items: &[T], pack: impl Fn(List, &T) -> List) -> Self {
        let items = items.iter().map(|item| pack(List(Array::new()), item).0);
        let items: JsValue = items.collect::<Array>().into();
        self.value(Some(items))
    }

    fn all(self, attached: &[JsValue]) -> JsValue {
        for object in attached {
            self.0.push(object);
        }
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn read(json: &str) -> Option<(ToWorker, Vec<JsValue>)> {
        unpack(&js_sys::JSON::parse(json).expect("JSON"))
    }

    #[wasm_bindgen_test]
    fn lists_are_read_as_the_messages_that_they_stand_for() {
        let hash = "0123456789abcdef0123456789abcdef01234567";
        let info_hash: InfoHash = hash.parse().expect("a hash");
        let want = read(&format!(r#"["want", [], "{hash}", 3, false]"#));
        let wanted = ToWorker::SetWanted {
            info_hash,
            file: 3,
            wanted: false,
        };
        assert_eq!(want, Some((wanted, Vec::new())));
        let link = ToWorker::AddLink("a link".to_owned());
        let answer = vec![JsValue::from(7)];
        assert_eq!(read(r#"["add", [7], "a link"]"#), Some((link, answer)));
        let nothing = Some((ToWorker::Play(None), Vec::new()));
        assert_eq!(read(r#"["play", []]"#), nothing);
        let share = ToWorker::Share {
            folder: None,
            paths: vec![vec!["a".to_owned(), "b".to_owned()]],
        };
        assert_eq!(
            read(r#"["share", [], null, ["a/b"]]"#),
            Some((share, Vec::new()))
        );
    }

    #[wasm_bindgen_test]
    fn what_is_no_message_is_none() {
        for json in [
            "null",
            "[]",
            "{}",
            r#"["dance", []]"#,
            r#"["look"]"#,
            r#"["pause", [], "no hash"]"#,
            r#"["open", [], "name", "no bytes"]"#,
            r#"["channel", [], 1, 2]"#,
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
