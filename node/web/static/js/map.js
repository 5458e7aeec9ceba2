/* Maps: islands that Leaflet draws over the node's own outline of the world. Nothing is fetched from elsewhere.

A page that has one loads, in its head block:
  <link rel="stylesheet" href="{{ prefix }}/static/vendor/leaflet/leaflet.css?v={{ static }}">
  <link rel="stylesheet" href="{{ prefix }}/static/island.css?v={{ static }}">
  <script type="module" src="{{ prefix }}/static/js/map.js?v={{ static }}"></script>
and has, with a list or fields beside it that say the same without a map:

  <div class="island" data-map="points" data-of="ID" …></div>
    One spot for each element below #ID that has data-lat and data-lon. Its name is data-name or else its text; the
    address of its first link is where the spot leads. data-state (e.g. "away") becomes a class of the spot.

  <div class="island" data-map="box" data-fields="WEST SOUTH EAST NORTH" …></div>
    A choice of area: move and zoom, then the button writes the edges of what is seen into the fields with these four
    ids and sends their form. Fields that are filled already are where the map begins. data-say-use: the button's words.

  <div class="island" data-map="shape" data-box="WEST,SOUTH,EAST,NORTH" data-src="ADDRESS" …></div>
    A box, or the shapes of a GeoJSON document of this node; the box then only says where to look until they are there.

All take: data-say="what is to be seen" (needed: the name of the map for who cannot see it), data-say-in, data-say-out
(zoom closer, zoom out), data-credit (words in the corner). Keyboard: Leaflet's own (arrows, + and -), spots by Tab.
Without script an island takes no room. After htmx swapped a part of the page, islands in it are drawn too. */

import "../vendor/leaflet/leaflet.js";

const L = window.L;
const BASE = new URL("../vendor/natural-earth/basemap.geojson", import.meta.url);
const NEAREST = 10;
const WORLD = [[-60, -170], [75, 178]];
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
let base;

// The sheet sizes every drawing as an icon, which outweighs the attributes that Leaflet sizes its own by.
const sized = L.SVG.prototype._update;
L.SVG.include({
  _update() {
    sized.call(this);
    if (this._svgSize) Object.assign(this._container.style, { width: `${this._svgSize.x}px`, height: `${this._svgSize.y}px` });
  },
});

/** The outline of the world, fetched once for all maps of a page. */
function land() {
  base ??= fetch(BASE).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)));
  return base;
}

function empty(place) {
  const map = L.map(place, {
    zoomControl: false, attributionControl: false, scrollWheelZoom: false, minZoom: 1, maxZoom: 15,
    zoomAnimation: !still, fadeAnimation: !still, markerZoomAnimation: !still, inertia: !still,
    maxBounds: [[-85, -200], [85, 200]],
  });
  const { sayIn = "+", sayOut = "−", credit = "Natural Earth" } = place.dataset;
  L.control.zoom({ zoomInTitle: sayIn, zoomOutTitle: sayOut }).addTo(map);
  L.control.attribution({ prefix: false }).addAttribution(L.Util.template("{credit}", { credit: text(credit) })).addTo(map);
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", place.dataset.say);
  // A page scrolls over a map that nobody works with.
  map.on("focus", () => map.scrollWheelZoom.enable()).on("blur", () => map.scrollWheelZoom.disable());
  const pane = map.createPane("land");
  pane.style.zIndex = 200;
  // Nearer than this our coast is a kilometre off, and would say of a street that it is in the sea.
  map.on("zoomend", () => { pane.hidden = map.getZoom() > NEAREST; });
  land().then(
    (shapes) => L.geoJSON(shapes, { pane: "land", interactive: false, style: (one) => ({ className: one.properties.is }) }).addTo(map),
    () => place.classList.add("bare"),
  );
  return map;
}

/** Leaflet takes words for markup in places; what comes from a record must stay words. */
function text(words) {
  const holder = document.createElement("span");
  holder.textContent = words;
  return holder.innerHTML;
}

