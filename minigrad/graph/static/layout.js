// What is seen of the graph, and where it stands. Every open module is laid out by itself, its edges
// to the outside ending at ports on its border. So opening a module arranges it and what is around
// it again, and nothing else: this keeps a graph of thousands of operations quick.
const FANOUT = 8; // what more boxes read is drawn once, and referred to from the others

function plant(graph) {
  let count = 0;
  const item = (data) => ({ data, number: String(count++), parent: null });
  const folder = (data) => ({ ...item(data), children: [], folds: true, open: !!data.open });
  const root = { ...folder({ id: "", text: "", open: true }), level: 0 };
  const clusters = graph.clusters.map(folder);
  const nodes = graph.nodes.map(item);
  for (const each of [...clusters, ...nodes]) {
    each.parent = "in" in each.data ? clusters[each.data.in] : root;
    each.level = each.folds ? each.parent.level + 1 : 0;
  }
  const placed = new Set([root]);
  for (const node of nodes) {
    for (let each = node; !placed.has(each); each = each.parent) {
      placed.add(each);
      each.parent.children.push(each);
    }
  }
  const edges = graph.edges.map(([tail, head, argument, mark]) => ({
    tail: nodes[tail], head: nodes[head], argument, mark,
  }));
  return { root, clusters, nodes, edges };
}

/** The outermost closed module around an item, or the item itself. */
function shown(item) {
  let seen = item;
  for (let each = item.parent; each; each = each.parent) if (!each.open) seen = each;
  return seen;
}

/** The edges between what is seen: one for each argument, and one to or from a closed module. */
function lift(edges) {
  const found = new Map();
  for (const edge of edges) {
    const tail = shown(edge.tail), head = shown(edge.head);
    if (tail === head) continue;
    const argument = tail.folds || head.folds ? "" : edge.argument;
    const key = `${tail.number} ${head.number} ${argument}`;
    const known = found.get(key);
    if (!known) found.set(key, { ...edge, tail, head, from: edge.tail });
    else if (edge.mark === "bad") known.mark = "bad";
  }
  return [...found.values()];
}

/** Put a reference beside each reader of what is read often, for its edges would hide the rest. */
function refer(edges) {
  const readers = new Map();
  for (const { tail } of edges) readers.set(tail, (readers.get(tail) || 0) + 1);
  const seen = new Map(), extras = new Map();
  edges.forEach((edge, i) => {
    const tail = edge.tail;
    if (readers.get(tail) <= FANOUT) return;
    seen.set(tail, (seen.get(tail) || 0) + 1);
    if (seen.get(tail) === 1) return;
    const { data } = tail;
    const lines = data.lines || (data.shape ? [`${data.shape} ${data.dtype}`] : []);
    const stand = {
      data: { id: `reference${i}`, kind: "reference", text: `→ ${data.text}`, lines },
      number: `r${tail.number}:${edge.head.number}:${edge.argument}`,
      parent: edge.head.parent, refers: tail,
    };
    edge.tail = stand;
    const list = extras.get(stand.parent) || [];
    extras.set(stand.parent, [...list, stand]);
  });
  return extras;
}

/** Sort the edges by the frame that they run in, cut where they cross a border. */
function cut(edges) {
  const inside = new Map();
  const link = (frame, from, to, key, edge) => {
    if (!inside.has(frame)) inside.set(frame, new Map());
    const links = inside.get(frame);
    key = `${from.number} ${to.number} ${key}`;
    if (!links.has(key)) links.set(key, { key, from, to, frame });
    edge.parts.push(links.get(key));
  };
  for (const edge of edges) {
    const { tail, head } = edge;
    edge.parts = [];
    const around = new Set();
    for (let each = tail.parent; each; each = each.parent) around.add(each);
    const inner = []; // the frames that the edge enters, innermost first
    let common = head.parent;
    for (; !around.has(common); common = common.parent) inner.push(common);
    // The edges of one box share their way into a frame, and out of one.
    const inPort = { number: `i${tail.number}`, port: "in" };
    const outPort = { number: `o${tail.number}`, port: "out" };
    let from = tail;
    for (let each = tail.parent; each !== common; from = each, each = each.parent)
      link(each, from, outPort, from === tail ? "" : tail.number, edge);
    const into = inner.length ? inner[inner.length - 1] : head;
    link(common, from, into, from === tail && into === head ? `=${edge.argument}` : tail.number, edge);
    for (let n = inner.length - 1; n >= 0; n--)
      link(inner[n], inPort, n ? inner[n - 1] : head, n ? "" : edge.argument, edge);
  }
  return inside;
}

