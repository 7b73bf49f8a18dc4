// Every table is a file at a click.  Long lists are written by the server, which knows rows beyond this page;
// the others as they are shown, with moments in ISO 8601.

const KINDS = { csv: "text/csv", json: "application/json" };

// A table that only says that it is empty is not worth a file.
function showFileButtons() {
  for (const part of document.querySelectorAll(".as-file")) {
    const { rows } = part.previousElementSibling.querySelector("table");
    part.hidden = ![...rows].some((row) => row.parentNode.nodeName === "TBODY" && row.cells.length > 1);
  }
}
showFileButtons();
document.addEventListener("patched", showFileButtons);

function text(cell) {
  const moments = cell.querySelectorAll("time");
  if (moments.length === 1 && cell.textContent.trim() === moments[0].textContent.trim()) return moments[0].dateTime;
  const shown = cell.cloneNode(true);
  for (const control of shown.querySelectorAll("form, button, details, svg")) control.remove();
  return shown.textContent.replace(/\s+/g, " ").trim();
}

function spread(row) {
  return [...row.cells].flatMap((cell) => [text(cell), ...Array(cell.colSpan - 1).fill("")]);
}

function names(table) {
  const row = table.tHead?.rows[table.tHead.rows.length - 1];
  return row ? spread(row).map((name, place) => name || `column ${place + 1}`) : [];
}

// A spreadsheet runs text that begins like a formula, so such text gets an apostrophe.
function quoted(value) {
  const safe = /^[=+\-@\t\r]/.test(value) && !/^-?[\d.,]+\D{0,4}$/.test(value) ? `'${value}` : value;
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function written(table, kind) {
  const columns = names(table);
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]).map(spread);
  if (kind === "csv") return [columns, ...rows].filter((row) => row.length).map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
  const named = (row) => Object.fromEntries(row.map((value, place) => [columns[place] || `column ${place + 1}`, value]));
  return JSON.stringify(rows.map(named), null, 1) + "\n";
}

function fileName(table) {
  const title = table.closest("section, details")?.querySelector("h2, h3")?.textContent || "";
  const words = `${location.pathname} ${title}`.toLowerCase().match(/[a-z0-9_]+/g) || ["table"];
  return words.join("-").slice(0, 100);
}

document.addEventListener("click", (event) => {
  const kind = event.target.closest("[data-as-file]")?.dataset.asFile;
  if (!kind) return;
  const table = event.target.closest(".as-file").previousElementSibling.querySelector("table");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([written(table, kind)], { type: `${KINDS[kind]};charset=utf-8` }));
  link.download = `${fileName(table)}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