function spot(one) {
  const link = one.matches("a") ? one : one.querySelector("a[href]");
  const name = (one.dataset.name || (link ?? one).textContent).trim();
  const shown = document.createElement(link ? "a" : "span");
  shown.textContent = name;
  if (link) shown.href = link.href;
  const icon = L.divIcon({ className: `spot ${one.dataset.state ?? ""}`, iconSize: [24, 24] });
  const marker = L.marker([Number(one.dataset.lat), Number(one.dataset.lon)], { icon, title: name, alt: name });
  marker.on("add", () => marker.getElement().setAttribute("aria-label", name));
  return marker.bindPopup(shown);
}

function points(map, place) {
  const listed = [...document.getElementById(place.dataset.of)?.querySelectorAll("[data-lat][data-lon]") ?? []];
  const spots = L.featureGroup(listed.map(spot)).addTo(map);
  if (listed.length <= 12) spots.eachLayer((one) => one.bindTooltip(text(one.options.title), { permanent: true, direction: "right", offset: [9, 0] }));
  view(map, spots.getBounds(), 6);
}

function box(map, place) {
  const fields = place.dataset.fields.split(" ").map((id) => document.getElementById(id));
  const [west, south, east, north] = fields.map((field) => (field.value.trim() ? Number(field.value) : NaN));
  const chosen = [west, south, east, north].every(Number.isFinite);
  if (chosen) L.rectangle([[south, west], [north, east]], { className: "shape", interactive: false }).addTo(map);
  view(map, chosen ? L.latLngBounds([[south, west], [north, east]]) : null, 12);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn second";
  button.textContent = place.dataset.sayUse;
  button.addEventListener("click", () => {
    const seen = map.getBounds();
    const edges = [Math.max(-180, seen.getWest()), Math.max(-90, seen.getSouth()), Math.min(180, seen.getEast()), Math.min(90, seen.getNorth())];
    fields.forEach((field, at) => { field.value = edges[at].toFixed(3); });
    fields[0].form?.requestSubmit();
  });
  place.after(button);
}

function shape(map, place) {
  const [west, south, east, north] = (place.dataset.box || "").split(",").map(Number);
  const boxed = place.dataset.box ? L.rectangle([[south, west], [north, east]], { className: "shape", interactive: false }) : null;
  view(map, boxed?.getBounds(), place.dataset.src ? 15 : 8);
  if (!place.dataset.src) {
    boxed?.addTo(map);
    return;
  }
  fetch(place.dataset.src).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status))).then((found) => {
    const drawn = L.geoJSON(found, {
      style: () => ({ className: "shape" }),
      pointToLayer: (_, at) => L.circleMarker(at, { radius: 4, className: "shape" }),
      onEachFeature: (one, layer) => { if (one.properties?.name) layer.bindPopup(text(String(one.properties.name))); },
    }).addTo(map);
    view(map, drawn.getBounds(), 15);
  }, () => place.classList.add("bare"));
}

function view(map, bounds, most) {
  if (bounds?.isValid()) map.fitBounds(bounds, { padding: [36, 36], maxZoom: most, animate: false });
  else map.fitBounds(WORLD, { animate: false });
}

const DRAWN = { points, box, shape };

/** Draw a map once it has a size: one within a closed fold has none. */
function draw(place) {
  const map = empty(place);
  DRAWN[place.dataset.map](map, place);
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(place);
}

function start() {
  for (const place of document.querySelectorAll("[data-map]:not([data-drawn])")) {
    place.dataset.drawn = "yes";
    if (place.clientWidth) {
      draw(place);
      continue;
    }
    const eye = new ResizeObserver(() => {
      if (!place.clientWidth) return;
      eye.disconnect();
      draw(place);
    });
    eye.observe(place);
  }
}

start();
document.addEventListener("htmx:after:swap", start);
