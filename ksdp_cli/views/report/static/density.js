// Draws the density of the particles, projected along the line of sight: adds a small Gaussian for each particle in a
// float texture, then colours it. So no particle hides another.

const SPLAT = `#version 300 es
precision highp float;
in vec3 x;
uniform mat3 turn;      // rows: right, up, towards the viewer
uniform vec3 centre;
uniform vec2 reach;     // half the width and height of the picture [length]
uniform float size;     // of a point, in pixels: five standard deviations
void main() {
  vec3 seen = turn * (x - centre);
  gl_Position = vec4(seen.xy / reach, 0.0, 1.0);
  gl_PointSize = size;
}`;
const GAUSS = `#version 300 es
precision highp float;
uniform float size;
out float weight;
void main() {
  vec2 off = 5.0 * (gl_PointCoord - 0.5);      // in standard deviations
  float sigma = size / 5.0;
  weight = exp(-0.5 * dot(off, off)) / (0.97532 * 6.283185307 * sigma * sigma); // that part lies within the point
}`;
const CORNERS = `#version 300 es
out vec2 at;
void main() {
  at = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(2.0 * at - 1.0, 0.0, 1.0);
}`;
const COLOUR = `#version 300 es
precision highp float;
uniform highp sampler2D counts, colours;
uniform vec2 pixels;
uniform float scale;    // density of one particle a pixel, in units of the brightest
out vec4 colour;
void main() {
  float density = scale * texelFetch(counts, ivec2(gl_FragCoord.xy), 0).r;
  colour = texture(colours, vec2((0.5 + 255.0 * sqrt(clamp(density, 0.0, 1.0))) / 256.0, 0.5));
}`;

/** Link a program from two sources; `caught` is a varying for transform feedback. Throws the compiler's message. */
function program(gl, vertex, fragment, caught) {
  const made = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) || "lost");
  }
  gl.bindAttribLocation(made, 0, "x");
  if (caught) gl.transformFeedbackVaryings(made, [caught], gl.SEPARATE_ATTRIBS);
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made) || "lost");
  const count = gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS), at = {};
  for (let i = 0; i < count; i++) {
    const { name } = gl.getActiveUniform(made, i);
    at[name.replace("[0]", "")] = gl.getUniformLocation(made, name);
  }
  return { made, at };
}

function texture(gl, inside, width, height, format, type, data) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.texImage2D(gl.TEXTURE_2D, 0, inside, width, height, 0, format, type, data);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
  return made;
}

/** One WebGL context for all panes. Throws an Error without WebGL 2 or float targets. */
class Painter {
  constructor(colours) {
    this.canvas = document.createElement("canvas");
    const gl = (this.gl = this.canvas.getContext("webgl2", { antialias: false, depth: false, alpha: false }));
    if (!gl) throw new Error("this browser has no WebGL 2");
    const full = gl.getExtension("EXT_color_buffer_float") && gl.getExtension("EXT_float_blend");
    if (!full && !gl.getExtension("EXT_color_buffer_float") && !gl.getExtension("EXT_color_buffer_half_float"))
      throw new Error("this graphics device cannot draw to float textures");
    this.inside = full ? gl.R32F : gl.R16F;
    this.splat = program(gl, SPLAT, GAUSS);
    this.colour = program(gl, CORNERS, COLOUR);
    this.colours = texture(gl, gl.RGB8, 256, 1, gl.RGB, gl.UNSIGNED_BYTE, colours);
    this.target = gl.createFramebuffer();
    this.size = [0, 0];
  }

  /** Make the buffer of a cloud, for `count` particles or with `points`. */
  buffer(points) {
    const gl = this.gl, made = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, made);
    gl.bufferData(gl.ARRAY_BUFFER, typeof points === "number" ? 12 * points : points, gl.DYNAMIC_COPY);
    return made;
  }

  /**
   * Draw `count` particles of `buffer` to the canvas, `width` by `height` pixels; the top of the colours is the
   * density `brightest`. `view` has turn (9, by rows), centre (3) and half (length of half the shorter side).
   */
  draw(buffer, count, width, height, view, brightest, ratio) {
    const gl = this.gl, perLength = Math.min(width, height) / 2 / view.half;
    this.resize(width, height);
    gl.viewport(0, 0, width, height);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.target);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE);
    gl.useProgram(this.splat.made);
    // broad enough that few particles are visible, and never finer than the screen
    const sigma = ratio * Math.min(Math.max(0.9 * (1e5 / Math.max(count, 1)) ** 0.25, 0.7), 2.4);
    gl.uniformMatrix3fv(this.splat.at.turn, true, view.turn);
    gl.uniform3fv(this.splat.at.centre, view.centre);
    gl.uniform2f(this.splat.at.reach, width / 2 / perLength, height / 2 / perLength);
    gl.uniform1f(this.splat.at.size, 5 * sigma);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 3, gl.FLOAT, false, 0, 0);
    gl.drawArrays(gl.POINTS, 0, count);
    gl.disable(gl.BLEND);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.disableVertexAttribArray(0);
    gl.useProgram(this.colour.made);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.colours);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.counts);
    gl.uniform1i(this.colour.at.counts, 0);
    gl.uniform1i(this.colour.at.colours, 1);
    gl.uniform1f(this.colour.at.scale, (perLength * perLength) / Math.max(count, 1) / brightest);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    return this.canvas;
  }

  resize(width, height) {
    const gl = this.gl;
    if (this.size[0] === width && this.size[1] === height) return;
    this.size = [this.canvas.width, this.canvas.height] = [width, height];
    if (this.counts) gl.deleteTexture(this.counts);
    this.counts = texture(gl, this.inside, width, height, gl.RED, this.inside === gl.R32F ? gl.FLOAT : gl.HALF_FLOAT, null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.target);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.counts, 0);
  }

  /** Read the first `count` positions of a buffer; waits for the device. */
  read(buffer, count) {
    const out = new Float32Array(3 * count);
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.getBufferSubData(this.gl.ARRAY_BUFFER, 0, out);
    return out;
  }
}
