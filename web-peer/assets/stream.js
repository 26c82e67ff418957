// Answers requests for what a tab has of a torrent, as a server would: a player asks for ranges,
// a download for all of it. The bytes come from that tab's engine, a stretch for each that is
// asked for, so nothing waits here in memory.
//
// stream/<tab>/<info-hash>/<file>/<name>, where only the tab and this worker know what the tab
// is called, and <file> is an index, or "zip". With "?save" it is handed to the person.
//
// Whatever a stranger's file says, nothing of it may run as a page of ours. So the type comes
// from a list of the engine's that has no pages, browsers are told not to guess, documents are
// in a sandbox that runs and loads nothing, and no address here is one to visit. But for a PDF:
// the browsers' own viewers work in no sandbox. They are not of our origin, and are shown in a
// tab of their own, never in a frame of the page.

// What an installed page needs besides.
importScripts("app.js");

const FOLDER = new URL("stream/", registration.scope).href;

const PDF = "application/pdf";

const GUARDED = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'self'",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

addEventListener("install", () => skipWaiting());

// A tab asks what it is called, and that this is its worker; or says that the worker is needed,
// which it does more often than this.
const AWAKE_MS = 90_000;

addEventListener("message", (event) => {
  if (event.data !== null) {
    return;
  }
  const [port] = event.ports;
  const tell = () => port.postMessage(event.source.id);
  const wait = (done) => setTimeout(done, AWAKE_MS);
  event.waitUntil(port ? clients.claim().then(tell) : new Promise(wait));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.url.startsWith(FOLDER)) {
    event.respondWith(answer(request));
  }
});

const refuse = (status, headers = {}) =>
  new Response(null, { status, headers: { ...GUARDED, ...headers } });

async function answer(request) {
  const { method, mode, destination, headers } = request;
  const url = new URL(request.url);
  const [tab, infoHash, file] = url.href.slice(FOLDER.length).split("/");
  const save = url.search === "?save";
  if (method !== "GET" && method !== "HEAD") {
    return refuse(405, { Allow: "GET, HEAD" });
  }
  const client = await clients.get(tab);
  if (!client) {
    return refuse(404);
  }
  const line = new Line();
  client.postMessage([infoHash, file, save], [line.theirs]);
  const told = await line.next();
  if (!told) {
    return refuse(404);
  }
  const [length, media, name] = told;
  const type = typeFor(media, save, destination);
  // It is saved, or a frame shows it, or a tab of its own where it is a PDF.
  const isVisited = mode === "navigate" && !save;
  if (isVisited && (destination === "document") !== (type === PDF)) {
    line.end();
    return refuse(403);
  }
  const range = save ? [0, length, 200] : rangeOf(headers.get("range"), length);
  if (!range) {
    line.end();
    return refuse(416, { "Content-Range": `bytes */${length}` });
  }
  const [from, to, status] = range;
  return new Response(method === "HEAD" ? line.end() : line.stream(from, to), {
    status,
    headers: {
      ...GUARDED,
      "Accept-Ranges": save ? "none" : "bytes",
      "Content-Length": to - from,
      "Content-Disposition": `${save ? "attachment" : "inline"}; filename*=UTF-8''${encode(name)}`,
      "Content-Type": type,
      ...(type === PDF && { "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'" }),
      ...(status === 206 && { "Content-Range": `bytes ${from}-${to - 1}/${length}` }),
    },
  });
}

// A vector drawing may have scripts, which do not run where it is an image.
const typeFor = (type, save, destination) => {
  if (save) {
    return "application/octet-stream";
  }
  return type === "image/svg+xml" && destination !== "image" ? "text/plain; charset=utf-8" : type;
};

// RFC 8187: what is no attr-char is encoded.
const encode = (name) =>
  encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);

// RFC 9110, section 14: [from, to, status], or nothing where no byte of it is there. Several
// ranges, and what is none, count as if nobody had asked for a range.
function rangeOf(header, length) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  const backwards = first && last && Number(first) > Number(last);
  if ((!first && !last) || backwards) {
    return [0, length, 200];
  }
  const from = first ? Number(first) : Math.max(0, length - Number(last));
  const to = first && last ? Math.min(length, Number(last) + 1) : length;
  return from < to ? [from, to, 206] : undefined;
}

// The line to the engine: it says what there is, and then gives a stretch for each that is asked.
class Line {
  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.ours = port1;
    this.theirs = port2;
  }

  next() {
    return new Promise((resolve) => {
      this.ours.onmessage = (event) => resolve(event.data);
    });
  }

  // Says that nothing more is wanted.
  end() {
    this.ours.postMessage(null);
    this.ours.close();
    return null;
  }

  stream(from, to) {
    const line = this;
    return new ReadableStream(
      {
        async pull(controller) {
          if (from < to) {
            const answered = line.next();
            line.ours.postMessage([from, to]);
            const bytes = await answered;
            if (!(bytes instanceof ArrayBuffer)) {
              line.end();
              return controller.error(new TypeError(bytes));
            }
            from += bytes.byteLength;
            controller.enqueue(new Uint8Array(bytes));
          }
          if (from >= to) {
            line.end();
            controller.close();
          }
        },
        cancel: () => void line.end(),
      },
      { highWaterMark: 0 },
    );
  }
}
