// Draws what Python has composed and appends what a run says, in one DOM node: zoom, hover and legend stay.
// What is to be drawn, and in which words, is decided in Python (pages/live, transfer/insight).

const EVERY_MS = 250, SPOKEN_MS = 5000, HIDDEN_MS = 60000, FIRST_RETRY_MS = 1000, LAST_RETRY_MS = 10000;
const FIELD = { n: 0, split: 1, domain: 2, phase: 3, epoch: 4, step: 5, seconds: 6, values: 7 };
const lab = (window.__transferLab ??= { streams: new Map(), plotly: null });

// One connection for all charts of a page that show the same runs.
class Stream {
  constructor(url) {
    Object.assign(this, { url, messages: [], listeners: new Set(), retry: FIRST_RETRY_MS });
    this.seen = () => (document.hidden ? this.later(HIDDEN_MS, () => this.close()) : this.open());
    document.addEventListener("visibilitychange", this.seen);
  }

  // `known`: of each run, in the order in which the address names them, the last event the listener knows.
  join(listener, known) {
    this.listeners.add(listener);
    if (!this.first || Object.keys(known).some((run) => known[run] < this.first[run])) {
      this.first = known;
      this.last = { ...known };
      this.messages = [];
      this.close();
    }
    this.open();
    // After this turn, so that the chart stands before its points come.
    setTimeout(() => this.messages.forEach((message) => this.listeners.has(listener) && listener(message)), 0);
  }

  leave(listener) {
    this.listeners.delete(listener);
    // A drawing of the page anew leaves and joins at once.
    setTimeout(() => {
      if (this.listeners.size) return;
      this.close();
      document.removeEventListener("visibilitychange", this.seen);
      lab.streams.delete(this.url);
    }, 1000);
  }

  open() {
    clearTimeout(this.timer);
    if (this.source || !this.listeners.size || document.hidden) return;
    const after = Object.values(this.last).join(",");
    this.source = new EventSource(`${this.url}${this.url.includes("?") ? "&" : "?"}after=${after}`);
    this.source.onmessage = (event) => this.take(JSON.parse(event.data));
    this.source.addEventListener("end", () => this.close());
    this.source.onopen = () => this.say("");
    this.source.onerror = () => {
      this.say("The connection is lost. Trying again ...");
      // A lost line is taken up again by the browser itself; a refusal is not.
      if (this.source?.readyState !== EventSource.CLOSED) return;
      this.close();
      this.later(this.retry, () => this.open());
      this.retry = Math.min(2 * this.retry, LAST_RETRY_MS);
    };
  }

  close() {
    this.source?.close();
    this.source = null;
  }

  later(ms, then) {
    clearTimeout(this.timer);
    this.timer = setTimeout(then, ms);
  }

  take(message) {
    this.retry = FIRST_RETRY_MS;
    this.last[message.run] = message.n;
    this.messages.push(message);
    this.listeners.forEach((listener) => listener(message));
  }

  say(trouble) {
    this.listeners.forEach((listener) => listener({ trouble }));
  }
}

function stream(url) {
  if (!lab.streams.has(url)) lab.streams.set(url, new Stream(url));
  return lab.streams.get(url);
}

function plotly(path) {
  return (lab.plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = path;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      lab.plotly = null;
      reject(new Error("Plotly's file could not be loaded"));
    };
    document.head.append(script);
  }));
}

function element(tag, className, into) {
  const made = document.createElement(tag);
  made.className = className;
  into.append(made);
  return made;
}

// A title, a sentence, and a question mark behind which stands how it can mislead.
function heading({ title, help }, words) {
  const name = document.createElement("b"), said = document.createElement("span"), more = document.createElement("button");
  name.textContent = title;
  said.className = "live-said";
  said.textContent = words ? ` · ${words}` : "";
  Object.assign(more, { className: "live-help", type: "button", textContent: "?" });
  more.dataset.help = help;
  more.setAttribute("aria-label", help);
  return [name, said, ...(help ? [more] : [])];
}

// What all kinds share: a stream, and words when something is wrong.
class Part {
  constructor(root) {
    this.root = root;
    this.listener = (message) => this.safely(() => ("trouble" in message ? this.trouble(message.trouble) : this.hear(message)));
  }

  show(data, ask) {
    Object.assign(this, { data, ask });
    this.safely(() => this.draw());
    const wanted = data.url ? stream(data.url) : null;
    if (this.stream && this.stream !== wanted) this.stream.leave(this.listener);
    this.stream = wanted;
    wanted?.join(this.listener, data.known);
  }

