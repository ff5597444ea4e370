// Controls of plain inputs, for keyboards and screen readers. Text is never inserted as HTML.

/** Make an element: attributes, properties (".name"), listeners ("on..."), and children. */
function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.startsWith(".")) made[name.slice(1)] = value;
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const STEPS = 1000; // of a continuous slider

/** Make slider and number field of a parameter of the network; call `moved(value)` with the new value. */
function continuous(control, moved) {
  const forth = control.log ? Math.log : (v) => v, back = control.log ? Math.exp : (v) => v;
  const [from, to] = [forth(control.from), forth(control.to)];
  const id = `set-${control.name}`;
  const slider = node("input", { type: "range", id, min: 0, max: STEPS, step: 1 });
  const field = node("input", { type: "text", inputmode: "decimal", "aria-label": `${control.name}, exact value`, size: 7 });
  const show = (value) => {
    slider.value = Math.round((STEPS * (forth(value) - from)) / (to - from || 1));
    slider.setAttribute("aria-valuetext", `${formatted(value)} ${control.unit}`);
    field.value = String(value);
    field.removeAttribute("aria-invalid");
  };
  slider.addEventListener("input", () => {
    const value = back(from + ((to - from) * slider.value) / STEPS);
    const rounded = Number(value.toPrecision(4));
    show(rounded);
    moved(rounded);
  });
  field.addEventListener("change", () => {
    const value = Number(field.value.replace("−", "-"));
    if (field.value.trim() === "" || !Number.isFinite(value) || (control.log && value <= 0)) {
      field.setAttribute("aria-invalid", "true");
      return;
    }
    show(value);
    moved(value);
  });
  show(control.start);
  slider.disabled = from === to;
  return { row: row(control, id, slider, field), show };
}

/** Make a slider over stored values; time also gets a play button. */
function discrete(control, moved) {
  const id = `set-${control.name}`, last = control.values.length - 1;
  const slider = node("input", { type: "range", id, min: 0, max: last, step: 1 });
  const shown = node("output", { for: id });
  const show = (value) => {
    slider.value = control.values.indexOf(value);
    shown.textContent = formatted(value);
    slider.setAttribute("aria-valuetext", `${formatted(value)} ${control.unit}`);
  };
  const go = (index) => {
    show(control.values[index]);
    moved(control.values[index]);
  };
  slider.addEventListener("input", () => go(Number(slider.value)));
  show(control.start);
  slider.disabled = last === 0;
  const parts = [slider, shown];
  if (control.name === "t" && last > 1) parts.push(player(() => go((Number(slider.value) + 1) % (last + 1)), () => Number(slider.value) === last, () => go(0)));
  return { row: row(control, id, ...parts), show };
}

function row(control, id, ...parts) {
  const label = node("label", { for: id }, node("var", {}, control.name));
  return node("div", { class: "row" }, label, ...parts, node("span", { class: "unit" }, control.unit));
}

/** Make a button that steps four times a second to the end, and then restarts. */
function player(step, atEnd, rewind) {
  let timer = 0;
  const button = node("button", { type: "button" }, "Play");
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    button.textContent = "Play";
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    if (atEnd()) rewind();
    button.textContent = "Stop";
    timer = setInterval(() => {
      step();
      if (atEnd()) stop();
    }, 250);
  });
  return button;
}

const button = (text, pressed) => node("button", { type: "button", onclick: pressed }, text);

/** Make a list of [text, value]; call `chosen(value)` with the selected value. */
function choice(title, entries, chosen, start) {
  const list = node("select", { onchange: () => chosen(entries[list.selectedIndex][1]) }, ...entries.map(([text]) => node("option", {}, text)));
  const select = (value) => (list.selectedIndex = Math.max(0, entries.findIndex((entry) => entry[1] === value)));
  select(start ?? null);
  return { label: node("label", {}, `${title} `, list), select };
}

/** Make a slider of the brightness, a factor from 1/16 to 16. */
function brightness(changed) {
  const slider = node("input", { type: "range", min: -4, max: 4, step: 0.25, value: 0, oninput: () => changed(2 ** slider.value) });
  return node("label", { class: "brightness" }, "Brightness ", slider);
}

/** Make the table of means and second moments with standard errors, one column for each cloud. */
function momentTable(columns, controls) {
  const line = (head, cell) => node("tr", {}, node("th", { scope: "row" }, head), ...columns.map((column) => node("td", {}, cell(column))));
  const head = node("tr", {}, node("td"), ...columns.map(({ title }) => node("th", { scope: "col" }, title)));
  return node("table", {}, node("caption", {}, "Moments of what is shown, ± one standard error"), node("thead", {}, head), node("tbody", {},
    ...controls.map(({ name }) => line(name, ({ at }) => formatted(at[name]))),
    line("particles", ({ n }) => String(n)),
    line("E|x|² [length²]", ({ second, error }) => error === null ? formatted(second) : `${formatted(second)} ± ${formatted(Number(error.toPrecision(2)))}`),
    line("mean [length]", ({ mean }) => `(${mean.map((value) => formatted(value)).join(", ")})`),
  ));
}
