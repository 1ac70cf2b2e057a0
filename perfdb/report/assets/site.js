// Everything works without this: it sorts, filters, draws and searches. See perfdb/report/site/hooks.py for the marks.
(function () {
  "use strict";

  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  var paper = window.matchMedia("print");
  var charts = [];

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  }

  // --- light and dark ---

  function themeSwitch() {
    var button = document.querySelector("[data-theme-switch]");
    if (!button) return;
    function tell() {
      button.setAttribute("aria-pressed", String(isDark()));
      button.textContent = isDark() ? "Light" : "Dark";
    }
    button.hidden = false;
    tell();
    button.addEventListener("click", function () {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem("perfdb-theme", root.dataset.theme); } catch (_) { /* for this page only, then */ }
      tell();
      drawAll();
    });
    dark.addEventListener("change", function () { tell(); drawAll(); });
    paper.addEventListener("change", drawAll);
  }

  // --- charts ---

  function draw(chart) {
    var themes = window.perfdbThemes;
    var spec = JSON.parse(chart.text);
    if (chart.wide && typeof spec.width === "number") {
      spec.width = Math.max(180, Math.min(spec.width, chart.figure.clientWidth - 130));
    }
    var options = { ast: true, actions: false, renderer: "svg", logLevel: 1, config: isDark() && !paper.matches ? themes.dark : themes.light };
    return window.vegaEmbed(chart.plot, spec, options).then(function (made) {
      if (chart.made) chart.made.finalize();
      chart.made = made;
      chart.plot.classList.add("drawn");
      chart.figure.dataset.drawn = "true";
    }).catch(function (error) {
      chart.figure.classList.add("broken");
      chart.plot.textContent = "This chart could not be drawn; its numbers are in the table.";
      console.error(error);
    });
  }

  function drawAll() {
    charts.forEach(function (chart) { if (chart.seen) draw(chart); });
  }

  function findCharts() {
    if (!window.vegaEmbed) return;
    var figures = document.querySelectorAll("[data-chart]");
    var watching = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (entry.isIntersecting) start(charts[Number(entry.target.dataset.number)]);
      });
    }, { rootMargin: "400px" });
    function start(chart) {
      if (chart.seen) return;
      chart.seen = true;
      watching.unobserve(chart.figure);
      draw(chart);
    }
    figures.forEach(function (figure, number) {
      var source = figure.querySelector("[data-spec]");
      charts.push({ figure: figure, plot: figure.querySelector("[data-plot]"), text: source.textContent, wide: true });
      figure.dataset.number = String(number);
      watching.observe(figure);
    });
    window.addEventListener("beforeprint", function () { charts.forEach(start); });
  }

  // --- tables ---

  function valueOf(row, column, kind) {
    var cell = row.cells[column];
    if (!cell) return null;
    var text = cell.dataset.value !== undefined ? cell.dataset.value : cell.textContent.trim();
    if (text === "") return null;
    if (kind === "number") return Number(text);
    return text;
  }

  function compare(a, b, kind) {
    if (kind === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true, sensitivity: "base" });
  }

  function sortable(table) {
    var heads = table.tHead ? Array.prototype.slice.call(table.tHead.rows[0].cells) : [];
    heads.forEach(function (head, column) {
      if (!head.dataset.sort) return;
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.addEventListener("click", function () {
        var up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        var body = table.tBodies[0];
        var rows = Array.prototype.map.call(body.rows, function (row, place) {
          return { row: row, place: place, value: valueOf(row, column, head.dataset.sort) };
        });
        rows.sort(function (a, b) {
          if (a.value === null || b.value === null) {
            return (a.value === null) - (b.value === null) || a.place - b.place;
          }
          return (up ? 1 : -1) * compare(a.value, b.value, head.dataset.sort) || a.place - b.place;
        });
        var all = document.createDocumentFragment();
        rows.forEach(function (each) { all.appendChild(each.row); });
        body.appendChild(all);
      });
    });
  }

  function filterable(input) {
    var table = document.getElementById(input.dataset.filter);
    var told = document.getElementById(input.dataset.told);
    if (!table) return;
    input.closest(".controls").hidden = false;
    function apply() {
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      var shown = 0;
      Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
        if (row.dataset.words === undefined) row.dataset.words = row.textContent.toLowerCase();
        var fits = words.every(function (word) { return row.dataset.words.indexOf(word) >= 0; });
        row.hidden = !fits;
        shown += fits;
      });
      if (told) told.textContent = shown + " of " + table.tBodies[0].rows.length + " rows";
    }
    input.addEventListener("input", apply);
    apply();
  }

  // --- search among all records ---

  function searchable(input) {
    var list = document.getElementById(input.dataset.results);
    var told = document.getElementById(input.dataset.told);
    var asked = false;
    input.closest(".controls").hidden = false;
    function apply() {
      var all = window.perfdbRecords;
      if (!all) return;
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      list.textContent = "";
      if (!words.length) { told.textContent = all.length + " records can be searched"; return; }
      var found = all.filter(function (row) {
        var text = row.join(" ").toLowerCase();
        return words.every(function (word) { return text.indexOf(word) >= 0; });
      });
      found.slice(0, 100).forEach(function (row) {
        var item = document.createElement("li");
        var link = document.createElement("a");
        link.href = "../records/" + row[0] + ".html";
        link.textContent = row[1];
        item.appendChild(link);
        item.appendChild(document.createTextNode(" " + row.slice(2).filter(Boolean).join(" · ") + " · " + row[0].slice(0, 8)));
        list.appendChild(item);
      });
      told.textContent = found.length + " found" + (found.length > 100 ? ", the newest 100 are shown" : "");
    }
    function load() {
      if (asked) return;
      asked = true;
      var script = document.createElement("script");
      script.src = input.dataset.search;
      script.addEventListener("load", apply);
      document.head.appendChild(script);
    }
    input.addEventListener("focus", load);
    input.addEventListener("input", function () { load(); apply(); });
  }

  themeSwitch();
  document.querySelectorAll("table[data-table]").forEach(sortable);
  document.querySelectorAll("input[data-filter]").forEach(filterable);
  document.querySelectorAll("input[data-search]").forEach(searchable);
  // A link to what is folded away unfolds it.
  function unfold() {
    var target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  }
  window.addEventListener("hashchange", unfold);
  unfold();
  findCharts();
})();
