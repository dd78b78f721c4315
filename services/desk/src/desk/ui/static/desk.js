// What the desk does in a browser: fetch a fragment where it is wanted, keep what is typed, show what changes.
// Pages work from the server's HTML; nothing here knows what a customer is.
const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const body = document.body, panel = $("#panel"), toast = $("#toast"), liveWord = $("#live");
const words = $("#words").dataset; // what is said here, in the language of the page
const ask = (url, options = {}) => fetch(url, {...options, headers: {"X-Requested-With": "fragment", ...options.headers}});
const fragment = html => document.createRange().createContextualFragment(html);

// How much waits, beside the name of a page in the bar.
const counts = all("[data-count]");
if (counts.length) ask(counts[0].dataset.count).then(answer => answer.ok ? answer.text() : "").then(told => counts.forEach(each => { each.textContent = told; })).catch(() => {});

// Days and moments are told where the reader is.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && body.dataset.zone !== zone && !document.cookie.includes(`zone=${zone}`)) {
  document.cookie = `zone=${zone};path=/;max-age=31536000;samesite=lax`;
  if (!$("form textarea:focus")) location.reload();
}

// The panel: forms and reasons, beside what was clicked, outside of all that is replaced.
let opener = null, row = "", region = ""; // what was pressed, and by their names the row and the card that it is in
const remember = from => { [opener, row, region] = [from, from.closest("[data-key]")?.dataset.key ?? "", from.closest(".card")?.id ?? ""]; };
async function open(href, from) {
  remember(from);
  const answer = await ask(href).catch(() => null);
  show(answer ? await answer.text() : `<p class="refused">${words.away}</p>`, from);
}
// What is seen to happen is heard, too: from the one region that always stands.
const teller = $("#told");
document.addEventListener("tell", ({detail}) => { const words = detail.trim().replace(/\s+/g, " "); if (words) teller.textContent = teller.textContent === words ? `${words}\u00a0` : words; });
const tell = words => document.dispatchEvent(new CustomEvent("tell", {detail: words ?? ""}));
tell($("[data-told]")?.textContent); // what a page was loaded to say
const outcome = within => tell($(".refused, [data-tell]", within)?.textContent);
function show(told, from) {
  panel.replaceChildren(told.nodeType ? told : fragment(told));
  panel.ariaLabel = ($("h2", panel) ?? from)?.textContent.trim() ?? "";
  panel.hidden = false;
  if (from) { seen(from); place(from.getBoundingClientRect(), (from.closest(".card, .note") ?? from).getBoundingClientRect()); }
  focusIn();
  outcome(panel);
}
// What a form is about is in sight, also when a letter opened it.
function seen(from) {
  const {top, bottom} = from.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) (from.closest("[data-key]") ?? from).scrollIntoView({block: "center"});
}
// Beside the card that it is about, where there is room; else below what was clicked.
function place(at, card) {
  const wide = panel.offsetWidth + 20, most = innerWidth - wide + 8;
  const beside = card.right + wide <= innerWidth ? card.right + 8 : card.left >= wide ? card.left - wide + 12 : null;
  panel.style.setProperty("--x", `${Math.max(12, beside ?? Math.min(at.left, most))}px`);
  panel.style.setProperty("--y", `${Math.max(12, Math.min(beside === null ? at.bottom + 6 : at.top, innerHeight - panel.offsetHeight - 12))}px`);
}
// A form without a field has its button; what is no form, itself.
function focusIn() { ($("[autofocus], input:not([type=hidden]), select, textarea", panel) ?? $(".act", panel) ?? panel).focus(); }
// Where one was: what was pressed, or is in its place now; when that is gone its row, its card, the page.
const byKey = key => key && $(`[data-key="${CSS.escape(key)}"]`);
const land = to => { if (to && !to.matches("a, button, input, select, textarea, summary")) to.tabIndex = -1; to?.focus(); };
const back = () => opener && [opener.isConnected && opener, document.getElementById(opener.id), byKey(row), document.getElementById(region), $("#main")].find(Boolean);
function close() {
  if (panel.hidden) return;
  const inside = panel.contains(document.activeElement) || document.activeElement === body;
  panel.hidden = true;
  panel.replaceChildren();
  if (inside) { const to = back(); land(to?.closest("details:not([open])")?.firstElementChild ?? to); }
}
// What was done is said until the next is. What can still be taken back stays for that, unless the next is about the same.
function say(html) {
  const told = Object.assign(document.createElement("div"), {className: "card"}), of = card => $("[data-of]", card)?.dataset.of;
  told.append(fragment(html));
  all(":scope > .card", toast).filter(each => $("[data-of]", each) && (!$("[data-undo]", each) || of(each) === of(told))).forEach(unsay);
  toast.append(told);
  tell(told.textContent);
  const undo = $("[data-undo]", told);
  if (undo) { $("button", undo).focus(); setTimeout(() => { if (!undo.dataset.busy && !$(".answer", undo)) unsay(told); }, undo.dataset.undo * 1000); return; } // then it is too late
  const leave = () => setTimeout(() => { if (told.matches(":hover")) leave(); else unsay(told); }, 10000);
  leave();
}
function unsay(told) {
  const inside = told.contains(document.activeElement);
  told.remove();
  if (inside) land(back());
}
// Nor can be taken back what somebody else has: the page offers it no longer.
document.addEventListener("gone", ({detail: ids}) => all("[data-undo]", toast).filter(each => ids.includes(`act-${each.getAttribute("action")}`)).forEach(each => unsay(each.closest(".card"))));

