// What changes appears by itself. One tab of a browser holds the stream and tells the others: six connections
// are all that HTTP/1.1 gives a browser. A region is replaced when nobody points at it or is in it.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const word = document.getElementById("live"), said = document.getElementById("words").dataset, lang = document.documentElement.lang;
const mine = document.querySelector("[data-watch]")?.dataset.watch ?? "";
const watch = /^(customers|queue)\//.test(mine) ? mine : ""; // what a stream tells of
const mineAlone = `rapport-live-${document.body.dataset.csrf.slice(0, 16)}`; // two people in one browser share no stream
const tab = crypto.randomUUID?.() ?? String(Math.random());
const channel = new BroadcastChannel(mineAlone);
const SILENT_MS = 40000; // two beats and a half
let heard = Date.now(), down = false;

const versions = new Map(all("[data-live]").map(region => [region.id, region.dataset.version]));
const meanings = new Map(all("[data-live]").map(region => [region.id, region.dataset.meaning]));
const waiting = new Map();

function receive({kind, data, watched = [watch]}) {
  if (!watch || watched.includes(watch)) { heard = Date.now(); told(true); }
  if (kind === "cards" && data.customer === mine) for (const [id, card] of Object.entries(data.cards)) offer(id, card, data.at);
  if (kind === "also" && data.customer === mine) { if (also.textContent !== data.words) speak(data.words); also.textContent = data.words; }
  if (kind === "over") { clearTimeout(unheard.get(data.call)); document.querySelector(`[data-call="${data.call}"]`)?.remove(); }
  if (kind === "ending") ending(data.html);
  if (kind === "signed-out") told(false, data.word);
}
const also = document.getElementById("also"); // who else looks at this: unknown while we are not live
const asked = new Map(); // when, what is shown: an answer that was overtaken on its way is no news
function offer(id, card, at) {
  const region = document.getElementById(id);
  if (!region || at < (asked.get(id) ?? 0)) return;
  asked.set(id, at);
  if (versions.get(id) === card.version) settle(region);
  else if (Date.now() < (acted.get(id) ?? 0)) put(region, card);
  else if (region.matches(":focus-within") || (matchMedia("(hover: hover)").matches && region.matches(":hover"))) wait(region, card);
  else put(region, card);
}
// What one did oneself is shown at once, also where one is; the focus stays on what has its name. One act may come
// as several changes: the goodwill that was given, and then the points.
const acted = new Map(), MINE_MS = 5000;
const refreshes = document.querySelector("[data-refresh]"); // no stream tells of it
document.addEventListener("acted", ({detail: id}) => {
  if (refreshes) refresh();
  if (!id) return;
  acted.set(id, Date.now() + MINE_MS);
  if (waiting.has(id)) put(document.getElementById(id), waiting.get(id).card);
});
function put(region, card) {
  const at = document.activeElement, row = at.closest("[data-key]")?.dataset.key, inside = region.contains(at);
  const offered = all(".act", region).map(each => each.id), unfolded = all("details[open]", region).map(each => each.id);
  waiting.delete(region.id);
  versions.set(region.id, card.version);
  const before = new Map(all("[data-key]", region).map(each => [each.dataset.key, meant(each)]));
  region.replaceChildren(document.createRange().createContextualFragment(card.html));
  for (const each of all("details", region)) if (each.id && unfolded.includes(each.id)) each.open = true;
  document.dispatchEvent(new CustomEvent("gone", {detail: offered.filter(id => !document.getElementById(id))}));
  if (inside) stay(at.id, row, region);
  if (meanings.get(region.id) === card.meaning) return; // time passed, that is all
  meanings.set(region.id, card.meaning);
  const fresh = all("[data-key]", region).filter(each => before.get(each.dataset.key) !== meant(each));
  const marked = before.size && fresh.length ? fresh : [region];
  marked.forEach(each => each.classList.add("changed"));
  setTimeout(() => marked.forEach(each => each.classList.remove("changed")), 10000);
  announce();
}
function stay(id, row, region) { // what is gone had a row, and that a card
  const to = document.getElementById(id) ?? (all("[data-key]", region).find(each => each.dataset.key === row) ?? region);
  to.closest("details")?.setAttribute("open", ""); // also where it is among others now
  if (!to.id || to === region) to.tabIndex = -1;
  to.focus({preventScroll: true});
}
const meant = node => { const copy = node.cloneNode(true); all(".age", copy).forEach(each => each.remove()); return copy.textContent; };
function settle(region) { // what waits is over: it is as it is shown
  waiting.delete(region.id);
  region.querySelector(":scope > .waiting")?.remove();
}
function wait(region, card) {
  if (meanings.get(region.id) === card.meaning) { settle(region); return; }
  const before = waiting.get(region.id);
  waiting.set(region.id, {card, count: (before?.count ?? 0) + 1});
  let button = region.querySelector(":scope > .waiting");
  if (!button) {
    button = Object.assign(document.createElement("button"), {className: "waiting", type: "button"});
    button.addEventListener("click", () => put(region, waiting.get(region.id).card));
    region.append(button);
  }
  button.textContent = said.new.replace("{n}", waiting.get(region.id).count);
}
const release = event => {
  const region = event.target.closest?.("[data-live]") ?? event.target;
  const held = region?.id && waiting.get(region.id);
  setTimeout(() => { if (held && waiting.has(region.id) && !region.matches(":focus-within") && !region.matches(":hover")) put(region, waiting.get(region.id).card); }, 300);
};
for (const region of all("[data-live]")) { region.addEventListener("pointerleave", release); region.addEventListener("focusout", release); }

