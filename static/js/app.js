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

  function renew(event) {
    const { target, requestConfig, xhr } = event.detail;
    if (!target.matches("[data-morph]") || requestConfig.elt !== target || xhr.status !== 200) return;
    const fresh = new DOMParser().parseFromString(xhr.responseText, "text/html").getElementById(target.id);
    if (!fresh) return;
    event.detail.shouldSwap = false;
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
      if (request.verb === "get" && event.detail.xhr.status < 500) location.assign(event.detail.pathInfo.requestPath);
    });
    // Ticking "all" ticks every box of its form.
    document.addEventListener("change", (event) => {
      const all = event.target.closest("[data-all]");
      if (!all) return;
      for (const box of all.form.elements) if (box.name === all.dataset.all) box.checked = all.checked;
    });
  });
})();
