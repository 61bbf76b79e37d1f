// Taking the picture away: as SVG, as PNG, on paper; and the small map of where one is.

/** What is shown, as an SVG that stands for itself. */
function drawing() {
  const margin = 12;
  const size = { width: Math.ceil(picture.width) + 2 * margin, height: Math.ceil(picture.height) + 2 * margin };
  const copy = canvas.cloneNode(true);
  copy.setAttribute("transform", `translate(${margin} ${margin})`);
  copy.querySelectorAll(".halo, .hit").forEach((element) => element.remove());
  // The colours as they are now, whatever the reader's system will say.
  const css = document.querySelector("style").textContent, colours = getComputedStyle(document.documentElement);
  const names = new Set([...css.matchAll(/--[\w-]+(?=:)/g)].map(([name]) => name));
  const now = [...names].map((name) => `${name}:${colours.getPropertyValue(name)}`).join(";");
  const style = make("style", {}, `${css}svg.drawing{${now}}`);
  const paper = make("rect", { ...size, class: "paper" });
  const root = make("svg", { class: "drawing", ...size, viewBox: `0 0 ${size.width} ${size.height}` },
    make("title", {}, graph.title), style, markers(), paper, copy);
  return { text: new XMLSerializer().serializeToString(root), ...size };
}

function save(url, ending) {
  const link = Object.assign(document.createElement("a"), { href: url, download: `graph.${ending}` });
  link.click();
}

$("svg").onclick = () => save(URL.createObjectURL(new Blob([drawing().text], { type: "image/svg+xml" })), "svg");
$("png").onclick = () => {
  const { text, width, height } = drawing();
  const image = new Image();
  image.onload = () => {
    const scale = Math.min(2, Math.sqrt(12e6 / (width * height)), 16000 / Math.max(width, height));
    const paper = Object.assign(document.createElement("canvas"), { width: width * scale, height: height * scale });
    paper.getContext("2d").drawImage(image, 0, 0, paper.width, paper.height);
    paper.toBlob((blob) => save(URL.createObjectURL(blob), "png"));
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
};
$("print").onclick = () => print();
addEventListener("beforeprint", () => {
  svg.setAttribute("viewBox", `-8 -8 ${picture.width + 16} ${picture.height + 16}`);
  canvas.removeAttribute("transform");
});
addEventListener("afterprint", () => {
  svg.removeAttribute("viewBox");
  aim();
});

// -------------------------------------------------------------------------------------------- map
const map = $("map");

/** Draw the boxes as points, and the part that is in sight; nothing where all is. */
function paintMap() {
  const w = svg.clientWidth, h = svg.clientHeight;
  const all = picture.width * look.scale <= w && picture.height * look.scale <= h;
  map.hidden = all || w < 640;
  if (map.hidden) return;
  const scale = Math.min(150 / picture.width, 180 / picture.height);
  map.scale = scale;
  map.width = Math.max(12, picture.width * scale);
  map.height = Math.max(12, picture.height * scale);
  const brush = map.getContext("2d"), colours = getComputedStyle(document.body);
  const paint = (role) => colours.getPropertyValue(`--${role}`);
  for (const { left, top, size, data, folds, open } of picture.order) {
    if (folds && open) continue;
    brush.fillStyle = paint(data.mark ? "bad-border" : data.kind === "output" ? "output-border" : "op-border");
    brush.fillRect(left * scale, top * scale, Math.max(1, size.width * scale), Math.max(1, size.height * scale));
  }
  brush.strokeStyle = paint("parameter-border");
  brush.lineWidth = 2;
  brush.strokeRect((-look.x / look.scale) * scale, (-look.y / look.scale) * scale, (w / look.scale) * scale, (h / look.scale) * scale);
}

map.onpointerdown = map.onpointermove = (event) => {
  if (!event.buttons) return;
  look.x = svg.clientWidth / 2 - (event.offsetX / map.scale) * look.scale;
  look.y = svg.clientHeight / 2 - (event.offsetY / map.scale) * look.scale;
  aim();
};
