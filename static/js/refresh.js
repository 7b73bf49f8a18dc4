// Keep a page current: ask for its middle again, and change in place only what is different.
// Scroll, focus, selection and opened details stay as they are; a hidden page asks nothing.

const main = document.getElementById("main");
const shown = document.getElementById("updated");
const PATIENCE = 15000; // ms after which an answer is given up
let seen = Date.now();
let failures = 0;
let timer = 0;
let busy = false;
let stopped = "";

const every = () => Number(main.dataset.refresh) * 1000;

function keyed(nodes) {
  const map = new Map();
  for (const node of nodes) if (node.dataset?.key) map.set(node.dataset.key, node);
  return map;
}

function sameKind(a, b) {
  return a && a.nodeType === b.nodeType && a.nodeName === b.nodeName && a.dataset?.key === b.dataset?.key;
}

function morphAttributes(old, fresh) {
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) {
    // `open` and `hidden` belong to the reader and to the other scripts.
    if (!fresh.hasAttribute(name) && name !== "open" && name !== "hidden") old.removeAttribute(name);
  }
}

function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) { old.nodeValue = fresh.nodeValue; return; }
  if (old.matches("input, select, textarea")) return;
  const atEnd = "tail" in old.dataset && old.scrollTop + old.clientHeight >= old.scrollHeight - 8;
  morphAttributes(old, fresh);
  const known = keyed(old.children);
  let here = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const key = next.dataset?.key;
    const match = key ? known.get(key) : (sameKind(here, next) ? here : null);
    if (match && match.nodeName === next.nodeName) {
      if (match === here) here = here.nextSibling; else old.insertBefore(match, here);
      morph(match, next);
    } else {
      old.insertBefore(next, here);
    }
  }
  while (here) { const after = here.nextSibling; here.remove(); here = after; }
  if (atEnd) old.scrollTop = old.scrollHeight;
}

function apply(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("main");
  if (!fresh) throw new Error("no content");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = main.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    if (old) morph(old, part);
  }
  main.dataset.refresh = fresh.dataset.refresh;
  document.dispatchEvent(new Event("patched"));
}

async function look() {
  if (busy || document.hidden || stopped || !every()) return;
  busy = true;
  const url = new URL(location.href);
  url.searchParams.set("fragment", "1");
  try {
    const answer = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE), headers: { Accept: "text/html" } });
    if (answer.redirected || answer.status === 403 || answer.status === 404) {
      stopped = "you are no longer signed in here; load the page again";
    } else if (!answer.ok) {
      throw new Error(String(answer.status));
    } else {
      apply(await answer.text());
      seen = Date.now();
      failures = 0;
    }
  } catch {
    failures += 1;
  }
  busy = false;
  tell();
  plan();
}

function plan() {
  clearTimeout(timer);
  if (document.hidden || stopped || !every()) return;
  timer = setTimeout(look, Math.min(every() * 2 ** failures, Math.max(every(), 30000)));
}

function tell() {
  shown.hidden = !every() && !failures && !stopped;
  const age = Math.round((Date.now() - seen) / 1000);
  let text = age < 2 ? "updated just now" : `updated ${age < 120 ? `${age} s` : `${Math.round(age / 60)} min`} ago`;
  if (failures) text = `connection lost, trying again; ${text}`;
  if (stopped) text = stopped;
  if (shown.textContent !== text) shown.textContent = text;
}

// After a form was refused the address is that of an action, which has nothing to look at.
if (every() && document.querySelector("main [data-live]")) {
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
  setInterval(tell, 1000);
  tell();
  plan();
}
