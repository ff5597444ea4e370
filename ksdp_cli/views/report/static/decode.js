// Decodes the page's data into arrays. NumPy wrote them little-endian, as every browser reads them.

function bytes(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out;
}

/** Decode the positions (n, 3), z = 0 in 2D, of a stored frame: 16-bit integers over the box of the frame. */
function positionsOf(frame, dim) {
  const whole = new Uint16Array(bytes(frame.points).buffer), n = whole.length / dim;
  const out = new Float32Array(3 * n);
  for (let axis = 0; axis < dim; axis++) {
    const [low, high] = frame.box[axis], step = (high - low) / 65535;
    for (let i = 0; i < n; i++) out[3 * i + axis] = low + step * whole[dim * i + axis];
  }
  return out;
}

/** Decode the inputs (n, 3) of the network, stored as float32. */
function storedInputs(stored, n, dim) {
  const rows = new Float32Array(bytes(stored.points).buffer), out = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) for (let axis = 0; axis < dim; axis++) out[3 * i + axis] = rows[dim * i + axis];
  return out;
}

/** Compute second moment and mean of positions (n, 3) in float64, with standard errors for independent particles. */
function momentsOf(points) {
  const n = points.length / 3, mean = [0, 0, 0];
  let sum = 0, squares = 0;
  for (let i = 0; i < points.length; i += 3) {
    const x = points[i], y = points[i + 1], z = points[i + 2], square = x * x + y * y + z * z;
    mean[0] += x; mean[1] += y; mean[2] += z;
    sum += square; squares += square * square;
  }
  const second = sum / n;
  return { n, mean: mean.map((value) => value / n), second, error: Math.sqrt((squares / n - second * second) / n) };
}
