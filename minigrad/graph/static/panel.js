// The panel about one box, and the legend.

function tell(item) {
  const panel = $("panel");
  panel.hidden = !item;
  for (const edge of picture.edges) edge.element?.classList.toggle("near", edge.tail === item || edge.head === item);
  if (!item) return;
  const data = facts(item.refers || item);
  const path = [];
  for (let each = item.parent; each.parent; each = each.parent) if (!isFold(each.parent)) path.unshift(each.data.text);
  const heading = document.createElement("h2"), where = document.createElement("p"), list = document.createElement("dl");
  heading.textContent = data.label || data.text;
  where.className = "path";
  where.textContent = [...path, data.id].join(" › ");
  const fact = (term, ...values) => {
    const kept = values.filter((value) => value !== undefined && value !== "");
    if (!kept.length) return;
    list.append(Object.assign(document.createElement("dt"), { textContent: term }));
    const dd = document.createElement("dd");
    kept.forEach((value, i) => dd.append(...(i && !value.tagName ? [document.createElement("br")] : []), value));
    if (term.startsWith("⚠")) dd.className = "wrong";
    list.append(dd);
  };
  fact("⚠ value", data.bad);
  fact("⚠ gradient", data.bad_gradient);
  fact("health", data.health);
  fact("shape", data.shape);
  fact("dtype", data.dtype);
  fact("size", data.bytes);
  fact("values", ...measured(data.stats));
  fact("gradient", data.gradient, ...measured(data.slopes));
  fact("held", data.saved && `${data.saved} for backward`);
  fact("options", data.keywords);
  fact("line", data.source);
  if (item.folds) fact("inside", (data.lines || [])[0]);
  for (const row of data.rows || []) fact(row.name, row.facts, ...measured(row.stats));
  const press = (textContent, onclick, more = {}) => Object.assign(document.createElement("button"), { textContent, onclick, ...more });
  const link = (other) => press(other.data.text, () => go(other));
  const around = rowsIn.get(item) || [];
  fact("reads", ...around.filter((edge) => edge.head === item).map((edge) => link(edge.tail)));
  fact("read by", ...around.filter((edge) => edge.tail === item).map((edge) => link(edge.head)));
  const target = item.refers || tree.nodes.find((node) => data.target && node.data.id === data.target);
  if (target) fact("stands for", link(target));
  const acts = Object.assign(document.createElement("p"), { className: "acts" });
  const seen = item.refers || item;
  acts.append(
    press("Trace back", () => trace(seen, "tail"), { title: "Fade all but what this was made from ( b )" }),
    press("Trace on", () => trace(seen, "head"), { title: "Fade all but what was made from this ( n )" }));
  if (item.data.loop) {
    const many = item.children.length;
    acts.append(press(item.unrolled ? "Show one" : `Show all ${many}`, () => change(item, () => {
      item.unrolled = !item.unrolled;
      for (const each of item.children) each.open = !item.unrolled;
      item.open = true;
    })));
  }
  if (data.number) {
    const anchor = Object.assign(document.createElement("a"), { href: `#op${data.number}`, textContent: `#op${data.number}` });
    acts.append(anchor);
  }
  const close = press("✕", () => choose(null), { id: "close", title: "Close ( Esc )", ariaLabel: "Close" });
  panel.replaceChildren(close, heading, where, acts, list);
  panel.scrollTop = 0;
}

/** What is known of values: a line of text, and a small histogram. */
function measured(values) {
  if (!values) return [];
  const [text, bars] = values;
  if (!bars) return [text];
  const rects = [...bars].map((digit, i) => make("rect", { x: i * 7, y: 27 - 3 * digit, width: 6, height: 3 * digit }));
  return [text, make("svg", { class: "bars", width: 112, height: 27, role: "img", "aria-label": "histogram" }, ...rects)];
}

function explain() {
  for (const [kind, meaning] of graph.legend) {
    const holder = $("legend");
    if (kind === "scale") {
      const scale = Object.assign(document.createElement("div"), { className: "scale", textContent: meaning });
      graph.steps.forEach((name, i) => scale.append(Object.assign(document.createElement("span"), { className: `s${i}`, textContent: name })));
      holder.append(scale);
      continue;
    }
    const looks = { dotted: "op dotted", bad: "op bad first", bad_gradient: "op bad first", health: "op ill", sweep: "op" };
    const sample = kind === "reached" || kind === "repeat"
      ? make("g", { class: `edge ${kind === "reached" ? "bad" : "repeat"}` }, make("path", { class: "line", d: "M-22 0H22" }))
      : make("g", { class: `node ${looks[kind] || kind}` }, ...outlines(kind, 44, 18));
    holder.append(make("svg", { width: 52, height: 24, viewBox: "-26 -12 52 24", "aria-hidden": "true" }, sample));
    holder.append(Object.assign(document.createElement("span"), { textContent: meaning }));
  }
}
