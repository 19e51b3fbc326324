// Small comforts on top of pages that work without script: steppers, countdown, copy, single submit.
(function () {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  // What htmx fetches has a button for those without it; it goes only where htmx really came.
  root.classList.toggle("live", Boolean(window.htmx));

  // ---------- the network ----------

  function trouble() {
    const place = document.getElementById("trouble");
    const text = document.getElementById("trouble-text");
    root.classList.remove("live");
    if (place.firstChild || !text) { return; }
    place.append(text.content.cloneNode(true));
    place.querySelector("a").href = location.href;
  }
  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach(function (name) {
    document.addEventListener(name, trouble);
  });
  document.addEventListener("htmx:afterOnLoad", function (event) {
    if (!event.detail.successful) { return; }
    root.classList.add("live");
    document.getElementById("trouble").replaceChildren();
  });

  // ---------- forms ----------

  function step(button) {
    const input = button.closest(".stepper").querySelector("input");
    const most = Number(input.max) || 9999;
    const next = Number(input.value || 1) + Number(button.dataset.step);
    input.value = String(Math.min(most, Math.max(Number(input.min) || 1, next)));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // Without https there is no clipboard: select the text, copy it the old way or leave it selected.
  function select(button) {
    const node = button.closest("div, dd").querySelector(".copy");
    if (!node) { return false; }
    const range = document.createRange();
    range.selectNodeContents(node);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    try { return document.execCommand("copy"); } catch (_) { return false; }
  }

  async function copy(button) {
    const old = button.textContent;
    let done = false;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      done = true;
    } catch (_) { done = select(button); }
    if (!done || old === button.dataset.done) { return; }
    button.textContent = button.dataset.done;
    setTimeout(function () { button.textContent = old; }, 1500);
  }

  document.addEventListener("click", function (event) {
    const stepper = event.target.closest("[data-step]");
    if (stepper) { step(stepper); return; }
    const copier = event.target.closest("[data-copy]");
    if (copier) { copy(copier); }
  });

  // A form that creates something is sent once; the server's idempotency key is the real guard.
  document.addEventListener("submit", function (event) {
    if (event.defaultPrevented || !event.target.matches("[data-once]")) { return; }
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    if (event.submitter && event.submitter.formNoValidate) { return; }
    event.target.dataset.sent = "1";
    // A checkout that came back with faults is the answer to a form. Back from the cashier the browser
    // would ask whether to send it again; asked for as a page, it leads to the order.
    if (event.target.id === "checkout") { history.replaceState(null, "", location.href); }
    document.querySelector(".loading-bar").classList.add("htmx-request");
  });
  // Back from the page that a form led to, the form may be sent again and nothing is loading.
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("[data-sent]").forEach(function (form) { delete form.dataset.sent; });
    document.querySelector(".loading-bar").classList.remove("htmx-request");
  });

  document.addEventListener("change", function (event) {
    if (!event.target.matches("[data-autosubmit]")) { return; }
    const form = event.target.form;
    if (form.requestSubmit) { form.requestSubmit(); } else { form.submit(); }  // Safari before 16
  });

  // A form that came back begins at its first fault.
  if (document.querySelector("[data-faults]")) {
    const wrong = document.querySelector('main [aria-invalid="true"]');
    const field = wrong && wrong.matches("fieldset") ? wrong.querySelector("input") : wrong;
    if (field) { field.focus(); }
  }

  // The chosen one of a row that is longer than a phone is wide comes into view.
  document.querySelectorAll(".tabs, .chips, .rail").forEach(function (row) {
    const chosen = row.querySelector("[aria-current]");
    if (!chosen) { return; }
    const at = chosen.getBoundingClientRect(), around = row.getBoundingClientRect();
    row.scrollLeft += at.left + at.width / 2 - around.left - around.width / 2;
    row.scrollTop += at.top + at.height / 2 - around.top - around.height / 2;
  });

  // Browsers without :has() are told by class whether a new address is written.
  function toggleNewAddress() {
    const fresh = document.querySelector(".new-address");
    const chosen = document.querySelector('[name="address_id"]:checked');
    if (fresh) { fresh.hidden = Boolean(chosen && chosen.value); }
  }
  if (!window.CSS || !CSS.supports("selector(:has(*))")) {
    document.addEventListener("change", toggleNewAddress);
    window.addEventListener("pageshow", toggleNewAddress);
  }

  // ---------- what follows something else ----------

  // The number beside the cart follows the cart that htmx has just put in place.
  document.addEventListener("htmx:afterSettle", function () {
    const cart = document.getElementById("cart");
    if (!cart) { return; }
    const count = Number(cart.dataset.count);
    document.querySelectorAll("[data-cart-count]").forEach(function (node) {
      node.textContent = count > 99 ? "99+" : String(count);
      node.parentNode.hidden = count === 0;
    });
    document.body.classList.toggle("has-buybar", count > 0);
    // What had the focus went with its line: the keyboard goes on from the cart, not from the top.
    if (document.activeElement === document.body) { cart.focus({ preventScroll: true }); }
  });

  function tick() {
    document.querySelectorAll("[data-until]").forEach(function (node) {
      const left = Math.max(0, Math.floor((Date.parse(node.dataset.until) - Date.now()) / 1000));
      const pad = function (n) { return String(n).padStart(2, "0"); };
      const hours = Math.floor(left / 3600);
      node.textContent = (hours ? hours + ":" : "") + pad(Math.floor(left / 60) % 60) + ":" + pad(left % 60);
    });
  }
  if (document.querySelector("[data-until]")) { tick(); setInterval(tick, 1000); }
})();
