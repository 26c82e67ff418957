//! Ranges of files by HTTP, from web seeds (BEP 19), as far as their servers let pages read
//! from them (CORS).

use std::rc::Rc;

use js_sys::{Reflect, Uint8Array};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::WebSeedAddress;
use swarm_core::node::{Answer, Fetch, SeedTrouble, WebInput, WebOutput};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, RequestCache, RequestInit, Response,
};

use super::chunk::TabChunk;
use super::host::{Host, Input};
use crate::messages::{NamedBy, TrackerShown, TrackerState};

/// What is being fetched: its number, and how to give it up.
pub(super) type Fetching = Vec<(u32, AbortController)>;

impl Host {
    /// The web seeds that a torrent or its link names.
    fn web_seeds_of(&self, info_hash: InfoHash) -> Vec<String> {
        let named = self.torrents.look(info_hash, |torrent| {
            let metainfo = torrent.metainfo.as_ref();
            let named = metainfo.map_or(&torrent.record.web_seeds[..], |m| m.web_seeds());
            named.to_vec()
        });
        named.unwrap_or_default()
    }

    /// Tells the node of those that this page may ask.
    pub(super) fn follow_web_seeds(self: &Rc<Self>) {
        for info_hash in self.torrents.all() {
            let mut urls = self.web_seeds_of(info_hash);
            urls.retain(|url| WebSeedAddress::for_page(url, self.origin).is_ok());
            self.feed(Input::WebSeeds { info_hash, urls });
        }
    }

    /// What there is to see of them.
    pub(super) fn show_web_seeds(&self, info_hash: InfoHash) -> Vec<TrackerShown> {
        let named = self.web_seeds_of(info_hash);
        if named.is_empty() {
            return Vec::new();
        }
        let known = self.node().web_seeds(self.clock.now(), info_hash);
        let shown = named.into_iter().map(|url| {
            let seed = known.iter().find(|seed| seed.url == url);
            let unfit = WebSeedAddress::for_page(&url, self.origin).err();
            let trouble = unfit.map(SeedTrouble::from);
            let trouble = trouble.or_else(|| seed.and_then(|seed| seed.trouble.clone()));
            TrackerShown {
                url,
                state: TrackerState::WebSeed {
                    up: seed.is_some_and(|seed| seed.up),
                    trouble: trouble.map(|trouble| trouble.to_string()),
                },
                by: NamedBy::Torrent,
            }
        });
        shown.collect()
    }

    /// Does what the node wants of web seeds.
    pub(super) fn work_on_web_seeds(self: &Rc<Self>, output: WebOutput) {
        match output {
            WebOutput::Fetch(fetch) => {
                let controller = AbortController::new();
                let controller = controller.expect("every browser can give up what it fetches");
                let number = fetch.number;
                self.fetching
                    .borrow_mut()
                    .push((number, controller.clone()));
                let host = Rc::clone(self);
                spawn_local(async move {
                    let end = match host.fetch(&fetch, &controller).await {
                        Ok(()) => WebInput::End,
                        Err(words) => WebInput::Failed(words),
                    };
                    host.came(number, end);
                    let mut fetching = host.fetching.borrow_mut();
                    fetching.retain(|(other, _)| *other != number);
                });
            }
            WebOutput::Drop(number) => self.drop_fetches(|of| of == number),
            WebOutput::Trouble {
                info_hash,
                url,
                trouble: trouble @ SeedTrouble::Corrupt,
            } => {
                let name = self.torrents.name(info_hash);
                self.notice(false, format!("“{name}”: the web seed {url}: {trouble}."));
            }
            // Said at the torrent.
            WebOutput::Trouble { .. } => {}
        }
    }

    /// Gives up what is being fetched.
    pub(super) fn drop_fetches(&self, which: impl Fn(u32) -> bool) {
        self.fetching.borrow_mut().retain(|(number, controller)| {
            let goes = which(*number);
            if goes {
                controller.abort();
            }
            !goes
        });
    }

    /// Tells the node, unless nobody waits for it.
    fn came(self: &Rc<Self>, number: u32, input: WebInput<TabChunk>) {
        let fetching = self.fetching.borrow();
        let awaited = fetching.iter().any(|(other, _)| *other == number);
        drop(fetching);
        if awaited {
            self.feed(Input::Web(number, input));
        }
    }

    async fn fetch(
        self: &Rc<Self>,
        fetch: &Fetch,
        controller: &AbortController,
    ) -> Result<(), String> {
        // No other header, or a browser would ask the server before whether it may be sent.
        let headers = Headers::new().map_err(unreadable)?;
        headers.set("range", &fetch.range()).map_err(unreadable)?;
        let init = RequestInit::new();
        init.set_headers(&headers);
        init.set_cache(RequestCache::NoStore);
        init.set_signal(Some(&controller.signal()));
        let response = self.scope.fetch_with_str_and_init(&fetch.url, &init);
        let response = JsFuture::from(response).await.map_err(unreadable)?;
        let response: Response = response.unchecked_into();
        if response.redirected() {
            let fits = WebSeedAddress::for_page(&response.url(), self.origin);
            fits.map_err(|unfit| format!("it sends us elsewhere: {unfit}"))?;
        }
        let header = |name| response.headers().get(name).ok().flatten();
        let answer = Answer {
            status: response.status(),
            length: header("content-length").and_then(|length| length.parse().ok()),
            first: header("content-range").and_then(|range| Answer::first_of(&range)),
        };
        self.came(fetch.number, WebInput::Answered(answer));
        let Some(body) = response.body() else {
            return Ok(());
        };
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        loop {
            let read = JsFuture::from(reader.read()).await.map_err(unreadable)?;
            let field = |name: &str| Reflect::get(&read, &name.into()).unwrap_or_default();
            if field("done").is_truthy() {
                return Ok(());
            }
            let bytes: Uint8Array = field("value").unchecked_into();
            let bytes = TabChunk::of_array(bytes);
            self.came(fetch.number, WebInput::Received(bytes));
        }
    }
}

/// Browsers don't say why.
fn unreadable(_: JsValue) -> String {
    "it does not answer, or breaks off, or does not let this page read from it (CORS)".to_owned()
}
