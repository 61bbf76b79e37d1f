// The picture: boxes, frames and edges as SVG.

const NS = document.getElementById("graph").namespaceURI;
const LINE = 14; // of a line: its height
const LONGEST = Math.max(20, Math.min(48, innerWidth / 16)); // letters of a line before it is cut
const FONTS = { heading: "bold 12px Helvetica, Arial, sans-serif", text: "11px Helvetica, Arial, sans-serif" };
const STARTS = { module: "▸ ", stretch: "▸ " };

function make(name, attributes = {}, ...children) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const brush = document.createElement("canvas").getContext("2d");
const widths = new Map();
function width(text, font) {
  const key = font + text;
  if (!widths.has(key)) {
    brush.font = FONTS[font];
    widths.set(key, Math.ceil(brush.measureText(text).width));
  }
  return widths.get(key);
}

/** One line, short enough to draw; the panel has all of it. */
function short(text) {
  const line = text.replace(/\s+/g, " ");
  const letters = [...line];
  let room = LONGEST;
  const beyond = letters.findIndex((letter) => (room -= letter > "\u2e7f" ? 2 : 1) < 0); // 層 is wide
  return beyond < 0 ? line : letters.slice(0, beyond - 1).join("") + "…";
}

/** What is written in a box. */
function words(item) {
  const data = facts(item);
  const usual = data.shape ? [`${data.shape} ${data.dtype}`] : [];
  const start = STARTS[data.kind] || "";
  return {
    heading: start + short(data.title || data.text),
    lines: (data.lines || usual).map(short),
    rows: (data.rows || []).map((row) => short(row.text)),
  };
}

/** What is written at an open module's upper left corner. */
function titles(item) {
  const { title, sums } = item.data;
  return [`▾ ${short(title)}`, ...(sums ? [short(sums)] : [])];
}

/** How much room a box, or the header of an open module, needs. */
function measure(item) {
  if (item.folds && item.open) {
    const lines = titles(item);
    return { width: Math.max(...lines.map((text) => width(text, "text"))) + 16, height: 12 + LINE * lines.length };
  }
  const data = facts(item);
  if (item.measured !== data.lines) item.room = null;
  if (!item.room) {
    item.measured = data.lines;
    const { heading, lines, rows } = words(item);
    const kind = item.data.kind;
    let wide = Math.max(
      width(heading, "heading"), ...[...lines, ...rows].map((text) => width(text, "text") + (rows.length ? 10 : 0)));
    let high = LINE * (1 + lines.length) + (rows.length ? 4 + rows.length * 18 : 0) + 10;
    wide += 22;
    if (kind === "input" || kind === "constant") wide = wide * 1.15 + 10, high += 8;
    if (kind === "output") wide += 20, high += 12;
    if (kind === "module" || kind === "stretch") high += 4;
    wide = Math.max(60, Math.ceil(wide / 2) * 2);
    item.room = { width: wide, height: high, axis: wide / 2 };
  }
  return item.room;
}

/** The outline of a box around the origin. */
function outlines(kind, w, h) {
  const box = (extra) => make("rect", { class: "shape", x: -w / 2, y: -h / 2, width: w, height: h, ...extra });
  const octagon = (inset) => {
    const x = w / 2 - inset, y = h / 2 - inset, c = Math.min(9, h / 3);
    const corners = [[-x + c, -y], [x - c, -y], [x, -y + c], [x, y - c], [x - c, y], [-x + c, y], [-x, y - c], [-x, -y + c]];
    return make("polygon", { class: "shape", points: corners.join(" ") });
  };
  if (kind === "input" || kind === "constant") return [make("ellipse", { class: "shape", rx: w / 2, ry: h / 2 })];
  if (kind === "output") return [octagon(0), octagon(3)];
  if (kind === "module" || kind === "stretch") {
    const x = w / 2, y = h / 2, tab = Math.min(34, w / 3);
    const d = `M${-x} ${y}V${-y}h${tab}l4 5H${x}V${y}Z`;
    return [make("path", { class: "shape", d })];
  }
  if (kind === "sweep") {
    const x = w / 2, y = h / 2;
    return [make("path", { class: "shape", d: `M${-x} ${-y}H${x - 7}L${x} ${7 - y}V${y}H${-x}ZM${x - 7} ${-y}V${7 - y}H${x}` })];
  }
  return [box({ rx: kind === "parameter" ? 0 : 7 })];
}

function classes(item) {
  const { kind = "op", mark, dotted, step, health } = facts(item);
  return [kind, mark && "bad", mark === "first" && "first", health && "ill", dotted && "dotted", step !== undefined && `s${step}`]
    .filter(Boolean).join(" ");
}

