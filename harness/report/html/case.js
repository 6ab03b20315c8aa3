"use strict";
// What is shown of one run.

// The run that tells most by what is different: of the same scenario, working, with as few other
// values of axes as there are.
function twinOf(run) {
  let twin = null, fewest = Infinity;
  for (const other of runs) {
    if (other.scenario !== run.scenario || other === run || !other.detail || isBad(other.verdict)) continue;
    if (other.devices <= Math.max(0, run.devices)) continue;
    let apart = other.run === run.run ? 0 : 0.5;
    for (const axis of Object.keys(run.axes)) if (run.axes[axis] !== other.axes[axis]) apart += 1;
    if (apart < fewest) { fewest = apart; twin = other; }
  }
  return twin;
}

const opened = new Set(["Funnel", "Timeline", "Environment", "Tree"]);
function part(title, ...inner) {
  const all = make("details", { open: opened.has(title) }, make("summary", {}, title), ...inner);
  all.addEventListener("toggle", () => (all.open ? opened.add(title) : opened.delete(title)));
  return all;
}

function terms(pairs) {
  const all = make("dl", {});
  for (const [name, value] of pairs)
    if (value) all.append(make("dt", {}, name), make("dd", {}, value));
  return all;
}

// Lines of this run and of its twin: what only one has is marked, and named for who cannot see it.
function compared(lines, others) {
  const box = make("div", { class: "lines mono", tabindex: "0", role: "group", "aria-label": "lines" });
  const mine = new Set(lines), theirs = new Set(others || lines);
  const all = [...lines.map((line) => [line, !theirs.has(line), "+ "])];
  for (const line of others || []) if (!mine.has(line)) all.push([line, true, "− "]);
  all.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  for (const [line, differs, sign] of all)
    box.append(make("div", differs ? { class: "differs" } : {}, (others ? (differs ? sign : "  ") : "") + line));
  if (!all.length) box.append(make("div", { class: "dim" }, "nothing"));
  return box;
}

function funnelTable(run) {
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...["library", "process", "how far", "why"].map((h) => make("th", { scope: "col" }, h)))));
  const body = make("tbody", {});
  for (const number of list(run.funnel)) {
    const [library, pid, process, steps, lost, reason, , remark, said] = list(number);
    const why = [text(reason), text(remark), lost && !said ? "(no log line says so)" : ""].filter(Boolean).join("; ");
    body.append(make("tr", {}, make("td", { class: "mono" }, text(library)), make("td", {}, pid ? `${text(process)} (${pid})` : ""),
      make("td", lost ? { class: "fail" } : {}, text(steps)), make("td", {}, why)));
  }
  table.append(body);
  return make("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "funnel" }, table);
}

function logView(run) {
  const lines = logOf(run);
  if (!lines.length) return make("p", { class: "dim" }, "It printed nothing.");
  const levels = [...new Set(lines.map((line) => line.level).filter(Boolean))];
  const box = make("div", { class: "lines mono", tabindex: "0", role: "group", "aria-label": "log" });
  const wanted = make("input", { type: "search", "aria-label": "words of the log", placeholder: "words of the log" });
  const level = make("select", { "aria-label": "level" }, make("option", { value: "" }, "all levels"), ...levels.map((l) => make("option", {}, l)));
  function show() {
    const low = wanted.value.toLowerCase();
    box.replaceChildren();
    for (const line of lines) {
      if (level.value && line.level !== level.value) continue;
      if (low && !line.text.toLowerCase().includes(low)) continue;
      const loud = /^(ERROR|FATAL)/.test(line.level) ? "fail" : /^WARN/.test(line.level) ? "skip" : "";
      box.append(make("div", loud ? { class: loud } : {}, (line.event ? `#${line.event} ` : "") + line.text));
    }
  }
  wanted.addEventListener("input", show);
  level.addEventListener("change", show);
  show();
  return make("div", {}, make("div", { class: "bar" }, wanted, levels.length ? level : null), box);
}

function callTable(detail) {
  const name = new Map(detail.lives.map((life) => [life.pid, life.name]));
  const body = make("tbody", {});
  for (const event of detail.events)
    if (event.kind === "calls")
      body.append(make("tr", {}, make("td", {}, `#${event.id}`), make("td", {}, (event.us / 1000).toFixed(3)),
        make("td", {}, name.get(event.pid) || ""), make("td", { class: "mono" }, event.text)));
  if (!body.children.length) return make("p", { class: "dim" }, "No call was seen.");
  return make("div", { class: "wide lines", tabindex: "0", role: "group", "aria-label": "calls" }, make("table", {},
    make("thead", {}, make("tr", {}, ...["event", "ms", "process", "call"].map((h) => make("th", { scope: "col" }, h)))), body));
}

function caseView(run) {
  const detail = detailOf(run), twin = twinOf(run), other = twin && detailOf(twin);
  const command = make("code", {}, run.command);
  const copied = make("span", { role: "status" });
  const copy = make("button", { type: "button", onclick: async () => {
    try { await navigator.clipboard.writeText(run.command); copied.textContent = " copied"; }
    catch { getSelection().selectAllChildren(command); copied.textContent = " selected"; }
  } }, "Copy");
  const all = make("article", { class: "case", "aria-label": `${run.id} ${run.run}` });
  all.append(make("h2", { tabindex: "-1" }, make("span", { class: `verdict ${run.verdict}` }, run.verdict), ` ${run.id} [${run.run}]`));
  const facts = [["claim", run.claim], ["answer", detail ? detail.answer : ""], ["because", list(run.unmet).length ? "" : run.because]];
  for (const number of list(run.unmet)) {
    const [expected, seen, because, file, line, unknown] = list(number);
    facts.push(["expected", text(expected)], [unknown ? "unknown" : "seen", text(seen)], ["because", text(because)],
      ["written", text(file) && `${text(file)}:${line}`]);
  }
  facts.push(["scanner", run.scanner], ["outcome", run.outcome], ["silent", run.silent ? "something failed, and no log line says so" : ""],
    ["not observable", detail ? detail.hidden : ""]);
  all.append(terms(facts));
  if (detail && detail.chain.length)
    all.append(make("h3", {}, "How it was lost"), make("ol", {}, ...detail.chain.map((link) => make("li", {}, link))));
  if (detail && detail.suggestions.length)
    all.append(make("h3", {}, "To try (not proven)"), make("ul", {}, ...detail.suggestions.map((s) => make("li", {}, s))));
  all.append(make("p", {}, "Again: ", command, " ", copy, copied));
  if (list(run.funnel).length) all.append(part("Funnel", funnelTable(run)));
  if (detail && detail.events.length) {
    const some = detail.events.length < detail.seen ? `The ${detail.events.length} events of ${detail.seen} that tell most; trace shows all.` : "";
    all.append(part("Timeline", picture(detail), make("p", { class: "dim" }, some)), part("Calls", callTable(detail)));
  }
  all.append(part("Log", logView(run)));
  if (detail) {
    const against = twin ? make("p", { class: "dim" }, `Marked: what differs from ${twin.id} [${twin.run}], which works (− there, + here).`) : null;
    all.append(part("Environment", against && against.cloneNode(true), compared(detail.environment, other && other.environment)),
      part("Machine", against && against.cloneNode(true), compared(detail.machine, other && other.machine)),
      part("Tree", against, compared(detail.tree, other && other.tree)));
  } else if (run.outcome) {
    all.append(make("p", { class: "dim" }, "This page has no room for more of it: trace shows all."));
  }
  return all;
}
