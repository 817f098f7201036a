// Beside the text of a picture: a file to choose or to drop, and a look at it. It never leaves the page but in the form.
"use strict";

function take(area, file) {
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    area.value = reader.result;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  reader.readAsDataURL(file);
}

function offer(field) {
  if (field.querySelector(".drop")) return;
  const area = field.querySelector("textarea");
  const label = element("label", "", "drop");
  const input = element("input");
  input.type = "file";
  input.accept = "image/png,image/jpeg,image/webp,image/gif,image/bmp";
  input.addEventListener("change", () => input.files[0] && take(area, input.files[0]));
  for (const kind of ["dragenter", "dragover"]) label.addEventListener(kind, () => label.classList.add("over"));
  for (const kind of ["dragleave", "drop"]) label.addEventListener(kind, () => label.classList.remove("over"));
  label.append(element("span", "Choose a picture, or drop it here", "prompt"), input);
  const details = element("details");
  details.append(element("summary", "As a text: the picture, or lists of numbers"));
  details.open = area.getAttribute("aria-invalid") === "true";
  area.replaceWith(details);
  details.append(area);
  field.append(label, details);
  showAt(field, area);
}

function showAt(field, area) {
  const shown = field.querySelector(".picture");
  const show = () => {
    const holds = area.value.startsWith("data:image/");
    shown.hidden = !holds;
    shown.src = holds ? area.value : "data:,";
  };
  shown.addEventListener("load", () => shown.toggleAttribute("data-large", shown.naturalWidth > 128));
  area.addEventListener("input", show);
  show();
}

function offerAll() {
  for (const field of document.querySelectorAll(".pictured")) offer(field);
}

new MutationObserver(offerAll).observe(document.getElementById("fields"), { childList: true });
offerAll();
