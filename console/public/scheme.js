// Sets the colour scheme before the first paint, so that the page never flashes in the wrong one. Mantine reads and
// writes the same key. Storage can be forbidden by the browser; then the system's preference holds.
(function () {
  var choice = null;
  try {
    choice = window.localStorage.getItem("threadline-color-scheme");
  } catch {
    choice = null;
  }
  var dark = choice === "dark" || (choice !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
