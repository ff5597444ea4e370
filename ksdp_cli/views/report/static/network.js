// The network as a vertex shader; transform feedback captures the positions. The weights lie in a texture, because
// uniform storage may be as small as 16 kB.

const TEXELS = 64; // width of the weight texture, a power of two

/** Map eta, in its own units, so that the trained range is [-1, 1]; the map is stored with the weights. */
function normalised(values, maps) {
  return maps.map(({ low, high: top, log }, i) => {
    const [v, a, b] = [values[i], low, top].map((x) => (log ? Math.log(x) : x));
    return b > a ? (2 * (v - a)) / (b - a) - 1 : 0;
  });
}

/** Return views of the flat vector theta: W_0, b_0, W_1, b_1, ... with W_i (outputs, inputs) row by row. */
function layersOf(theta, sizes) {
  let at = 0;
  return sizes.slice(1).map((outs, level) => {
    const ins = sizes[level], W = theta.subarray(at, at + outs * ins), b = theta.subarray(at + outs * ins, at + outs * ins + outs);
    at += outs * ins + outs;
    return { outs, ins, W, b };
  });
}

/** Return the network's inputs besides x: products of functions of the parameters, as EtaMap.padding. */
function padding(terms, values, maps) {
  const mapped = normalised(values, maps);
  const scaled = maps.map(({ low, high: top, origin }, i) => (values[i] - origin) / (Math.max(Math.abs(low - origin), Math.abs(top - origin)) || 1));
  const curved = scaled.map((u, i) => (u > 1 ? 1 + maps[i].beyond * (u - 1) : u * u));
  const factors = { mapped, scaled, curved };
  return terms.map((term) => term.reduce((product, [name, i]) => product * factors[name][i], 1));
}

/** Fold one padding into the layers: its part of the first layer becomes a bias, or the last layer a sum of heads. */
function folded(layers, heads, pad, dim) {
  const made = [...layers];
  if (heads) {
    const { ins, W, b } = layers.at(-1), sum = (values, wide) => {
      const out = new Float64Array(dim * wide);
      pad.forEach((c, head) => out.forEach((_, i) => (out[i] += c * values[head * dim * wide + i])));
      return out;
    };
    made[made.length - 1] = { outs: dim, ins, W: sum(W, ins), b: sum(b, 1) };
  } else {
    const { outs, ins, W, b } = layers[0], own = new Float64Array(outs * dim);
    const bias = Float64Array.from(b, (value, o) => value + pad.reduce((sum, c, i) => sum + c * W[o * ins + dim + i], 0));
    for (let o = 0; o < outs; o++) for (let k = 0; k < dim; k++) own[o * dim + k] = W[o * ins + k];
    made[0] = { outs, ins: dim, W: own, b: bias };
  }
  return made;
}

/** Pack the weights as rows of 4-vectors: row o of a layer is (W_o, b_o), zero-padded, for an input (h, 1, 0 ...). */
function packed(layers) {
  const texels = [], plan = [];
  for (const [level, { outs, ins, W, b }] of layers.entries()) {
    const wide = Math.ceil((ins + 1) / 4), last = level === layers.length - 1;
    const tall = Math.ceil((outs + (last ? 0 : 1)) / 4); // room for the 1 that meets the next bias
    plan.push({ at: texels.length / 4, wide, tall, ones: last ? -1 : outs });
    for (let o = 0; o < 4 * tall; o++)
      for (let k = 0; k < 4 * wide; k++) texels.push(o < outs ? (k < ins ? W[o * ins + k] : k === ins ? b[o] : 0) : 0);
  }
  const rows = Math.ceil(texels.length / 4 / TEXELS), data = new Float32Array(4 * TEXELS * rows);
  data.set(texels);
  return { data, rows, plan };
}

/** Write the shader of x -> y for layers packed by `packed`; adds `skip` times x to the output. */
function networkSource(plan, dim, skip) {
  const lines = ["vec4 h0[1];", dim === 3 ? "h0[0] = vec4(x, 1.0);" : "h0[0] = vec4(x.xy, 1.0, 0.0);"];
  plan.forEach(({ at, wide, tall, ones }, level) => {
    const next = `h${level + 1}`, dot4 = [0, 1, 2, 3].map((k) => `dot(weight(p + ${k * wide}), v)`).join(", ");
    lines.push(
      `vec4 ${next}[${tall}];`,
      `for (int r = 0; r < ${tall}; r++) {`,
      "  vec4 s = vec4(0.0);",
      `  for (int c = 0; c < ${wide}; c++) {`,
      `    int p = ${at} + ${4 * wide} * r + c;`,
      `    vec4 v = h${level}[c];`,
      `    s += vec4(${dot4});`,
      "  }",
      `  ${next}[r] = ${ones < 0 ? "s" : "squash(s)"};`,
      "}",
    );
    if (ones >= 0) lines.push(`${next}[${ones >> 2}][${ones & 3}] = 1.0;`);
  });
  return `#version 300 es
precision highp float;
precision highp int;
in vec3 x;
out vec3 y;
uniform highp sampler2D weights;
vec4 weight(int i) { return texelFetch(weights, ivec2(i & ${TEXELS - 1}, i / ${TEXELS}), 0); }
// tanh as ksdp_cli/learning/network/cpu.py has it, Eigen's rational approximation: built-in ones differ between drivers
vec4 squash(vec4 v) {
  v = clamp(v, -9.0, 9.0);
  vec4 z = v * v;
  vec4 p = -2.76076847742355e-16 * z + 2.00018790482477e-13;
  p = p * z - 8.60467152213735e-11;
  p = p * z + 5.12229709037114e-08;
  p = p * z + 1.48572235717979e-05;
  p = p * z + 6.37261928875436e-04;
  p = p * z + 4.89352455891786e-03;
  vec4 q = 1.19825839466702e-06 * z + 1.18534705686654e-04;
  q = q * z + 2.26843463243900e-03;
  q = q * z + 4.89352518554385e-03;
  return v * p / q;
}
void main() {
  ${lines.join("\n  ")}
  y = h${plan.length}[0].xyz${skip ? ` + ${skip.toExponential()} * x` : ""};
  gl_Position = vec4(0.0);
}`;
}
