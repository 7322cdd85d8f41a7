
"use strict";
(() => {
  const $ = (selector, of = document) => of.querySelector(selector);
  const $$ = (selector, of = document) => [...of.querySelectorAll(selector)];

  // Theme: the system's, unless the reader chose one.
  const themes = ["auto", "light", "dark"];
  const remember = (theme) => { try { localStorage.setItem("softdelete-theme", theme); } catch { /* not allowed for a file */ } };
  const recall = () => { try { return localStorage.getItem("softdelete-theme"); } catch { return null; } };
  const button = $("#theme");
  const setTheme = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    $("span", button).textContent = theme;
  };
  let theme = themes.includes(recall()) ? recall() : "auto";
  setTheme(theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    setTheme(theme);
    remember(theme);
  });

  // Copying, also if the page is not served over a secure connection.
  const copy = async (pre) => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(pre);
      return document.execCommand("copy");
    }
  };
  for (const b of $$(".copy")) b.hidden = false;
  document.addEventListener("click", async (event) => {
    const b = event.target.closest(".copy");
    if (!b) return;
    b.textContent = await copy($("pre", b.parentElement)) ? "Copied" : "Press Ctrl+C";
    b.setAttribute("aria-live", "polite");
    setTimeout(() => { b.textContent = "Copy"; }, 2000);
  });

  // A link to a recommendation opens it.
  const open = () => {
    const target = /^#r\d+$/.test(location.hash) && $(location.hash);
    if (!target) return;
    for (let d = $("details", target); d; d = d.parentElement.closest("details")) d.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

  // The page renews itself when asked. What is asked is kept in its address, as are filter and order.
  const wanted = new URLSearchParams(location.search);
  const keep = (name, value) => {
    if (value) wanted.set(name, value); else wanted.delete(name);
    const query = wanted.toString();
    try { history.replaceState(null, "", (query ? "?" + query : location.pathname) + location.hash); } catch { /* a file */ }
  };
  const renew = $("#renew");
  if (renew) {
    const minute = 60000;
    let timer = 0;
    const set = () => {
      clearTimeout(timer);
      if (renew.checked) timer = setTimeout(() => location.reload(), minute);
    };
    renew.checked = wanted.has("renew");
    renew.addEventListener("change", () => { keep("renew", renew.checked && "1"); set(); });
    renew.closest("label").hidden = false;
    set();
  }

  // On paper everything is open.
  let closed = [];
  const turn = (open) => {
    for (const d of closed) {
      d.open = open;
      d.dispatchEvent(new Event("toggle")); // the browser's own comes after the page is laid out
    }
  };
  addEventListener("beforeprint", () => {
    closed = $$("details:not([open])");
    turn(true);
  });
  addEventListener("afterprint", () => {
    turn(false);
    closed = [];
  });

  const list = $("#list");
  if (!list) return;
  const heads = $$("thead th", list);
  const body = $("tbody", list);
  // On a narrow screen some columns are not shown.
  const columns = () => heads.filter((h) => h.offsetWidth > 0).length;
  const rows = $$("tr", body).map((row) => ({
    row,
    numbers: row.dataset.n.split(" ").map(Number),
    name: $("summary", row).textContent,
    text: (row.dataset.service + " " + $("summary", row).textContent + " " + $(".state", row).textContent).toLowerCase(),
    ...row.dataset,
  }));
  const withDetails = (rs) => rs.flatMap((r) => r.detail ? [r.row, r.detail] : [r.row]);
  // The details of an opened row have the width of the table.
  const byRow = new Map(rows.map((r) => [r.row, r]));
  list.addEventListener("toggle", (event) => {
    const r = byRow.get(event.target.closest("tr"));
    if (event.target.open && !r.detail) {
      r.detail = document.createElement("tr");
      r.detail.className = "detail";
      const cell = r.detail.insertCell();
      cell.colSpan = columns();
      cell.append($("ul", event.target));
      r.row.after(r.detail);
    } else if (!event.target.open && r.detail) {
      event.target.append($("ul", r.detail));
      r.detail.remove();
      r.detail = null;
    }
  }, true);
  const span = (all) => { for (const cell of $$("tr.detail td, tr.group th", list)) cell.colSpan = all; };
  addEventListener("beforeprint", () => span(heads.length));
  addEventListener("afterprint", () => span(columns()));
  const collator = new Intl.Collator("en", { numeric: true });
  const byName = new Map([...rows].sort((a, b) => collator.compare(a.name, b.name)).map((r, i) => [r, i]));
  const worst = ["good", "fair", "unknown", "poor"];
  let sort = "0", down = false, service = null;

  // arrange sorts and groups the rows.
  const arrange = () => {
    const value = sort === "name" ? (r) => byName.get(r) : (r) => r.numbers[sort];
    const sorted = [...rows].sort((a, b) => {
      const x = value(a), y = value(b);
      if (x === y) return a.numbers[0] - b.numbers[0];
      if (x < 0 || y < 0) return x < 0 ? 1 : -1; // unknown values come last
      return down ? y - x : x - y;
    });
    const by = $("#group")?.value;
    for (const old of $$("tbody", list)) if (old !== body) old.remove();
    if (!by) {
      body.append(...withDetails(sorted));
      return;
    }
    const groups = Map.groupBy ? Map.groupBy(sorted, (r) => r[by]) : sorted.reduce((m, r) => m.set(r[by], [...(m.get(r[by]) || []), r]), new Map());
    const health = (of) => Math.max(...of.map((r) => worst.indexOf(r.health)));
    for (const [name, of] of [...groups].sort(([a, x], [b, y]) => !a - !b || health(y) - health(x) || collator.compare(a, b))) {
      const group = document.createElement("tbody");
      const head = group.insertRow();
      head.className = "group";
      const cell = document.createElement("th");
      cell.colSpan = columns();
      cell.scope = "rowgroup";
      const verdict = worst[health(of)];
      cell.append($(".state.good .icon, .state.fair .icon, .state.unknown .icon, .state.poor .icon", of.find((r) => r.health === verdict).row).cloneNode(true),
        ` ${name || `no ${by}`} `);
      const note = document.createElement("span");
      note.className = "note";
      note.textContent = `${verdict}, ${of.length.toLocaleString("en")} ${of.length === 1 ? "table" : "tables"}`;
      cell.append(note);
      head.append(cell);
      group.append(...withDetails(of));
      list.append(group);
    }
  };

  // filter shows the rows that match.
  const filter = () => {
    const words = $("#find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const healths = new Set($$("[name=health]:checked").map((c) => c.value));
    let found = 0;
    for (const r of rows) {
      const fits = healths.has(r.health) && (service === null || r.service === service) && words.every((w) => r.text.includes(w));
      if (r.row.hidden === fits) r.row.hidden = !fits;
      if (r.detail) r.detail.hidden = !fits;
      if (fits) found++;
    }
    for (const group of $$("tbody", list)) {
      const head = $("tr.group", group);
      if (head) head.hidden = !$("[data-n]:not([hidden])", group);
    }
    $("#found").textContent = `${found.toLocaleString("en")} of ${rows.length.toLocaleString("en")} tables`;
  };

  const order = (head, turned) => {
    // Numbers sort from the largest, names and health from the start.
    down = !["name", "0"].includes(head.dataset.sort) !== turned;
    sort = head.dataset.sort;
    for (const h of heads) h.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    keep("sort", (sort !== "0" || turned) && (turned ? "-" : "") + sort);
  };
  for (const head of heads) {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = head.textContent;
    head.replaceChildren(b);
    b.addEventListener("click", () => {
      const again = sort === head.dataset.sort;
      order(head, again && down === !["name", "0"].includes(sort));
      arrange();
    });
  }
  const choose = (name) => {
    service = name;
    for (const b of $$(".service")) b.setAttribute("aria-pressed", String(b.dataset.service === service));
    keep("service", service);
  };
  for (const b of $$(".service")) {
    b.disabled = false;
    b.addEventListener("click", () => {
      choose(service === b.dataset.service ? null : b.dataset.service);
      filter();
      if (service !== null) $("#tables").scrollIntoView();
    });
  }
  $("#find").addEventListener("input", () => { keep("find", $("#find").value); filter(); });
  for (const c of $$("[name=health]")) {
    c.addEventListener("change", () => {
      keep("hide", $$("[name=health]:not(:checked)").map((other) => other.value).join(","));
      filter();
    });
  }
  $("#group")?.addEventListener("change", () => { keep("group", $("#group").value); arrange(); filter(); });

  // What the address asks for.
  $("#find").value = wanted.get("find") || "";
  for (const hidden of (wanted.get("hide") || "").split(",")) {
    for (const c of $$("[name=health]")) if (c.value === hidden) c.checked = false;
  }
  const grouped = $("#group");
  if (grouped && [...grouped.options].some((o) => o.value === wanted.get("group"))) grouped.value = wanted.get("group");
  if ($$(".service").some((b) => b.dataset.service === wanted.get("service"))) choose(wanted.get("service"));
  const [, turned, by] = (wanted.get("sort") || "").match(/^(-?)(name|\d)$/) || [];
  const asked = heads.find((h) => h.dataset.sort === by);
  if (asked) order(asked, turned === "-");
  if (asked || grouped?.value) arrange();
  $("#tools").addEventListener("submit", (event) => event.preventDefault());
  $("#tools").hidden = false;
  filter();
})();