// A burst is announced once.
let speaking = 0;
function announce() {
  clearTimeout(speaking);
  speaking = setTimeout(() => speak(`${document.getElementById("told").dataset.changed}, ${new Date().toLocaleTimeString(lang)}`), 1500);
}
const speak = words => document.dispatchEvent(new CustomEvent("tell", {detail: words}));
function told(on, why = "") {
  if (on && !down && word.classList.contains("on")) return;
  if (!on && !down) word.dataset.since = new Date(heard).toLocaleTimeString(lang, {hour: "2-digit", minute: "2-digit"});
  down = !on;
  if (down && also) also.textContent = "";
  word.className = on ? "on" : "off";
  word.textContent = on ? said.live : why || said.since.replace("{time}", word.dataset.since);
  if (!on || word.dataset.since) speak(word.textContent);
}
setInterval(() => { if (Date.now() - heard > SILENT_MS) told(false); }, 3000);

// A session that is about to end says so in time, in every tab, until somebody stays.
function ending(html) {
  document.getElementById("ending")?.remove();
  if (!html) return;
  const card = Object.assign(document.createElement("div"), {className: "card", id: "ending"});
  card.append(document.createRange().createContextualFragment(html));
  document.getElementById("toast").append(card);
  speak(card.textContent);
}

// A call rings: the tab that is looked at, or was last, shows it. The page of the one owner of a number opens by
// itself, but for who types, and once for each call; in a hidden tab the title says so, until somebody looks.
const title = document.title, CARDS_MAX = 3, REMEMBERED = 50;
const visible = () => document.visibilityState === "visible";
const calledAway = () => sessionStorage.getItem("called") ?? "";
const decided = () => JSON.parse(localStorage.getItem("decided") ?? "[]");
const decide = call => localStorage.setItem("decided", JSON.stringify([...decided(), call].slice(-REMEMBERED)));
function ring(data) {
  if (decided().includes(data.call) || document.querySelector(`[data-call="${data.call}"]`)) return;
  const before = calledAway();
  if (!visible()) callBack(data.word);
  const busy = document.querySelector("#panel:not([hidden]), [data-undo], :is(input, textarea, select):focus");
  if (data.href && !busy && !before && data.href !== location.pathname) { decide(data.call); location.href = data.href; return; }
  const card = Object.assign(document.createElement("div"), {className: "card"});
  card.dataset.call = data.call;
  card.append(document.createRange().createContextualFragment(data.html));
  card.addEventListener("click", event => { if (event.target.closest("a, [data-dismiss]")) decide(data.call); });
  document.getElementById("toast").append(card);
  speak(card.textContent);
  all("#toast [data-call]").slice(0, -CARDS_MAX).forEach(each => each.remove());
}
function callBack(word) {
  if (!calledAway() && globalThis.Notification?.permission === "granted") new Notification(word, {tag: "rapport-call"}).onclick = () => focus();
  sessionStorage.setItem("called", word);
  document.title = `${word} - ${title}`;
}
if (visible()) sessionStorage.removeItem("called"); else if (calledAway()) document.title = `${calledAway()} - ${title}`;
function looked() {
  if (!visible()) return;
  sessionStorage.removeItem("called");
  document.title = title;
  channel.postMessage({to: "leader", tab, wants: watch, looked: true});
  shows = tab;
  want(tab, watch, true);
}
let shows = tab; // of those that the leader knows
const unheard = new Map(), FROZEN_MS = 5000; // a browser may freeze a tab, or lose it: then the leader shows the call

