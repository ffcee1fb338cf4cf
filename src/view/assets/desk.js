// The desk's script: keys, swipes, and the next comment fetched ahead, so that a ruling takes no waiting. Everything that it does can be
// done without it: it presses the page's own buttons and follows the page's own links.
"use strict";
(() => {
  const TWO_RULINGS_MS = 350; // A second ruling on another comment sooner than this is a slip of the hand.
  const CLAIM_AFTER_MS = 1000; // Whoever looks so long at a comment is on it.
  const SWIPE_PX = 90;
  const SLOW_MS = 400; // What takes longer is said; what takes less would only flicker.
  const find = (selector, root = document) => root.querySelector(selector);
  const target = (rel) => find(`main a[rel=${rel}]`)?.href;

  let ahead = null; // { url, page }: the next comment's page, read before it is asked for.
  let ruledAt = -Infinity;
  let ruledId = "";
  let latest = 0; // Grows with every step: what answers an older one does not take the page from under a newer.
  let sending = Promise.resolve(); // Rulings reach the daemon in the order in which they were given.
  let claiming = 0;
  let isSlow = false; // Another comment is asked for and long in coming; a key must not meet the one that is being left.

  const parse = (text) => new DOMParser().parseFromString(text, "text/html");

  function say(kind, strong, rest, again) {
    const place = find("#say");
    if (!place) return;
    const line = document.createElement("p");
    line.className = `say ${kind}`;
    line.setAttribute("role", "status");
    const words = document.createElement("span");
    const lead = document.createElement("strong");
    lead.textContent = `${strong} `;
    words.append(lead, rest);
    line.append(words);
    if (again) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "linkish";
      button.textContent = "Try again";
      button.addEventListener("click", () => location.reload());
      line.append(button);
    }
    place.replaceChildren(line);
  }

  // Puts another page of the desk in place of this one, where the list was scrolled to and all.
  function show(page, url, remember) {
    const main = find("main", page);
    if (!main) {
      location.assign(url);
      return;
    }
    const scrolled = find("#list")?.scrollTop ?? 0;
    document.title = page.title;
    document.body.className = page.body.className;
    for (const [old, fresh] of [["main", main], ["header.mast", find("header.mast", page)]]) {
      if (fresh) find(old).replaceWith(document.adoptNode(fresh));
    }
    toast(page);
    if (remember) history.pushState(null, "", url);
    const list = find("#list");
    if (list) {
      list.scrollTop = scrolled;
      find("[aria-current]", list)?.scrollIntoView({ block: "nearest" });
    }
    window.scrollTo(0, 0);
    arrived();
  }

  function toast(page) {
    find("#toast")?.remove();
    const fresh = find("#toast", page);
    if (fresh) find("main").after(document.adoptNode(fresh));
  }

  // A page was put in place, or came with the load: look ahead, and say who is on it.
  function arrived() {
    clearTimeout(claiming);
    if (find("#ruling")) claiming = setTimeout(claim, CLAIM_AFTER_MS);
    const url = target("next");
    if (!url || ahead?.url === url) return;
    const fetching = { url, page: null };
    ahead = fetching;
    fetch(url, { credentials: "same-origin" })
      .then((answer) => (answer.ok && !answer.redirected ? answer.text() : ""))
      .then((text) => { if (text && ahead === fetching) fetching.page = text; })
      .catch(() => { if (ahead === fetching) ahead = null; });
  }

  function claim() {
    const form = find("#ruling");
    if (!form || document.hidden) return;
    const body = new URLSearchParams({ csrf: form.elements.csrf.value });
    fetch(`${form.dataset.id}/claim`, { method: "POST", body, credentials: "same-origin" }).catch(() => {});
  }

  async function go(url) {
    if (!url) return;
    const mine = ++latest;
    if (ahead?.url === url && ahead.page) {
      show(parse(ahead.page), url, true);
      return;
    }
    const slow = setTimeout(() => {
      isSlow = true;
      say("", "Fetching the comment.", "Keys wait for it.");
    }, SLOW_MS);
    try {
      const answer = await fetch(url, { credentials: "same-origin" });
      const page = parse(await answer.text());
      if (answer.status === 503) unwritten();
      else if (mine === latest) show(page, answer.url, true);
    } catch {
      offline();
    } finally {
      clearTimeout(slow);
      isSlow = false;
    }
  }

  function offline() {
    say("bad", "No connection.", "Nothing was ruled. Keys are off until it is back.", true);
  }

  function unwritten() {
    say("bad", "The desk can read or write nothing just now.", "Nothing was ruled. What waits is safe.", true);
  }

  // What was done is told once; coming back to a page must not tell it again.
  function plain(address) {
    const url = new URL(address);
    url.searchParams.delete("done");
    url.searchParams.delete("undone");
    return url.href;
  }

  // Presses a button of a form without leaving the page. The next comment stands there at once; what the daemon says comes over it.
  function press(form, button) {
    if (!navigator.onLine) {
      offline();
      return;
    }
    const id = form.dataset.id ?? form.action;
    const now = performance.now();
    if (form.id === "ruling") {
      if (id !== ruledId && now - ruledAt < TWO_RULINGS_MS) {
        say("warn", "Two rulings within a third of a second.", "The second was not taken.");
        return;
      }
      [ruledAt, ruledId] = [now, id];
    }
    const mine = ++latest;
    const body = new URLSearchParams(new FormData(form));
    body.append(button.name, button.value);
    const [before, was, url] = [find("main").cloneNode(true), location.href, target("next")];
    const isFast = form.id === "ruling" && Boolean(url && ahead?.url === url && ahead.page);
    if (isFast) show(parse(ahead.page), url, true);
    sending = sending.then(() => send(form.action, body, { mine, before, was, isFast }));
  }

  async function send(action, body, { mine, before, was, isFast }) {
    try {
      const answer = await fetch(action, { method: "POST", body, credentials: "same-origin" });
      const page = parse(await answer.text());
      if (answer.status === 503) {
        if (isFast) back(before, was);
        unwritten();
        return;
      }
      if (answer.redirected && mine !== latest) {
        toast(page);
        return;
      }
      // What was refused is shown, whatever stands there now: the comment waits for another word.
      const url = answer.redirected ? plain(answer.url) : was;
      show(page, url, answer.redirected && !isFast);
      if (isFast) history.replaceState(null, "", url);
    } catch {
      if (isFast) back(before, was);
      offline();
    }
  }

  // What was put away too soon stands there again.
  function back(before, was) {
    find("main").replaceWith(before);
    history.replaceState(null, "", was);
  }

  const button = (value) => find(`#ruling button[value=${value}]:not([disabled])`) ?? find(`#campaign button[value=${value}]`);
  function rule(value) {
    const pressed = button(value);
    if (pressed) press(pressed.form, pressed);
  }

  const keys = {
    j: () => go(target("next")),
    k: () => go(target("prev")),
    x: () => go(target("next")),
    a: () => rule("publish"),
    s: () => rule("spam"),
    r: () => rule("remove"),
    u: () => { const undo = find("#toast button"); if (undo) press(undo.form, undo); },
    o: () => { const cover = find("#cover"); if (cover) cover.open = !cover.open; },
    g: () => { const group = find("#group"); if (group) go(group.href); },
    "/": () => find("#q")?.focus(),
    "?": () => find("#keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
    const act = keys[event.key];
    if (!act || isSlow) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.id !== "ruling" && !form.closest("#toast")) return;
    if (!event.submitter) return;
    event.preventDefault();
    press(form, event.submitter);
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("main a[rel], .row, .skp");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(link.href);
  });

  // How many are ticked stands in the buttons.
  document.addEventListener("change", (event) => {
    if (event.target.name !== "v") return;
    const ticked = document.querySelectorAll("#campaign input[name=v]:checked").length;
    document.querySelectorAll("#campaign .ticked").forEach((count) => { count.textContent = ticked; });
  });

  let touched = null;
  document.addEventListener("touchstart", (event) => {
    const [finger] = event.touches;
    touched = event.touches.length === 1 && event.target.closest("#item") ? { x: finger.clientX, y: finger.clientY } : null;
  }, { passive: true });
  document.addEventListener("touchend", (event) => {
    if (!touched) return;
    const [finger] = event.changedTouches;
    const [x, y] = [finger.clientX - touched.x, finger.clientY - touched.y];
    touched = null;
    if (Math.abs(x) < SWIPE_PX || Math.abs(y) > Math.abs(x) / 2 || !getSelection().isCollapsed) return;
    rule(x > 0 ? "publish" : "spam");
  }, { passive: true });

  window.addEventListener("offline", offline);
  window.addEventListener("online", () => location.reload());
  window.addEventListener("popstate", () => location.reload());
  arrived();
})();
