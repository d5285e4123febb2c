// Keeps the page up to date. The server writes all of it: what has changed is read again and
// put in place of the old, element by element, so that the focus stays where it is.

const put = (fresh) => {
  const old = document.getElementById(fresh.id);
  if (!old || old.outerHTML === fresh.outerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus();
};

let reading = false;
let again = false;

const read = async () => {
  again = true;
  if (reading) return;
  reading = true;
  while (again) {
    again = false;
    try {
      const answer = await fetch("/");
      if (!answer.ok) continue; // the next event tries again
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      page.querySelectorAll("[data-live]").forEach(put);
    } catch {
      // The server is away. EventSource connects again by itself, and its first event reads.
    }
  }
  reading = false;
};

if (document.querySelector("[data-live]")) {
  new EventSource("/events").onmessage = read;
}

// How long a seat is still kept.
const clock = document.querySelector("[data-left]");
if (clock) {
  const end = performance.now() + 1000 * Number(clock.dataset.left);
  const show = () => {
    const left = Math.max(0, Math.round((end - performance.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left > 0) setTimeout(show, 1000);
  };
  show();
}

// A notice is told once: who loads the page again does not want to hear it.
if (location.search) history.replaceState(null, "", location.pathname + location.hash);
