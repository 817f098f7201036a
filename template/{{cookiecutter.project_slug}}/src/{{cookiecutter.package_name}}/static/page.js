// The page works without this file. With it, an answer appears without loading the page again: the server renders
// the page either way, and the parts that changed are swapped in.
"use strict";

document.documentElement.classList.add("scripted");

const PREVIEW_ROWS = 5;
const PREVIEW_BYTES = 1 << 18;
const DELIMITERS = [",", ";", "\t", "|"];
const rowForm = document.getElementById("row");
const result = document.getElementById("result");
const uploadForm = document.getElementById("upload");
const fileInput = document.getElementById("file");
const fileResult = document.getElementById("file-result");
let download = null;

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function refusal(title, lines) {
  const box = element("div", "", "refusal");
  box.setAttribute("role", "alert");
  const list = element("ul");
  list.append(...lines.map((line) => element("li", line)));
  box.append(element("h2", title), list);
  return box;
}

async function busy(button, work) {
  button.disabled = true;
  try {
    await work();
  } finally {
    button.disabled = false;
  }
}

// One row.

// The server's own page, every name and cell in it escaped there; the parser runs no scripts.
const own = window.trustedTypes ? window.trustedTypes.createPolicy("page", { createHTML: (html) => html }) : null;

function parsed(html) {
  return new DOMParser().parseFromString(own ? own.createHTML(html) : html, "text/html");
}

function unreadable() {
  // What a browser cannot read as a number or a date is sent as nothing: it must not pass for an empty field.
  return [...rowForm.elements].filter((field) => field.validity && field.validity.badInput);
}

async function predictRow() {
  const wrong = unreadable();
  if (wrong.length) {
    const folded = wrong[0].closest("details");
    if (folded) folded.open = true;
    wrong[0].reportValidity();
    return;
  }
  const focused = document.activeElement && document.activeElement.id;
  let response;
  try {
    response = await fetch("./", { method: "POST", body: new URLSearchParams(new FormData(rowForm)) });
  } catch {
    result.replaceChildren(refusal("No answer", ["The server cannot be reached."]));
    return;
  }
  if (!(response.headers.get("content-type") || "").startsWith("text/html")) {
    result.replaceChildren(refusal("No answer", [await reason(response)]));
    return;
  }
  const fresh = parsed(await response.text());
  const [others, sought] = [document.getElementById("others"), document.getElementById("find")];
  const [unfolded, words] = [others && others.open, sought && sought.value];
  for (const id of ["fields", "result"]) {
    document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
  }
  if (unfolded) document.getElementById("others").open = true;
  if (words) {
    document.getElementById("find").value = words;
    findColumns();
  }
  const key = response.status === 401 && document.getElementById("key");
  const invalid = key || rowForm.querySelector("[aria-invalid]");
  const field = invalid || (focused && document.getElementById(focused));
  if (field) field.focus({ preventScroll: !invalid });
  if (!invalid) result.scrollIntoView({ block: "nearest" });
}

async function reason(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return `The server answered ${response.status}.`;
  }
}

function findColumns() {
  const words = document.getElementById("find").value.trim().toLowerCase();
  const fields = [...document.querySelectorAll("#others .field")];
  for (const field of fields) field.hidden = !field.textContent.toLowerCase().includes(words);
  const shown = fields.filter((field) => !field.hidden).length;
  document.getElementById("found").textContent = words ? `${shown} of ${fields.length} columns` : "";
}

rowForm.addEventListener("input", (event) => {
  if (event.target.id === "find") findColumns();
});
rowForm.addEventListener("keydown", (event) => {
  if (event.target.id === "find" && event.key === "Enter") event.preventDefault(); // to find is not to predict
});
rowForm.noValidate = true; // the server says what is wrong, at its field
rowForm.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(rowForm.querySelector("button"), predictRow);
});

// A whole file.

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function send(file, progress, stage) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how far an upload is
    const body = new FormData();
    body.append("file", file);
    request.open("POST", "predict/file");
    const key = document.getElementById("key");
    if (key && /[^ -~]/.test(key.value)) throw new Error("The API key holds letters that no key has.");
    if (key) request.setRequestHeader("X-API-Key", key.value);
    request.responseType = "blob";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress.value = event.loaded / event.total;
    });
    request.upload.addEventListener("load", () => {
      progress.removeAttribute("value");
      stage.textContent = "The file has arrived and is being answered.";
    });
    request.addEventListener("progress", (event) => {
      stage.textContent = `The answer is coming: ${size(event.loaded)}.`;
    });
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", () => reject(new Error("The server cannot be reached.")));
    request.send(body);
  });
}

function rowsOf(text, delimiter, count) {
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  for (let place = 0; place < text.length && rows.length < count; place += 1) {
    const letter = text[place];
    if (quoted) {
      if (letter !== '"') {
        cell += letter;
      } else if (text[place + 1] === '"') {
        cell += letter;
        place += 1;
      } else {
        quoted = false;
      }
    } else if (letter === '"') {
      quoted = true;
    } else if (letter === delimiter) {
      row.push(cell);
      cell = "";
    } else if (letter === "\n") {
      rows.push([...row, cell]);
      row = [];
      cell = "";
    } else if (letter !== "\r") {
      cell += letter;
    }
  }
  if (rows.length < count && (row.length || cell)) rows.push([...row, cell]);
  return rows;
}

