// Small comforts on top of pages that work without script: steppers, countdown, copy, single submit.
(function () {
  "use strict";
  document.documentElement.classList.add("js");

  function step(button) {
    const input = button.closest(".stepper").querySelector("input");
    const most = Number(input.max) || 9999;
    const next = Number(input.value || 1) + Number(button.dataset.step);
    input.value = String(Math.min(most, Math.max(Number(input.min) || 1, next)));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  async function copy(button) {
    const old = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.done;
      setTimeout(function () { button.textContent = old; }, 1500);
    } catch (_) { /* the number itself can still be selected by hand */ }
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
    document.querySelector(".loading-bar").classList.add("htmx-request");
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });

  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-autosubmit]")) { event.target.form.requestSubmit(); }
  });

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
