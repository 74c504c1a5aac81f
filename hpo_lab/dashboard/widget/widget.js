// Puts the pieces of HTML that Python makes into their places, and tells Python what a person does.

const PARTS = ["head", "acts", "bar", "budget", "notice", "tabs", "tools", "panel", "drawer"];

const FRAME = `
  <div class="hpo-top"><div data-part="head"></div><div class="hpo-acts" data-part="acts"></div></div>
  <div data-part="bar"></div>
  <div data-part="budget" hidden></div>
  <div data-part="notice" aria-live="polite"></div>
  <div class="hpo-tabs" role="tablist" data-part="tabs"></div>
  <div class="hpo-tools" data-part="tools"></div>
  <div class="hpo-body">
    <div role="tabpanel" class="hpo-panel" data-part="panel"></div>
    <aside class="hpo-drawer" data-part="drawer" aria-label="Trial" hidden></aside>
  </div>
  <p class="hpo-busy q sm" role="status" hidden>The kernel is busy; this is done when it is free.</p>`;

/** Where JupyterLab or Notebook opens files, null elsewhere. */
function tree() {
  try {
    return JSON.parse(document.getElementById("jupyter-config-data").textContent).treeUrl ?? null;
  } catch {
    return null;
  }
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed, as on a page without https.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function render({ model, el }) {
  const root = document.createElement("section");
  root.className = "hpo hpo-out hpo-widget";
  root.setAttribute("aria-label", `Experiment ${model.get("title")}`);
  root.innerHTML = FRAME;
  el.append(root);

  const place = (name) => root.querySelector(`[data-part="${name}"]`);
  const active = () => root.getRootNode().activeElement;
  const by_key = (key) => (key ? root.querySelector(`[data-key="${CSS.escape(key)}"]`) : null);
  let sent = model.get("answered");
  let opener = null;
  let typed;
  let touched = 0;

  function send(message) {
    sent += 1;
    const id = sent;
    model.send({ ...message, id });
    setTimeout(() => {
      place_busy(model.get("answered") < id);
    }, 1500);
  }

  function place_busy(is_busy) {
    root.querySelector(".hpo-busy").hidden = !is_busy;
  }

  function put(name) {
    const box = place(name);
    const html = model.get(name);
    // A redraw keeps the place and the focus of who reads.
    const key = box.contains(active()) ? active().dataset.key : "";
    const across = [...box.querySelectorAll(".hpo-scroll")].map((each) => each.scrollLeft);
    box.innerHTML = html;
    box.querySelectorAll(".hpo-scroll").forEach((each, at) => (each.scrollLeft = across[at] ?? 0));
    by_key(key)?.focus({ preventScroll: true });
    if (name === "tools") put_query();
    if (name === "drawer") put_drawer(box, html);
  }

  function put_query() {
    const input = place("tools").querySelector("[data-live]");
    if (input && input !== active()) input.value = model.get("query");
  }

  function put_drawer(box, html) {
    const was_open = !box.hidden;
    box.hidden = html === "";
    root.classList.toggle("hpo-open-trial", html !== "");
    const base = tree();
    for (const link of box.querySelectorAll("a[data-path]")) {
      if (base === null) {
        link.remove();
        continue;
      }
      link.href = `${base}/${link.dataset.path.split("/").map(encodeURIComponent).join("/")}`;
      link.target = "_blank";
      link.rel = "noopener";
    }
    if (!was_open && html !== "") {
      by_key("trial")?.focus({ preventScroll: true });
      box.scrollIntoView({ block: "nearest" });
    }
    if (was_open && html === "") by_key(opener)?.focus();
  }

  async function copy(button) {
    const words = button.textContent;
    button.textContent = (await copied(button.dataset.copy)) ? "Copied" : "Not copied";
    setTimeout(() => (button.textContent = words), 1500);
  }

  function toggle(name) {
    const box = place(name);
    box.hidden = !box.hidden;
    if (!box.hidden) box.querySelector("input")?.focus();
  }

  root.addEventListener("click", (event) => {
    // Chosen text is not a click on a row.
    const row = event.target.closest(".hpo-panel tbody tr");
    const is_choosing = String(document.getSelection()) !== "";
    const target =
      event.target.closest("button, a") ??
      (row && !is_choosing ? row.querySelector("[data-do=open]") : null);
    if (!target) return;
    if (target.dataset.copy) copy(target);
    else if (target.dataset.toggle) toggle(target.dataset.toggle);
    else if (target.dataset.do) {
      if (target.dataset.do === "open") opener = target.dataset.key;
      const { key, ...message } = target.dataset;
      send(message);
    }
  });

  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target;
    send({ do: form.dataset.form, ...Object.fromEntries(new FormData(form)) });
    place("budget").hidden = true;
  });

  root.addEventListener("input", (event) => {
    if (!event.target.dataset.live) return;
    clearTimeout(typed);
    typed = setTimeout(() => send({ do: event.target.dataset.live, text: event.target.value }), 250);
  });

  root.addEventListener("keydown", (event) => {
    // JupyterLab's own keys, such as those of the notebook's command mode, are not meant here.
    event.stopPropagation();
    if (event.key === "Escape") {
      if (model.get("drawer") !== "") send({ do: "leave" });
      return;
    }
    if (event.target.getAttribute("role") !== "tab") return;
    const tabs = [...place("tabs").children];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });

  function use() {
    if (Date.now() - touched < 20000) return;
    touched = Date.now();
    model.send({ do: "here", used: true });
  }
  root.addEventListener("pointermove", use);
  root.addEventListener("keydown", use, true);

  const listeners = PARTS.map((name) => [`change:${name}`, () => put(name)]);
  listeners.push(["change:query", put_query]);
  listeners.push(["change:answered", () => place_busy(false)]);
  listeners.push(["msg:custom", (message) => message.ask === "here" && model.send({ do: "here" })]);
  for (const [event, listener] of listeners) model.on(event, listener);
  PARTS.forEach(put);
  use();
  return () => listeners.forEach(([event, listener]) => model.off(event, listener));
}

export default { render };
