// What the page does with the browser and the machine around it: the code to scan, the icon, what
// an installed page is opened with, and what a person allowed.
//
// It sees what the page shows (data-state, the title) and does what a person could do (a link in the
// address, files in the picker). The page's program knows nothing of it, and nothing here is needed
// to share or to fetch. Every text is in index.html.

const by = (id) => document.getElementById(id);
const part = (root, name) => root.querySelector(`[data-part=${name}]`);
const show = (element, shown) => (element.hidden = !shown);

// The page's program takes away what says that it is starting.
const isReady = () => !document.getElementById("starting");
const CARDS = '[data-testid="torrent"]';
const RECEIVING = ["metadata", "downloading"];

const begin = () => {
  tellProgress();
  watchTorrents();
  openCodes();
  askBeforeRemoving();
  openLaunched();
  offerInstalling();
  offerLinks();
  offerKeeping();
};

// How far everything is, in the tab's icon: a ring around the middle of the comb.

const tellProgress = () => {
  const icon = document.querySelector("link[rel=icon]");
  const plain = icon.href;
  let shown;
  const draw = () => {
    const percent = /^(\d+)%/.exec(document.title)?.[1];
    if (percent === shown) {
      return;
    }
    shown = percent;
    icon.href = percent === undefined ? plain : `data:image/svg+xml,${encodeURIComponent(ring(percent))}`;
  };
  new MutationObserver(draw).observe(document.querySelector("title"), { childList: true });
  draw();
};

const ring = (percent) => {
  const circle = (colour, rest) =>
    `<circle cx="16" cy="16" r="12" fill="none" stroke="${colour}" stroke-width="7" ${rest}/>`;
  const done = `pathLength="100" stroke-dasharray="${percent} 100" transform="rotate(-90 16 16)"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${circle("#f9d675", "")}${circle("#c97f00", done)}</svg>`;
};

// What torrents do: who is complete is told, and the screen stays on while something comes.

const watchTorrents = () => {
  const states = new Map();
  const look = () => {
    const cards = [...document.querySelectorAll(CARDS)];
    for (const card of cards) {
      const { infoHash, state } = card.dataset;
      if (state === "seeding" && RECEIVING.includes(states.get(infoHash))) {
        tell(card);
      }
      if (infoHash) {
        states.set(infoHash, state);
      }
    }
    stayAwake(cards.some((card) => RECEIVING.includes(card.dataset.state)));
  };
  const watched = { subtree: true, childList: true, attributeFilter: ["data-state"] };
  const observer = new MutationObserver(look);
  observer.observe(by("torrents"), watched);
  document.addEventListener("visibilitychange", look);
  setting("tell", "Notification" in window, allowTelling);
  setting("awake", "wakeLock" in navigator && matchMedia("(pointer: coarse)").matches, look);
};

// A box to tick, kept; `changed` hears of it when a person ticks it.
const setting = (id, exists, changed) => {
  const box = by(id);
  show(box.closest("p"), exists);
  box.checked = exists && read(id);
  box.addEventListener("change", () => {
    write(id, box.checked);
    changed(box);
  });
};

// Where nothing can be kept, it holds until the page is closed.
const read = (id) => {
  try {
    return localStorage.getItem(`tabswarm-${id}`) !== null;
  } catch {
    return false;
  }
};

const write = (id, on) => {
  try {
    on ? localStorage.setItem(`tabswarm-${id}`, "yes") : localStorage.removeItem(`tabswarm-${id}`);
  } catch {}
};

const allowTelling = async (box) => {
  if (!box.checked) {
    return;
  }
  const allowed = (await Notification.requestPermission()) === "granted";
  show(by("tell-refused"), !allowed);
  if (!allowed) {
    box.checked = false;
    write("tell", false);
  }
};

// Who looks at the page sees it there. The card says when the system shows it (data-told).
const tell = async (card) => {
  if (!by("tell").checked || !document.hidden || Notification.permission !== "granted") {
    return;
  }
  const name = part(card, "name").textContent;
  const told = { title: name, body: by("complete").textContent, icon: "icon.png", tag: name };
  const worker = navigator.serviceWorker?.controller;
  // Phones tell what a service worker says, and nothing else.
  if (!worker || !(await tells(worker, told))) {
    new Notification(told.title, told);
  }
  card.dataset.told = "";
};

// The service worker has told it by then, or does not know of it any more.
const ANSWERED_MS = 3_000;

// Whether the service worker could tell it. It is told again, in the same words and the same place,
// because browsers end it, with what it was told last.
const tells = async (worker, told) => {
  for (let times = 0; times < 5; times += 1) {
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((resolve) => (port1.onmessage = ({ data }) => resolve(data)));
    const later = new Promise((resolve) => setTimeout(resolve, ANSWERED_MS));
    worker.postMessage(told, [port2]);
    const shown = await Promise.race([answer, later]);
    if (shown !== undefined) {
      return shown;
    }
  }
  return false;
};

let lock;