document.addEventListener("click", event => {
  const to = event.target.closest("[data-open]");
  if (to) { event.preventDefault(); open(to.dataset.open, to); }
  else if (event.target.closest("[data-close]")) close();
  else if (event.target.closest("[data-copy]")) { const to = event.target.closest("[data-copy]"); navigator.clipboard?.writeText(to.dataset.copy); to.textContent = `${to.dataset.copy}`; }
  else if (event.target.closest("[data-stay]")) ask("/stay", {method: "POST", headers: {"X-CSRF": body.dataset.csrf}}).then(answer => { if (answer.ok) $("#ending")?.remove(); }).catch(() => {});
  else if (event.target.closest("[data-dismiss]")) event.target.closest(".card").remove();
  else if (event.target.closest("[data-more]")) more(event.target.closest("[data-more]"));
  else if (!event.target.closest("#panel, #find")) offer("");
});

// The next page of a list takes the place of the link to it: when it is pressed, or some come by themselves when they are near.
const near = new IntersectionObserver(seen => seen.forEach(({isIntersecting, target}) => { if (isIntersecting) more(target, false); }), {rootMargin: "400px"});
const watchNear = within => all("[data-near]", within).forEach(each => near.observe(each));
watchNear(document);
addEventListener("beforeprint", () => all("details.burst").forEach(each => { each.open = true; }));
async function more(link, pressed = true) {
  if (link.disabled) return;
  const focused = pressed || document.activeElement === link;
  link.disabled = true;
  const answer = await ask(link.dataset.more).catch(() => null);
  if (!answer?.ok) { link.disabled = false; return; }
  const rows = fragment(await answer.text());
  const first = rows.firstElementChild;
  if (link.dataset.here) history.replaceState(null, "", link.dataset.here); // Back shows as much again
  near.unobserve(link);
  const added = [...rows.children], place = link.closest("li.further") ?? link;
  place.replaceWith(rows);
  added.forEach(watchNear);
  if (focused) first?.querySelector("button, a")?.focus();
}

