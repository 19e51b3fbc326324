// Counts the time down and, once it is over, asks the server what the page says then.
for (const left of document.querySelectorAll(".left")) {
  const end = Number(left.dataset.until) * 1000;
  const remaining = () => Math.max(0, Math.round((end - Date.now()) / 1000));
  const tick = () => {
    const seconds = remaining();
    const clock = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
    left.querySelector("b").textContent = clock;
    left.hidden = false;
    if (seconds > 0) setTimeout(tick, 1000);
    else setTimeout(() => location.replace(location.href), 1500);
  };
  // A device whose clock runs ahead would reload for ever: then show no countdown at all.
  if (remaining() > 0) tick();
}