function drawBox(item) {
  const { width: w, height: h } = item.size;
  const { heading, lines, rows } = words(item);
  const group = make("g", { class: `node ${classes(item)}`, transform: `translate(${item.x} ${item.y})` });
  group.append(make("rect", { class: "halo", x: -w / 2 - 4, y: -h / 2 - 4, width: w + 8, height: h + 8, rx: 9 }));
  group.append(...outlines(item.data.recorded ? "sweep" : item.data.kind, w, h));
  const inner = LINE * (1 + lines.length) + (rows.length ? 4 + rows.length * 18 : 0);
  let y = -inner / 2 + 11 + (STARTS[item.data.kind] ? 2 : 0);
  group.append(make("text", { class: "heading", "text-anchor": "middle", y }, heading));
  for (const text of lines) group.append(make("text", { "text-anchor": "middle", y: (y += LINE) }, text));
  rows.forEach((text, i) => {
    const { mark, dotted, step } = facts(item).rows[i];
    const look = ["row", mark && "bad", dotted && "dotted", step !== undefined && `s${step}`].filter(Boolean).join(" ");
    const top = y + 8 + i * 18;
    group.append(make("g", { class: look },
      make("rect", { x: -w / 2 + 7, y: top, width: w - 14, height: 16 }),
      make("text", { x: -w / 2 + 12, y: top + 12 }, text)));
  });
  return group;
}

function drawFrame(item) {
  const { width: w, height: h } = item.size;
  const at = `translate(${item.left} ${item.top})`;
  const group = make("g", { class: `frame ${item.data.kind}`, transform: at });
  const lines = titles(item);
  const high = LINE * lines.length + 8;
  group.append(
    make("rect", { class: "halo", x: -3, y: -3, width: w + 6, height: h + 6, rx: 9 }),
    make("rect", { class: "border", width: w, height: h, rx: 7 }),
    make("rect", { class: "handle", width: w, height: high }));
  lines.forEach((text, i) => group.append(
    make("text", { class: i ? "second" : "first-line", x: 8, y: 15 + i * LINE }, text)));
  return group;
}

/** A curve through the middles between the points. */
function curve(points) {
  const at = ({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  const last = points.length - 1;
  let path = `M${at(points[0])}`;
  for (let i = 1; i < last; i++) {
    const a = points[i], b = points[i + 1];
    path += `Q${at(a)} ${at(i + 1 === last ? b : { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })}`;
  }
  return last === 1 ? `${path}L${at(points[1])}` : path;
}

function drawEdge(edge, numbered) {
  // Points that coincide have no direction, which the arrow needs.
  const points = edge.points.filter((p, i, all) => !i || Math.hypot(p.x - all[i - 1].x, p.y - all[i - 1].y) > 0.5);
  if (points.length < 2) points.push({ ...points[0], y: points[0].y + 1 });
  const { data } = edge.from;
  const tip = `${data.text} → ${edge.head.data.text}, argument ${edge.argument}: ${data.shape} ${data.dtype}, ${data.bytes}`;
  const mark = edge.mark === "bad" ? "bad" : "";
  const d = curve(points);
  const group = make("g", { class: `edge ${edge.mark || ""}` },
    make("title", {}, tip),
    make("path", { class: "hit", d }),
    make("path", { class: "line", d, "marker-end": `url(#arrow${mark})` }));
  if (edge.fold) {
    const { x, y } = edge.points[5];
    group.append(make("text", { class: "number", "text-anchor": "end", x: x - 4, y: y - 4 }, `next ×${edge.fold.children.length - 1}`));
  }
  if (numbered) {
    const [before, end] = points.slice(-2);
    const length = Math.hypot(end.x - before.x, end.y - before.y);
    const dx = (end.x - before.x) / length, dy = (end.y - before.y) / length;
    const at = { x: end.x - 13 * dx + 7 * dy, y: end.y - 13 * dy - 7 * dx + 3 };
    group.append(make("text", { class: "number", "text-anchor": "middle", ...at }, String(edge.argument)));
  }
  return group;
}

function markers() {
  const arrow = (mark) => make("marker", {
    id: `arrow${mark}`, viewBox: "0 0 10 10", refX: 9.5, refY: 5, markerWidth: 8, markerHeight: 8,
    orient: "auto", markerUnits: "userSpaceOnUse",
  }, make("path", { class: `arrow ${mark}`, d: "M0 1L10 5L0 9Z" }));
  return make("defs", {}, arrow(""), arrow("bad"));
}
