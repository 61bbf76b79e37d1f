// Search, keyboard, mouse and touch, and the start.

// ----------------------------------------------------------------------------------------- search
const outermost = tree.clusters.filter((item) => item.data.kind !== "stretch" && !item.parent.data.loop);
const haystacks = [...outermost, ...tree.nodes].map((item) => {
  const { data } = item;
  const rows = (data.rows || []).flatMap((row) => [row.name, row.text]);
  return [item, [data.text, data.label, data.id, data.kind, ...rows].join("\n").toLowerCase()];
});

function mark(item) {
  const element = elements.get(item);
  if (element) element.classList.add("match");
}

function search() {
  const text = $("search").value.trim().toLowerCase();
  canvas.querySelectorAll(".match").forEach((element) => element.classList.remove("match"));
  matches = text ? haystacks.filter(([, hay]) => hay.includes(text)).map(([item]) => item) : [];
  // A frame and what is in it are one find.
  const found = new Set(matches);
  matches = matches.filter((item) => !item.folds || !tree.list.slice(item.order + 1, item.order + 4).some((inner) => found.has(inner) && inner.data.number));
  match = -1;
  matches.forEach(mark);
  if (matches.length) cycle(1);
  else $("found").textContent = text ? "not found" : "";
}

function cycle(step) {
  if (!matches.length) return;
  match = (match + step + matches.length) % matches.length;
  const item = matches[match];
  $("found").textContent = `${match + 1} of ${matches.length}`;
  reveal(item);
  choose(item);
  look.scale = Math.max(look.scale, 0.7);
  middle(item);
}

// A search over many boxes waits for a pause in typing.
let pause = 0;
function now() {
  clearTimeout(pause);
  pause = 0;
  search();
}
$("search").oninput = () => {
  clearTimeout(pause);
  pause = setTimeout(now, 80);
};
$("search").onkeydown = (event) => {
  if (event.key === "Enter") {
    if (pause) now();
    else cycle(event.shiftKey ? -1 : 1);
  } else if (event.key === "Escape") {
    $("search").value = "";
    search();
    if (chosen) choose(chosen, true);
    else svg.querySelector("[tabindex='0']")?.focus();
  }
};

// --------------------------------------------------------------------------------------- keyboard
const order = () => picture.order;
const KEYS = {
  ArrowDown: (item) => order()[order().indexOf(item) + 1],
  ArrowUp: (item) => order()[order().indexOf(item) - 1],
  Home: () => order()[0],
  End: () => order().at(-1),
  ArrowRight: (item) => {
    if (item.folds && item.open) return order()[order().indexOf(item) + 1];
    if (item.folds) toggle(item, true);
    return item;
  },
  ArrowLeft: (item) => {
    if (item.folds && item.open) toggle(item, false);
    else if (home(item).parent) return home(item);
    return item;
  },
  Enter: (item) => {
    if (item.folds) toggle(item);
    else if (item.refers) return item.refers;
    return item;
  },
  b: (item) => trace(item, "tail"),
  n: (item) => trace(item, "head"),
};
KEYS[" "] = KEYS.Enter;
const MOVES = { ArrowUp: [0, 60], ArrowDown: [0, -60], ArrowLeft: [60, 0], ArrowRight: [-60, 0] };
const ANYWHERE = {
  "/": () => $("search").focus(),
  Escape: () => choose(null),
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: () => fit(),
};

svg.addEventListener("keydown", (event) => {
  const item = event.target.item;
  if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.shiftKey && MOVES[event.key]) {
    look.x += MOVES[event.key][0];
    look.y += MOVES[event.key][1];
    aim();
  } else if (KEYS[event.key]) {
    const next = KEYS[event.key](item);
    if (next) go(next);
  } else if (event.key === "Escape") choose(null);
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!ANYWHERE[event.key]) return;
  event.preventDefault();
  ANYWHERE[event.key]();
});
svg.addEventListener("focusin", (event) => {
  const item = event.target.item;
  if (!item || item === chosen) return;
  choose(item);
  uncover(item);
});

// ------------------------------------------------------------------------------- mouse and touch
const fingers = new Map();
let moved = 0;
svg.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (!fingers.size) moved = 0;
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
});
svg.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const now = { x: event.clientX, y: event.clientY };
  const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
  moved += Math.hypot(now.x - before.x, now.y - before.y);
  if (others.length) {
    const [other] = others, { left, top } = svg.getBoundingClientRect();
    const far = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
    zoom(far(now) / far(before), (now.x + other.x) / 2 - left, (now.y + other.y) / 2 - top);
  }
  look.x += (now.x - before.x) / (others.length + 1);
  look.y += (now.y - before.y) / (others.length + 1);
  fingers.set(event.pointerId, now);
  if (moved > 4) {
    svg.classList.add("moving");
    // From here on it is no click: the pointer may leave the window and come back.
    if (!svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
  }
  aim();
});
for (const name of ["pointerup", "pointercancel"])
  svg.addEventListener(name, (event) => {
    fingers.delete(event.pointerId);
    svg.classList.remove("moving");
  });
svg.addEventListener("click", (event) => {
  if (moved > 4) return;
  const item = event.target.closest("[role=treeitem]")?.item;
  const name = item && (!item.open || event.target.matches(".handle"));
  if (!item) choose(null);
  else if (item.folds && name) {
    toggle(item);
    choose(item, true);
  } else choose(item, true);
});
svg.addEventListener("pointerover", (event) => {
  const item = event.target.closest("[role=treeitem]")?.item;
  if (event.pointerType === "mouse" && !fingers.size) tell(item || chosen);
});
svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  const unit = event.deltaMode ? 16 : 1;
  if (event.ctrlKey || event.metaKey) {
    const { left, top } = svg.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * unit * 0.003), event.clientX - left, event.clientY - top);
    return;
  }
  look.x -= (event.shiftKey ? event.deltaY : event.deltaX) * unit;
  look.y -= (event.shiftKey ? 0 : event.deltaY) * unit;
  aim();
}, { passive: false });

// ------------------------------------------------------------------------------------------ start
explain();
const culprit = tree.nodes.find(({ data }) => data.mark === "first" || (data.rows || []).some((row) => row.mark === "first"));
if (culprit) {
  const { data } = culprit;
  $("bad").hidden = false;
  $("bad").textContent = `⚠ ${data.bad || (data.bad_gradient ? `${data.bad_gradient} in a gradient` : "first bad value")}`;
  $("bad").onclick = () => {
    go(culprit);
    middle(culprit);
  };
}
for (const button of [$("fold"), $("unfold")]) button.disabled = !tree.clusters.length;
render();
fit(0.8);

/** Go to the operation that the address names, such as #op12. */
function follow() {
  const number = Number(/^#op(\d+)$/.exec(location.hash)?.[1]);
  const item = number && tree.nodes.find(({ data }) => data.number === number);
  if (!item) return;
  go(item);
  look.scale = Math.max(look.scale, 0.7);
  middle(item);
}
addEventListener("hashchange", follow);
follow();
