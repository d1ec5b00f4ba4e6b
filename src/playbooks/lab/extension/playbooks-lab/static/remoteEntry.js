// Tables of outputs become filterable, queries can be copied. What a notebook stores stays plain markup: this
// script works on what JupyterLab has drawn, so nothing of it is kept, and text from evidence stays text.
(() => {
  "use strict";
  const here = document.currentScript.src.replace(/[^/]*$/, "");
  const config = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  const shared = `${config.baseUrl}static/`; // the script of itables, served by its own package
  const TABLES = ".jp-OutputArea-output table.grid, .jp-OutputArea-output table.dataframe";
  const QUERIES = ".jp-OutputArea-output pre.query";
  const FEW = 6; // rows that the eye takes in at once
  const PAGE = 20;

  const style = (address) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = address;
    document.head.append(link);
  };

  const number = (text) => (text === "–" ? -Infinity : Number(text.replaceAll(",", "")));

  // Numbers are sorted as numbers; what is missing comes before all.
  const sortable = (table) => {
    const rows = [...table.tBodies[0].rows];
    for (let column = 0; column < table.tHead.rows[0].cells.length; column += 1) {
      const cells = rows.map((row) => row.cells[column]);
      const numbers = cells.map((cell) => number(cell.textContent.trim()));
      if (numbers.every((found) => !Number.isNaN(found))) {
        cells.forEach((cell, place) => { cell.dataset.order = String(numbers[place]); });
      }
    }
  };

  const filterable = (DataTable, table) => {
    table.dataset.filterable = "yes";
    if (!table.tHead || table.tBodies.length !== 1 || table.tBodies[0].rows.length < FEW) return;
    sortable(table);
    table.classList.add("display", "compact");
    const paged = table.tBodies[0].rows.length > PAGE;
    new DataTable(table, {
      order: [],
      autoWidth: false,
      pageLength: PAGE,
      lengthMenu: [PAGE, 100, 500],
      layout: { topStart: paged ? "pageLength" : null, topEnd: "search", bottomStart: "info", bottomEnd: paged ? "paging" : null },
      language: { search: "Filter", lengthMenu: "_MENU_ rows" },
    });
  };

  const copyable = (query) => {
    query.dataset.copyable = "yes";
    const button = document.createElement("button");
    button.className = "copy-query";
    button.textContent = "Copy this query";
    const text = query.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy this query"; }, 2000);
    });
    query.before(button);
  };

  const activate = async () => {
    style(`${shared}dt_bundle.css`);
    style(`${here}style.css`);
    const { default: DataTable } = await import(`${shared}dt_bundle.js`);
    DataTable.ext.errMode = "none"; // a table that cannot be filtered stays as it is; no dialog
    const look = () => {
      document.querySelectorAll(TABLES).forEach((table) => { if (!table.dataset.filterable) filterable(DataTable, table); });
      document.querySelectorAll(QUERIES).forEach((query) => { if (!query.dataset.copyable) copyable(query); });
    };
    let asked = false;
    const soon = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => { asked = false; look(); });
    };
    new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
    look();
  };

  const plugin = { id: "playbooks-lab:outputs", autoStart: true, activate };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB["playbooks-lab"] = {
    init: () => undefined,
    get: (name) => name === "./extension"
      ? Promise.resolve(() => ({ __esModule: true, default: plugin }))
      : Promise.reject(new Error(`playbooks-lab has no ${name}`)),
  };
})();