  end() {
    this.stream?.leave(this.listener);
    this.stream = null;
  }

  trouble() {}

  safely(act) {
    try {
      Promise.resolve(act()).catch((problem) => this.fail(problem));
    } catch (problem) {
      this.fail(problem);
    }
  }

  fail(problem) {
    console.error(problem);
    this.broken ??= element("p", "live-broken", this.root);
    this.broken.textContent = `This part of the page does not work (${problem.message}). Reload the page; the run goes on.`;
  }
}

// The line above the charts: what the run is doing. It also asks for the page when the run's structure changes.
class Status extends Part {
  draw() {
    if (!this.bar) {
      this.words = element("div", "live-words", this.root);
      this.words.setAttribute("role", "status");
      this.bar = element("div", "live-bar", this.root);
      this.bar.setAttribute("role", "progressbar");
      this.fill = element("div", "live-fill", this.bar);
    }
    this.asked = null;
    this.write(this.data.progress);
  }

  write(progress) {
    const doing = document.createElement("b");
    doing.textContent = progress.doing;
    this.words.replaceChildren(doing, progress.rest ? ` · ${progress.rest}` : "");
    this.fill.style.width = `${100 * progress.share}%`;
    this.bar.setAttribute("aria-valuenow", Math.round(100 * progress.share));
  }

  hear(message) {
    if (message.run !== this.data.run) return;
    if (message.state === "running" || message.state === "queued") this.write(message.progress);
    const structure = JSON.stringify(message.structure ?? [message.state]);
    if (structure !== JSON.stringify(this.data.structure) && structure !== this.asked) {
      this.asked = structure;
      this.ask("changed", structure);
    }
  }

  trouble(words) {
    if (words) this.words.textContent = words;
  }
}

// How far each stage has moved; sentence and bars are Python's.
class Moved extends Part {
  draw() {
    if (!this.bars) {
      this.head = element("div", "live-head", this.root);
      this.bars = element("div", "live-bars", this.root);
    }
    this.write(this.data.moved);
  }

  write({ said, html }) {
    this.root.hidden = !html;
    if (html === this.html) return;
    this.html = html;
    this.head.replaceChildren(...heading(this.data, said));
    this.bars.innerHTML = html;
  }

  hear(message) {
    if (message.run === this.data.run && message.moved) this.write(message.moved);
  }
}

class Chart extends Part {
  async draw() {
    if (!this.node) this.build();
    const Plotly = await plotly(this.data.plotly);
    this.head.replaceChildren(...heading(this.data, this.data.said));
    this.said = this.head.querySelector(".live-said");
    this.series = this.data.series.map((one) => ({ ...one }));
    this.after = { ...this.data.known };
    this.best = null;
    this.fitted = false;
    this.node.setAttribute("aria-label", this.data.alt);
    const layout = { ...this.data.figure.layout, ...this.themed(this.data.figure.layout) };
    await Plotly.react(this.node, this.data.figure.data, layout, { displayModeBar: false, responsive: true });
    this.Plotly = Plotly;
    this.flush();
  }

  build() {
    this.pending = [];
    this.head = element("div", "live-head", this.root);
    this.spoken = element("div", "live-spoken", this.root);
    this.spoken.setAttribute("aria-live", "polite");
    this.node = element("div", "live-chart", this.root);
    this.node.setAttribute("role", "img");
    this.node.tabIndex = 0;
    this.node.addEventListener("keydown", (event) => this.key(event));
    const tools = element("div", "live-tools", this.root);
    const made = { "Whole curve": () => this.whole(), PNG: () => this.image("png"), SVG: () => this.image("svg"), CSV: () => this.table() };
    for (const [label, act] of Object.entries(made)) {
      const button = element("button", "live-tool", tools);
      button.type = "button";
      button.textContent = label;
      button.setAttribute("aria-label", `${label}: ${this.data.name}`);
      button.addEventListener("click", () => this.safely(act));
    }
  }

  themed() {
    const style = getComputedStyle(this.root), colour = style.getPropertyValue("--st-text-color") || style.color;
    const line = style.getPropertyValue("--st-border-color") || "#8884";
    const axis = (of) => ({ gridcolor: line, linecolor: line, zeroline: false, ...of, title: { font: { size: 14 }, ...of.title } });
    const { xaxis, yaxis } = this.data.figure.layout;
    return { font: { color: colour, family: style.fontFamily, size: 13 }, xaxis: { automargin: true, ...axis(xaxis) }, yaxis: axis(yaxis) };
  }

