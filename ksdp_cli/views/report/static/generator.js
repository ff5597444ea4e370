// Evaluates the network in chunks: a slow device shows the first particles at once, a fast one all of them.

const NOTHING = `#version 300 es
precision highp float;
out vec4 colour;
void main() { colour = vec4(0.0); }`;
const FIRST_CHUNK = 4096;

class Generator {
  constructor(painter, network, dim) {
    const gl = (this.gl = painter.gl);
    this.painter = painter;
    this.network = network;
    this.dim = dim;
    this.layers = layersOf(new Float32Array(bytes(network.theta).buffer), network.sizes);
    const { data, rows, plan } = this.packed(network.eta.map(({ high: most }) => most));
    this.weights = texture(gl, gl.RGBA32F, TEXELS, rows, gl.RGBA, gl.FLOAT, data);
    this.program = program(gl, networkSource(plan, dim, network.skip), NOTHING, "y");
    this.feedback = gl.createTransformFeedback();
    this.chunk = FIRST_CHUNK;
    this.filled = 0;
  }

  /** Take `n` particles of the initial cloud as inputs. */
  resize(n) {
    const { inputs } = this.network, gl = this.gl;
    if (this.input) for (const old of [this.input, this.output]) gl.deleteBuffer(old);
    const x = inputs.law === "ball" ? ball(n, this.dim, inputs.key, inputs.stream) : storedInputs(inputs, n, this.dim);
    this.n = n;
    this.input = this.painter.buffer(x);
    this.output = this.painter.buffer(n);
    this.filled = 0;
  }

  /** Restart at other parameters, in their own units. */
  at(values) {
    const gl = this.gl, { data, rows } = this.packed(values);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.weights);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, TEXELS, rows, gl.RGBA, gl.FLOAT, data);
    this.filled = 0;
  }

  packed(values) {
    const { terms, heads, eta } = this.network;
    return packed(folded(this.layers, heads, padding(terms, values, eta), this.dim));
  }

  get complete() {
    return this.filled === this.n;
  }

  /** Evaluate the next chunk. Returns false while the device is busy with the last one, or if all are done. */
  advance() {
    if (this.complete || !this.ready()) return false;
    const gl = this.gl, count = Math.min(this.chunk, this.n - this.filled);
    gl.useProgram(this.program.made);
    gl.uniform1i(this.program.at.weights, 0);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.weights);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.input);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, null); // a transform-feedback buffer must not be bound elsewhere
    gl.bindTransformFeedback(gl.TRANSFORM_FEEDBACK, this.feedback);
    gl.bindBufferRange(gl.TRANSFORM_FEEDBACK_BUFFER, 0, this.output, 12 * this.filled, 12 * count);
    gl.enable(gl.RASTERIZER_DISCARD);
    gl.beginTransformFeedback(gl.POINTS);
    gl.drawArrays(gl.POINTS, this.filled, count);
    gl.endTransformFeedback();
    gl.disable(gl.RASTERIZER_DISCARD);
    gl.bindBufferBase(gl.TRANSFORM_FEEDBACK_BUFFER, 0, null);
    gl.bindTransformFeedback(gl.TRANSFORM_FEEDBACK, null);
    this.filled += count;
    this.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    this.asked = performance.now();
    gl.flush();
    return true;
  }

  /** Whether the last chunk is done; its time determines the size of the next. */
  ready() {
    if (!this.fence) return true;
    if (this.gl.getSyncParameter(this.fence, this.gl.SYNC_STATUS) !== this.gl.SIGNALED) return false;
    const took = performance.now() - this.asked;
    this.gl.deleteSync(this.fence);
    this.fence = null;
    if (took < 25) this.chunk = Math.min(2 * this.chunk, 1 << 20);
    else if (took > 60) this.chunk = Math.max(this.chunk / 2, FIRST_CHUNK / 4);
    return true;
  }
}