// Who leads holds the lock, and the stream for what all tabs show: of more customers than one stream tells of, those
// that were looked at last. The other tabs hear nothing, and say so.
const WATCHED_MAX = 20, wanted = new Map([[tab, watch]]);
function want(tab, customer, looked) {
  if (looked || customer === undefined) wanted.delete(tab);
  if (customer !== undefined) wanted.set(tab, customer);
  if (leads) stream();
}
const others = new Map(); // who else looks, by customer: a tab that comes later is told, too
let source = null, streaming = "";
function stream() {
  const customers = [...new Set([...wanted.values()].filter(Boolean).reverse())].slice(0, WATCHED_MAX).sort();
  if (source && source.readyState !== EventSource.CLOSED && streaming === customers.join()) return;
  source?.close();
  streaming = customers.join();
  source = new EventSource("/live?" + new URLSearchParams(customers.map(each => [each.startsWith("queue/") ? "queue" : "customer", each])));
  const pass = kind => event => { const message = {kind, data: event.data ? JSON.parse(event.data) : {}, watched: customers}; if (kind === "also") others.set(message.data.customer, message); receive(message); channel.postMessage({to: "all", message}); };
  for (const kind of ["cards", "also", "beat", "over", "ending", "signed-out"]) source.addEventListener(kind, pass(kind));
  source.addEventListener("ring", event => {
    const data = JSON.parse(event.data);
    if (shows === tab || !wanted.has(shows)) { ring(data); return; }
    channel.postMessage({to: "tab", tab: shows, data});
    unheard.set(data.call, setTimeout(ring, FROZEN_MS, data));
  });
  source.addEventListener("farewell", () => {}); // its retry says when to come back
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(check, 1000 + 4000 * Math.random());
  });
}
async function check() { // a stream that was refused is not repeated by the browser: are we signed out, or is it away?
  const answer = await fetch("/live", {method: "HEAD", headers: {"X-Requested-With": "fragment"}}).catch(() => null);
  if (answer?.status === 401) { const message = {kind: "signed-out", data: {word: said.out}}; receive(message); channel.postMessage({to: "all", message}); setTimeout(check, 15000); }
  else stream();
}
let leads = false;
channel.onmessage = ({data}) => {
  if (data.to === "all") receive(data.message);
  else if (data.to === "heard") clearTimeout(unheard.get(data.call));
  else if (data.to === "tab" && data.tab === tab) { channel.postMessage({to: "heard", call: data.data.call}); ring(data.data); }
  else if (data.to === "leader") {
    if (data.looked) shows = data.tab;
    want(data.tab, data.wants, data.looked);
    if (leads && data.wants !== undefined && source.readyState === EventSource.OPEN) { for (const message of [{kind: "beat", data: {}, watched: streaming.split(",")}, others.get(data.wants)]) if (message) channel.postMessage({to: "all", message}); }
  } else if (data.to === "tabs") tell();
};
const tell = () => channel.postMessage({to: "leader", tab, wants: watch, looked: document.hasFocus() || Boolean(calledAway())});
tell();
addEventListener("focus", looked);
addEventListener("pagehide", () => channel.postMessage({to: "leader", tab}));
navigator.locks.request(mineAlone, () => new Promise(() => {
  leads = true;
  channel.postMessage({to: "tabs"});
  stream();
}));

// Coming back to a tab: what it shows is asked for again, whatever the stream did meanwhile.
async function refresh() {
  if (!mine) return;
  const answer = await fetch(`/${mine}/cards`, {headers: {"X-Requested-With": "fragment"}}).catch(() => null);
  if (answer?.ok) receive({kind: "cards", data: await answer.json()});
}
document.addEventListener("visibilitychange", () => { looked(); if (visible()) refresh(); });
addEventListener("pageshow", event => { if (event.persisted) { tell(); refresh(); } });
const every = Number(refreshes?.dataset.refresh) || 30; // seconds
if (refreshes) setInterval(() => { if (visible()) refresh(); }, every * 1000);
