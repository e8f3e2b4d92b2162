// What the pages can do beyond HTML: refresh their live parts, ask before what cannot be undone, jump by key.
(() => {
  "use strict";

  const wide = matchMedia("(min-width: 64rem)");
  const unfold = () => document.querySelectorAll("details[data-wide-open]").forEach((menu) => { menu.open = wide.matches; });
  wide.addEventListener("change", unfold);
  unfold();

  // <section id="now" data-live="5"> is fetched anew every five seconds while somebody looks.
  const refresh = async (part) => {
    if (document.hidden || part.contains(document.activeElement)) return;
    try {
      const answer = await fetch(location.href, { headers: { "X-Part": part.id } });
      if (answer.redirected) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      if (fresh) part.replaceChildren(...fresh.childNodes);
      part.removeAttribute("data-stale");
    } catch {
      part.setAttribute("data-stale", "");
    }
  };
  document.querySelectorAll("[data-live]").forEach((part) => {
    setInterval(() => refresh(part), Number(part.dataset.live) * 1000);
  });

  // <form data-sure="Refund €12.00?"> asks first. Without this script the form's own page says the same.
  document.addEventListener("submit", (event) => {
    const words = event.submitter?.dataset.sure || event.target.dataset.sure;
    if (words && !confirm(words)) { event.preventDefault(); return; }
    if (event.target.method === "post") {
      setTimeout(() => event.target.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
    }
  });
  addEventListener("pageshow", () => document.querySelectorAll("form button[disabled]").forEach((button) => { button.disabled = false; }));

  // <select data-go> sends its form when chosen.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-go]")) event.target.form.requestSubmit();
    if (event.target.matches("[data-all]")) {
      event.target.form.querySelectorAll(`input[name="${event.target.dataset.all}"]`).forEach((box) => { box.checked = event.target.checked; });
    }
  });

  // What does nothing without this script is not shown without it.
  document.querySelectorAll("[data-scripted]").forEach((part) => { part.hidden = false; });

  // A key moves to the field that names it, as "/" to the search.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const field = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (field) { event.preventDefault(); field.focus(); }
  });
})();