  hear(message) {
    if (message.run === this.data.run) {
      const words = message.said?.[this.data.value];
      if (words && this.said) this.said.textContent = ` · ${words}`;
      if (words && Date.now() - (this.spokenAt ?? 0) > SPOKEN_MS) {
        this.spokenAt = Date.now();
        this.spoken.textContent = words;
      }
    }
    this.pending.push(message);
    if (!this.turn) this.turn = setTimeout(() => this.safely(() => this.flush()), 0);
  }

  // Appends what came since the last turn. A point is known by its event's number: none comes twice.
  flush() {
    this.turn = null;
    if (!this.Plotly || !this.series) return;
    const added = new Map(), { axis, value, source } = this.data;
    for (const { run, points, best, resumed } of this.pending.splice(0)) {
      // Points that a resumed run makes anew replace others: the page is drawn anew first.
      if (resumed !== this.data.resumed[run]) continue;
      for (const point of points) {
        if (point[FIELD.n] <= (this.after[run] ?? 0)) continue;
        if (!source && point[FIELD.domain] !== "target") continue;
        for (const one of this.series) {
          const y = point[FIELD.values][one.value ?? value];
          if (one.run !== run || one.split !== point[FIELD.split] || y === undefined) continue;
          const x = point[FIELD[axis]];
          const news = added.get(one.trace) ?? added.set(one.trace, { x: [], y: [] }).get(one.trace);
          // What was measured on two data sets is not one line.
          if (one.domain && one.domain !== point[FIELD.domain]) (news.x.push(x), news.y.push(null));
          one.domain = point[FIELD.domain];
          news.x.push(x);
          news.y.push(y);
        }
      }
      if (points.length) this.after[run] = Math.max(this.after[run] ?? 0, points.at(-1)[FIELD.n]);
      if (best && run === this.data.run) this.best = best;
    }
    const places = [...added.keys()];
    if (places.length) {
      const hidden = places.filter((place) => this.node.data[place].showlegend === false && this.series.find((one) => one.trace === place)?.legend);
      if (hidden.length) this.Plotly.restyle(this.node, { showlegend: true }, hidden);
      this.Plotly.extendTraces(this.node, { x: places.map((one) => added.get(one).x), y: places.map((one) => added.get(one).y) }, places);
    }
    // Before any point the loss has a range of its own, which the first batches may exceed.
    if (places.length && !this.fitted && value === "loss" && this.data.figure.layout.yaxis.range) {
      this.fitted = true;
      this.Plotly.relayout(this.node, { "yaxis.autorange": true });
    }
    const star = this.data.star;
    if (this.best && star != null && this.best[value] != null) {
      const [x, y] = [this.best[axis], this.best[value]];
      if (this.node.data[star].x?.[0] !== x || this.node.data[star].y?.[0] !== y)
        this.Plotly.restyle(this.node, { x: [[x]], y: [[y]], showlegend: true }, [star]);
    }
  }

  whole() {
    this.Plotly?.relayout(this.node, { "xaxis.autorange": !this.data.figure.layout.xaxis.range, "xaxis.range": this.data.figure.layout.xaxis.range,
      "yaxis.autorange": !this.data.figure.layout.yaxis.range, "yaxis.range": this.data.figure.layout.yaxis.range });
  }

  key(event) {
    if (event.key === "Escape" || event.key === "0") this.whole();
  }

  image(format) {
    return this.Plotly?.downloadImage(this.node, { format, scale: 2, filename: this.data.name });
  }

  table() {
    const lines = this.node.data.filter((trace) => trace.x?.length).flatMap((trace) =>
      [...trace.x].map((x, place) => `"${String(trace.name ?? "").replaceAll('"', '""')}",${x},${trace.y[place] ?? ""}`));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([["curve", this.data.axis, this.data.value].join(",") + "\n" + lines.join("\n") + "\n"], { type: "text/csv" }));
    link.download = `${this.data.name}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

const KINDS = { chart: Chart, status: Status, moved: Moved };

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  let root = parentElement.querySelector(":scope > .live-root");
  root ??= element("div", "live-root", parentElement);
  const part = (root.livePart ??= new KINDS[data.kind](root));
  part.show(data, setTriggerValue);
  return () => part.end();
}
