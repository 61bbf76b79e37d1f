// The page: drawing what is seen, moving about, opening and closing modules.

const $ = (id) => document.getElementById(id);
const graph = JSON.parse($("data").textContent);
const tree = plant(graph);
const svg = $("graph");
const canvas = make("g", { role: "none" });
const look = { x: 0, y: 0, scale: 1 }; // of the window on the picture
const CROWD = 1500; // of more boxes, only those in sight are drawn
let picture, elements = new Map(), chosen = null, matches = [], match = -1, traced = null;
const rowsIn = new Map(); // the edges at each box that is seen

$("title").textContent = graph.title;
$("facts").textContent = [graph.facts, ...graph.notes].join(" · ");
svg.append(markers(), canvas);

// ---------------------------------------------------------------------------------------- drawing
/** What a screen reader says. */
function spoken(item) {
  const data = facts(item);
  const rows = (data.rows || []).map((row) => row.text);
  const lines = data.lines || (data.shape ? [`${data.shape} ${data.dtype}`] : []);
  const kind = data.kind === "stretch" ? "" : data.kind || "";
  return [item.folds && item.open ? data.label : data.text, kind, ...(item.open ? [] : lines), ...rows].filter(Boolean).join(", ");
}

function* rendering() {
  picture = yield* layout(tree, measure);
  const edges = make("g", { "aria-hidden": "true" }), items = make("g", { role: "none" });
  const ends = new Map();
  rowsIn.clear();
  for (const edge of picture.edges) {
    for (const end of new Set([edge.tail, edge.head])) {
      if (!rowsIn.has(end)) rowsIn.set(end, []);
      rowsIn.get(end).push(edge);
    }
    if (!ends.has(edge.head)) ends.set(edge.head, new Set());
    ends.get(edge.head).add(edge.argument);
  }
  for (const edge of picture.edges) edge.numbered = edge.head.data.ordered && ends.get(edge.head).size > 1;
  elements = new Map();
  picture.order = [];
  const list = (frame) => {
    for (const item of [...(picture.extras.get(frame) || []), ...inside(frame)]) {
      picture.order.push(item);
      if (item.folds && item.open) list(item);
    }
  };
  list(tree.root);
  picture.crowded = picture.order.length > CROWD;
  canvas.replaceChildren(edges, items);
  if (picture.crowded) {
    // One line around all boxes for the far view; near, what is in sight gets drawn.
    const outline = picture.order.map(({ left, top, size }) => `M${left | 0} ${top | 0}h${size.width | 0}v${size.height | 0}h${-size.width | 0}z`);
    canvas.prepend(make("path", { class: "far", d: outline.join("") }));
    uncrowd();
  } else {
    for (const edge of picture.edges) addEdge(edge);
    yield 0;
    for (const [i, item] of picture.order.entries()) {
      addItem(item);
      if (i % 50 === 49) yield 0;
    }
  }
  if (!picture.order.includes(chosen)) chosen = null;
  const first = elements.get(chosen) || items.firstChild;
  if (first) first.setAttribute("tabindex", 0);
  for (const item of matches) mark(item);
  if (chosen) choose(chosen);
  paintMap();
}

function addEdge(edge) {
  edge.element = drawEdge(edge, edge.numbered);
  canvas.querySelector("[aria-hidden]").append(edge.element);
}

function addItem(item) {
  if (elements.has(item)) return;
  const element = item.folds && item.open ? drawFrame(item) : drawBox(item);
  const attributes = {
    id: `item_${item.data.id}`, role: "treeitem", tabindex: -1, "aria-label": spoken(item),
    "aria-level": home(item).level + 1, "aria-expanded": item.folds ? String(item.open) : undefined,
  };
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
  element.item = item;
  elements.set(item, element);
  canvas.lastChild.append(element);
}

/** Draw what has come into sight of a crowd of boxes, if it is large enough to be read. */
function uncrowd() {
  if (!picture?.crowded) return;
  const [l, t] = [-look.x / look.scale, -look.y / look.scale];
  const [r, b] = [l + svg.clientWidth / look.scale, t + svg.clientHeight / look.scale];
  const near = look.scale > 0.3;
  const sees = ({ left, top, size }) => left < r && left + size.width > l && top < b && top + size.height > t;
  const wanted = new Set(near ? picture.order.filter(sees) : []);
  if (chosen && picture.order.includes(chosen)) wanted.add(chosen);
  for (const [item, element] of elements) {
    if (wanted.has(item)) continue;
    element.remove();
    elements.delete(item);
  }
  for (const item of wanted) addItem(item);
  const edges = new Set([...wanted].flatMap((item) => rowsIn.get(item) || []));
  canvas.querySelector("[aria-hidden]").replaceChildren();
  for (const edge of edges) addEdge(edge);
  for (const item of matches) mark(item);
}

function render() {
  for (const _ of rendering()); // all at once
}

/** Render in slices that leave the page answering. */
async function renderSlowly() {
  const steps = rendering();
  let since = performance.now();
  while (!steps.next().done) {
    if (performance.now() - since < 40) continue;
    $("busy").hidden = false;
    await new Promise((done) => setTimeout(done));
    since = performance.now();
  }
  $("busy").hidden = true;
}

