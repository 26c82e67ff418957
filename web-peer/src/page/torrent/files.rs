//! The files of a torrent.

use leptos::prelude::*;
use swarm_core::id::InfoHash;
use web_sys::Element;

use crate::messages::ToWorker;
use crate::page::format;
use crate::page::model::Pieces;
use crate::page::picture::Icon;
use crate::page::port::Port;

/// Rows made at once: thousands would hold the page up.
const BATCH: usize = 200;

/// The files, when there are several. Rows are made once somebody looks.
#[component]
pub(crate) fn FileList(
    info_hash: InfoHash,
    files: RwSignal<Vec<(String, u64)>>,
    pieces: RwSignal<Pieces>,
) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let shown = RwSignal::new(BATCH);
    let number = Memo::new(move |_| files.with(Vec::len));
    let rows = move || files.with(|files| located(files, shown.get()));
    view! {
        <details
            class="files"
            hidden=move || number.get() < 2
            on:toggle=move |event| is_open.set(event_target::<Element>(&event).has_attribute("open"))
        >
            <summary>{move || format::count(number.get(), "file")}</summary>
            <Show when=move || is_open.get()>
                <ul>
                    <For each=rows key=|file| file.index let:file>
                        <FileRow info_hash=info_hash file=file pieces=pieces/>
                    </For>
                </ul>
                <Show when=move || { shown.get() < number.get() }>
                    <button type="button" on:click=move |_| shown.update(|shown| *shown += BATCH)>
                        "Show more"
                    </button>
                </Show>
            </Show>
        </details>
    }
}

#[derive(Clone)]
struct LocatedFile {
    index: u32,
    path: String,
    /// Bytes from the torrent's beginning.
    start: u64,
    length: u64,
}

/// The first files, with where they start.
fn located(files: &[(String, u64)], most: usize) -> Vec<LocatedFile> {
    let mut start = 0;
    let located = (0..).zip(files).take(most).map(|(index, (path, length))| {
        let file = LocatedFile {
            index,
            path: path.clone(),
            start,
            length: *length,
        };
        start += length;
        file
    });
    located.collect()
}

#[component]
fn FileRow(info_hash: InfoHash, file: LocatedFile, pieces: RwSignal<Pieces>) -> impl IntoView {
    let port = expect_context::<Port>();
    let LocatedFile {
        index,
        path,
        start,
        length,
    } = file;
    let is_here = Memo::new(move |_| pieces.with(|pieces| pieces.has_bytes(start, length)));
    let (folder, name) = match path.rsplit_once('/') {
        Some((folder, name)) => (format!("{folder}/"), name.to_owned()),
        None => (String::new(), path.clone()),
    };
    view! {
        <li class="file" class:here=is_here>
            <span class="file-path" title=path.clone()>
                <span class="folder">{folder}</span>
                {name}
            </span>
            <span class="size">{format::bytes(length)}</span>
            <button
                type="button"
                class="quiet icon-only"
                aria-label=format!("Save {path}")
                disabled=move || !is_here.get()
                on:click=move |_| port.send(ToWorker::Save { info_hash, file: Some(index) })
            >
                <Icon name="save"/>
            </button>
        </li>
    }
}
