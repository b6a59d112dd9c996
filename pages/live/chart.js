// Draws what Python has composed and appends what a run says, in one DOM node: zoom, hover and legend stay.
// What is to be drawn, and in which words, is decided in Python (pages/live, transfer/insight).

const ASK_AGAIN_MS = 4000, MOST_PAUSE_MS = 700, SPOKEN_MS = 5000, HIDDEN_MS = 10000, FIRST_RETRY_MS = 1000, LAST_RETRY_MS = 10000, MOST_KEPT = 4000;
// All viewers ask for the page anew at the same news: over how long a time they do it depends on how many they are.
const ANEW_MS = 250, ANEW_EACH_MS = 100, ANEW_MOST_MS = 20000, ENDED_MOST_MS = 2000;
const PLACES = ["n", "epoch", "step", "seconds"]; // what a row begins with
const LIVE = ["queued", "running"];
const lab = (window.__transferLab ??= { streams: new Map(), plotly: null, style: null });

// One connection for all parts of a page that show the same runs.
class Stream {
  constructor(url, runs) {
    Object.assign(this, { url, runs, messages: [], newest: {}, listeners: new Map(), retry: FIRST_RETRY_MS });
    // A browser has six connections for all its tabs: those that nobody sees give theirs back.
    this.seen = () => (document.hidden ? this.later(HIDDEN_MS, () => this.close()) : this.open());
    document.addEventListener("visibilitychange", this.seen);
  }

  // `known`: of each run the last event the listener knows.
  join(listener, known) {
    this.listeners.set(listener, false);
    if (!this.first || this.runs.some((run) => known[run] < this.first[run])) {
      this.first = { ...known };
      this.last = { ...known };
      this.messages = [];
      this.close();
    }
    this.open();
    // After this turn, so that the chart stands before its points come; until then nothing newer may overtake them.
    setTimeout(() => {
      if (!this.listeners.has(listener)) return;
      this.listeners.set(listener, true);
      this.since(known).forEach((message) => listener(message));
      Object.values(this.newest).forEach((newest) => listener({ ...newest, points: [] }));
    }, 0);
  }

  leave(listener) {
    this.listeners.delete(listener);
    // A drawing of the page anew leaves and joins at once.
    setTimeout(() => {
      if (this.listeners.size) return;
      this.close();
      document.removeEventListener("visibilitychange", this.seen);
      if (lab.streams.get(this.url) === this) lab.streams.delete(this.url);
    }, 1000);
  }

  open() {
    clearTimeout(this.timer);
    if (this.source || !this.listeners.size || document.hidden) return;
    const after = this.runs.map((run) => this.last[run]).join(",");
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
    this.newest[message.run] = { ...this.newest[message.run], ...message, points: [] };
    this.messages.push(message);
    // Whoever needs what is forgotten here begins the stream anew.
    if (this.messages.length > MOST_KEPT)
      this.messages.splice(0, MOST_KEPT / 2).forEach((old) => (this.first[old.run] = Math.max(old.n, this.first[old.run])));
    this.listeners.forEach((ready, listener) => ready && listener(message));
  }

  // What was said after these events, of all runs.
  since(after) {
    return this.messages.filter((message) => message.n > (after[message.run] ?? 0));
  }

  say(trouble) {
    this.listeners.forEach((_, listener) => listener({ trouble }));
  }
}

