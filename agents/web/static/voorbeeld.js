// The settings: the preview follows the form, characters are counted, and nothing typed is lost without a question.
// Without this file the button "Voorbeeld vernieuwen" shows the preview, and the server says what is too long.
"use strict";
const form = document.querySelector("form.settings");
const place = document.getElementById("voorbeeld");
const said = document.getElementById("meting");
let timer, asked = 0;

async function show() {
  const number = ++asked;
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch("/instellingen/voorbeeld", { method: "POST", body, credentials: "same-origin" });
  if (number !== asked || answer.redirected || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("voorbeeld");
  if (number !== asked || !fresh) return;
  const open = Array.from(place.querySelectorAll("details"), (one) => one.open);
  fresh.querySelectorAll("details").forEach((one, number) => { one.open = open[number]; });
  place.replaceChildren(...fresh.childNodes);
  place.querySelectorAll("iframe").forEach(fit);
  const sizes = Array.from(place.querySelectorAll(":scope > .size, details[open] > .size"), (one) => one.textContent).join("; ");
  if (said.textContent !== sizes) said.textContent = sizes;
}

// An e-mail is as high as what stands in it.
function fit(frame) {
  const high = () => {
    const inside = frame.contentDocument && frame.contentDocument.body;
    if (inside && inside.childElementCount) frame.style.height = `${Math.ceil(inside.getBoundingClientRect().bottom) + 24}px`;
  };
  frame.addEventListener("load", high);
  high();
}

// A character is a code point, as the server counts; a line break is one.
function count(field) {
  const left = Number(field.dataset.most) - Array.from(field.value).length;
  const words = document.getElementById(`${field.id}-telling`);
  const one = Math.abs(left) === 1 ? "teken" : "tekens";
  words.textContent = left < 0 ? `${-left} ${one} te veel.` : `Nog ${left} ${one}.`;
  words.classList.toggle("over", left < 0);
}

// What was typed is kept in this tab alone until it is saved, for whoever was signed out meanwhile.
const draft = form && `${location.pathname}${location.search.replace(/[?&]opgeslagen=[^&]*/, "")}|${form.dataset.draft}`;
const plain = () => JSON.stringify(Array.from(new FormData(form)).filter(([name]) => !["formulier", "versie", "proef"].includes(name)));
const has = (name) => form.elements.namedItem(name);

function restore() {
  const kept = sessionStorage.getItem(draft);
  if (kept === null || kept === plain()) return;
  for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = false;
  for (const [name, value] of JSON.parse(kept)) {
    const field = has(name);
    if (field && field.type === "checkbox") field.checked = true;
    else if (field) field.value = value;
  }
  const note = document.getElementById("terug");
  note.textContent = "Wat u eerder invulde, staat er weer. Het is nog niet opgeslagen.";
  note.hidden = false;
  form.dispatchEvent(new Event("input"));
}

if (form && place) {
  form.classList.add("live");
  const first = plain();
  let leaving = false;
  // A page that came back with what was filled in is not as it was saved, nor is one with a fault.
  const answered = document.querySelector("main > .wrong[role=alert]") !== null;
  const changed = () => !leaving && (answered || plain() !== first);
  if ("saved" in form.dataset) sessionStorage.removeItem(draft);
  form.querySelectorAll("[data-most]").forEach(count);
  place.querySelectorAll("iframe").forEach(fit);
  form.addEventListener("input", (event) => {
    if (event.target.dataset && event.target.dataset.most) count(event.target);
    sessionStorage.setItem(draft, plain());
    clearTimeout(timer);
    timer = setTimeout(() => show().catch(() => {}), 300);
  });
  form.addEventListener("submit", () => { leaving = true; });
  document.querySelectorAll("a[href='/instellingen']").forEach((link) => link.addEventListener("click", () => {
    if (link.closest(".wrong")) { leaving = true; sessionStorage.removeItem(draft); }
  }));
  window.addEventListener("beforeunload", (event) => { if (changed()) event.preventDefault(); });
  if (!answered) restore();
  form.querySelectorAll("[data-most]").forEach(count);
}
