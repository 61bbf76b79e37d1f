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
  const list = [];
  const count_off = (item) => {
    item.order = list.push(item) - 1;
    for (const child of item.children || []) count_off(child);
  };
  count_off(root);
  return { root, clusters, nodes, edges, list };
}

/** Whether a frame shows the first of several equal ones in place of all. */
const isFold = (item) => !!item.data.loop && !item.unrolled;

/** What is said of an item: in a fold, of all equal ones. */
function facts(item) {
  if (!item.data.fold) return item.data;
  for (let each = item.parent; each; each = each.parent) if (isFold(each)) return { ...item.data, ...item.data.fold };
  return item.data;
}

/** What is seen in an open frame. */
const inside = (frame) => (isFold(frame) ? frame.children[0].children : frame.children);

/** The frame in which an item is seen. */
const home = (item) => (item.parent?.parent && isFold(item.parent.parent) ? item.parent.parent : item.parent);

/** The same place in the first of several equal frames. */
function like(item, frame) {
  return tree.list[item.order - frame.order + frame.parent.children[0].order];
}

/** The outermost closed frame around an item, or the item itself, or its like in a fold. */
function shown(item) {
  const chain = [];
  for (let each = item; each; each = each.parent) chain.unshift(each);
  for (let i = 1; i < chain.length; i++) {
    const [outer, frame] = [chain[i - 1], chain[i]];
    if (isFold(outer) && frame !== outer.children[0]) return shown(like(item, frame));
    if (frame.folds && !frame.open && !isFold(outer)) return frame;
  }
  return item;
}

/** The fold in which an edge leads from one of the equal frames to another. */
function crossed(tail, head) {
  const outer = new Map();
  for (let each = tail; each.parent; each = each.parent) outer.set(each.parent, each);
  for (let each = head; each.parent; each = each.parent)
    if (outer.has(each.parent)) return isFold(each.parent) && outer.get(each.parent) !== each && each.parent;
}

/** The edges between what is seen: one for each argument, and one to or from a closed module. */
function lift(edges) {
  const found = new Map(), pairs = new Map(), onward = new Map();
  for (const edge of edges) {
    const tail = shown(edge.tail), head = shown(edge.head);
    const fold = crossed(edge.tail, edge.head);
    if (fold && shown(fold) !== fold) continue;
    if (fold) {
      if (!onward.has(fold) && fold.open) onward.set(fold, { ...edge, tail, head, from: edge.tail, fold, mark: "repeat" });
      continue;
    }
    if (tail === head) continue;
    const pair = `${tail.number} ${head.number} `;
    const argument = tail.folds || head.folds ? "" : edge.argument;
    const key = pair + argument;
    const known = found.get(key) || (tail !== edge.tail && !tail.folds && pairs.get(pair));
    if (!known) {
      found.set(key, { ...edge, tail, head, from: edge.tail });
      pairs.set(pair, found.get(key));
    }
    else if (edge.mark === "bad") known.mark = "bad";
  }
  return [[...found.values()], [...onward.values()]];
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
      parent: home(edge.head), refers: tail,
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
    for (let each = home(tail); each; each = home(each)) around.add(each);
    const inner = []; // the frames that the edge enters, innermost first
    let common = home(head);
    for (; !around.has(common); common = home(common)) inner.push(common);
    // The edges of one box share their way into a frame, and out of one.
    const inPort = { number: `i${tail.number}`, port: "in" };
    const outPort = { number: `o${tail.number}`, port: "out" };
    let from = tail;
    for (let each = home(tail); each !== common; from = each, each = home(each))
      link(each, from, outPort, from === tail ? "" : tail.number, edge);
    const into = inner.length ? inner[inner.length - 1] : head;
    link(common, from, into, from === tail && into === head ? `=${edge.argument}` : tail.number, edge);
    for (let n = inner.length - 1; n >= 0; n--)
      link(inner[n], inPort, n ? inner[n - 1] : head, n ? "" : edge.argument, edge);
  }
  return inside;
}

/**
 * Lay out what is seen, pausing between frames. Items get `x` and `y`, their centre; frames `left`
 * and `top` as well.
 */
function* layout(tree, measure) {
  const [edges, onward] = lift(tree.edges);
  yield 0;
  const extras = refer(edges);
  const links_in = cut(edges);
  const frames = [];
  function* grow(frame) {
    const items = [...inside(frame), ...(extras.get(frame) || [])];
    for (const item of items) {
      if (item.folds && item.open) yield* grow(item);
      else item.size = measure(item);
    }
    yield 0;
    const links = [...(links_in.get(frame) || new Map()).values()];
    const header = frame.parent ? measure(frame) : { width: 0, height: 0 };
    const sizes = items.map(({ number, size }) => [number, size.width, size.height, size.axis]);
    const state = JSON.stringify([sizes, links.map((link) => link.key)]);
    if (frame.state !== state) {
      frame.state = state;
      frame.arranged = arrange(frame, items, links, header);
    }
    frame.size = frame.arranged;
    frames.push([frame, items]);
  }
  yield* grow(tree.root);
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
  yield 0;
  for (const edge of edges) edge.points = edge.parts.flatMap((part, i) => route(edge, part, i));
  for (const edge of onward) {
    // From below the one, beside all boxes, to above the other.
    const { tail, head, fold } = edge;
    const x = fold.left + fold.size.width - RETURN / 2;
    const low = tail.top + tail.size.height, from = low + 9, to = head.top - 13;
    const out = tail.x + tail.size.width / 4, into = head.x + head.size.width / 4;
    edge.points = [
      { x: out, y: low }, { x: out, y: from }, { x: out + 8, y: from }, { x: x - 8, y: from }, { x, y: from }, { x, y: from - 8 },
      { x, y: to + 8 }, { x, y: to }, { x: x - 8, y: to }, { x: into + 8, y: to }, { x: into, y: to }, { x: into, y: head.top }];
    edges.push(edge);
  }
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
