/* Maps wait until somebody can see them: a page is read before any of their code is fetched.

A page that has islands (see map.js) loads this instead of map.js and leaflet.css, with island.css for the room they
take. Folded islands wait until they are unfolded. */

const HERE = new URL("..", import.meta.url);
let asked = false;

const watch = new IntersectionObserver((seen) => {
  if (!asked && seen.some((one) => one.isIntersecting)) load();
}, { rootMargin: "200px" });

function load() {
  asked = true;
  watch.disconnect();
  const sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = new URL("vendor/leaflet/leaflet.css", HERE);
  sheet.addEventListener("load", () => import("./map.js"), { once: true });
  // Before our own, which has the last word on how a map looks.
  document.querySelector('link[href*="island.css"]').before(sheet);
}

function start() {
  if (!asked) for (const place of document.querySelectorAll("[data-map]")) watch.observe(place);
}

start();
document.addEventListener("htmx:after:swap", start);
