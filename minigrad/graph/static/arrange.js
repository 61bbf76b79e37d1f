// The layout of one frame: inputs beside their readers, a row of boxes one below the other, and
// what is more complicated by dagre.
"use strict";

const SPACE = { nodesep: 16, ranksep: 26, edgesep: 10 };
const PAD = 12; // between a frame and what is in it
const RETURN = 26; // beside the boxes of a fold, for the line to the next
const SIDE = 20; // between a box and the inputs beside it
const SIDES = new Set(["input", "constant", "parameter", "reference"]);

/** Arrange what is in a frame; places are those of axes, from the frame's left upper corner. */
function arrange(frame, items, links, header) {
  const ports = new Map(), sizes = new Map();
  const beside = aside(items, links);
  for (const item of items) if (!beside.has(item)) sizes.set(item.number, item.size);
  for (const [reader, column] of columns(beside)) {
    const { width, height, axis } = reader.size;
    sizes.set(reader.number, { width: width + SIDE + column.width, height: Math.max(height, column.height), axis });
  }
  const flowing = links.filter((link) => !beside.has(link.from));
  for (const { from, to } of flowing)
    for (const end of [from, to])
      if (end.port) {
        ports.set(end.number, end.port);
        sizes.set(end.number, { width: 6, height: 0, axis: 3 });
      }
  const flow = stack(sizes, flowing) || layered(sizes, flowing, ports);
  for (const [reader, column] of columns(beside)) {
    const { x, y } = flow.at.get(reader.number);
    let top = y - column.height / 2;
    for (const { number, size } of column.items) {
      const left = x + reader.size.width - reader.size.axis + SIDE;
      flow.at.set(number, { x: left + size.axis, y: top + size.height / 2 });
      top += size.height + 6;
    }
  }
  const main = flowing.find((link) => link.from.port) || flowing.find((link) => link.to.port);
  const end = main && (main.from.port ? main.from : main.to);
  let axis = end ? flow.at.get(end.number).x : flow.width / 2;
  const pad = frame.parent ? PAD : 0;
  // What runs into a module passes to the right of its name.
  const entries = [...ports].filter(([, side]) => side === "in").map(([number]) => flow.at.get(number).x);
  const shift = pad + Math.max(0, header.width + 10 - Math.min(end ? axis : Infinity, ...entries) - pad);
  const width = Math.max(flow.width + shift + pad, header.width + 2 * pad) + (isFold(frame) ? RETURN : 0);
  // Ports take no room: boxes begin right under the header, or where lines have parted.
  const under = header.height + (flow.layers && ports.size ? 14 : 0);
  let top = Infinity, bottom = -Infinity;
  for (const { number, size } of items) {
    top = Math.min(top, flow.at.get(number).y - size.height / 2);
    bottom = Math.max(bottom, flow.at.get(number).y + size.height / 2);
  }
  const height = bottom - top + under + pad;
  axis += shift;
  const move = (point) => ({ x: point.x + shift, y: point.y + under - top });
  const at = new Map([...flow.at].map(([number, point]) => [number, move(point)]));
  const routes = new Map([...flow.routes].map(([key, points]) => [key, points.map(move)]));
  for (const [number, side] of ports) at.get(number).y = side === "in" ? 0 : height;
  return { width, height, axis, at, routes, header: header.height };
}

/** The inputs that only one box reads, by reader: they stand beside it, out of the way. */
function aside(items, links) {
  const reads = new Map(), readers = new Map(), given = new Set();
  for (const link of links) {
    reads.set(link.to, [...(reads.get(link.to) || []), link.from]);
    readers.set(link.from, [...(readers.get(link.from) || []), link.to]);
    given.add(link.to);
  }
  const single = (item) => !item.port && SIDES.has(item.data.kind) && !given.has(item) && readers.get(item)?.length === 1;
  const found = new Map();
  for (const item of items) {
    if (!single(item)) continue;
    const [reader] = readers.get(item);
    if (reader.port || (reader.folds && reader.open)) continue;
    const others = reads.get(reader);
    // One input has to lead the way where there is nothing else.
    if (others.every(single) && others[0] === item) continue;
    found.set(item, reader);
  }
  return found;
}

