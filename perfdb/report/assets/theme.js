// Before anything is painted: the theme that the reader chose, if any. Storage may be forbidden, as it is for some files.
(function () {
  "use strict";
  try {
    var chosen = localStorage.getItem("perfdb-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch (_) { /* the system's theme it is */ }
})();
