// What a person does before the page's program is there waits for it. Stands in the page itself.
//
// Files that were chosen wait in their pickers, where the program looks. A link that was opened, and
// what was dropped or pasted, reach it as the same event once more.
(() => {
  const form = document.getElementById("link-form");
  const heard = new AbortController();
  const waiting = new Map();

  // What the browser lets go of when the event is over.
  const keep = (data) => {
    const [types, files, text] = [[...data.types], data.files, data.getData("text/plain")];
    const items = Array.from(data.items, (item) => {
      const [kind, entry, file] = [item.kind, item.webkitGetAsEntry?.(), item.getAsFile()];
      return { kind, webkitGetAsEntry: () => entry ?? null, getAsFile: () => file };
    });
    return { types, files, items, getData: () => text };
  };
  const take = (event) => {
    const { type, target } = event;
    const name = type === "paste" ? "clipboardData" : "dataTransfer";
    const data = event[name];
    // A field knows what to do with text.
    if (!data || (!data.types.includes("Files") && target.matches?.("input, textarea"))) {
      return;
    }
    event.preventDefault();
    if (type !== "dragover") {
      const again = Object.assign(new Event(type, { cancelable: true }), { [name]: keep(data) });
      waiting.set(again, () => dispatchEvent(again));
    }
  };

  for (const type of ["dragover", "drop", "paste"]) {
    addEventListener(type, take, { signal: heard.signal });
  }
  const open = (event) => {
    event.preventDefault();
    waiting.set(form, () => form.requestSubmit());
  };
  form.addEventListener("submit", open, { signal: heard.signal });
  form.querySelector("button").disabled = false;

  // The program takes away what says that it is starting, and listens from then on.
  const here = () => {
    if (!document.getElementById("starting")) {
      watch.disconnect();
      heard.abort();
      waiting.forEach((again) => again());
    }
  };
  const watch = new MutationObserver(here);
  watch.observe(document.getElementById("app"), { childList: true });
})();
