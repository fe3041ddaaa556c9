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
  const short = (value) => lib.formatNumber(value + 0, { digits: 3 });
  /** Text that keeps its place whatever number is in it. */
  const fixed = (em, attributes = {}, tag = "span") => {
    const element = make(tag, attributes);
    element.style.cssText = "display:inline-block;text-align:right;white-space:nowrap;" +
      "font-variant-numeric:tabular-nums;min-width:" + em + "em";
    return element;
  };

  const draw = (box) => {
    const before = run([]);
    const held = new Map();
    const option = (value, text) => make("option", { value }, text);
    const select = (name, options) => {
      const element = make("select", { "data-control": name, "aria-label": name }, ...options);
      element.style.cssText = "font:inherit;max-width:14em";
      return element;
    };
    const site = select("site", page.sites.map((name) => option(name, name)));
    const unit = select("unit", page.unitLabels.map((label, u) => option(u, label)));
    const step = select("timestep", [
      option(-1, "all timesteps"),
      ...page.timestepLabels.map((label, t) => option(t, label)),
    ]);
    const slider = make("input", {
      type: "range", "data-control": "value", "aria-label": "value", step: "any",
    });
    slider.style.cssText = "width:20em;max-width:100%;vertical-align:middle";
    const [least, most] = [fixed(4), fixed(4)];
    most.style.textAlign = "left";
    const shown = fixed(7, { "data-shown": "value" }, "output");
    const release = make("button", { type: "button", "data-control": "release" }, "release");
    const releaseAll = make("button", { type: "button", "data-control": "release-all" }, "release all");
    const holding = make("p", { "data-shown": "held" });
    const charts = make("div", { "data-shown": "charts" });
    const outputs = make("table", { "data-shown": "prediction" });
    const note = make("p", { "data-shown": "note" }, make("small", {}, page.note));
    for (const element of [release, releaseAll]) element.style.font = "inherit";
    const scrolled = make("div", {}, outputs);
    scrolled.style.overflowX = "auto"; // on a narrow page
    outputs.style.cssText = "border-collapse:collapse;font-variant-numeric:tabular-nums";
    charts.style.cssText = "display:flex;flex-wrap:wrap;gap:4px 16px";
    const sitesShown = () => [...new Set([site.value, ...page.states])];

    const chosen = () => ({ site: site.value, unit: Number(unit.value), timestep: Number(step.value) });
    const keyOf = ({ site, unit, timestep }) => site + "/" + unit + "/" + timestep;
    const nameOf = (site) => page.names[page.sites.indexOf(site)];
    const isGate = (site) => site.startsWith("gates.") && site !== "gates.candidate";

    /** The slider's range goes past what the run itself reached, and where it stands. */
    const place = () => {
      const { site, unit, timestep } = chosen();
      const values = valuesOf(before, site).filter((_, k) => k % units === unit);
      const low = Math.min(0, ...values), high = Math.max(1, ...values);
      const margin = isGate(site) && high <= 1 && low >= 0
        ? 0
        : Math.max(1, high - low) / 2;
      slider.min = Math.min(low - margin, margin === 0 ? 0 : -1);
      slider.max = high + margin;
      least.textContent = short(Number(slider.min));
      most.textContent = short(Number(slider.max));
      const own = held.get(keyOf(chosen()));
      const mean = timestep === -1
        ? values.reduce((a, b) => a + b, 0) / values.length
        : values[timestep];
      slider.value = own === undefined ? mean : own.value;
      shown.textContent = own === undefined ? "as computed" : short(own.value);
    };

    /** The charts' ranges: those of what was chosen grow while it is dragged, and never shrink. */
    let ranges = new Map();
    const rangeOf = (site, values) => {
      const finite = values.filter(Number.isFinite);
      const [low, high] = ranges.get(site) ?? [0, isGate(site) ? 1 : 0];
      const range = [Math.min(low, ...finite), Math.max(high, ...finite)];
      ranges.set(site, range);
      return range[0] === range[1] ? [-1, 1] : range;
    };

    /** A value of the unit over the timesteps: dashed as computed, in the unit's colour as it is now. */
    const chart = (site, after) => {
      const { unit: u } = chosen();
      const [old, now] = [before, after].map((run) =>
        valuesOf(run, site).filter((_, k) => k % units === u)
      );
      const [low, high] = rangeOf(site, [...old, ...now]);
      const across = (t) => 52 + 240 * (timesteps === 1 ? 0.5 : t / (timesteps - 1));
      const up = (value) => 122 - 108 * (value - low) / (high - low);
      const text = (x, y, label, anchor = "end") =>
        make("text", { x, y, "text-anchor": anchor, "font-size": 11, fill: "currentColor" }, label);
      const rule = (attributes) =>
        make("line", { stroke: "currentColor", opacity: 0.25, ...attributes });
      const line = (values, attributes) => {
        let d = "";
        values.forEach((value, t) => {
          if (!Number.isFinite(value)) return;
          d += (t > 0 && Number.isFinite(values[t - 1]) ? "L" : "M") +
            across(t).toFixed(2) + " " + up(value).toFixed(2);
        });
        return make("path", { d, fill: "none", "stroke-linecap": "round", ...attributes });
      };
      const ticks = [...new Set([low, ...(low < 0 && high > 0 ? [0] : []), high])]
        .filter((tick) => tick === low || tick === high || Math.min(up(low) - up(tick), up(tick) - up(high)) > 12);
      const steps = [...new Set([0, Math.floor((timesteps - 1) / 2), timesteps - 1])];
      const stepLabel = (t) => {
        const label = [...page.timestepLabels[t].replace(/^timestep /, "")];
        return label.length > 12 ? label.slice(0, 11).join("") + "…" : label.join("");
      };
      const color = page.colors[u % page.colors.length];
      const picture = make("svg", {
        viewBox: "0 0 300 166", role: "img", "data-site": site, "data-values": now.join(" "),
        "aria-label": nameOf(site) + " of " + page.unitLabels[u] + " over the timesteps",
      },
        ...ticks.flatMap((tick) => [
          rule({ x1: 52, x2: 292, y1: up(tick), y2: up(tick) }),
          text(47, up(tick) + 4, short(tick)),
        ]),
        rule({ x1: 52, x2: 52, y1: 14, y2: 122 }),
        ...steps.map((t, k) =>
          text(across(t), 137, stepLabel(t), k === 0 && timesteps > 1 ? "start" : k === steps.length - 1 && timesteps > 1 ? "end" : "middle")
        ),
        text(172, 156, "timestep", "middle"),
        line(now, { stroke: color, "stroke-width": 2.5 }),
        line(old, { stroke: "currentColor", "stroke-width": 1.5, "stroke-dasharray": "4 4" }),
        ...[...held.values()].filter((one) => one.site === site && one.unit === u).flatMap((one) =>
          now.map((value, t) => [value, t])
            .filter(([value, t]) => Number.isFinite(value) && [t, -1].includes(one.timestep) && timesteps <= 60)
            .map(([value, t]) => make("circle", { cx: across(t), cy: up(value), r: 3.5, fill: color }))
        ),
      );
      picture.style.cssText = "display:block;width:100%";
      const last = page.last;
      const numbers = fixed(13);
      numbers.textContent = short(old[last]) + " → " + short(now[last]);
      const title = make("div", {}, make("strong", {}, nameOf(site)), " of " + page.unitLabels[u], make("br"), "at the end ", numbers);
      numbers.style.textAlign = "left";
      const whole = make("div", {}, title, picture);
      whole.style.cssText = "flex:1 1 250px;max-width:380px;min-width:0";
      return whole;
    };

    /** A bar from 0; of numbers of either sign, 0 stands in the middle. */
    let widest = page.probabilities ? 1 : Math.max(1e-9, ...before.prediction.map(Math.abs));
    const cellsOf = (value, isSigned, opacity) => {
      const part = Number.isFinite(value) ? Math.min(1, Math.abs(value) / widest) : 0;
      const [zero, width] = isSigned ? [50, 50 * part] : [0, 100 * part];
      const bar = make("div");
      bar.style.cssText = "position:absolute;top:0;bottom:0;background:currentColor;opacity:" + opacity +
        ";left:" + (value < 0 ? zero - width : zero).toFixed(2) + "%;width:" + width.toFixed(2) + "%";
      const track = make("div", {}, bar);
      track.style.cssText = "position:relative;width:9em;height:1em;border:1px solid rgba(128,128,128,0.5)";
      const number = fixed(6.5);
      number.textContent = lib.formatNumber(value + 0);
      return [make("td", {}, track), make("td", {}, number)];
    };

    const update = () => {
      const after = run([...held.values()]);
      charts.replaceChildren(...sitesShown().map((site) => chart(site, after)));
      const all = [...before.prediction, ...after.prediction].filter(Number.isFinite);
      if (!page.probabilities) widest = Math.max(widest, ...all.map(Math.abs));
      const isSigned = all.some((value) => value < 0);
      const head = make("tr", {}, ...["", "before", "", "after", ""].map((text) => make("th", { scope: "col" }, text)));
      outputs.replaceChildren(head, ...page.classLabels.map((name, k) => {
        const [was, is] = [before.prediction[k], after.prediction[k]];
        const cells = [...cellsOf(was, isSigned, 0.35), ...cellsOf(is, isSigned, 0.8)];
        cells[3].setAttribute("data-value", is);
        return make("tr", {}, make("th", { scope: "row" }, name), ...cells);
      }));
      for (const cell of outputs.querySelectorAll("th,td")) {
        cell.style.cssText = "text-align:left;padding:2px 6px;font-weight:inherit";
      }
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
    const change = () => { ranges = new Map(); place(); update(); };
    for (const element of [site, unit, step]) element.addEventListener("change", change);
    release.addEventListener("click", () => { held.delete(keyOf(chosen())); change(); });
    releaseAll.addEventListener("click", () => { held.clear(); change(); });
    const key = make("small", {}, "dashed: as computed; in colour: with what is held");
    box.replaceChildren(
      make("p", {}, make("strong", {}, page.title)), ...(page.note ? [note] : []),
      make("p", {}, site, " of ", unit, " at ", step),
      make("p", {}, least, " ", slider, " ", most, " ", shown, " ", release, " ", releaseAll),
      charts, key, scrolled, holding,
    );
    box.gatescope = { run };
    site.value = page.start.site;
    unit.value = page.start.unit;
    step.value = page.start.timestep;
    change();
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
