//! Who a torrent is exchanged with.

use leptos::prelude::*;
use swarm_core::engine::{PeerPath, PeerView};

use crate::page::format;
use crate::page::model::{PeerKey, Row};
use crate::page::picture::Icon;

/// One row for each connected peer.
#[component]
pub(crate) fn PeerList(peers: RwSignal<Vec<Row<PeerKey, ArcRwSignal<PeerView>>>>) -> impl IntoView {
    let number = Memo::new(move |_| peers.with(Vec::len));
    view! {
        <details class="peers" open hidden=move || number.get() == 0>
            <summary>{move || format::count(number.get(), "peer")}</summary>
            <ul>
                <For each=move || peers.get() key=|row| row.key.clone() let:row>
                    <Peer peer=row.value/>
                </For>
            </ul>
        </details>
    }
}

#[component]
fn Peer(peer: ArcRwSignal<PeerView>) -> impl IntoView {
    let peer = RwSignal::from(peer);
    let path = move || match peer.with(|peer| peer.path) {
        PeerPath::Relay => "relay",
        PeerPath::Direct => "direct",
    };
    let path_explained = move || match peer.with(|peer| peer.path) {
        PeerPath::Relay => "Through the server, which passes bytes on and keeps none",
        PeerPath::Direct => "Straight from tab to tab",
    };
    let progress = move || peer.with(|peer| peer.progress);
    let moved = |total: u64, rate: u64| match rate {
        0 => format::bytes(total),
        _ => format!("{} · {}", format::bytes(total), format::rate(rate)),
    };
    view! {
        <li
            class="peer"
            data-testid="peer"
            data-path=path
            data-down=move || peer.with(|peer| peer.down)
            data-up=move || peer.with(|peer| peer.up)
        >
            <span class="client" title=move || peer.with(|peer| peer.peer_id.clone())>
                {move || peer.with(|peer| match &peer.client[..] {
                    "" => "A peer".to_owned(),
                    client => client.to_owned(),
                })}
            </span>
            <span class="path" title=path_explained>{path}</span>
            <span class="has">
                <span class="bar thin" aria-hidden="true">
                    <span class="fill" style:width=move || format::css_percent(progress())></span>
                </span>
                <span>"has " {move || format::percent(progress())}</span>
            </span>
            <span class="moved">
                <Icon name="down"/>
                <span class="visually-hidden">"received "</span>
                {move || peer.with(|peer| moved(peer.down, peer.down_rate))}
            </span>
            <span class="moved">
                <Icon name="up"/>
                <span class="visually-hidden">"sent "</span>
                {move || peer.with(|peer| moved(peer.up, peer.up_rate))}
            </span>
        </li>
    }
}
