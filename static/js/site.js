// Small comforts: theme, keys, copying, menus.  Every page works without them.

const root = document.documentElement;

// Theme: automatic, light, dark
const theme = document.getElementById("theme");
function nameTheme() {
  const now = root.dataset.theme || "automatic";
  theme.setAttribute("aria-label", `Theme: ${now}`);
  theme.title = `Theme: ${now}`;
}
theme.hidden = false;
nameTheme();
theme.addEventListener("click", () => {
  const next = { "": "light", light: "dark", dark: "" }[root.dataset.theme || ""];
  if (next) root.dataset.theme = next; else delete root.dataset.theme;
  try { if (next) localStorage.setItem("theme", next); else localStorage.removeItem("theme"); } catch { /* not kept */ }
  nameTheme();
  document.dispatchEvent(new Event("theme"));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("theme")));

// Menus: one open at a time, closed by Escape and by a click beside them
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open], details.confirm[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Copy buttons; what can't be copied is selected
function showCopyButtons() {
  for (const button of document.querySelectorAll("[data-copy], [data-dialog]")) button.hidden = false;
}
showCopyButtons();
document.addEventListener("patched", showCopyButtons);
document.addEventListener("click", async (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog).showModal();
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});

// Keys
const PLACES = { o: ".brand", r: '.top nav a[href$="/runs/"]', d: '.top nav a[href$="/definitions/"]' };
let going = false;
function step(by) {
  const links = [...document.querySelectorAll("[data-list] tbody tr")].map((row) => row.querySelector("a")).filter(Boolean);
  if (!links.length) return;
  const row = document.activeElement.closest?.("[data-list] tbody tr");
  const at = row ? links.findIndex((link) => row.contains(link)) : -1;
  const next = links[Math.min(Math.max(at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by, 0), links.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open], details.confirm[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    return;
  }
  if (event.target.closest("input, select, textarea, dialog")) return;
  if (going && PLACES[event.key]) { document.querySelector(PLACES[event.key])?.click(); return; }
  going = event.key === "g";
  if (event.key === "/") { event.preventDefault(); document.getElementById("search")?.select(); document.getElementById("search")?.focus(); }
  if (event.key === "j") step(1);
  if (event.key === "k") step(-1);
  if (event.key === "?") document.getElementById("keys").showModal();
});

// A live output is read at its end
for (const output of document.querySelectorAll("[data-tail]")) output.scrollTop = output.scrollHeight;
