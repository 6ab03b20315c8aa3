"use strict";
// The matrix, the search and the list of runs.
const state = { words: "", verdicts: new Set(), at: {}, shown: [], selected: -1 };
const axisValue = (run, axis) => ({ scenario: run.scenario, run: run.run, scanner: run.scanner,
  "lost at": run.lost || "-", verdict: run.verdict })[axis] ?? run.axes[axis];

// ---- What is looked through, made once ----------------------------------------------------------
const hay = runs.map((run) => [run.id, run.run, run.scanner, run.claim, run.because, run.lost].join("\n").toLowerCase());
const lowTexts = data.texts.map((t) => t.toLowerCase());
// Which texts have the words: a log line that a thousand runs print is looked at once.
function withLog(words) {
  const has = new Uint8Array(lowTexts.length);
  lowTexts.forEach((t, i) => { if (t.includes(words)) has[i] = 1; });
  const lists = new Map();
  const inList = (number, step, offset) => {
    const key = number * 8 + step;
    if (!lists.has(key)) {
      const numbers = list(number);
      let found = false;
      for (let i = offset; i < numbers.length && !found; i += step) found = has[numbers[i]] === 1;
      lists.set(key, found);
    }
    return lists.get(key);
  };
  return (run) => (run.detail ? inList(list(run.detail)[7], 4, 2) : inList(run.log, 1, 0));
}

function filter() {
  const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
  const whole = state.words.toLowerCase().trim();
  const logs = whole ? withLog(whole) : null;
  const at = Object.entries(state.at);
  state.shown = [];
  for (const run of runs) {
    if (state.verdicts.size && !state.verdicts.has(run.verdict)) continue;
    if (!at.every(([axis, value]) => axisValue(run, axis) === value)) continue;
    if (words.length && !words.every((w) => hay[run.number].includes(w)) && !logs(run)) continue;
    state.shown.push(run);
  }
}

// ---- The list: only what is in sight is in the page -----------------------------------------------
const rowHeight = 51;
const space = make("div", { role: "presentation" });
const listBox = make("div", { id: "list", role: "listbox", tabindex: "0", "aria-label": "Runs" }, space);
function drawList() {
  const first = Math.max(0, Math.floor(listBox.scrollTop / rowHeight) - 5);
  const last = Math.min(state.shown.length, first + Math.ceil((listBox.clientHeight || 416) / rowHeight) + 10);
  const rows = [];
  for (let i = first; i < last; i++) {
    const run = state.shown[i];
    rows.push(make("div", { class: "row", role: "option", id: `run-${run.number}`, "aria-selected": String(run.number === state.selected),
      "aria-setsize": state.shown.length, "aria-posinset": i + 1, style: `top: ${i * rowHeight}px; height: ${rowHeight}px`, onclick: () => select(i, "named") },
    make("div", { class: "mono" }, make("span", { class: `verdict ${run.verdict}` }, run.verdict), ` ${run.id}`),
    make("div", { class: "dim" }, `${run.run}: ${run.because}`)));
  }
  space.style.height = `${state.shown.length * rowHeight}px`;
  space.replaceChildren(...rows);
}
listBox.addEventListener("scroll", drawList);

const panel = make("div", { id: "panel" });
const columns = make("div", { class: "columns" }, make("div", {}, listBox), panel);
function select(i, show) {
  if (i < 0 || i >= state.shown.length) return;
  const run = state.shown[i];
  state.selected = run.number;
  const top = i * rowHeight;
  if (top < listBox.scrollTop) listBox.scrollTop = top;
  if (top + rowHeight > listBox.scrollTop + listBox.clientHeight) listBox.scrollTop = top + rowHeight - listBox.clientHeight;
  listBox.setAttribute("aria-activedescendant", `run-${run.number}`);
  if (show) {
    columns.classList.add("open");
    panel.replaceChildren(caseView(run));
    if (show === "named") history.replaceState(null, "", `#case=${run.number}`);  // no element's id: nothing scrolls
  }
  drawList();
}

