/* "Copy" beside text that is there to be copied: <p data-copy="ID" data-say="Copy" data-done="Copied"></p>.

The button appears only where it works; without script the text is selected by hand. What happened is told in words. */

for (const place of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = place.dataset.say;
  const told = document.createElement("span");
  told.setAttribute("role", "status");
  told.className = "quiet";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(place.dataset.copy).textContent.trim());
    told.textContent = ` ${place.dataset.done}`;
  });
  place.prepend(button, told, " ");
}
