// The panel about one box, and the legend.

function tell(item) {
  const panel = $("panel");
  panel.hidden = !item;
  for (const edge of picture.edges) edge.element.classList.toggle("near", edge.tail === item || edge.head === item);
  if (!item) return;
  const { data } = item.refers || item;
  const path = [];
  for (let each = item.parent; each.parent; each = each.parent) path.unshift(each.data.text);
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
  fact("⚠ gradient", data.badGradient);
  fact("shape", data.shape);
  fact("dtype", data.dtype);
  fact("size", data.bytes);
  fact("gradient", data.gradient);
  fact("held", data.saved && `${data.saved} for backward`);
  fact("options", data.keywords);
  fact("line", graph.sources[data.source]);
  if (item.folds) fact("inside", (data.lines || [])[0]);
  for (const row of data.rows || []) fact(row.name, row.facts);
  const link = (other) => {
    const button = document.createElement("button");
    button.textContent = other.data.text;
    button.onclick = () => go(other);
    return button;
  };
  const around = rowsIn.get(item) || [];
  fact("reads", ...around.filter((edge) => edge.head === item).map((edge) => link(edge.tail)));
  fact("read by", ...around.filter((edge) => edge.tail === item).map((edge) => link(edge.head)));
  const target = item.refers || tree.nodes.find((node) => data.target && node.data.id === data.target);
  if (target) fact("stands for", link(target));
  panel.replaceChildren(heading, where, list);
  panel.scrollTop = 0;
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
    const looks = { dotted: "op dotted", bad: "op bad first", bad_gradient: "op bad first" };
    const sample = kind === "reached" || kind === "repeat"
      ? make("g", { class: `edge ${kind === "reached" ? "bad" : "repeat"}` }, make("path", { class: "line", d: "M-22 0H22" }))
      : make("g", { class: `node ${looks[kind] || kind}` }, ...outlines(kind, 44, 18));
    holder.append(make("svg", { width: 52, height: 24, viewBox: "-26 -12 52 24", "aria-hidden": "true" }, sample));
    holder.append(Object.assign(document.createElement("span"), { textContent: meaning }));
  }
}
