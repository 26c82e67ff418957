// What an installed page needs of the service worker: it starts without a network, takes what is
// shared to it, and comes to the front when somebody clicks what it told them.
//
// The page itself comes from the server wherever that answers, so nobody is held at an old version.
// What it names has its hash in its name, and is the same for ever. A page is kept once all that it
// names is, and what it does not name is dropped after that: the page that is kept is always whole.

const PAGE = registration.scope;
const KEPT = "page";
const HASHED = /[\w-]+-[0-9a-f]{16}\w*\.\w+/g;
// What keeps its name.
const NAMED = ["qr.js", "manifest.webmanifest"];
// Those of the languages that somebody reads here, once they came.
const WORDS = /^words\/[\w-]+\.json$/;

// A page is here that asks for its files. As long as this was part of being installed, all that is
// played waited for it.
addEventListener("message", (event) => {
  if (event.data === null) {
    event.waitUntil(kept(PAGE).then((page) => page ?? keep()).catch(() => {}));
  }
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const [address] = request.url.split(/[?#]/);
  if (!address.startsWith(PAGE)) {
    return;
  }
  const name = address.slice(PAGE.length);
  if (request.method === "POST" && name === "share") {
    event.respondWith(take(request));
  } else if (request.mode === "navigate" && (name === "" || name === "index.html")) {
    event.respondWith(visit(event));
  } else if (name.match(HASHED)?.[0] === name) {
    event.respondWith(kept(address).then((found) => found ?? fetch(request)));
  } else if (NAMED.includes(name)) {
    event.respondWith(fetch(request).catch(async () => (await kept(address)) ?? Response.error()));
  } else if (WORDS.test(name)) {
    event.respondWith(words(event, address));
  }
});

const kept = (address) => caches.match(address, { cacheName: KEPT, ignoreVary: true });

async function words(event, address) {
  const came = await fetch(event.request).catch(() => undefined);
  if (!came?.ok) {
    return (await kept(address)) ?? came ?? Response.error();
  }
  const copy = came.clone();
  event.waitUntil(caches.open(KEPT).then((cache) => cache.put(address, copy)));
  return came;
}

// Without navigation preload, by which the server would hear of every file that is shown.
async function visit(event) {
  const page = await fetch(event.request).catch(() => undefined);
  // A proxy may answer for a server that is gone.
  if (!page || page.status >= 500) {
    return (await kept(PAGE)) ?? page ?? Response.error();
  }
  event.waitUntil(keep(page.clone()).catch(() => {}));
  return page;
}

// One after the other, or one would drop what another one keeps.
let turn = Promise.resolve();
const keep = (page) => (turn = turn.catch(() => {}).then(() => keepNow(page)));

async function keepNow(came) {
  const page = came ?? (await fetch(PAGE, { cache: "no-cache" }));
  const cache = await caches.open(KEPT);
  const tag = (page) => page?.headers.get("etag");
  const before = await kept(PAGE);
  if (!page.ok || page.redirected || (before && tag(page) && tag(before) === tag(page))) {
    return;
  }
  const markup = await page.clone().text();
  const here = (await cache.keys()).map((request) => request.url);
  const named = (name) => new URL(name, PAGE).href;
  const wanted = [...new Set(markup.match(HASHED))].map(named);
  await cache.addAll(wanted.filter((address) => !here.includes(address)));
  const rest = NAMED.map(named);
  for (const address of rest) {
    // A page may be built without one of them.
    await cache.add(new Request(address, { cache: "no-cache" })).catch(() => {});
  }
  await cache.put(PAGE, page);
  const useful = [PAGE, ...wanted, ...rest];
  const isUseful = (it) => useful.includes(it) || WORDS.test(it.slice(PAGE.length));
  await Promise.all(here.filter((it) => !isUseful(it)).map((it) => cache.delete(it)));
}

// Files wait here until the page that comes next asks for them.
let shared = [];

async function take(request) {
  const form = await request.formData();
  shared = form.getAll("files").filter((file) => file.size > 0 || file.name);
  const texts = ["url", "text", "title"].map((name) => form.get(name) ?? "");
  const link = texts.find((text) => /magnet:|#/.test(text)) ?? "";
  return Response.redirect(`${PAGE}?shared#${link.split("#").pop()}`, 303);
}

addEventListener("message", (event) => {
  if (event.data === "shared") {
    event.ports[0].postMessage(shared.splice(0));
  } else if (event.data?.title) {
    const { title, ...options } = event.data;
    const shown = registration.showNotification(title, { ...options, data: event.source.id });
    const answer = (isShown) => event.ports[0]?.postMessage(isShown);
    event.waitUntil(shown.then(() => answer(true), () => answer(false)));
  }
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const bring = async () => {
    const tabs = await clients.matchAll({ type: "window" });
    const tab = tabs.find(({ id }) => id === event.notification.data) ?? tabs[0];
    await (tab ? tab.focus() : clients.openWindow(PAGE));
  };
  event.waitUntil(bring());
});