const stayAwake = async (receives) => {
  const wanted = receives && by("awake").checked && !document.hidden;
  if (wanted && !lock) {
    // Asked for once: it takes a moment, and a phone that is low refuses.
    lock = navigator.wakeLock.request("screen").catch(() => undefined);
    // The browser takes it back when the page is hidden.
    (await lock)?.addEventListener("release", () => (lock = undefined));
  } else if (!wanted && lock) {
    const held = lock;
    lock = undefined;
    (await held)?.release();
  }
};

// The link as a code to scan.

const closes = (dialog) => {
  part(dialog, "close").addEventListener("click", () => dialog.close());
  // Outside of it: its own contents fill it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return dialog;
};

const openCodes = () => {
  const dialog = closes(by("qr-dialog"));
  document.addEventListener("click", async (event) => {
    const card = event.target.closest?.("[data-do=qr]")?.closest(CARDS);
    if (!card) {
      return;
    }
    const link = part(card, "link").href;
    const short = `${link.split("#")[0]}#${card.dataset.infoHash}`;
    const [canvas, missing, words] = ["code", "missing", "words"].map((name) => part(dialog, name));
    part(dialog, "of").textContent = part(card, "name").textContent;
    show(missing, false);
    dialog.showModal();
    try {
      const { draw } = await import("./qr.js");
      dialog.dataset.link = draw(canvas, [link, short]);
    } catch {
      show(missing, true);
    }
    show(canvas, missing.hidden);
    show(words, missing.hidden);
  });
};

// What is here would be gone for good: a person is asked first, and afterwards a keyboard's user
// is where the next one begins.

const askBeforeRemoving = () => {
  const dialog = closes(by("remove-dialog"));
  let asked, agreed;
  const ask = (event) => {
    const button = event.target.closest?.("[data-do=remove]");
    const card = button?.closest(CARDS);
    if (!card) {
      return;
    }
    const { state, progress, copies } = card.dataset;
    if (agreed || !(progress > 0)) {
      const beside = card.nextElementSibling ?? card.previousElementSibling ?? by("intake");
      beside.tabIndex = -1;
      beside.focus({ preventScroll: true });
      return;
    }
    event.stopPropagation();
    asked = button;
    part(dialog, "of").textContent = part(card, "name").textContent;
    show(part(dialog, "last"), state === "seeding" && copies === "0");
    dialog.showModal();
  };
  // Before the page's program hears of it.
  document.addEventListener("click", ask, true);
  part(dialog, "remove").addEventListener("click", () => {
    dialog.close();
    agreed = true;
    asked.click();
    agreed = false;
  });
};

// What an installed page is opened with, and what is shared to it.

const openLaunched = () => {
  window.launchQueue?.setConsumer(async ({ files, targetURL }) => {
    const opened = await Promise.all((files ?? []).map((file) => file.getFile()));
    openFiles(opened);
    const { hash } = new URL(targetURL ?? location.href);
    // The first page has it in its address already.
    if (hash && hash !== location.hash) {
      location.hash = hash;
    }
  });
  if (location.search === "?shared") {
    history.replaceState(null, "", location.pathname + location.hash);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => openFiles(data);
    navigator.serviceWorker?.controller?.postMessage("shared", [port2]);
  }
};

const openFiles = (files) => {
  if (files.length === 0) {
    return;
  }
  const chosen = new DataTransfer();
  files.forEach((file) => chosen.items.add(file));
  const picker = by("pick-files");
  picker.files = chosen.files;
  picker.dispatchEvent(new Event("change"));
};

const offerInstalling = () => {
  const button = by("install");
  let offer;
  addEventListener("beforeinstallprompt", (event) => {
    // The browser's own offer would lie over the page.
    event.preventDefault();
    offer = event;
    show(button.closest("p"), true);
  });
  button.addEventListener("click", async () => {
    await offer?.prompt();
    show(button.closest("p"), false);
  });
};

const offerLinks = () => {
  const button = by("magnets");
  show(button.closest("p"), "registerProtocolHandler" in navigator);
  button.addEventListener("click", () => {
    navigator.registerProtocolHandler("magnet", `${location.href.split(/[?#]/)[0]}#%s`);
  });
};

// Whether the browser may clear what is kept, when the disk fills up.

const offerKeeping = async () => {
  const storage = navigator.storage;
  if (!storage?.persist) {
    return;
  }
  const [keeping, button] = [by("keeping"), by("keep")];
  const tellState = (state) => {
    for (const words of keeping.querySelectorAll("[data-state]")) {
      show(words, words.dataset.state === state);
    }
    show(button, state === "may-clear");
  };
  tellState((await storage.persisted()) ? "keeps" : "may-clear");
  show(keeping, true);
  button.addEventListener("click", async () => {
    tellState((await storage.persist()) ? "keeps" : "refused");
  });
};

if (isReady()) {
  begin();
} else {
  new MutationObserver((_, observer) => {
    if (isReady()) {
      observer.disconnect();
      begin();
    }
  }).observe(document.body, { childList: true, subtree: true });
}