// ---- The matrix -----------------------------------------------------------------------------------
const axes = [...new Set(runs.flatMap((run) => Object.keys(run.axes)))].sort();
const choices = ["scenario", "run", "scanner", "lost at", "verdict", ...axes];
const valuesOf = (axis, of) => [...new Set(of.map((run) => axisValue(run, axis)).filter((v) => v !== undefined))].sort();
// Of the axes those along which runs that are bad lie closest together.
function bestAxes() {
  const bad = runs.filter((run) => isBad(run.verdict));
  const of = bad.length ? runs.filter((run) => bad.some((b) => b.scenario === run.scenario)) : runs;
  const telling = axes.map((axis) => {
    let spread = 0;
    for (const value of valuesOf(axis, of)) {
      const here = of.filter((run) => run.axes[axis] === value), share = here.filter((run) => isBad(run.verdict)).length / here.length;
      spread = Math.max(spread, share);
    }
    return [valuesOf(axis, of).length > 1 ? spread : -1, axis];
  }).filter(([spread]) => spread >= 0).sort((a, b) => b[0] - a[0]).map(([, axis]) => axis);
  if (valuesOf("scenario", runs).length > 1) return ["scenario", "run"];
  return [telling[0] || "scenario", telling[1] || "run"];
}
const heat = make("div", { class: "heat", tabindex: "0", role: "group", "aria-label": "matrix" });
const most = 80;
function drawHeat(across, down) {
  const of = runs.filter((run) => run.verdict !== "skip");
  const columnsOf = valuesOf(across, of), rowsOf = valuesOf(down, of), cells = new Map();
  for (const run of of) {
    const key = JSON.stringify([axisValue(run, down), axisValue(run, across)]);
    const cell = cells.get(key) || { bad: 0, all: 0 };
    cell.all += 1;
    if (isBad(run.verdict)) cell.bad += 1;
    cells.set(key, cell);
  }
  const worst = (down_, value) => [...cells].some(([key, cell]) => cell.bad && JSON.parse(key)[down_ ? 0 : 1] === value);
  const cut = (values, isDown) => (values.length <= most ? values
    : [...values.filter((v) => worst(isDown, v)), ...values.filter((v) => !worst(isDown, v))].slice(0, most));
  const cols = cut(columnsOf, false), lines = cut(rowsOf, true);
  const head = make("tr", {}, make("th", { scope: "col" }, `${down} \\ ${across}`), ...cols.map((c) => make("th", { scope: "col" }, c)));
  const body = lines.map((r) => make("tr", {}, make("th", { scope: "row" }, r), ...cols.map((c) => {
    const cell = cells.get(JSON.stringify([r, c]));
    if (!cell) return make("td", {});
    const share = cell.bad / cell.all;
    return make("td", {}, make("button", { type: "button", "aria-label": `${down} ${r}, ${across} ${c}: ${cell.bad} of ${cell.all} bad`,
      style: share ? `background: rgba(var(--heat), ${(0.08 + 0.27 * share).toFixed(2)})` : "",
      onclick: () => { state.at = { [down]: r, [across]: c }; refresh(); } }, `${cell.bad}/${cell.all}`));
  })));
  const left = columnsOf.length - cols.length + rowsOf.length - lines.length;
  heat.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)),
    left > 0 ? make("p", { class: "dim" }, `${left} more values have no room here`) : "");
}

// ---- All of it ------------------------------------------------------------------------------------
const search = make("input", { type: "search", "aria-label": "words of a case, its claim or its log", placeholder: "words of a case, its claim or its log  (/)" });
const counts = make("span", { role: "status" });
const tokens = make("span", {});
const verdictButtons = [...new Set(runs.map((run) => run.verdict))].sort().map((verdict) => make("button", { type: "button", "aria-pressed": "false",
  onclick: (e) => {
    if (!state.verdicts.delete(verdict)) state.verdicts.add(verdict);
    e.currentTarget.setAttribute("aria-pressed", String(state.verdicts.has(verdict)));
    refresh();
  } }, `${verdict} ${runs.filter((run) => run.verdict === verdict).length}`));
function refresh() {
  const began = performance.now();
  filter();
  tokens.replaceChildren(...Object.entries(state.at).map(([axis, value]) => make("button", { type: "button", "aria-label": `remove ${axis} ${value}`,
    onclick: () => { delete state.at[axis]; refresh(); } }, `${axis}=${value} ×`)));
  counts.textContent = `${state.shown.length} of ${runs.length} runs`;
  listBox.scrollTop = 0;
  drawList();
  document.documentElement.dataset.filterMs = (performance.now() - began).toFixed(1);
}
search.addEventListener("input", () => { state.words = search.value; refresh(); });

function start() {
  runs.sort((a, b) => isBad(b.verdict) - isBad(a.verdict) || a.number - b.number);
  const [across, down] = bestAxes().reverse();
  const pick = (label, chosen) => make("select", { "aria-label": label, onchange: () => drawHeat(acrossBox.value, downBox.value) },
    ...choices.map((choice) => make("option", { selected: choice === chosen }, choice)));
  const acrossBox = pick("columns of the matrix", across), downBox = pick("rows of the matrix", down);
  const app = document.getElementById("app");
  app.append(make("section", { "aria-label": "Matrix" }, make("div", { class: "bar" }, make("h2", {}, "Matrix"), downBox, make("span", {}, "by"), acrossBox,
    make("span", { class: "dim" }, "bad runs of all; a click shows them")), heat),
  make("section", { "aria-label": "Runs" }, make("div", { class: "bar" }, make("h2", {}, "Runs"), search, ...verdictButtons, tokens, counts),
    data.leftOut ? make("p", { class: "dim" }, `Of ${data.leftOut} runs this page has no more than their line: it has no room.`) : "", columns));
  app.hidden = false;
  document.documentElement.classList.add("js");
  drawHeat(across, down);
  refresh();
  const named = /^#case=(\d+)$/.exec(location.hash);
  const index = named ? state.shown.findIndex((run) => run.number === Number(named[1])) : state.shown.findIndex((run) => isBad(run.verdict));
  if (index >= 0 || runs.length === 1) select(Math.max(0, index), true);
}
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.altKey || e.metaKey) return;
  const typing = e.target.matches("input, select, textarea");
  if (e.key === "/" && !typing) { e.preventDefault(); search.focus(); return; }
  if (e.key === "Escape" && e.target === search) { search.value = state.words = ""; refresh(); listBox.focus(); return; }
  if (typing) return;
  const here = state.shown.findIndex((run) => run.number === state.selected);
  const inList = e.target === listBox;
  if (e.key === "j" || (inList && e.key === "ArrowDown")) { e.preventDefault(); select(here + 1, "named"); }
  if (e.key === "k" || (inList && e.key === "ArrowUp")) { e.preventDefault(); select(Math.max(0, here - 1), "named"); }
  if (inList && e.key === "Enter") panel.querySelector("h2")?.focus();
});
start();
