// Sends what stands in a call's field and shows the answer; without this file the page is read only.
"use strict";

const SHOWN_LETTERS = 20000;

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function call(form) {
  const options = { method: form.dataset.method, headers: {} };
  if (form.elements.body) {
    options.body = form.elements.body.value;
    options.headers["content-type"] = "application/json";
  }
  if (form.elements.key && form.elements.key.value) options.headers["x-api-key"] = form.elements.key.value;
  const output = form.querySelector("output");
  let told;
  try {
    const response = await fetch(form.dataset.path, options);
    told = `${response.status} ${response.statusText}\n${pretty(await response.text())}`;
  } catch {
    told = "The server cannot be reached.";
  }
  output.textContent = told.slice(0, SHOWN_LETTERS);
  output.parentElement.hidden = false;
}

for (const form of document.querySelectorAll("form.try")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    call(form);
  });
}
