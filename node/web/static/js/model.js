/* Meshes of city models, turned by hand: <div class="island" data-model="ADDRESS.bin" data-say="…" …></div>.

WebGL without a library: flat shades, one light, an orbit. data-say names the picture, data-say-keys tells how it is
turned, data-say-in and data-say-out name the buttons, data-say-none is shown where there is no WebGL; what the model
holds stands in words beside it. The mesh: "CNM1", the number of corners, three sides, two bytes of nothing; then for
each corner x, y, z and what the surface is, as 16-bit numbers. Nothing moves but by the reader's hand. */

const HEAD = 16;
const LIGHTS = { 0: [0.72, 0.74, 0.78], 1: [0.62, 0.66, 0.55], 2: [0.72, 0.42, 0.34], 3: [0.86, 0.84, 0.78], 4: [0.45, 0.62, 0.8], 5: [0.45, 0.62, 0.42], 6: [0.5, 0.5, 0.52] };
const CORNERS = `#version 300 es
layout(location=0) in vec3 spot; layout(location=1) in float kind;
uniform mat4 view; out vec3 at; flat out int is;
void main() { at = spot; is = int(kind); gl_Position = view * vec4(spot, 1.0); }`;
const SHADES = `#version 300 es
precision highp float; in vec3 at; flat in int is; uniform vec3 lights[7]; out vec4 colour;
void main() { vec3 n = normalize(cross(dFdx(at), dFdy(at))); float lit = 0.45 + 0.4 * abs(dot(n, normalize(vec3(0.4, -0.5, 0.75)))) + 0.15 * abs(n.z);
colour = vec4(lights[clamp(is, 0, 6)] * lit, 1.0); }`;

async function start(place) {
  const answer = await fetch(place.dataset.model);
  if (!answer.ok) throw new Error(answer.status);
  const bytes = await answer.arrayBuffer();
  const head = new DataView(bytes);
  if (head.getUint32(0) !== 0x434e4d31) throw new Error("mesh");
  const count = head.getUint32(4, true);
  const sides = [8, 10, 12].map((at) => head.getUint16(at, true) / 65535);
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", { antialias: true, alpha: true, preserveDrawingBuffer: true });
  if (!gl) throw new Error("webgl");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${place.dataset.say}. ${place.dataset.sayKeys}`);
  place.append(canvas);
  const seen = { turn: -0.6, tilt: 0.65, away: 1.15 * Math.hypot(...sides) };
  const draw = painter(gl, canvas, new Uint16Array(bytes, HEAD, count * 4), sides, seen);
  steer(canvas, place, seen, draw);
  new ResizeObserver(draw).observe(place);
}

function painter(gl, canvas, corners, sides, seen) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, CORNERS], [gl.FRAGMENT_SHADER, SHADES]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error("shader");
  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, corners, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 3, gl.UNSIGNED_SHORT, true, 8, 0);
  gl.enableVertexAttribArray(1);
  gl.vertexAttribPointer(1, 1, gl.UNSIGNED_SHORT, false, 8, 6);
  gl.uniform3fv(gl.getUniformLocation(program, "lights"), Object.values(LIGHTS).flat());
  gl.enable(gl.DEPTH_TEST);
  const view = gl.getUniformLocation(program, "view");
  return () => {
    const scale = Math.min(devicePixelRatio || 1, 2);
    canvas.width = Math.max(1, canvas.clientWidth * scale);
    canvas.height = Math.max(1, canvas.clientHeight * scale);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix4fv(view, false, look(seen, sides, canvas.width / canvas.height));
    gl.drawArrays(gl.TRIANGLES, 0, corners.length / 4);
  };
}

/** The matrix of an eye that orbits the middle of the mesh and looks at it, column by column. */
function look({ turn, tilt, away }, sides, ratio) {
  const [cx, cy, cz] = sides.map((side) => side / 2);
  const [ct, st, ci, si] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
  const right = [ct, st, 0];
  const up = [-st * si, ct * si, ci];
  const back = [st * ci, -ct * ci, si];
  const eye = [cx + back[0] * away, cy + back[1] * away, cz + back[2] * away];
  const dot = (a) => -(a[0] * eye[0] + a[1] * eye[1] + a[2] * eye[2]);
  const near = 0.02, far = 10, f = 1.7;
  const fx = ratio < 1 ? f : f / ratio, fy = ratio < 1 ? f * ratio : f;
  const a = (far + near) / (near - far), b = (2 * far * near) / (near - far);
  const out = [];
  for (let i = 0; i < 3; i += 1) out.push(right[i] * fx, up[i] * fy, back[i] * a, -back[i]);
  out.push(dot(right) * fx, dot(up) * fy, dot(back) * a + b, -dot(back));
  return new Float32Array(out);
}

function steer(canvas, place, seen, draw) {
  const bounded = (value, low, high) => Math.min(high, Math.max(low, value));
  const move = (turn, tilt, away) => {
    seen.turn += turn;
    seen.tilt = bounded(seen.tilt + tilt, 0.05, 1.55);
    seen.away = bounded(seen.away * away, 0.25, 5);
    requestAnimationFrame(draw);
  };
  const keys = { ArrowLeft: [-0.15, 0, 1], ArrowRight: [0.15, 0, 1], ArrowUp: [0, 0.1, 1], ArrowDown: [0, -0.1, 1], "+": [0, 0, 0.85], "=": [0, 0, 0.85], "-": [0, 0, 1.18] };
  canvas.addEventListener("keydown", (event) => {
    const step = keys[event.key];
    if (step) { event.preventDefault(); move(...step); }
  });
  let last = null;
  canvas.addEventListener("pointerdown", (event) => { last = event; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    move((last.clientX - event.clientX) / 150, (event.clientY - last.clientY) / 150, 1);
    last = event;
  });
  canvas.addEventListener("pointerup", () => { last = null; });
  canvas.addEventListener("pointercancel", () => { last = null; });
  // The page scrolls over it, unless the reader is at work with it.
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas) return;
    event.preventDefault();
    move(0, 0, event.deltaY > 0 ? 1.1 : 0.9);
  }, { passive: false });
  const zoom = document.createElement("div");
  zoom.className = "zoom";
  for (const [sign, words, step] of [["+", place.dataset.sayIn, 0.8], ["−", place.dataset.sayOut, 1.25]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = sign;
    button.title = words;
    button.setAttribute("aria-label", words);
    button.addEventListener("click", () => move(0, 0, step));
    zoom.append(button);
  }
  const told = document.createElement("p");
  told.className = "keys";
  told.textContent = place.dataset.sayKeys;
  place.append(zoom, told);
}

/** Where it cannot be drawn, the words beside it say what it holds. */
function none(place) {
  const told = document.createElement("p");
  told.className = "none";
  told.textContent = place.dataset.sayNone;
  place.classList.add("low");
  place.replaceChildren(told);
}

for (const place of document.querySelectorAll("[data-model]")) {
  // Only what is looked at is fetched: a mesh may be a megabyte.
  const eye = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    eye.disconnect();
    start(place).catch(() => none(place));
  });
  eye.observe(place);
}