let waits = 0;
function aim() {
  canvas.setAttribute("transform", `translate(${look.x} ${look.y}) scale(${look.scale})`);
  cancelAnimationFrame(waits);
  waits = requestAnimationFrame(() => {
    uncrowd();
    paintMap();
  });
}

function zoom(factor, x = svg.clientWidth / 2, y = svg.clientHeight / 2) {
  const scale = Math.min(4, Math.max(0.02, look.scale * factor));
  look.x = x - (x - look.x) * (scale / look.scale);
  look.y = y - (y - look.y) * (scale / look.scale);
  look.scale = scale;
  aim();
}

/** Show the whole picture, or its beginning in a readable size. */
function fit(least = 0) {
  const w = svg.clientWidth - 32, h = svg.clientHeight - 32;
  const whole = Math.min(w / picture.width, h / picture.height, 1.25);
  look.scale = Math.max(whole, Math.min(least, 1));
  const first = picture.order.find((item) => !(item.folds && item.open));
  const begin = Math.min(Math.max(first.x * look.scale, w / 2), Math.max(picture.width * look.scale - w / 2, w / 2));
  look.x = picture.width * look.scale <= w ? (w + 32 - picture.width * look.scale) / 2 : w / 2 + 16 - begin;
  look.y = picture.height * look.scale <= h ? (h + 32 - picture.height * look.scale) / 2 : 16;
  aim();
}

/** How high the part of the window is that the panel leaves free. */
function free() {
  const panel = $("panel"), over = panel.hidden || panel.offsetTop < 40;
  return svg.clientHeight - (over ? 0 : panel.offsetHeight);
}

function middle(item) {
  const frame = item.folds && item.open;
  look.x = svg.clientWidth / 2 - (frame ? item.left + item.size.width / 2 : item.x) * look.scale;
  look.y = free() / 2 - (frame ? item.top + 20 : item.y) * look.scale;
  aim();
}

/** Move as little as brings an item into sight. */
function uncover(item) {
  const edge = 24, { left, top } = item;
  const height = item.folds && item.open ? 30 : item.size.height;
  const box = { l: left * look.scale + look.x, t: top * look.scale + look.y };
  box.r = box.l + Math.min(item.size.width * look.scale, svg.clientWidth - 2 * edge);
  box.b = box.t + height * look.scale;
  look.x += Math.max(0, edge - box.l) - Math.max(0, box.r - svg.clientWidth + edge);
  look.y += Math.max(0, edge - box.t) - Math.max(0, box.b - free() + edge);
  aim();
}

// ------------------------------------------------------------------------------ folding, choosing
/** Change what is open, and keep an item's name under the pointer. */
function change(item, act) {
  const before = { x: item.left * look.scale + look.x, y: item.top * look.scale + look.y };
  act();
  render();
  look.x = before.x - item.left * look.scale;
  look.y = before.y - item.top * look.scale;
  aim();
  choose(item);
  uncover(item);
}

/** Open or close a module. */
function toggle(item, open = !item.open) {
  change(item, () => (item.open = open));
}

/** Open what hides an item. */
function reveal(item) {
  if (picture.order.includes(item)) return;
  for (let each = item; each.parent; each = each.parent) {
    each.parent.open = true;
    if (isFold(each.parent) && each !== each.parent.children[0]) each.parent.unrolled = true;
  }
  render();
}

/** Make an item the current one: the keyboard goes on from it, and the panel tells about it. */
function choose(item, focus = false) {
  if (item && picture.crowded) addItem(item);
  for (const each of [chosen, item]) {
    const element = elements.get(each);
    if (!element) continue;
    element.classList.toggle("chosen", each === item);
    element.setAttribute("tabindex", each === item ? 0 : -1);
    element.setAttribute("aria-selected", String(each === item));
  }
  canvas.querySelectorAll("[tabindex='0']").forEach((other) => other.item !== item && other.setAttribute("tabindex", -1));
  chosen = item;
  if (!item) trace(null);
  tell(item);
  if (focus && item) elements.get(item).focus({ preventScroll: true });
}

function go(item) {
  reveal(item);
  choose(item, true);
  uncover(item);
}

/** Fade all but what an item was made from ("tail"), or what was made from it ("head"). */
function trace(item, end) {
  traced = item && !(traced && traced[0] === item && traced[1] === end) ? [item, end] : null;
  const kept = new Set([item]);
  const other = end === "tail" ? "head" : "tail";
  for (const each of traced ? kept : [])
    for (const edge of rowsIn.get(each) || []) if (edge[other] === each && edge.mark !== "repeat") kept.add(edge[end]);
  for (const [each, element] of elements)
    element.classList.toggle("faded", !!traced && !kept.has(each) && !(each.folds && each.open));
  for (const { tail, head, element } of picture.edges)
    element?.classList.toggle("faded", !!traced && !(kept.has(tail) && kept.has(head)));
}

$("fold").onclick = () => {
  for (const each of tree.clusters) each.open = each.unrolled = false;
  render();
  fit(0.8);
};
$("unfold").onclick = async () => {
  // Level by level: the outermost that are closed.
  const closed = tree.clusters.filter((each) => !each.open && shown(each) === each);
  const least = Math.min(...closed.map((each) => each.level));
  for (const each of closed) if (each.level === least) each.open = true;
  await renderSlowly();
  fit(0.8);
};
$("fit").onclick = () => fit();
$("in").onclick = () => zoom(1.25);
$("out").onclick = () => zoom(0.8);
