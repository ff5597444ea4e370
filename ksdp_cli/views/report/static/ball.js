// The initial cloud of `ksdp sample`, number for number: Philox 4x32-10 addressed by seed, stream and particle
// (Salmon, Moraes, Dror and Shaw, SC 2011), then polar coordinates of the uniform ball.

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57], WEYL = [0x9e3779b9, 0xbb67ae85];

/** Return the high 32 bits of a product of two 32-bit numbers; Math.imul gives the low ones. */
function high(a, b) {
  const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16;
  const middle = ah * bl + ((al * bl) >>> 16), cross = al * bh + (middle & 0xffff);
  return (ah * bh + Math.floor(middle / 65536) + Math.floor(cross / 65536)) >>> 0;
}

/** Apply ten rounds to the counter `c` (4 words), in place, with the key (k0, k1). */
function philox(c, k0, k1) {
  for (let round = 0; round < 10; round++) {
    const [c0, c1, c2, c3] = c;
    c[0] = (high(MULTIPLIERS[1], c2) ^ c1 ^ k0) >>> 0;
    c[1] = Math.imul(MULTIPLIERS[1], c2) >>> 0;
    c[2] = (high(MULTIPLIERS[0], c0) ^ c3 ^ k1) >>> 0;
    c[3] = Math.imul(MULTIPLIERS[0], c0) >>> 0;
    k0 = (k0 + WEYL[0]) >>> 0;
    k1 = (k1 + WEYL[1]) >>> 0;
  }
}

const uniform = (a, b) => {
  const k = (a >>> 5) * 67108864 + (b >>> 6);
  return (k < 2 ** 52 ? k + 0.5 : k) * 2 ** -53;
};

/** Return particles 0 to n - 1 of the ball (n, 3), z = 0 in 2D. `key` holds the two words of the seed, low first. */
function ball(n, dim, key, stream) {
  const out = new Float32Array(3 * n), c = new Uint32Array(4);
  const draw = (particle, number) => {
    c[0] = particle; c[1] = number << 16; c[2] = 0; c[3] = stream;
    philox(c, key[0], key[1]);
  };
  for (let i = 0; i < n; i++) {
    draw(i, 1);
    const u = uniform(c[0], c[1]), angle = Math.fround(2 * Math.PI * uniform(c[2], c[3]));
    let radius = Math.sqrt(u);
    if (dim === 3) {
      draw(i, 2);
      const height = 2 * uniform(c[0], c[1]) - 1, r = Math.cbrt(u);
      out[3 * i + 2] = r * height;
      radius = r * Math.sqrt(1 - height * height);
    }
    radius = Math.fround(radius);
    out[3 * i] = radius * Math.cos(angle);
    out[3 * i + 1] = radius * Math.sin(angle);
  }
  return out;
}
