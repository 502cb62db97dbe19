"use strict";
// What htmx and plain HTML cannot say: times that stay true, and answers that are no part of a page.

(() => {
  const steps = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const language = document.documentElement.lang;
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long" });

  // The server cannot know the viewer's zone; here the title gets it, and the distance is kept true.
  function tell(element) {
    const moment = new Date(element.dateTime);
    const seconds = (moment - Date.now()) / 1000;
    const [unit, length] = steps.find(([, size]) => Math.abs(seconds) >= size) || steps[3];
    const text = relative.format(Math.trunc(seconds / length), unit);
    if (element.textContent !== text) element.textContent = text;
    element.title = exact.format(moment);
  }

  const tellAll = (root) => root.querySelectorAll("time[data-ago]").forEach(tell);

  document.addEventListener("DOMContentLoaded", () => {
    tellAll(document);
    setInterval(() => tellAll(document), 10000);
    document.addEventListener("htmx:load", (event) => tellAll(event.detail.elt));
    // A refusal or an error is a page of its own, never a piece of this one.
    document.addEventListener("htmx:responseError", (event) => {
      const request = event.detail.requestConfig;
      if (request.verb === "get" && event.detail.xhr.status < 500) location.assign(event.detail.pathInfo.requestPath);
    });
    // Ticking "all" ticks every box of its form.
    document.addEventListener("change", (event) => {
      const all = event.target.closest("[data-all]");
      if (!all) return;
      all.form.querySelectorAll(`input[name="${all.dataset.all}"]`).forEach((box) => { box.checked = all.checked; });
    });
  });
})();
