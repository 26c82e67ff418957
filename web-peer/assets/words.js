// Words and figures in a person's language. Stands in the page itself, behind its templates.
//
// The page is written in English. The words of another language (words/*.json) are fetched beside
// the program, if the browser or the person asks for one. Their keys are the English words:
// what has no others stays English. `page` is what the page says, `sentences` what the worker and
// the core say, which know no other language.
globalThis.words = (() => {
  const KEPT = "tabswarm-language";
  // A page that waits longer for its words begins without them. Milliseconds.
  const PATIENCE = 5000;
  // A sentence that is longer is not recognised.
  const LONGEST = 1000;
  const ATTRIBUTES = ["alt", "aria-label", "placeholder", "title"];
  const root = document.documentElement;
  const page = document.getElementById("app") ?? document.body;

  // A language and its script: whoever reads zh-TW was not asked for when zh-CN is there.
  const written = (tag) => {
    try {
      const { language, script } = new Intl.Locale(tag).maximize();
      return `${language}-${script}`;
    } catch {
      return "";
    }
  };
  const same = (one) => (other) => written(one) === written(other);
  const kept = () => {
    try {
      return localStorage.getItem(KEPT);
    } catch {
      return null;
    }
  };

  const known = Array.from(page.querySelectorAll("#language option"), (option) => option.value);
  const asked = [new URLSearchParams(location.search).get("lang"), kept(), ...navigator.languages];
  let locale = asked.find((tag) => tag && known.some(same(tag))) ?? "en";
  const language = known.find(same(locale)) ?? "en";
  if (locale === language) {
    // The browser may know more of how figures are written.
    locale = navigator.languages.find(same(locale)) ?? locale;
  }

  const found = new Map();
  let formats = {};
  let isRightToLeft = false;
  const use = (tag) => {
    locale = tag;
    formats = {};
    isRightToLeft = /Arab|Hebr|Thaa|Syrc|Nkoo|Adlm/.test(written(tag));
    // Whatever is set has all of the page laid out once more.
    if (!same(root.lang)(tag)) {
      root.lang = tag;
    }
    if (isRightToLeft !== (root.dir === "rtl")) {
      root.dir = isRightToLeft ? "rtl" : "ltr";
    }
  };
  use(locale);

  const format = (name, make) => (formats[name] ??= make());
  const shown = (value) => {
    if (typeof value === "number") {
      return format("number", () => new Intl.NumberFormat(locale)).format(value);
    }
    // Names go in their own direction.
    return isRightToLeft ? `\u2068${value}\u2069` : value;
  };
  const fill = (text, values) => {
    let next = 0;
    return text.replace(/\{(\w*)\}/g, (_, name) => shown(values[name || next++]));
  };

  // What is said in English with these words. `values` has names and values in turn; `n` is the
  // number that decides about plurals, and makes the `s` of English ones.
  const say = (key, values = []) => {
    const named = {};
    for (let at = 0; at < values.length; at += 2) {
      named[values[at]] = values[at + 1];
    }
    let text = found.get(key) ?? key.replaceAll("{s}", named.n === 1 ? "" : "s");
    if (typeof text !== "string") {
      const plural = format("plural", () => new Intl.PluralRules(locale));
      text = text[plural.select(named.n)] ?? text.other;
    }
    return fill(text, named);
  };

  // An English sentence of the worker or the core, recognised by the words around what differs in
  // it. A part of it may be such a sentence, or what a stranger says, which may be long.
  let patterns = [];
  const of = (sentence) => {
    if (found.has(sentence)) {
      return say(sentence);
    }
    if (sentence.length > LONGEST) {
      return sentence;
    }
    for (const { pattern, names, key, text } of patterns) {
      const match = pattern.exec(sentence);
      if (match) {
        const values = {};
        let nameless = 0;
        names.forEach((name, at) => {
          const value = match[at + 1];
          // What is quoted is a name.
          values[name || nameless++] = key.includes(`“{${name}}”`) ? value : of(value);
        });
        return fill(text, values);
      }
    }
    return sentence;
  };
  const patternOf = ([key, text]) => {
    const names = [];
    const source = key.replace(/\{(\w*)\}|[.*+?^$()[\]\\|]/g, (part, name) => {
      if (name === undefined) {
        return `\\${part}`;
      }
      names.push(name);
      return "(.+)";
    });
    return { pattern: new RegExp(`^${source}$`, "su"), names, key, text };
  };

  const translate = (tree) => {
    const nodes = document.createTreeWalker(tree, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
      const node = nodes.currentNode;
      if (node.nodeType === Node.TEXT_NODE) {
        const key = node.data.trim().replace(/\s+/g, " ");
        if (found.has(key)) {
          node.data = node.data.replace(/\S(.*\S)?/s, () => say(key));
        }
        continue;
      }
      for (const name of ATTRIBUTES) {
        if (node.hasAttribute(name)) {
          node.setAttribute(name, say(node.getAttribute(name)));
        }
      }
      if (node.localName === "template") {
        translate(node.content);
      }
    }
  };

  const load = async () => {
    // Rather nothing for a moment than another language.
    page.style.visibility = "hidden";
    try {
      const signal = AbortSignal.timeout(PATIENCE);
      const answer = await fetch(`words/${language}.json`, { signal });
      const { page: words, sentences } = await answer.json();
      for (const [key, text] of Object.entries({ ...sentences, ...words })) {
        found.set(key, text);
      }
      patterns = Object.entries(sentences)
        .map(patternOf)
        .sort((one, other) => other.key.length - one.key.length);
      translate(document);
    } catch {
      use("en");
    }
    page.style.visibility = "";
  };
  const ready = language === "en" ? Promise.resolve() : load();

  return {
    // Whoever shows something waits for this.
    ready: () => ready,
    // Which of the page's languages it is.
    language: () => (found.size > 0 ? language : "en"),
    // From the next load on.
    choose(name) {
      try {
        localStorage.setItem(KEPT, name);
      } catch {
        // Nothing can be kept here: the address holds it.
        const address = new URL(location);
        address.searchParams.set("lang", name);
        return location.replace(address);
      }
      location.reload();
    },
    say,
    of,
    // A number with a unit, with so many digits behind the point.
    figure: (value, unit, digits) =>
      format(unit + digits, () => {
        // Arabic shortens all units only where it writes the narrowest.
        const brief = isRightToLeft ? "narrow" : "short";
        const unitDisplay = unit === "byte" || unit === "day" ? "long" : brief;
        const [minimumFractionDigits, maximumFractionDigits] = [digits, digits];
        const options = { style: "unit", unit, unitDisplay, minimumFractionDigits, maximumFractionDigits };
        return new Intl.NumberFormat(locale, options);
      }).format(value),
    // Two figures that are one, such as minutes and seconds.
    both(...figures) {
      const style = { type: "unit", style: "narrow" };
      return format("list", () => new Intl.ListFormat(locale, style)).format(figures);
    },
  };
})();