function stream(url, runs) {
  if (!lab.streams.has(url)) lab.streams.set(url, new Stream(url, runs));
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
  said.before = title ? " · " : "";
  said.textContent = said.before + (words ?? "");
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
    const wanted = data.url ? stream(data.url, data.runs) : null;
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

// The line above the charts: what is being done. It also asks for the page when a run's structure changes.
class Status extends Part {
  draw() {
    if (!this.bar) {
      this.words = element("div", "live-words", this.root);
      this.words.setAttribute("role", "status");
      this.bar = element("div", "live-bar", this.root);
      this.bar.setAttribute("role", "progressbar");
      this.fill = element("div", "live-fill", this.bar);
      this.structures = {};
    }
    this.asked = null;
    this.shares = { ...this.data.shares };
    this.write(this.data.progress);
  }

  write({ doing, rest, share }) {
    const name = document.createElement("b");
    name.textContent = doing;
    this.root.hidden = !doing; // of a run that is paused: what it did is said elsewhere
    this.words.replaceChildren(name, rest ? ` · ${rest}` : "");
    this.reach(share);
  }

  reach(share) {
    this.fill.style.width = `${100 * share}%`;
    this.bar.setAttribute("aria-valuenow", Math.round(100 * share));
  }

  hear({ run, state, progress, structure, viewers }) {
    if (progress && LIVE.includes(state) && run === this.data.run) this.write(progress);
    if (progress && run in this.shares) {
      this.shares[run] = LIVE.includes(state) ? progress.share : 1;
      const all = Object.values(this.shares);
      this.reach(all.reduce((sum, share) => sum + share, 0) / all.length);
    }
    if (state === "gone") structure = [state];
    if (!structure || !(run in this.data.structures)) return;
    this.structures[run] = structure;
    const most = LIVE.includes(state) ? ANEW_MOST_MS : ENDED_MOST_MS;
    const wait = ANEW_MS + Math.random() * Math.min(most, ANEW_EACH_MS * (viewers ?? 1));
    this.timer ??= setTimeout(() => this.safely(() => this.compare()), wait);
  }

  // A page may be drawn for the beginning of a structure only.
  compare() {
    this.timer = null;
    const now = Object.entries(this.data.structures).map(([run, drawn]) => (this.structures[run] ?? drawn).slice(0, drawn.length));
    const said = JSON.stringify(now);
    if (said === JSON.stringify(Object.values(this.data.structures)) || said === this.asked) return;
    this.asked = said;
    this.ask("changed", said);
    // Streamlit drops a wish that comes while the whole page is drawn.
    setTimeout(() => this.safely(() => this.asked === said && ((this.asked = null), this.compare())), ASK_AGAIN_MS);
  }

  trouble(words) {
    if (words) this.words.textContent = words;
  }
}

// The device, and what the run takes of it.
class Meters extends Part {
  draw() {
    if (!this.text) {
      this.root.classList.add("live-meters");
      element("span", "live-icon", this.root).textContent = "memory";
      this.text = element("span", "", this.root);
    }
    this.write(this.data.meters);
  }

  write(meters) {
    this.text.textContent = this.data.device + (meters ? ` · ${meters}` : "");
  }

  hear({ run, meters }) {
    if (run === this.data.run && meters !== undefined) this.write(meters);
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

// Goes on with an exponential moving average as transfer/insight/compare.py begins it; anew with each phase.
function smoothed(state, phase, y) {
  if (y === null) return null;
  if (phase !== state.phase) Object.assign(state, { phase, sum: 0, count: 0 });
  state.sum = state.weight * state.sum + (1 - state.weight) * y;
  state.count += 1;
  return state.sum / (1 - state.weight ** state.count);
}

class Chart extends Part {
  async draw() {
    if (!this.node) this.build();
    const turn = (this.drawing = {});
    const Plotly = await plotly(this.data.plotly);
    // Drawn twice, the second drawing would undo what was appended to the first.
    if (this.drawing !== turn) return;
    this.head.replaceChildren(...heading(this.data, this.data.said));
    this.said = this.head.querySelector(".live-said");
    this.series = this.data.series.map((one) => ({ ...one, ...(one.smooth && { smooth: { ...one.smooth } }) }));
    this.after = { ...this.data.known };
    this.best = null;
    this.fitted = false;
    this.reach = null;
    this.node.setAttribute("aria-label", this.data.alt);
    const layout = { ...this.data.figure.layout, ...this.themed(this.data.figure.layout) };
    // Copies, for points are appended to them.
    const traces = this.data.figure.data.map((trace) => ({ ...trace }));
    const drawn = Plotly.react(this.node, traces, layout, { displayModeBar: false, responsive: true });
    // The traces are there at once; that all is painted may take long, or never be said of a chart that is drawn again.
    this.Plotly = Plotly;
    this.flush();
    await drawn;
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
      if (words && this.said) this.said.textContent = this.said.before + words;
      if (words && Date.now() - (this.spokenAt ?? 0) > SPOKEN_MS) {
        this.spokenAt = Date.now();
        this.spoken.textContent = words;
      }
    }
    if (message.plane) this.place(message.plane);
    this.pending.push(message);
    if (!this.turn) this.turn = setTimeout(() => this.safely(() => this.timed()), this.pause ?? 0);
  }

  // Drawing takes a quarter of the time at most: on a slow machine the next turn waits longer.
  timed() {
    const began = performance.now();
    this.flush();
    this.pause = Math.min(MOST_PAUSE_MS, 3 * (performance.now() - began));
  }

  // Appends what came since the last turn. A point is known by its event's number: none comes twice.
  flush() {
    this.turn = null;
    if (!this.Plotly || !this.series) return;
    const added = new Map(), { axis, value, source } = this.data;
    for (const { run, best } of this.pending.splice(0)) if (best && run === this.data.run) this.best = best;
    // What the stream has and the chart has not, whatever was drawn in between.
    for (const { run, points, resumed } of this.stream?.since(this.after) ?? []) {
      // Points that a resumed run makes anew replace others: the page is drawn anew first.
      if (resumed !== this.data.resumed[run]) continue;
      for (const { split, domain, phase, names, same, rows } of points) {
        if (!source && domain !== "target") continue;
        const columns = [...PLACES, ...names];
        const of = (row, name) => (columns.includes(name) ? row[columns.indexOf(name)] : same[name]);
        for (const one of this.series) {
          if (one.run !== run || one.split !== split) continue;
          for (const row of rows) {
            const y = of(row, one.value ?? value);
            if (row[0] <= (this.after[run] ?? 0) || y === undefined) continue;
            let x = of(row, axis);
            if ("from" in one) x -= one.from ??= x;
            const news = added.get(one.trace) ?? added.set(one.trace, { x: [], y: [] }).get(one.trace);
            // What was measured on two data sets is not one line.
            if (one.domain && one.domain !== domain) (news.x.push(x), news.y.push(null));
            one.domain = domain;
            news.x.push(x);
            news.y.push(one.smooth ? smoothed(one.smooth, phase, y) : y);
          }
        }
      }
      if (points.length) this.after[run] = Math.max(this.after[run] ?? 0, points.at(-1).rows.at(-1)[0]);
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

  // Both domains after another epoch; a range that was chosen stays.
  place({ said, places, reach }) {
    if (!this.Plotly || !this.data.places.length) return;
    this.said.textContent = this.said.before + said;
    this.node.setAttribute("aria-label", said);
    this.Plotly.restyle(this.node, { x: places.map(([x]) => x), y: places.map(([, y]) => y) }, this.data.places);
    const ranges = {};
    for (const [name, most] of [["xaxis", reach[0]], ["yaxis", reach[1]]])
      if (String(this.node.layout[name].range) === String(this.reach?.[name] ?? this.data.figure.layout[name].range))
        ranges[`${name}.range`] = [-most, most];
    this.reach = { xaxis: [-reach[0], reach[0]], yaxis: [-reach[1], reach[1]] };
    if (Object.keys(ranges).length) this.Plotly.relayout(this.node, ranges);
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

const KINDS = { chart: Chart, status: Status, moved: Moved, meters: Meters };

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  if (!lab.style) {
    lab.style = element("link", "", document.head);
    Object.assign(lab.style, { rel: "stylesheet", href: data.style });
  }
  let root = parentElement.querySelector(":scope > .live-root");
  root ??= element("div", "live-root", parentElement);
  const part = (root.livePart ??= new KINDS[data.kind](root));
  part.show(data, setTriggerValue);
  return () => part.end();
}
