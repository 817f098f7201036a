// The page works without this file. With it, an answer appears without loading the page again: the server renders
// the page either way, and the parts that changed are swapped in.
"use strict";

document.documentElement.classList.add("scripted");

const PREVIEW_ROWS = 5;
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

function unreadable() {
  // What a browser cannot read as a number or a date is sent as nothing: it must not pass for an empty field.
  return [...rowForm.elements].filter((field) => field.validity && field.validity.badInput);
}

async function predictRow() {
  const wrong = unreadable();
  if (wrong.length) {
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
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ["fields", "result"]) {
    document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
  }
  const invalid = rowForm.querySelector("[aria-invalid]");
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

rowForm.noValidate = true; // the server says what is wrong, at its field
rowForm.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(rowForm.querySelector("button"), predictRow);
});

// A whole file.

function send(file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch does not tell how far an upload is
    const body = new FormData();
    body.append("file", file);
    request.open("POST", "predict/file");
    request.responseType = "blob";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress.value = event.loaded / event.total;
    });
    request.upload.addEventListener("load", () => progress.removeAttribute("value"));
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", () => reject(new Error("The server cannot be reached.")));
    request.send(body);
  });
}

function firstRows(text, count) {
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
    } else if (letter === ",") {
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
  return rows;
}

function short(text) {
  return /^-?\d*\.\d{5,}(e-?\d+)?$/.test(text) ? String(Number(Number(text).toPrecision(4))) : text;
}

function preview(rows) {
  const [header, ...lines] = rows;
  const first = header.indexOf("prediction") < 0 ? 0 : header.lastIndexOf("prediction");
  const order = [...header.keys()].slice(first).concat([...header.keys()].slice(0, first)); // answers in sight
  const table = element("table");
  const head = element("tr");
  head.append(...order.map((place) => element("th", header[place], place < first ? "" : "new")));
  table.append(element("thead"), element("tbody"));
  table.tHead.append(head);
  for (const line of lines) {
    const shown = element("tr");
    for (const place of order) {
      shown.append(place < first ? element("td", line[place]) : element("td", short(line[place]), "new"));
    }
    table.tBodies[0].append(shown);
  }
  const frame = element("div", "", "scroll");
  frame.tabIndex = 0;
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", "First rows of the answer");
  frame.append(table);
  return frame;
}

async function predictFile() {
  const file = fileInput.files[0];
  const progress = element("progress");
  progress.max = 1;
  progress.value = 0;
  progress.setAttribute("aria-label", "Sending the file");
  fileResult.replaceChildren(progress);
  try {
    const request = await send(file, progress);
    if (request.status !== 200) {
      fileResult.replaceChildren(fileRefusal(await request.response.text()));
      return;
    }
    const start = await request.response.slice(0, 1 << 18).text();
    if (download) URL.revokeObjectURL(download);
    download = URL.createObjectURL(request.response);
    const link = element("a", "Download the answer");
    link.href = download;
    link.download = `${file.name.replace(/\.[^.]*$/, "")}-predictions.csv`;
    const line = element("p");
    line.append(link);
    fileResult.replaceChildren(line, preview(firstRows(start, PREVIEW_ROWS + 1)));
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

function choose() {
  const prompt = uploadForm.querySelector(".prompt");
  prompt.textContent = fileInput.files.length ? fileInput.files[0].name : "Choose a CSV file, or drop it here";
}

const zone = uploadForm.querySelector(".drop");
for (const kind of ["dragenter", "dragover"]) zone.addEventListener(kind, () => zone.classList.add("over"));
for (const kind of ["dragleave", "drop"]) zone.addEventListener(kind, () => zone.classList.remove("over"));
fileInput.addEventListener("change", choose);
uploadForm.addEventListener("submit", (event) => {
  event.preventDefault();
  busy(uploadForm.querySelector("button"), predictFile);
});
choose();