// Forms are sent once, by the request id that they carry; a lost answer or session loses nothing that was typed.
document.addEventListener("submit", async event => {
  const form = event.target;
  if (!form.matches("[data-inplace]")) return;
  event.preventDefault();
  const button = event.submitter ?? $("button:not([type=button])", form);
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const inPanel = form.closest("#panel"), card = back()?.closest("[data-live]")?.id;
  const whole = new FormData(form, event.submitter), data = files(form) ? whole : typedIn(whole), at = form.contains(document.activeElement) && document.activeElement.name;
  data.set("csrf", body.dataset.csrf);
  const typed = all("textarea, input", form);
  typed.forEach(each => { each.readOnly = true; }); // what is typed now would be lost
  await settled(form); // a draft that comes after what was sent would offer it again, as sent already
  button?.setAttribute("disabled", "");
  const answer = await sent(form.action, data);
  const told = await answer?.text().catch(() => null) ?? `<p class="refused">${words.kept}</p>`;
  delete form.dataset.busy;
  typed.forEach(each => { each.readOnly = false; });
  button?.removeAttribute("disabled");
  if (answer?.headers.has("X-Done")) {
    const box = form.dataset.again && form.parentElement;
    if (form.dataset.undo) form.closest(".card").remove();
    else if (inPanel) { if (form.isConnected) close(); } else form.outerHTML = await (await ask(form.dataset.again)).text();
    document.dispatchEvent(new CustomEvent("acted", {detail: inPanel && card}));
    if (document.activeElement === body) land(box || back());
    if (told.trim()) say(told);
  } else if (!form.isConnected) show(told); // whoever closed it believes that it is done
  else if (answer?.headers.has("X-Form") && form.dataset.undo) { // what was taken back is written on
    form.closest(".card").remove();
    show(told);
    keep($("form", panel));
  } else if (answer?.headers.has("X-Form")) {
    const fresh = fragment(told), place = form.parentElement;
    all("input[type=file]", fresh).forEach(each => { each.files = form.elements[each.name].files; }); // as they were chosen
    form.replaceWith(fresh);
    const there = $("[aria-invalid]", place) ?? (at && $(`[name="${at}"]`, place)); // where one was
    there ? there.focus() : form.dataset.again ? $("textarea", place)?.focus() : focusIn();
    outcome(place);
  } else {
    const place = $(".answer", form) ?? form.appendChild(Object.assign(document.createElement("div"), {className: "answer"}));
    place.replaceChildren(fragment(told));
    tell(place.textContent);
  }
});

// What was typed, without files: those are sent with the form alone.
function typedIn(data) { return new URLSearchParams([...data].filter(([, value]) => typeof value === "string")); }
function files(form) { return all("input[type=file]", form).some(each => each.files.length); }

async function sent(url, data) { // under one request id: however often, it is done once
  let answer = null;
  for (const wait of [0, 500, 2000]) {
    if (wait) await new Promise(done => setTimeout(done, wait));
    answer = await ask(url, {method: "POST", body: data, keepalive: !(data instanceof FormData)}).catch(() => null);
    if (answer && answer.status < 502) break;
  }
  return answer;
}

document.addEventListener("change", event => { if (event.target.matches("[data-submits]")) event.target.form.requestSubmit(); });

// A draft of every form, kept by the server.
const drafts = new Map(), keeping = new Map(); // by form: what waits to be kept, and what is being kept
document.addEventListener("input", event => {
  const form = event.target.closest("form[data-draft]");
  if (!form) return;
  clearTimeout(drafts.get(form));
  drafts.set(form, setTimeout(() => keep(form), 400));
});
function keep(form) {
  drafts.delete(form);
  const kept = ask(form.dataset.draft, {method: "POST", keepalive: true, headers: {"X-CSRF": body.dataset.csrf},
    body: typedIn(new FormData(form))}).catch(() => {}).finally(() => { if (keeping.get(form) === kept) keeping.delete(form); });
  keeping.set(form, kept);
  return kept;
}
function settled(form) {
  clearTimeout(drafts.get(form));
  drafts.delete(form);
  return keeping.get(form);
}
addEventListener("pagehide", () => { for (const [form, timer] of [...drafts]) { clearTimeout(timer); if (form.isConnected) keep(form); } });

