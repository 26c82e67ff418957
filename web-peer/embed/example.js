// A peer in a page of your own: shares a file, fetches a link, and shows how it goes.

import { Tabswarm } from "./tabswarm.js";

const by = (id) => /** @type {any} */ (document.getElementById(id));
const swarm = new Tabswarm({ serviceWorker: "stream.js" });

const tell = (error) => (by("trouble").textContent = `${error.message} (${error.code})`);
swarm.addEventListener("warning", ({ detail }) => tell(detail));
swarm.addEventListener("error", ({ detail }) => tell(detail));

// Torrents of this tab's last visit come by themselves.
swarm.addEventListener("torrent", ({ detail: torrent }) => {
  const item = by("torrents").appendChild(document.createElement("li"));
  item.innerHTML = `<a></a> <span></span> <button>Remove</button><progress></progress>`;
  const [link, words, button, bar] = item.children;
  const show = () => {
    const { name, state, progress, peers, downRate } = torrent;
    Object.assign(link, { textContent: name, href: here(torrent) });
    Object.assign(bar, { value: progress });
    words.textContent = `${state}, ${peers.length} peers, ${Math.round(downRate / 1000)} kB/s`;
  };
  show();
  torrent.addEventListener("progress", show);
  torrent.addEventListener("ready", () => torrent.files.forEach((file) => offer(item, file)));
  torrent.addEventListener("error", ({ detail }) => tell(detail));
  torrent.addEventListener("removed", () => item.remove());
  button.addEventListener("click", () => torrent.remove());
});

// Plays while it comes, and is saved once it is here.
const offer = async (item, file) => {
  if (/\.(mp4|webm|mp3|ogg)$/i.test(file.name)) {
    const player = item.appendChild(document.createElement("video"));
    Object.assign(player, { controls: true, src: await file.url() });
  }
  const save = item.appendChild(document.createElement("button"));
  save.textContent = `Save ${file.name}`;
  save.addEventListener("click", async () => {
    const href = URL.createObjectURL(await file.blob());
    Object.assign(document.createElement("a"), { href, download: file.name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  });
};

// The same magnet link opens in this page, in the app, and in others that know this tracker.
const here = ({ magnet }) => `${location.pathname}#${magnet}`;
const open = (link) => link && swarm.add(link).catch(tell);
by("file").addEventListener("change", () => swarm.seed(by("file").files).catch(tell));
by("form").addEventListener("submit", (event) => {
  event.preventDefault();
  open(by("link").value);
});
addEventListener("hashchange", () => open(location.hash.slice(1)));
open(location.hash.slice(1));
