// The preview follows the form. Without this file the button "Voorbeeld vernieuwen" does the same.
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
  const sizes = Array.from(place.querySelectorAll(":scope > .size, details[open] > .size"), (one) => one.textContent).join("; ");
  if (said.textContent !== sizes) said.textContent = sizes;
}

if (form && place) {
  form.classList.add("live");
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => show().catch(() => {}), 300);
  });
}
