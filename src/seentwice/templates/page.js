// A press on the head of a numeric column sorts by it, highest first, then lowest first.
// Without scripts the tables stay as they were written.
for (const head of document.querySelectorAll("thead th.number")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = head.textContent;
  head.replaceChildren(button);
  button.addEventListener("click", () => {
    const direction = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    const body = head.closest("table").tBodies[0];
    const value = (row) => row.cells[head.cellIndex].dataset.value;
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      return direction * (x - y);
    });
    body.append(...rows);
  });
}
