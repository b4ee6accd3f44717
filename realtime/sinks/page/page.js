"use strict";

const $ = (id) => document.getElementById(id);
const canvas = $("picture");
const context = canvas.getContext("2d", { alpha: false });
const RETRY_SECONDS = [1, 2, 4, 8];
const ENDED_SECONDS = [5, 10, 30]; // a program that has ended may be started again, but seldom soon
const SILENCE_SECONDS = 8; // the server says something every other second

let socket = null;
let attempts = 0;
let heard = 0; // when the server last said something
let ended = false;
let comparing = false;
let divider = 0.5;
let shown = null; // {number, after, before}: the pictures on the canvas
let waiting = []; // pictures that are decoded and not drawn yet
const touched = {}; // when a slider was last moved by hand, so that the server's echo does not pull it back

function send(command) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}${location.pathname}stream`);
  socket.binaryType = "arraybuffer";
  let order = Promise.resolve(); // decoding may take turns, showing must not
  socket.onopen = () => {
    heard = performance.now();
    send({ compare: comparing });
  };
  socket.onmessage = ({ data }) => {
    attempts = 0;
    ended = false;
    heard = performance.now();
    if (typeof data === "string") return showStatus(JSON.parse(data));
    const pictures = decode(data);
    order = order.then(() => pictures).then(show, () => send({ ack: 0 }));
  };
  socket.onclose = ({ reason }) => lose(reason === "ended");
}

function lose(hasEnded) {
  ended ||= hasEnded;
  $("recording").hidden = true;
  if (ended) setLink("ended", "The stream has ended.");
  else setLink("offline", "No connection to the program.\nTrying again …");
  const pauses = ended ? ENDED_SECONDS : RETRY_SECONDS;
  setTimeout(connect, 1000 * pauses[Math.min(attempts++, pauses.length - 1)]);
}

// A line that is cut without a word, as where a telephone leaves its network, closes nothing.
function listen() {
  if (socket.readyState !== WebSocket.OPEN || performance.now() - heard < 1000 * SILENCE_SECONDS) return;
  socket.onclose = socket.onmessage = null;
  socket.close();
  lose(false);
}

async function decode(data) {
  const header = new DataView(data);
  const end = 8 + header.getUint32(4);
  const [after, before] = await Promise.all([bitmap(data.slice(8, end)), bitmap(data.slice(end))]);
  return { number: header.getUint32(0), after, before };
}

function bitmap(bytes) {
  return bytes.byteLength ? createImageBitmap(new Blob([bytes], { type: "image/jpeg" })) : null;
}

function show(pictures) {
  waiting.push(pictures);
  // A hidden tab draws nothing, acknowledges nothing, and so gets nothing.
  if (waiting.length === 1) requestAnimationFrame(present);
}

function present() {
  for (const pictures of waiting) {
    for (const old of [shown?.after, shown?.before]) old?.close();
    shown = pictures;
    send({ ack: pictures.number });
  }
  waiting = [];
  draw();
}

function draw() {
  if (!shown) return;
  const { after, before } = shown;
  if (canvas.width !== after.width || canvas.height !== after.height) {
    canvas.width = after.width;
    canvas.height = after.height;
  }
  context.drawImage(after, 0, 0);
  const column = Math.round(divider * after.width);
  if (comparing && before && column) context.drawImage(before, 0, 0, column, after.height, 0, 0, column, after.height);
}

function setLink(link, message) {
  document.body.dataset.link = link;
  const words = { live: "Live", lost: "Lost", offline: "Offline", ended: "Ended", connecting: "Connecting" };
  for (const [id, text] of [["state", words[link]], ["message", message]]) {
    if ($(id).textContent !== text) $(id).textContent = text; // a screen reader says each change once
  }
}

function showStatus(status) {
  if (status.error) return console.warn(status.error);
  $("name").textContent = status.name;
  document.title = `${status.name} – realtime`;
  document.documentElement.style.setProperty("--aspect", status.aspect);
  setLink(status.connected ? "live" : "lost", status.message);
  $("enhanced").setAttribute("aria-pressed", status.enhanced);
  for (const name of ["strength", "exposure_bias"]) {
    if (performance.now() - (touched[name] ?? -Infinity) > 700) $(name).value = status[name];
    $(name).disabled = !status.enhanced || (name === "exposure_bias" && !status.metered);
    showValue(name, status[name]);
  }
  if (!status.metered) $("exposure_bias-value").textContent = status.exposure;
  $("recording").hidden = !status.recording;
  showFigures(status.figures);
  showEngine(status);
}

function showEngine({ engines, figures, loading }) {
  if (!figures) return;
  const names = engines.includes(figures.engine) ? engines : [figures.engine, ...engines];
  const texts = names.map((name) =>
    name === figures.engine ? `${name} (${figures.device})` : name === loading ? `${name}, loads …` : name);
  if (texts.join() !== [...$("engine").options].map((option) => option.text).join())
    $("engine").replaceChildren(...names.map((name, index) => new Option(texts[index], name)));
  $("engine").value = loading || figures.engine;
  $("engine").disabled = !engines.length;
}

function showValue(name, value) {
  const text = name === "strength" ? `${Math.round(100 * value)} %` : `${value > 0 ? "+" : ""}${value} stops`;
  $(`${name}-value`).textContent = text;
  $(name).setAttribute("aria-valuetext", text);
}

function showFigures(figures) {
  if (!figures) return;
  const delay = figures.latency_ms;
  const dropped = Object.entries(figures.dropped_by).map(([name, count]) => `${count} by ${name}`);
  $("fps").textContent = `${figures.fps.toFixed(1)} fps`;
  $("delay").textContent = delay ? `${Math.round(delay.p50)} / ${Math.round(delay.p95)} ms` : "–";
  $("dropped").textContent = [figures.dropped, ...dropped].join(", ");
}

function moveDivider(share) {
  divider = Math.min(Math.max(share, 0), 1);
  document.documentElement.style.setProperty("--at", `${100 * divider}%`);
  $("divider").setAttribute("aria-valuenow", Math.round(100 * divider));
  $("snapshot").href = comparing ? `snapshot.png?divider=${divider.toFixed(4)}` : "snapshot.png";
  draw();
}

function drag(event) {
  const box = $("view").getBoundingClientRect();
  moveDivider((event.clientX - box.left) / box.width);
}

$("view").addEventListener("pointerdown", (event) => {
  if (!comparing || event.button !== 0) return;
  $("view").setPointerCapture(event.pointerId);
  drag(event);
});
$("view").addEventListener("pointermove", (event) => {
  if ($("view").hasPointerCapture(event.pointerId)) drag(event);
});
$("divider").addEventListener("keydown", (event) => {
  const step = event.shiftKey ? 0.1 : 0.01;
  const steps = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 };
  if (!(event.key in steps)) return;
  event.preventDefault();
  moveDivider(divider + steps[event.key]);
});

$("compare").addEventListener("click", () => {
  comparing = !comparing;
  $("compare").setAttribute("aria-pressed", comparing);
  $("comparison").hidden = !comparing;
  $("view").classList.toggle("compares", comparing);
  send({ compare: comparing });
  moveDivider(divider);
});
$("enhanced").addEventListener("click", () => {
  send({ set: { enhanced: $("enhanced").getAttribute("aria-pressed") !== "true" } });
});
for (const name of ["strength", "exposure_bias"]) {
  $(name).addEventListener("input", () => {
    touched[name] = performance.now();
    const value = Number($(name).value);
    showValue(name, value);
    send({ set: { [name]: value } });
  });
}
$("engine").addEventListener("change", () => send({ set: { engine: $("engine").value } }));
if (document.fullscreenEnabled) {
  $("fullscreen").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else $("stage").requestFullscreen();
  });
} else {
  $("fullscreen").hidden = true; // telephones that allow it for videos only
}
setInterval(listen, 1000);

connect();
