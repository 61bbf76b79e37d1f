// The page: drawing what is seen, moving about, opening and closing modules.

const $ = (id) => document.getElementById(id);
const graph = JSON.parse($("data").textContent);
const tree = plant(graph);
const svg = $("graph");
const canvas = make("g", { role: "none" });
const look = { x: 0, y: 0, scale: 1 }; // of the window on the picture
let picture, elements = new Map(), chosen = null, matches = [], match = -1;
const rowsIn = new Map(); // the edges at each box that is seen

$("title").textContent = graph.title;
$("facts").textContent = [graph.facts, ...graph.notes].join(" · ");
svg.append(markers(), canvas);

// ---------------------------------------------------------------------------------------- drawing
/** What a screen reader says. */
function spoken(item) {
  const { data } = item;
  const rows = (data.rows || []).map((row) => row.text);
  const lines = data.lines || (data.shape ? [`${data.shape} ${data.dtype}`] : []);
  const kind = data.kind === "stretch" ? "" : data.kind || "";
  return [item.folds && item.open ? data.label : data.text, kind, ...(item.open ? [] : lines), ...rows].filter(Boolean).join(", ");
}

function render() {
  picture = layout(tree, measure);
  const edges = make("g", { "aria-hidden": "true" }), items = make("g", { role: "none" });
  const ends = new Map();
  rowsIn.clear();
  for (const edge of picture.edges) {
    for (const end of [edge.tail, edge.head]) rowsIn.set(end, [...(rowsIn.get(end) || []), edge]);
    ends.set(edge.head, (ends.get(edge.head) || new Set()).add(edge.argument));
  }
  for (const edge of picture.edges) {
    edge.element = drawEdge(edge, edge.head.data.ordered && ends.get(edge.head).size > 1);
    edges.append(edge.element);
  }
  elements = new Map();
  const draw = (frame) => {
    for (const item of [...(picture.extras.get(frame) || []), ...frame.children]) {
      const open = item.folds && item.open;
      const element = open ? drawFrame(item) : drawBox(item);
      const attributes = {
        id: `item_${item.data.id}`, role: "treeitem", tabindex: -1, "aria-label": spoken(item),
        "aria-level": item.parent.level + 1, "aria-expanded": item.folds ? String(item.open) : undefined,
      };
      for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
      element.item = item;
      elements.set(item, element);
      items.append(element);
      if (open) draw(item);
    }
  };
  draw(tree.root);
  canvas.replaceChildren(edges, items);
  if (!elements.has(chosen)) chosen = null;
  const first = elements.get(chosen) || items.firstChild;
  if (first) first.setAttribute("tabindex", 0);
  for (const item of matches) mark(item);
  if (chosen) choose(chosen);
}

function aim() {
  canvas.setAttribute("transform", `translate(${look.x} ${look.y}) scale(${look.scale})`);
}

function zoom(factor, x = svg.clientWidth / 2, y = svg.clientHeight / 2) {
  const scale = Math.min(4, Math.max(0.02, look.scale * factor));
  look.x = x - (x - look.x) * (scale / look.scale);
  look.y = y - (y - look.y) * (scale / look.scale);
  look.scale = scale;
  aim();
}

/** Show the whole picture, or its top in a readable size. */
function fit(least = 0) {
  const w = svg.clientWidth - 32, h = svg.clientHeight - 32;
  const whole = Math.min(w / picture.width, h / picture.height, 1.25);
  look.scale = Math.max(whole, Math.min(least, 1));
  const spine = tree.root.size.axis;
  look.x = picture.width * look.scale <= w ? (w + 32 - picture.width * look.scale) / 2 : w / 2 - spine * look.scale;
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
/** Open or close a module, and keep its name under the pointer. */
function toggle(item, open = !item.open) {
  const before = { x: item.left * look.scale + look.x, y: item.top * look.scale + look.y };
  item.open = open;
  render();
  look.x = before.x - item.left * look.scale;
  look.y = before.y - item.top * look.scale;
  aim();
  choose(item);
  uncover(item);
}

/** Open what hides an item. */
function reveal(item) {
  let closed = false;
  for (let each = item.parent; each; each = each.parent) {
    closed ||= !each.open;
    each.open = true;
  }
  if (closed) render();
}

/** Make an item the current one: the keyboard goes on from it, and the panel tells about it. */
function choose(item, focus = false) {
  for (const each of [chosen, item]) {
    const element = elements.get(each);
    if (!element) continue;
    element.classList.toggle("chosen", each === item);
    element.setAttribute("tabindex", each === item ? 0 : -1);
    element.setAttribute("aria-selected", String(each === item));
  }
  canvas.querySelectorAll("[tabindex='0']").forEach((other) => other.item !== item && other.setAttribute("tabindex", -1));
  chosen = item;
  tell(item);
  if (focus && item) elements.get(item).focus({ preventScroll: true });
}

function go(item) {
  reveal(item);
  choose(item, true);
  uncover(item);
}

$("fold").onclick = () => {
  for (const each of tree.clusters) each.open = false;
  render();
  fit(0.8);
};
$("unfold").onclick = () => {
  // Level by level, so that one press never draws ten thousand boxes.
  const closed = tree.clusters.filter((each) => !each.open && shown(each) === each);
  const least = Math.min(...closed.map((each) => each.level));
  for (const each of closed) if (each.level === least) each.open = true;
  render();
  fit(0.8);
};
$("fit").onclick = () => fit();
$("in").onclick = () => zoom(1.25);
$("out").onclick = () => zoom(0.8);
