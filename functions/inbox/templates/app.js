// What the pages can do beyond forms and links. Every page works without this file.

const POLL = { list: 15_000, waiting: 10_000, running: 2_000 };

const main = () => document.getElementById("content");
const kind = () => main().dataset.live;

// How far the clock of the server is ahead of ours, in milliseconds.
let ahead = 0;
const now = () => Date.now() + ahead;
const readClock = () => {
  if (main().dataset.now) ahead = Number(main().dataset.now) - Date.now();
};

const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  Object.assign(made, attributes);
  made.append(...children);
  return made;
};

// Times

const span = (milliseconds) => {
  const minutes = Math.floor(milliseconds / 60_000);
  const [hours, days] = [Math.floor(minutes / 60), Math.floor(minutes / 1440)];
  const rest = (whole, left, unit) => (left ? `${whole} ${left} ${unit}` : whole);
  if (minutes === 0) return "under a minute";
  if (hours === 0) return `${minutes} min`;
  if (days === 0) return rest(`${hours} h`, minutes % 60, "min");
  return rest(days === 1 ? "1 day" : `${days} days`, hours % 24, "h");
};

const tick = () => {
  for (const time of document.querySelectorAll(".left time")) {
    const left = Math.max(0, Date.parse(time.dateTime) - now());
    const words = `${span(left)} left`;
    if (time.textContent !== words) time.textContent = words;
  }
  const { deadline } = main().dataset;
  if (deadline && now() > Number(deadline)) passed();
};

// The deadline passes while the page is open: nobody can decide any more, and what the person wrote stays.
const passed = () => {
  delete main().dataset.deadline;
  document.querySelector(".deadline .left").textContent = "Deadline passed";
  for (const button of document.querySelectorAll(".decide button, .decide .button")) {
    button.disabled = true;
    if (button.href) button.removeAttribute("href");
  }
  tell("The deadline has passed. Nobody can decide any more.", "Show what happened");
};

// Refresh

const typed = () =>
  [...document.querySelectorAll("main textarea, main input[type=search], main input[type=date]")].some(
    (field) => !field.readOnly && field.value !== field.defaultValue,
  ) || document.querySelector("main input[type=radio]:checked:not([value=''])");

const tell = (text, label) => {
  document.querySelector(".fresh")?.remove();
  const show = element("button", { type: "button", textContent: label });
  show.addEventListener("click", () => location.reload());
  const note = element("div", { className: "fresh" }, element("span", { textContent: text }), show);
  note.setAttribute("role", "alert");
  main().prepend(note);
};

const replace = (fresh) => {
  const focused = document.activeElement?.closest("main a")?.getAttribute("href");
  const open = [...document.querySelectorAll("main details")].map((details) => details.open);
  const next = fresh.getElementById("content");
  const same = next.querySelectorAll("details").length === open.length;
  main().replaceWith(document.importNode(next, true));
  document.title = fresh.title;
  if (same) [...document.querySelectorAll("main details")].forEach((details, index) => (details.open = open[index]));
  if (focused) main().querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  prepare();
};

const refresh = async () => {
  const before = kind();
  if (!POLL[before] || document.hidden || document.querySelector("dialog[open], .fresh")) return;
  const reply = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
  if (!reply.ok) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
  const next = fresh.getElementById("content");
  if (!next || document.querySelector("dialog[open], .fresh")) return;
  if (before === "list") {
    if (!typed() && !main().querySelector("form :focus")) replace(fresh);
  } else if (next.dataset.version !== main().dataset.version) {
    if (typed()) tell("This operation has changed meanwhile. Copy your text if you need it.", "Show it");
    else replace(fresh);
  }
};

const poll = () =>
  setTimeout(() => refresh().catch(() => {}).finally(poll), POLL[kind()] ?? 60_000);

// Keys

const rows = () => [...document.querySelectorAll(".rows a")];

const move = (by) => {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
  all[next].focus();
  all[next].closest("li").scrollIntoView({ block: "nearest" });
};

// Asks before a key decides. A click on a button is a decision without a question.
const decide = (verdict) => {
  const button = document.querySelector(`.decide button[value="${verdict}"]:not(:disabled)`);
  if (!button || document.querySelector("dialog[open]")) return;
  const label = verdict === "approve" ? "Approve" : "Deny";
  const title = document.querySelector("h1").innerText;
  const yes = element("button", { type: "button", className: verdict, textContent: label });
  const no = element("button", { type: "button", textContent: "Cancel" });
  const heading = element("h2", { id: "question", textContent: `${label} ${title}?` });
  const buttons = element("p", { className: "buttons" }, yes, no);
  const text = element("p", { textContent: "You cannot change the decision later." });
  const dialog = element("dialog", {}, heading, text, buttons);
  dialog.setAttribute("aria-labelledby", "question");
  yes.addEventListener("click", () => button.form.requestSubmit(button));
  no.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
};

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  a: () => decide("approve"),
  d: () => decide("deny"),
  n: () => document.querySelector(".next .button")?.click(),
};

document.addEventListener("keydown", (event) => {
  const writes = event.target.closest("input:not([type=radio]), textarea, select, [contenteditable]");
  if (writes || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const act = KEYS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// Copy buttons, and what the keys do

const copyButton = (source) => {
  const button = element("button", { type: "button", className: "copy", textContent: "Copy" });
  button.setAttribute("aria-label", `Copy ${source.closest("div")?.querySelector("dt")?.textContent ?? ""}`.trim());
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.dataset.copy || source.textContent.trim());
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2_000);
  });
  return button;
};

const keysOf = () => {
  if (rows().length) return [["j", "next"], ["k", "previous"], ["Enter", "open"]];
  if (document.querySelector(".decide button[value=approve]")) return [["a", "approve"], ["d", "deny"]];
  return document.querySelector(".next .button") ? [["n", "next"]] : [];
};

// Makes a new `main` ready.
const prepare = () => {
  readClock();
  if (navigator.clipboard) {
    for (const source of document.querySelectorAll("[data-copy]")) source.after(copyButton(source));
  }
  for (const reload of document.querySelectorAll(".reload")) reload.hidden = true;
  const keys = keysOf().flatMap(([key, does]) => [element("kbd", { textContent: key }), ` ${does} `]);
  if (keys.length) main().append(element("p", { className: "keys" }, "Keys: ", ...keys));
  tick();
};

prepare();
poll();
setInterval(tick, 1_000);
document.addEventListener("visibilitychange", () => refresh().catch(() => {}));
