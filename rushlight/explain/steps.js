// Goes forward and back through the steps of a backward: colours what has run, and shows what each node got, used and gave.
function walk(place, told) {
  const steps = told.steps, panel = place.querySelector(".rl-told"), range = place.querySelector("input");
  const box = (i) => place.querySelector('[data-box="' + i + '"]');
  const edge = (from, to) => place.querySelector('[data-edge="' + from + "-" + to + '"]');
  let now = 0;

  function mark(i, kind, gradient) {
    box(i).classList.add(kind);
    if (gradient !== undefined) box(i).querySelector(".rl-gradient").textContent = "∂ " + gradient;
  }

  function show() {
    place.querySelectorAll("[data-box], [data-edge]").forEach((one) => one.classList.remove("rl-done", "rl-now", "rl-coming", "rl-passed", "rl-sends"));
    place.querySelectorAll(".rl-gradient").forEach((one) => { one.textContent = ""; });
    const coming = new Map();
    steps.slice(0, now).forEach((step, k) => {
      coming.delete(step.box);
      mark(step.box, k === now - 1 ? "rl-now" : "rl-done", step.gradient);
      for (const [target, value] of step.sent) {
        // An edge runs as the program does, from input to result: gradients go up.
        const way = edge(target, step.box);
        if (way) way.classList.add(k === now - 1 ? "rl-sends" : "rl-passed");
        coming.set(target, coming.has(target) ? coming.get(target) + " + " + value : value);
      }
    });
    coming.forEach((value, i) => mark(i, "rl-coming", value));
    const step = steps[now - 1];
    panel.innerHTML = !step
      ? "<h2>Before backward</h2><p>" + steps.length + " steps, from the result up to the leaves. No <code>.grad</code> is touched.</p>"
      : "<h2>step " + now + " of " + steps.length + ": " + step.title + "</h2><code>" + step.line + "</code><table>"
        + step.rows.map(([what, value]) => "<tr><td>" + what + "</td><td>" + value + "</td></tr>").join("") + "</table>";
    if (now === steps.length && told.stopped) panel.append(told.stopped);
    range.value = now;
    place.querySelectorAll("button").forEach((button) => {
      button.disabled = now === (["first", "back"].includes(button.dataset.go) ? 0 : steps.length);
    });
    if (step) box(step.box).scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function go(to) {
    now = Math.max(0, Math.min(steps.length, to));
    show();
  }

  const places = { first: () => 0, back: () => now - 1, next: () => now + 1, last: () => steps.length };
  place.addEventListener("click", (event) => {
    const button = event.target.closest("[data-go]"), chosen = event.target.closest("[data-box]");
    if (button) go(places[button.dataset.go]());
    else if (chosen) {
      const at = steps.findIndex((step) => step.box === Number(chosen.dataset.box));
      if (at >= 0) go(at + 1);
    }
  });
  range.addEventListener("input", () => go(Number(range.value)));
  place.tabIndex = 0;
  place.style.outline = "none";
  place.addEventListener("keydown", (event) => {
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: steps.length }[event.key];
    if (to === undefined || event.target === range) return;
    event.preventDefault();
    go(to);
  });
  show();
}
