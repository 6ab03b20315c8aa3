"use strict";
// What page_data.cc wrote: texts and lists by their numbers. Texts are shown as text, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const text = (number) => data.texts[number];
const list = (number) => data.lists[number];
const texts = (number) => list(number).map(text);
const isBad = (verdict) => ["fail", "error", "flaky", "xpass"].includes(verdict);

// A list of numbers in groups: [1, 2, 3, 4] by two.
function groups(numbers, size) {
  const all = [];
  for (let i = 0; i < numbers.length; i += size) all.push(numbers.slice(i, i + size));
  return all;
}

// As a shell takes it.
const word = (w) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(w) ? w : "'" + w.replaceAll("'", "'\\''") + "'");

const runs = data.runs.map((r, number) => {
  const axes = {};
  for (const [axis, value] of groups(list(r[6]), 2)) axes[text(axis)] = text(value);
  const id = text(r[0]);
  return {
    number, id, scenario: text(r[1]), claim: text(r[2]), run: text(r[3]), scanner: text(r[4]),
    verdict: text(r[5]), axes, devices: r[7], lost: text(r[8]), because: text(r[9]), us: r[10],
    command: r[11] ? text(r[11]) : `${data.program} trace ${word(id)}${data.scanners}`,
    file: text(r[12]), unmet: r[13], silent: r[14] === 1, outcome: text(r[15]),
    funnel: r[16], log: r[17], detail: r[18],
  };
});

function logOf(run) {
  if (!run.detail) return texts(run.log).map((line) => ({ level: "", stream: "", text: line, event: 0 }));
  return groups(list(list(run.detail)[7]), 4).map(([level, stream, line, event]) => (
    { level: text(level), stream: text(stream), text: text(line), event }));
}

function detailOf(run) {
  if (!run.detail) return null;
  const d = list(run.detail);
  return {
    answer: text(d[0]), chain: texts(d[1]), suggestions: texts(d[2]), hidden: text(d[3]),
    lives: list(d[4]).map((n) => {
      const [pid, parent, name, command, from, to, end] = list(n);
      return { pid, parent, name: text(name), command: text(command), from, to, end: text(end) };
    }),
    events: groups(list(d[5]), 5).map(([id, us, pid, kind, what]) => (
      { id, us, pid, kind: text(kind), text: text(what) })),
    seen: d[6], environment: texts(d[8]), tree: texts(d[9]), machine: texts(d[10]),
  };
}

// One element, its attributes and what is in it.
function make(name, attributes, ...inner) {
  const svg = ["svg", "g", "line", "rect", "text", "title", "path"].includes(name);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false && value !== undefined) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...inner.filter((part) => part !== null && part !== undefined && part !== ""));
  return element;
}