function firstRows(text) {
  // The server reads the file in full and decides; this is for a look before sending.
  const read = DELIMITERS.map((delimiter) => rowsOf(text, delimiter, PREVIEW_ROWS + 1));
  const alike = (rows) => (rows.length && rows[0].length > 1 ? rows.filter((row) => row.length === rows[0].length).length : 0);
  return read.reduce((best, rows) => (alike(rows) > alike(best) ? rows : best));
}

async function beginning(file) {
  const bytes = new Uint8Array(await file.slice(0, PREVIEW_BYTES).arrayBuffer());
  const mark = bytes[0] * 256 + bytes[1];
  if (mark === 0xfffe || mark === 0xfeff) return new TextDecoder(mark === 0xfffe ? "utf-16le" : "utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

function short(text) {
  return /^-?\d*\.\d{5,}(e-?\d+)?$/.test(text) ? String(Number(Number(text).toPrecision(4))) : text;
}

function tableOf(rows, name, first) {
  const [header, ...lines] = rows;
  const order = [...header.keys()].slice(first).concat([...header.keys()].slice(0, first)); // answers in sight
  const answers = first > 0;
  const table = element("table");
  const caption = element("caption", name);
  const head = element("tr");
  for (const place of order) {
    const title = element("th", header[place], answers && place >= first ? "new" : "");
    title.scope = "col";
    head.append(title);
  }
  table.append(caption, element("thead"), element("tbody"));
  table.tHead.append(head);
  for (const line of lines) {
    const shown = element("tr");
    for (const place of order) {
      const fresh = answers && place >= first;
      shown.append(fresh ? element("td", short(line[place] || ""), "new") : element("td", line[place]));
    }
    table.tBodies[0].append(shown);
  }
  const frame = element("div", "", "scroll");
  frame.tabIndex = 0;
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", name);
  frame.append(table);
  return frame;
}

function columnCheck(header) {
  const wanted = [...document.querySelectorAll("#fields .field")].map((field) => ({
    name: field.querySelector(".name").textContent,
    needed: !field.querySelector(".optional"),
  }));
  const given = new Set(header.map((name) => name.trim()));
  const lacking = wanted.filter((column) => !given.has(column.name.trim()));
  const found = `${wanted.length - lacking.length} of ${wanted.length} columns of the model are in the file.`;
  const needed = lacking.filter((column) => column.needed).map((column) => column.name);
  const line = element("p", found, "quiet");
  if (!needed.length) return [line];
  const more = needed.length > 10 ? ` and ${needed.length - 10} more` : "";
  const told = element("p", `Not found, but needed: ${needed.slice(0, 10).join(", ")}${more}.`, "problem");
  return [line, told];
}

async function showFile() {
  const prompt = uploadForm.querySelector(".prompt");
  const file = fileInput.files[0];
  prompt.textContent = file ? `${file.name}, ${size(file.size)}` : "Choose a CSV file, or drop it here";
  fileResult.replaceChildren();
  if (!file) return;
  try {
    const rows = firstRows(await beginning(file));
    if (fileInput.files[0] !== file) return; // another one was chosen meanwhile
    if (rows.length) fileResult.replaceChildren(...columnCheck(rows[0]), tableOf(rows, "First rows of your file", 0));
  } catch {
    fileResult.replaceChildren(refusal("The file cannot be read", ["Choose it again: it may have been moved or changed."]));
  }
}

async function predictFile() {
  const file = fileInput.files[0];
  const stage = element("p", `Sending ${size(file.size)}.`, "quiet");
  const progress = element("progress");
  progress.max = 1;
  progress.value = 0;
  progress.setAttribute("aria-label", "How much of the file is sent");
  fileResult.replaceChildren(stage, progress);
  try {
    const request = await send(file, progress, stage);
    if (request.status !== 200) {
      fileResult.replaceChildren(fileRefusal(await request.response.text()));
      return;
    }
    const start = await request.response.slice(0, PREVIEW_BYTES).text();
    if (download) URL.revokeObjectURL(download);
    download = URL.createObjectURL(request.response);
    const link = element("a", `Download the answer (${size(request.response.size)})`);
    link.href = download;
    link.download = `${file.name.replace(/\.[^.]*$/, "")}-predictions.csv`;
    const line = element("p");
    line.append(link);
    const rows = rowsOf(start, ",", PREVIEW_ROWS + 1);
    fileResult.replaceChildren(line, tableOf(rows, "First rows of the answer", Math.max(0, rows[0].lastIndexOf("prediction"))));
    link.focus();
  } catch (error) {
    fileResult.replaceChildren(refusal("No answer", [error.message]));
  }
}

function fileRefusal(text) {
  let told;
  try {
    told = JSON.parse(text);
  } catch {
    return refusal("No answer", ["The server could not read the file."]);
  }
  const errors = (told.errors || []).slice(0, 10).map((error) => {
    const where = [];
    if (error.row !== null) where.push(`row ${error.row + 1}`);
    if (error.column !== null) where.push(error.column);
    return where.length ? `${where.join(", ")}: ${error.message}` : error.message;
  });
  return refusal("The file was not answered", errors.length ? errors : [told.detail]);
}

const zone = uploadForm.querySelector(".drop");
for (const kind of ["dragenter", "dragover"]) zone.addEventListener(kind, () => zone.classList.add("over"));
for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
fileInput.addEventListener("change", showFile);
uploadForm.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(uploadForm.querySelector("button"), predictFile);
});
showFile();
