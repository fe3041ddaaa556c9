// What the slider view does in the page. The equations come as a function (page_bundle.ts); here is only
// what is seen: inputs, lines and bars.

/**
 * `(key, equations, page) => …`: finds its boxes that are not drawn yet and draws into them. Texts
 * only ever become text nodes, and no text becomes code.
 */
export const SLIDERS = `(key, equations, page) => {
  const lib = equations();
  const numbers = ({ base64, shape, float32 }) => {
    const { buffer } = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const data = float32 ? Float64Array.from(new Float32Array(buffer)) : new Float64Array(buffer);
    return new lib.Tensor(data, shape);
  };
  const cell = lib.CELLS[page.cell];
  const all = page.weights.map(numbers);
  const [W, U, b] = all;
  const x = numbers(page.x);
  const activations = page.activations.map(([name, options]) => lib.getActivation(name, options));
  const [φ, σ] = activations;
  const mask = page.mask && numbers(page.mask);
  const head = page.head.map(({ kernel, bias, activation }) => ({
    weights: kernel && { kernel: numbers(kernel), ...(bias && { bias: numbers(bias) }) },
    activation: activation === undefined ? undefined : activations[activation],
  }));
  const { goBackwards, units, timesteps } = page;
  const zeros = new lib.Tensor(new Float64Array(units), [1, units]);
  const start = page.initialState ? page.initialState.map(numbers) : cell.states.map(() => zeros);

  /** The run with what is held: [{ site, unit, timestep (-1: all), value }]. */
  const run = (held) => {
    const listen = (value, { site, timestep }) => {
      const own = held.filter((one) =>
        one.site === site && (one.timestep === -1 || one.timestep === timestep)
      );
      if (own.length === 0) return value;
      const data = value.data.slice();
      for (const { unit, value: number } of own) data[unit] = number;
      return new lib.Tensor(data, value.shape);
    };
    const { steps, end } = lib.runCell(lib.numbers, cell, {
      x, weights: { W, U, b, all }, functions: { φ, σ }, start, mask, goBackwards, listen,
    });
    let output = end.at(-1);
    for (const { weights, activation } of head) {
      output = weights ? lib.denseForward(output, weights) : activation(output);
    }
    return { steps, prediction: [...output.data] };
  };
  /** Of a site, by timestep and unit. */
  const valuesOf = ({ steps }, site) => steps.flatMap(({ values }) => [...values[site].data]);
  if (typeof document === "undefined") return { run };

  const make = (tag, attributes = {}, ...children) => {
    const svg = ["svg", "path", "line", "text", "circle"].includes(tag);
    const element = svg
      ? document.createElementNS("http://www.w3.org/2000/svg", tag)
      : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const short = (value) => Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);

  const draw = (box) => {
    const before = run([]);
    const held = new Map();
    const option = (value, text) => make("option", { value }, text);
    const select = (name, options) =>
      make("select", { "data-control": name, "aria-label": name }, ...options);
    const site = select("site", page.sites.map((name) => option(name, name)));
    const unit = select("unit", page.unitLabels.map((label, u) => option(u, label)));
    const step = select("timestep", [
      option(-1, "all timesteps"),
      ...page.timestepLabels.map((label, t) => option(t, label)),
    ]);
    const slider = make("input", {
      type: "range", "data-control": "value", "aria-label": "value", step: "any",
    });
    slider.style.width = "16em";
    const shown = make("output", { "data-shown": "value" });
    const release = make("button", { type: "button", "data-control": "release" }, "release");
    const releaseAll = make("button", { type: "button", "data-control": "release-all" }, "release all");
    const holding = make("p", { "data-shown": "held" });
    const cell = make("div", { "data-shown": "cell" });
    const bars = make("table", { "data-shown": "prediction" });
    const controls = make("p", {},
      site, " of ", unit, " at ", step, " ", slider, " ", shown, " ", release, " ", releaseAll,
    );
    for (const element of [site, unit, step, release, releaseAll]) element.style.font = "inherit";

    const chosen = () => ({ site: site.value, unit: Number(unit.value), timestep: Number(step.value) });
    const keyOf = ({ site, unit, timestep }) => site + "/" + unit + "/" + timestep;

    /** The slider's range goes past what the run itself reached, and where it stands. */
    const place = () => {
      const { site, unit, timestep } = chosen();
      const values = valuesOf(before, site).filter((_, k) => k % units === unit);
      const low = Math.min(0, ...values), high = Math.max(1, ...values);
      const isGate = site.startsWith("gates.") && site !== "gates.candidate";
      const margin = isGate && high <= 1 && low >= 0
        ? 0
        : Math.max(1, high - low) / 2;
      slider.min = Math.min(low - margin, margin === 0 ? 0 : -1);
      slider.max = high + margin;
      const own = held.get(keyOf(chosen()));
      const mean = timestep === -1
        ? values.reduce((a, b) => a + b, 0) / values.length
        : values[timestep];
      slider.value = own === undefined ? mean : own.value;
      shown.textContent = own === undefined ? "as computed" : short(own.value);
    };

    const line = (values, low, high, dashes) => {
      const at = (value, t) => [
        60 + 480 * (values.length === 1 ? 0.5 : t / (values.length - 1)),
        150 - 130 * (value - low) / (high - low),
      ].map((number) => number.toFixed(2)).join(" ");
      const d = values.map((value, t) => (t === 0 ? "M" : "L") + at(value, t)).join("");
      return make("path", {
        d, fill: "none", stroke: dashes ? "currentColor" : "#d62728",
        "stroke-width": dashes ? 1.5 : 2.5, "stroke-dasharray": dashes,
      });
    };

    const update = () => {
      const after = run([...held.values()]);
      const { unit: u } = chosen();
      const of = (run) => valuesOf(run, page.state.site).filter((_, k) => k % units === u);
      const [old, now] = [of(before), of(after)];
      const finite = [...old, ...now, 0].filter(Number.isFinite);
      const low = Math.min(...finite), high = Math.max(...finite, low + 1e-9);
      const label = (y, text, x = 54, anchor = "end") =>
        make("text", { x, y, "text-anchor": anchor, "font-size": 11, fill: "currentColor" }, text);
      const picture = make("svg", { viewBox: "0 0 560 180", role: "img", "data-values": now.join(" ") },
        make("line", { x1: 60, x2: 540, y1: 150, y2: 150, stroke: "currentColor", opacity: 0.3 }),
        label(24, short(high)), label(154, short(low)),
        label(170, page.timestepLabels[0], 60, "start"),
        label(170, page.timestepLabels[timesteps - 1], 540),
        line(old, low, high, "4 4"), line(now, low, high, ""),
      );
      picture.style.maxWidth = "640px";
      picture.setAttribute("aria-label", page.state.name + " of " + page.unitLabels[u] + " over the timesteps");
      const title = make("p", {}, page.state.name + " " + page.state.symbol + " of " + page.unitLabels[u] +
        ": dashed as computed, red with what is held; at the end " + short(old[page.last]) +
        " → " + short(now[page.last]));
      cell.replaceChildren(title, picture);
      bars.replaceChildren(...page.classLabels.map((name, k) => {
        const [was, is] = [before.prediction[k], after.prediction[k]];
        const bar = make("div");
        const width = page.probabilities ? is : Math.abs(is) / Math.max(...after.prediction.map(Math.abs), 1e-9);
        bar.style.cssText = "height:1em;background:#d62728;width:" + (12 * Math.min(1, Math.max(0, width))).toFixed(3) + "em";
        const cells = [name, short(was) + " → " + short(is)].map((text) => make("td", {}, text));
        cells[1].setAttribute("data-value", is);
        const track = make("td", {}, bar);
        track.style.width = "12em";
        return make("tr", {}, cells[0], track, cells[1]);
      }));
      const texts = [...held.values()].map((one) =>
        one.site + " of " + page.unitLabels[one.unit] + " at " +
        (one.timestep === -1 ? "all timesteps" : page.timestepLabels[one.timestep]) +
        " = " + short(one.value)
      );
      holding.textContent = "held: " + (texts.join(", ") || "nothing, all as computed");
    };

    slider.addEventListener("input", () => {
      const place = chosen();
      held.set(keyOf(place), { ...place, value: Number(slider.value) });
      shown.textContent = short(Number(slider.value));
      update();
    });
    for (const element of [site, unit, step]) {
      element.addEventListener("change", () => { place(); update(); });
    }
    release.addEventListener("click", () => { held.delete(keyOf(chosen())); place(); update(); });
    releaseAll.addEventListener("click", () => { held.clear(); place(); update(); });
    box.replaceChildren(make("p", {}, page.title), controls, holding, cell, bars);
    box.gatescope = { run };
    place();
    update();
  };

  for (const box of document.querySelectorAll('[data-gatescope-sliders="' + key + '"]:not([data-drawn])')) {
    box.setAttribute("data-drawn", "");
    const text = [...box.childNodes];
    try {
      draw(box);
    } catch (error) {
      const note = document.createElement("p");
      note.textContent = "The sliders do not work in this page: " + error.message;
      box.replaceChildren(...text, note);
    }
  }
  return { run };
}`;
