// What the page does by itself: fresh ids, keys, focus, scrolling, cards. htmx does the rest.
(() => {
  "use strict";
  const $ = (selector) => document.querySelector(selector);
  const composer = $("#composer"), box = composer.elements.text, thread = $("#thread");

  // crypto.randomUUID is missing on plain http from another machine; getRandomValues is not.
  const newId = () =>
    Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");

  const grow = () => {
    box.style.height = "auto";
    box.style.height = Math.min(box.scrollHeight, innerHeight * 0.4) + "px";
  };

  const nearEnd = () => innerHeight + scrollY > document.documentElement.scrollHeight - 240;
  const toEnd = () => scrollTo({ top: document.documentElement.scrollHeight });

  const localTimes = (root) => {
    const form = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
    const day = new Intl.DateTimeFormat([], { dateStyle: "medium" });
    for (const time of root.querySelectorAll("time:not([title])")) {
      const at = new Date(time.dateTime);
      time.textContent = form.format(at);
      time.title = day.format(at);
    }
  };

  const cards = (ref) => ref ? [...document.querySelectorAll(`[data-card="${CSS.escape(ref)}"]`)] : [];
  const put = (card, place) => { place(card); htmx.process(card); };

  // A run shows once, a card too: the one in an answer stays, and a decision reaches every copy.
  const settle = () => {
    for (const answer of thread.querySelectorAll("article[id]")) {
      const same = thread.querySelectorAll(`[id="${answer.id}"]`);
      if (same.length > 1) { same[1].previousElementSibling.remove(); same[1].remove(); }
    }
    for (const answered of thread.querySelectorAll("article [data-card]")) {
      for (const other of cards(answered.dataset.card)) if (other.parentElement === thread) other.remove();
    }
    for (const decided of thread.querySelectorAll('[data-card]:not([data-status=""])')) {
      for (const other of cards(decided.dataset.card)) {
        if (!other.dataset.status) put(decided.cloneNode(true), (card) => other.replaceWith(card));
      }
    }
    localTimes(document);
  };

  // "/" offers the commands; Tab or a click takes the first or the chosen one.
  const menu = $("#menu"), entries = [...menu.querySelectorAll("button")];
  const offer = () => {
    const typed = /^\/[\w-]*$/.test(box.value) ? box.value.toLowerCase() : null;
    for (const entry of entries) entry.parentElement.hidden = typed === null || !entry.dataset.name.startsWith(typed);
    menu.hidden = typed === null || entries.every((e) => e.parentElement.hidden);
  };
  const take = (entry) => { box.value = entry.dataset.name + " "; offer(); grow(); box.focus(); };
  menu.addEventListener("click", (event) => {
    const entry = event.target.closest("button");
    if (entry) take(entry);
  });

  box.addEventListener("input", () => { grow(); offer(); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.hidden = true;
    if (event.key === "Tab" && !menu.hidden) {
      event.preventDefault();
      take(entries.find((e) => !e.parentElement.hidden));
    }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (box.value.trim()) composer.requestSubmit();
    }
  });

  // What a button asks is opened to be answered: in sight, and ready to type.
  document.addEventListener("toggle", (event) => {
    const asks = event.target;
    if (!asks.open || !asks.matches?.("details.asks")) return;
    const answer = asks.querySelector("textarea");
    answer.focus({ preventScroll: true });
    answer.setSelectionRange(answer.value.length, answer.value.length);
    asks.scrollIntoView({ block: "nearest" });
  }, true);

  const narrow = matchMedia("(max-width: 30rem)"), { placeholder } = box;
  const hint = () => { box.placeholder = narrow.matches ? box.dataset.short : placeholder; };
  narrow.addEventListener("change", hint);
  hint();

  let follow = true;
  addEventListener("scroll", () => { follow = nearEnd(); }, { passive: true });

  document.addEventListener("htmx:before:request", (event) => {
    // On a resend after a broken line the same id makes it the same message.
    event.target.classList?.add("sending");
  });
  document.addEventListener("htmx:after:request", (event) => {
    const form = event.target, response = event.detail.ctx.response;
    if (form.tagName !== "FORM" || !response) return;
    if (response.status < 500) {
      const fresh = form.querySelector("input[name=id]");
      if (fresh) fresh.value = newId();
    }
    if (response.status >= 400) return;
    if (form === composer) { box.value = ""; grow(); offer(); }
    form.closest("details.asks")?.removeAttribute("open");
    if (form.matches(".better")) form.replaceWith(Object.assign(document.createElement("span"), { className: "thanks", textContent: "Thanks, noted." }));
    if (form.getAttribute("hx-target") === "#thread") follow = true;
  });
  document.addEventListener("htmx:finally:request", (event) => event.target.classList?.remove("sending"));
  document.addEventListener("htmx:error", (event) => {
    if (event.target === composer) $("#line").hidden = false;
  });
  document.addEventListener("htmx:after:swap", () => {
    settle();
    if (follow) toEnd();
    if (!matchMedia("(pointer: coarse)").matches && !document.activeElement?.matches("textarea")) box.focus();
  });

  // The life line: the cards' connection is always there, so its state is the page's.
  const line = $("#cards");
  line.addEventListener("htmx:sse:error", () => { $("#line").hidden = false; });
  line.addEventListener("htmx:sse:after:connection", () => { $("#line").hidden = true; });
  line.addEventListener("card", (event) => {
    const made = document.createElement("template");
    made.innerHTML = event.detail.data;
    const card = made.content.firstElementChild;
    const shown = cards(card.dataset.card);
    if (!shown.length) put(card, (c) => thread.append(c));
    for (const old of shown) put(card.cloneNode(true), (c) => old.replaceWith(c));
    if (follow) toEnd();
  });

  for (const fresh of document.querySelectorAll("input.fresh")) fresh.value = newId();
  localTimes(document);
  // With nothing said yet, what waits is read from its heading down.
  if (thread.querySelector("article")) toEnd(); else follow = nearEnd();
  box.focus({ preventScroll: true });
})();