// Keys: plain letters, never in a field, and off for who does not want them. What cannot be taken back they only choose (data-chosen).
const off = () => localStorage.getItem("letters") === "off";
const letters = () => { body.classList.toggle("letters-off", off()); const to = $("#letters"); if (to) to.textContent = off() ? to.dataset.off : to.dataset.on; };
letters();
const waits = () => document.cookie.includes("hold=120");
const waiting = () => { const to = $("#hold"); if (to) to.textContent = waits() ? to.dataset.long : to.dataset.short; };
waiting();
$("#hold")?.addEventListener("click", () => { document.cookie = `hold=${waits() ? 10 : 120};path=/;max-age=31536000;samesite=lax`; waiting(); });
$("#letters")?.addEventListener("click", () => { localStorage.setItem("letters", off() ? "on" : "off"); letters(); });
document.addEventListener("keydown", event => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") { event.preventDefault(); $("#find").select(); return; }
  if (event.ctrlKey && event.key === "Enter") { const form = event.target.closest("form") ?? (event.target === panel && $("form", panel)); if (form) { event.preventDefault(); form.requestSubmit($(".act.first", form)); } return; }
  if (event.key === "Escape") { if (!found.hidden) event.preventDefault(); offer(""); close(); return; } // a search box would be emptied
  if (event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key !== "?") || event.getModifierState("AltGraph") || event.isComposing || event.repeat || off()) return;
  if (event.target.closest("input, textarea, select, [contenteditable]") || event.key.length !== 1) return;
  const [to, ...others] = meant(event.key === "?" ? "H" : event.key.toUpperCase());
  if (!to) return;
  event.preventDefault();
  if (others.length) which([to, ...others]); else to.matches("textarea, input, [data-chosen]") ? to.focus() : to.click();
});
// A letter is meant for the row that has the focus, or for its card; on a page with several alike one says which.
// What a card has folded away has none.
function meant(letter) {
  for (let within = document.activeElement; within; within = within.parentElement) {
    const found = new Map(all(`[data-letter="${CSS.escape(letter)}"]`, within).filter(each => !each.closest("[data-live] details:not([open])")).map(each => [each.dataset.open ?? each, each]));
    if (found.size) return [...found.values()];
  }
  return [];
}
function which(buttons) {
  const asked = $("#which").content.cloneNode(true), about = each => $(".heard", each)?.textContent.replace(/^: /, "") ?? $("h1, h2", each.closest(".card"))?.textContent;
  $("h2", asked).prepend(buttons[0].firstChild.textContent);
  $(".acts", asked).append(...buttons.map((button, at) => {
    const choice = Object.assign(document.createElement("button"), {type: "button", className: "act", textContent: `${about(button)} `});
    if (at < 9) { choice.dataset.letter = at + 1; choice.append(Object.assign(document.createElement("kbd"), {textContent: at + 1})); }
    choice.addEventListener("click", event => { event.stopPropagation(); (document.getElementById(button.id) ?? button).click(); });
    return choice;
  }));
  remember(document.activeElement === body ? buttons[0] : document.activeElement);
  show(asked, buttons[0]);
}

// Recognise while typing; Enter goes to the page that says the same.
const find = $("#find"), found = $("#found");
let typed = 0;
function offer(html) {
  found.replaceChildren(fragment(html));
  found.hidden = !html;
  tell($("[data-tell]", found)?.textContent);
  find.setAttribute("aria-expanded", Boolean($("[role=option]", found)));
  find.removeAttribute("aria-activedescendant");
}
find.addEventListener("input", () => {
  const mine = ++typed;
  setTimeout(async () => {
    if (mine !== typed) return;
    if (find.value.trim().length < 2) { offer(""); return; }
    const answer = await ask("/find", {method: "POST", headers: {"X-CSRF": body.dataset.csrf}, body: new URLSearchParams({q: find.value})}).catch(() => null);
    const told = await answer?.text().catch(() => "") ?? "";
    if (mine === typed) offer(told);
  }, 180);
});
find.form.addEventListener("submit", () => { typed += 1; });
find.form.addEventListener("focusout", event => { if (!find.form.contains(event.relatedTarget)) { typed += 1; offer(""); } });
find.addEventListener("keydown", event => {
  const links = all("[role=option]", found), at = links.findIndex(each => each.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = links[(event.key === "ArrowDown" ? at + 1 : Math.max(at, 0) + links.length - 1) % links.length];
    links.forEach(each => each.setAttribute("aria-selected", each === next));
    if (next) find.setAttribute("aria-activedescendant", next.id);
    next?.scrollIntoView({block: "nearest"});
  } else if (event.key === "Enter" && at >= 0 && !found.hidden) { event.preventDefault(); location.href = links[at].href; }
});

import("./live.js");