/** Lay out what is seen. Items get `x` and `y`, their centre; frames `left` and `top` as well. */
function layout(tree, measure) {
  const edges = lift(tree.edges);
  const extras = refer(edges);
  const inside = cut(edges);
  const frames = [];
  const grow = (frame) => {
    const items = [...frame.children, ...(extras.get(frame) || [])];
    for (const item of items) {
      if (item.folds && item.open) grow(item);
      else item.size = measure(item);
    }
    const links = [...(inside.get(frame) || new Map()).values()];
    const header = frame.parent ? measure(frame) : { width: 0, height: 0 };
    const sizes = items.map(({ number, size }) => [number, size.width, size.height, size.axis]);
    const state = JSON.stringify([sizes, links.map((link) => link.key)]);
    if (frame.state !== state) {
      frame.state = state;
      frame.arranged = arrange(frame, items, links, header);
    }
    frame.size = frame.arranged;
    frames.push([frame, items]);
  };
  grow(tree.root);
  tree.root.left = tree.root.top = 0;
  const seen = [];
  for (const [frame, items] of frames.reverse()) {
    // Outer frames come first, and know where they stand.
    for (const item of items) {
      const { x, y } = frame.arranged.at.get(item.number);
      item.left = frame.left + x - item.size.axis;
      item.top = frame.top + y - item.size.height / 2;
      item.x = frame.left + x;
      item.y = frame.top + y;
      seen.push(item);
    }
  }
  for (const edge of edges) edge.points = edge.parts.flatMap((part, i) => route(edge, part, i));
  return { seen, edges, extras, width: tree.root.size.width, height: tree.root.size.height };
}

/** The points of one part of an edge, with its ends where they belong. */
function route(edge, { key, from, to, frame }, i) {
  const { at, routes, header } = frame.arranged;
  const known = routes.get(key);
  if (!known) {
    const room = Math.max(0, to.size.height / 2 - 8);
    const y = Math.min(to.y + room, Math.max(to.y - room, from.y));
    return [{ x: from.left, y: from.y }, { x: to.left + to.size.width, y }];
  }
  const points = known.map(({ x, y }) => ({ x: x + frame.left, y: y + frame.top }));
  const last = points.length - 1;
  // An end is a port of this frame, one of a frame inside it, or the border of a box.
  const end = (item, inner, near, y) => {
    if (item.port) return { x: frame.left + at.get(item.number).x, y };
    const port = item.folds && item.open && item.arranged.at.get(inner);
    return port ? { x: item.left + port.x, y: item.top + port.y } : clip(item, near);
  };
  const start = end(from, `o${edge.tail.number}`, points[1], frame.top);
  points[last] = end(to, `i${edge.tail.number}`, points[last - 1], frame.top + frame.size.height);
  // What comes from the side turns to meet a box head on.
  const turn = (n, other, by) => {
    if (Math.abs(points[n].x - other.x) > 1 && last > 1) points.splice(Math.max(n, 1), 0, { x: points[n].x, y: points[n].y + by });
  };
  if (!(to.port || (to.folds && to.open))) turn(last, points[last - 1], -12);
  points[0] = start;
  if (!(from.port || (from.folds && from.open))) turn(0, points[1], 12);
  if (from.port && last > 1) points.splice(1, 0, { x: start.x, y: frame.top + header });
  return i ? points.slice(1) : points;
}

/** Where a line from a point reaches the border of a box: above or below, if it comes from there. */
function clip(item, near) {
  const dx = near.x - item.x, dy = near.y - item.y;
  const w = item.size.width / 2, h = item.size.height / 2;
  const round = ["input", "constant"].includes(item.data.kind);
  if (Math.abs(dy) >= h) {
    const most = round ? 0.7 * w : w - 10;
    const x = Math.max(-most, Math.min(most, dx));
    return { x: item.x + x, y: item.y + Math.sign(dy) * h * (round ? Math.sqrt(1 - (x / w) ** 2) : 1) };
  }
  return { x: item.x + Math.sign(dx) * w, y: item.y + (round ? 0 : dy * 0.8) };
}
