"use strict";
// Follow along: each message that comes is put into the list, and into the conversation that is open.
const live = document.getElementById("live"), count = document.getElementById("count");
let shown = Number(document.querySelector("#list > li")?.id.slice(1) ?? 0), busy = false, last = 0;

async function fetchNew() {
  if (busy || last === shown) return;
  busy = true;
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const came = last - shown;
    shown = last;
    for (const [id, place] of [["list", "prepend"], ["thread", "append"]]) {
      const here = document.getElementById(id), there = page.getElementById(id);
      if (!here || !there) continue;
      const fresh = [...there.children].filter(one => !document.getElementById(one.id));
      here[place](...fresh);
    }
    if (came < 0) location.replace("/");
    count.textContent = page.getElementById("count").textContent;
    live.textContent = came === 1 ? "1 new message" : `${came} new messages`;
  } finally {
    busy = false;
  }
  fetchNew();
}

const events = new EventSource("/events");
events.onmessage = event => { last = Number(event.data); fetchNew(); };
events.onerror = () => { live.textContent = "The demo does not answer: it was stopped."; };