function columns(beside) {
  const found = new Map();
  for (const [item, reader] of beside) {
    if (!found.has(reader)) found.set(reader, { items: [], width: 0, height: -6 });
    const column = found.get(reader);
    column.items.push(item);
    column.width = Math.max(column.width, item.size.width);
    column.height += item.size.height + 6;
  }
  return found;
}

/** One below the other, where every box has one reader, the next: most of most networks. */
function stack(sizes, links) {
  const next = new Map(), heads = new Set();
  for (const { from, to } of links) {
    if (next.has(from.number) ? next.get(from.number) !== to.number : heads.has(to.number)) return null;
    next.set(from.number, to.number);
    heads.add(to.number);
  }
  const starts = [...sizes.keys()].filter((number) => !heads.has(number));
  if (starts.length !== 1) return null;
  const order = [starts[0]];
  while (next.has(order[order.length - 1])) order.push(next.get(order[order.length - 1]));
  if (order.length !== sizes.size) return null;
  const left = Math.max(...order.map((n) => sizes.get(n).axis));
  const right = Math.max(...order.map((n) => sizes.get(n).width - sizes.get(n).axis));
  const at = new Map(), routes = new Map();
  let y = 0;
  for (const number of order) {
    const { height } = sizes.get(number);
    if (at.size) y += SPACE.ranksep;
    at.set(number, { x: left, y: y + height / 2 });
    y += height;
  }
  const beside = new Map();
  for (const { key, from, to } of links) {
    const n = beside.get(from.number) || 0;
    beside.set(from.number, n + 1);
    const several = links.filter((link) => link.from.number === from.number).length - 1;
    const x = left + (n - several / 2) * 14;
    const top = at.get(from.number).y + sizes.get(from.number).height / 2;
    const bottom = at.get(to.number).y - sizes.get(to.number).height / 2;
    routes.set(key, [{ x, y: top }, { x, y: bottom }]);
  }
  return { width: left + right, height: y, at, routes };
}

/** The layout by dagre. */
function layered(sizes, links, ports) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ ...SPACE, ranker: (g) => rank(g, ports) });
  // dagre centres a node, so one with its axis to the side is given room on the other.
  for (const [number, { width, height, axis }] of sizes)
    graph.setNode(number, { width: 2 * Math.max(axis, width - axis), height });
  for (const { key, from, to } of links)
    graph.setEdge(from.number, to.number, { weight: 1 }, key);
  dagre.layout(graph);
  const at = new Map(), routes = new Map();
  for (const number of sizes.keys()) {
    const { x, y } = graph.node(number);
    at.set(number, { x, y });
  }
  for (const edge of graph.edges()) routes.set(edge.name, graph.edge(edge).points);
  const { width, height } = graph.graph();
  return { width: width || 0, height: height || 0, at, routes, layers: true };
}

/** Ranks from the top down, as a network runs, inputs beside their readers, ports at the borders. */
function rank(graph, ports) {
  const root = graph.graph().nestingRoot; // dagre's own, before everything
  const known = new Map();
  const find = (v) => {
    if (!known.has(v)) {
      const before = graph.inEdges(v).filter((edge) => edge.v !== root);
      known.set(v, Math.max(0, ...before.map((edge) => find(edge.v) + graph.edge(edge).minlen)));
    }
    return known.get(v);
  };
  const names = graph.nodes().filter((v) => v !== root);
  names.forEach(find);
  const last = Math.max(0, ...known.values());
  for (const v of names) {
    const before = graph.inEdges(v).filter((edge) => edge.v !== root);
    const after = graph.outEdges(v);
    let place = known.get(v);
    if (!before.length && after.length && ports.get(v) !== "in")
      place = Math.min(...after.map((edge) => known.get(edge.w) - graph.edge(edge).minlen));
    if (ports.get(v) === "out") place = last;
    graph.node(v).rank = place;
  }
  if (graph.hasNode(root)) graph.node(root).rank = -1;
}
