"use strict";
// Sorts, searches and filters the lists. The page is whole without it: everything here is made on top of what is there.
(() => {
  const tables = [...document.querySelectorAll("table[data-list]")];
  if (!tables.length) return;
  const make = (tag, attributes = {}, ...inside) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...inside);
    return element;
  };
  const rowsOf = (table) => [...table.tBodies[0].rows];
  const compareTexts = new Intl.Collator("en", { numeric: true }).compare;

  // A cell's own value, if it names one, stands in for what it shows.
  const shown = (cell) => (cell.dataset.value ?? cell.firstChild?.textContent ?? "").trim();
  const number = (text) => {
    const digits = text.replaceAll(",", "").match(/-?\d+(\.\d+)?/);
    return digits ? Number(digits[0]) : null;
  };
  const SEVERITIES = ["low", "medium", "high", "critical"];
  const keyOf = (cell, isNumber) => {
    const text = shown(cell);
    if (SEVERITIES.includes(text)) return SEVERITIES.indexOf(text);
    return isNumber ? number(text) : text || null;
  };

  // Amounts of two currencies are never compared: currencies keep their order, amounts are sorted within each.
  const sort = (table, column, isDown) => {
    const head = table.tHead.rows[0].cells[column];
    const isNumber = head.classList.contains("n"), isMoney = head.hasAttribute("data-money");
    const keyed = rowsOf(table).map((row) => [keyOf(row.cells[column], isNumber), row.dataset.currency ?? "", row]);
    keyed.sort(([a, x], [b, y]) => {
      if (isMoney && x !== y) return compareTexts(x, y);
      if (a === null || b === null) return (a === null) - (b === null);
      const order = typeof a === "number" && typeof b === "number" ? a - b : compareTexts(a, b);
      return isDown ? -order : order;
    });
    table.tBodies[0].append(...keyed.map(([, , row]) => row));
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
  };

  for (const table of tables) {
    for (const head of table.tHead.rows[0].cells) {
      if (!head.textContent.trim()) continue;
      const button = make("button", { type: "button", class: "sort" }, ...head.childNodes);
      button.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        sort(table, head.cellIndex, was ? was === "ascending" : head.classList.contains("n"));
      });
      head.append(button);
    }
  }

  const all = tables.flatMap(rowsOf);
  const search = make("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false" });
  const told = make("p", { role: "status", class: "note" });
  const choices = {};
  const bar = make("form", { class: "tools", role: "search", "aria-label": "Search and filter the lists" },
    make("label", { for: "search" }, "Search", search));
  const valuesOf = (name) => [...new Set(all.map((row) => row.dataset[name]).filter(Boolean))];
  for (const [name, word] of [["provider", "Provider"], ["currency", "Currency"], ["severity", "Severity"]]) {
    const values = valuesOf(name).sort((a, b) => SEVERITIES.indexOf(b) - SEVERITIES.indexOf(a) || compareTexts(a, b));
    if (values.length < 2) continue;
    const options = ["", ...values].map((value) => make("option", { value }, value || "all"));
    choices[name] = make("select", { id: `filter-${name}` }, ...options);
    bar.append(make("label", { for: `filter-${name}` }, word, choices[name]));
  }
  const reset = make("button", { type: "button" }, "Show all");
  bar.append(reset, told);

  // Each word has to stand somewhere in the row; a filter leaves alone the rows that know nothing of it.
  const texts = new Map(all.map((row) => [row, row.textContent.toLowerCase()]));
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = Object.entries(choices).filter(([, choice]) => choice.value);
    let left = 0;
    for (const row of all) {
      const fits = words.every((word) => texts.get(row).includes(word))
        && wanted.every(([name, choice]) => !row.dataset[name] || row.dataset[name] === choice.value);
      row.hidden = !fits;
      left += fits;
    }
    for (const table of tables) table.classList.toggle("none-left", rowsOf(table).every((row) => row.hidden));
    const isNarrowed = words.length > 0 || wanted.length > 0;
    told.textContent = isNarrowed ? `${left} of ${all.length} rows shown; the figures above count all.` : "";
  };
  bar.addEventListener("input", apply);
  bar.addEventListener("submit", (event) => event.preventDefault());
  reset.addEventListener("click", () => {
    bar.reset();
    apply();
  });

  // Rows shown as cards are a table still: some browsers tell no roles once the display of a table is changed.
  const roles = [["table", "table"], ["thead, tbody", "rowgroup"], ["tr", "row"], ["thead th", "columnheader"],
    ["tbody th", "rowheader"], ["td", "cell"]];
  for (const [what, role] of roles) {
    for (const table of document.querySelectorAll("table.cards")) {
      for (const element of what === "table" ? [table] : table.querySelectorAll(what)) element.setAttribute("role", role);
    }
  }

  document.documentElement.classList.add("scripted");
  const first = tables[0].closest("section") ?? tables[0];
  first.before(bar);
})();
