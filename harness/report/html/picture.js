"use strict";
// The processes of a run and what happened in them, by time. Zoomed by buttons, the wheel and keys.
function picture(detail) {
  const end = Math.max(1, ...detail.lives.map((l) => l.to), ...detail.events.map((e) => e.us));
  const lives = detail.lives.length ? detail.lives : [{ pid: 0, name: "", command: "", from: 0, to: end, end: "" }];
  const lane = new Map(lives.map((life, i) => [life.pid, i]));
  const events = detail.events.filter((e) => lane.has(e.pid) || e.pid === 0);
  const tall = 46, top = 22, height = top + tall * lives.length + 6;
  let from = 0, to = end, chosen = -1;
  const svg = make("svg", { class: "picture", tabindex: "0", role: "img", height,
    "aria-label": `Timeline of ${lives.length} processes and ${events.length} events over ${(end / 1000).toFixed(1)} ms` });
  const said = make("p", { class: "mono", "aria-live": "polite" }, "Click an event, or step through them with the arrow keys.");

  function draw() {
    const width = Math.max(200, svg.clientWidth || 800);
    const x = (us) => ((us - from) / (to - from)) * width;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    for (let i = 0; i <= 4; i++) {
      const us = from + ((to - from) * i) / 4;
      svg.append(make("text", { x: Math.min(width - 2, x(us) + 2), y: 14, "text-anchor": i === 4 ? "end" : "start" },
        `${(us / 1000).toFixed(to - from < 20000 ? 2 : 0)} ms`));
    }
    lives.forEach((life, i) => {
      const y = top + i * tall, left = Math.max(0, x(life.from)), right = Math.min(width, x(life.to));
      if (right > left) svg.append(make("rect", { class: "life", x: left, y: y + 16, width: Math.max(2, right - left), height: 24, rx: 3 }));
      svg.append(make("text", { x: 4, y: y + 12 }, `${life.name}${life.end ? ", " + life.end : ""}`));
      if (lane.has(life.parent) && x(life.from) >= 0 && x(life.from) <= width)
        svg.append(make("line", { class: "kind-processes", x1: x(life.from), x2: x(life.from),
          y1: top + lane.get(life.parent) * tall + 28, y2: y + 28 }));
    });
    events.forEach((event, i) => {
      if (event.us < from || event.us > to) return;
      const y = top + (lane.get(event.pid) ?? 0) * tall + 18, at = x(event.us);
      svg.append(make("line", { class: `event kind-${event.kind}${i === chosen ? " chosen" : ""}`, x1: at, x2: at, y1: y, y2: y + 20 },
        make("title", {}, `#${event.id} ${event.text}`)));
    });
  }
  function zoom(factor, middle) {
    const span = Math.min(end, Math.max(50, (to - from) * factor));
    from = Math.max(0, Math.min(end - span, middle - span * ((middle - from) / (to - from))));
    to = from + span;
    draw();
  }
  function choose(i) {
    if (!events.length) return;
    chosen = Math.max(0, Math.min(events.length - 1, i));
    const event = events[chosen], span = to - from;
    if (event.us < from || event.us > to) { from = Math.max(0, Math.min(end - span, event.us - span / 2)); to = from + span; }
    const life = lives[lane.get(event.pid) ?? 0];
    said.textContent = `#${event.id}  ${(event.us / 1000).toFixed(3)} ms  ${life.name}  ${event.text}`;
    draw();
  }
  const at = (e) => from + ((e.clientX - svg.getBoundingClientRect().left) / svg.clientWidth) * (to - from);
  svg.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.shiftKey) return;  // the page goes on scrolling
    e.preventDefault();
    zoom(e.deltaY > 0 ? 1.25 : 0.8, at(e));
  }, { passive: false });
  svg.addEventListener("click", (e) => {
    const us = at(e), row = Math.floor((e.clientY - svg.getBoundingClientRect().top - top) / tall);
    let best = -1;
    events.forEach((event, i) => {
      if ((lane.get(event.pid) ?? 0) !== row && event.pid) return;
      if (best < 0 || Math.abs(event.us - us) < Math.abs(events[best].us - us)) best = i;
    });
    if (best >= 0) choose(best);
  });
  const middle = () => (chosen >= 0 ? events[chosen].us : (from + to) / 2);
  svg.addEventListener("keydown", (e) => {
    const does = { ArrowRight: () => choose(chosen + 1), ArrowLeft: () => choose(chosen - 1), "+": () => zoom(0.5, middle()),
      "=": () => zoom(0.5, middle()), "-": () => zoom(2, middle()), Home: () => choose(0), End: () => choose(events.length - 1),
      0: () => zoom(end, end / 2) }[e.key];
    if (!does) return;
    e.preventDefault();
    e.stopPropagation();
    does();
  });
  new ResizeObserver(draw).observe(svg);
  const key = make("p", { class: "key" }, ...["processes", "loader", "calls", "files", "log"].map((kind) => (
    make("span", {}, make("i", { style: `background: var(--${kind})` }), kind))));
  return make("div", {}, make("div", { class: "bar" },
    make("button", { type: "button", onclick: () => zoom(0.5, middle()) }, "Zoom in"),
    make("button", { type: "button", onclick: () => zoom(2, middle()) }, "Zoom out"),
    make("button", { type: "button", onclick: () => zoom(end, end / 2) }, "All"),
    make("span", { class: "dim" }, "keys: + - 0 ← →; Shift and wheel")), svg, key, said);
}
