"use strict";
// What htmx and plain HTML cannot say: times that stay true, parts that renew without a jerk, and answers that are no part.

(() => {
  const steps = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });

  // The server cannot know the viewer's zone before it is told; from the next page on it can.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `browser_zone=${zone};path=/;max-age=31536000;samesite=lax`;

  function tell(element) {
    const seconds = (new Date(element.dateTime) - Date.now()) / 1000;
    const [unit, length] = steps.find(([, size]) => Math.abs(seconds) >= size) || steps[3];
    const text = relative.format(Math.trunc(seconds / length), unit);
    if (element.textContent !== text) element.textContent = text;
  }

  const tellAll = (root) => root.querySelectorAll("time[data-ago]").forEach(tell);

  const alike = (one, other) => one.nodeName === other.nodeName && (one.id || "") === (other.id || "");

  // Changes only what differs, so that focus, selection, scrolling and opened details stay as they are.
  function morph(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    const kids = [...fresh.childNodes];
    kids.forEach((kid, place) => {
      const mine = old.childNodes[place];
      if (!mine) old.append(kid);
      else if (alike(mine, kid)) morph(mine, kid);
      else mine.replaceWith(kid);
    });
    while (old.childNodes.length > kids.length) old.lastChild.remove();
  }

  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

  function renew(event) {
    const { target, requestConfig, xhr } = event.detail;
    if (!target.matches("[data-morph]") || requestConfig.elt !== target || xhr.status !== 200) return;
    const answer = parsed(xhr.responseText);
    const fresh = answer.getElementById(target.id);
    if (!fresh) return;
    event.detail.shouldSwap = false;
    for (const beside of answer.querySelectorAll("[hx-swap-oob]")) {
      beside.removeAttribute("hx-swap-oob");
      const mine = document.getElementById(beside.id);
      if (mine) morph(mine, beside);
    }
    fresh.querySelectorAll("time[data-ago]").forEach(tell);
    morph(target, fresh);
    setTimeout(() => htmx.process(target)); // htmx is still busy with this answer
  }

  document.addEventListener("DOMContentLoaded", () => {
    tellAll(document);
    setInterval(() => tellAll(document), 10000);
    document.addEventListener("htmx:load", (event) => tellAll(event.detail.elt));
    document.addEventListener("htmx:beforeSwap", renew);
    // A refusal or an error is a page of its own, never a piece of this one.
    document.addEventListener("htmx:responseError", (event) => {
      const request = event.detail.requestConfig;
      if (request.verb === "get") {
        if (event.detail.xhr.status < 500) location.assign(event.detail.pathInfo.requestPath);
        return;
      }
      // What was sent is not sent again: the page that refuses it takes the place of this one.
      const refusal = parsed(event.detail.xhr.responseText);
      document.title = refusal.title;
      document.body.replaceWith(refusal.body);
      document.getElementById("main")?.focus();
    });
    // A swap takes the focus with it: htmx gives it to the successor by id; where there is none, the part itself gets it.
    let held = "";
    document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
      held = target.contains(document.activeElement) ? target.id : "";
    });
    document.addEventListener("htmx:afterSettle", () => {
      const part = held && document.activeElement === document.body && document.getElementById(held);
      held = "";
      if (!part) return;
      part.tabIndex = -1;
      part.focus({ preventScroll: true });
    });
    // Ticking "all" ticks every box of its form.
    document.addEventListener("change", (event) => {
      const all = event.target.closest("[data-all]");
      if (!all) return;
      for (const box of all.form.elements) if (box.name === all.dataset.all) box.checked = all.checked;
    });
  });
})();
