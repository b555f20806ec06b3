// Draws a picture whose groups open where they stand. A level is a drawing: its boxes, in layers, and edges as chains through the layers.
// Layers and their order stay as they were computed; a box that opens makes its layer higher, and moves what is beside it.
function show(place, levels, rise, margin, widest) {
  const HEAD = 30, PAD = 14;
  const svg = place.querySelector("svg"), style = svg.querySelector("style").outerHTML;
  const open = new Set();                       // keys of open boxes: "2/5" is box 5 of level 2
  const short = (value) => String(Math.round(value * 10) / 10);

  // Where everything of a level lies, from the sizes that its boxes have now.
  function placed(number) {
    const level = levels[number], inner = new Map(), sizes = level.boxes.map((box, i) => {
      if (box.inside === undefined || !open.has(number + "/" + i)) return [box.w, box.h];
      const inside = placed(box.inside);
      inner.set(i, inside);
      return [Math.max(inside.width + 2 * PAD, box.title.length * 7.2 + 50), inside.height + HEAD + PAD];
    });
    // A box that is wider than it was moves what lies beside it in its layer.
    const x = level.x.map((value, i) => {
      let moved = value;
      inner.forEach((_, k) => {
        if (level.layer[k] === level.layer[i] && k !== i) moved += Math.sign(value - level.x[k]) * (sizes[k][0] - level.boxes[k].w) / 2;
      });
      return moved;
    });
    const heights = [];
    level.layer.forEach((layer, i) => { heights[layer] = Math.max(heights[layer] || 0, i < sizes.length ? sizes[i][1] : 0); });
    const tops = [];
    let top = 0;
    heights.forEach((height, layer) => { tops[layer] = top; top += height + rise; });
    const lows = sizes.map((size, i) => x[i] - size[0] / 2), highs = sizes.map((size, i) => x[i] + size[0] / 2);
    x.slice(sizes.length).forEach((value) => { lows.push(value - 7); highs.push(value + 7); });
    const low = Math.min(...lows), high = Math.max(...highs);
    return { number, sizes, inner, heights, tops, x: x.map((value) => value - low), width: high - low, height: Math.max(top - rise, 0) };
  }

  // The ports of a box for edges to or from the box `outside` beside it: pairs of what is handed over and its x; null for a closed box.
  function ports(at, i, kind, outside) {
    const inside = at.inner.get(i);
    if (!inside) return null;
    const all = levels[inside.number].boxes.flatMap((box, k) =>
      box.kind === kind ? [[box.value, at.x[i] + inside.x[k] - inside.width / 2, box.outside]] : []);
    const found = all.filter((port) => port[2] === outside);
    // (Of a body that repeats the first is shown, and what comes or goes may be another's: with one port there is no doubt.)
    return found.length || all.length !== 1 ? found : all;
  }

  // The lines of an edge, as (x where it leaves, x where it enters) without those that are not at a port.
  function linesOf(outs, ins) {
    if (!(outs && outs.length) && !(ins && ins.length)) return [[undefined, undefined]];
    if (!(outs && outs.length)) return ins.map(([_, x]) => [undefined, x]);
    if (!(ins && ins.length)) return outs.map(([_, x]) => [x, undefined]);
    const lines = ins.map(([value, x]) => [(outs.find(([other]) => other === value) || outs[0])[1], x]);
    const left = outs.filter(([_, x]) => !lines.some(([used]) => used === x));
    return lines.concat(left.map(([_, x]) => [x, ins[0][1]]));
  }

  function edge(at, one, left, top, out) {
    const chain = one.chain, start = chain[0], end = chain[chain.length - 1];
    for (const [leaves, enters] of linesOf(ports(at, start, "out", end), ports(at, end, "in", start))) line(at, one, leaves, enters, left, top, out);
  }

  function line(at, one, leaves, enters, left, top, out) {
    const level = levels[at.number], chain = one.chain, start = chain[0], end = chain[chain.length - 1];
    const middle = (i) => at.tops[level.layer[i]] + at.heights[level.layer[i]] / 2;
    const from = level.boxes[start], to = level.boxes[end];
    const points = [[leaves !== undefined ? leaves : at.x[start] + one.leave - level.x[start],
                     from.kind === "in" ? -HEAD : middle(start) + at.sizes[start][1] / 2]];
    if (from.kind === "in") points.push([points[0][0], at.tops[level.layer[start]]]);
    for (const i of chain.slice(1, -1)) {
      const y = at.tops[level.layer[i]];
      points.push([at.x[i], y], [at.x[i], y + at.heights[level.layer[i]]]);
    }
    const tip = to.kind !== "out" && enters === undefined;
    const x = enters !== undefined ? enters : at.x[end] + one.enter - level.x[end];
    points.push([x, middle(end) - at.sizes[end][1] / 2 - (tip ? 5 : 0)]);
    if (to.kind === "out") points.push([x, at.height + PAD]);
    let [px, py] = points[0];
    let path = "M" + short(px + left) + " " + short(py + top);
    for (const [nx, ny] of points.slice(1)) {
      const half = (py + ny) / 2;
      path += Math.abs(nx - px) < 0.5 ? "L" + short(nx + left) + " " + short(ny + top)
        : "C" + [px + left, half + top, nx + left, half + top, nx + left, ny + top].map(short).join(" ");
      [px, py] = [nx, ny];
    }
    out.push('<path class="rl-edge" d="' + path + '"/>');
    if (tip) out.push('<path class="rl-tip" d="M' + short(px + left) + " " + short(py + top + 5) + 'l-3.5 -7h7z"/>');
  }

  function draw(at, left, top, out) {
    const level = levels[at.number], names = [];
    // Frames first: edges of this level end at them, and go on within.
    at.inner.forEach((inside, i) => {
      const [width, height] = at.sizes[i], x = left + at.x[i] - width / 2;
      const y = top + at.tops[level.layer[i]] + (at.heights[level.layer[i]] - height) / 2;
      out.push('<g class="rl-box rl-frame" role="button" tabindex="0" aria-expanded="true" data-box="' + at.number + "/" + i + '">'
        + '<rect x="' + short(x) + '" y="' + short(y) + '" width="' + short(width) + '" height="' + short(height) + '" rx="7"/></g>');
      draw(inside, x + (width - inside.width) / 2, y + HEAD, out);
      names.push('<text class="rl-title rl-name" data-box="' + at.number + "/" + i + '" x="' + short(x + 12) + '" y="' + short(y + 19)
        + '" xml:space="preserve"></text>');
    });
    for (const one of level.edges) edge(at, one, left, top, out);
    level.boxes.forEach((box, i) => {
      if (!box.svg || at.inner.has(i)) return;
      const x = left + at.x[i], y = top + at.tops[level.layer[i]] + at.heights[level.layer[i]] / 2;
      const opens = box.inside === undefined ? ""
        : ' class="rl-opens" role="button" tabindex="0" aria-expanded="false" data-box="' + at.number + "/" + i + '"';
      out.push('<g transform="translate(' + short(x) + " " + short(y) + ')"' + opens + ">" + box.svg + "</g>");
    });
    out.push(...names);      // above the edges
  }

  function render() {
    const at = placed(0), out = [style], width = at.width + 2 * margin + 4, height = at.height + 2 * margin + 4;
    draw(at, margin, margin, out);
    svg.innerHTML = out.join("");
    svg.style.cssText = width <= widest ? "max-width:100%;height:auto" : "";
    svg.setAttribute("width", short(width));
    svg.setAttribute("height", short(height));
    svg.setAttribute("viewBox", "0 0 " + short(width) + " " + short(height));
    svg.querySelectorAll(".rl-name").forEach((name) => {
      const [number, i] = name.dataset.box.split("/").map(Number);
      name.textContent = "− " + levels[number].boxes[i].title;
    });
  }

  function toggle(event) {
    const box = event.target.closest("[data-box]");
    if (!box || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    const key = box.dataset.box;
    if (!open.delete(key)) open.add(key);
    render();
    const again = svg.querySelector('[data-box="' + key + '"]');
    if (again) again.focus({ preventScroll: true });
  }
  svg.addEventListener("click", toggle);
  svg.addEventListener("keydown", toggle);
  // A drawing of a few boxes begins with what is in the largest.
  const groups = levels[0].boxes.map((box, i) => [box, i]).filter(([box]) => box.inside !== undefined && levels[box.inside].boxes.length <= 30);
  groups.sort((a, b) => b[0].nodes - a[0].nodes);
  if (groups.length && levels[0].boxes.length <= 12) open.add("0/" + groups[0][1]);
  render();
}
