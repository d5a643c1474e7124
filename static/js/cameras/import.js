/** Taking cameras in: the text with its line numbers, what it would change, and what is wrong where. */

import { need, readJson } from "../dom.js";
import { request } from "../http.js";
import { toast } from "../toast.js";

const LARGEST = 1024 * 1024;
const form = need("#import");
const text = /** @type {HTMLTextAreaElement} */ (need("#import-text", form));
const lines = need("[data-lines]", form);
const plan = need("#import-plan", form);
const file = /** @type {HTMLInputElement} */ (need("#import-file", form));
const button = need("[data-check-now]", form);
let checks = 0;

/** Numbers beside the text; lines with mistakes stand out. */
function number() {
  const wrong = new Set([...plan.querySelectorAll("[data-line]")].map((item) => Number(item.getAttribute("data-line"))));
  const count = text.value.split("\n").length;
  lines.replaceChildren(...Array.from({ length: count }, (_, at) => {
    const line = document.createElement("span");
    line.textContent = String(at + 1);
    line.className = wrong.has(at + 1) ? "is-wrong" : "";
    return line;
  }));
  lines.scrollTop = text.scrollTop;
}

/** What was found out holds for the text as it was. */
function forget() {
  checks += 1;
  plan.replaceChildren();
  number();
}

/** @param {string} value */
function put(value) {
  text.value = value;
  text.scrollTop = 0;
  forget();
}

async function check() {
  checks += 1;
  const now = checks;
  button.setAttribute("disabled", "");
  const body = new FormData();
  body.append("text", text.value);
  try {
    const answer = await (await request(form.dataset.check ?? "", { method: "POST", body, accept: "text/html" })).text();
    if (now !== checks) return;
    plan.replaceChildren(...new DOMParser().parseFromString(answer, "text/html").body.childNodes);
    number();
    plan.scrollIntoView({ block: "nearest" });
  } catch (error) {
    toast(/** @type {Error} */ (error).message, { error: true });
  } finally {
    button.removeAttribute("disabled");
  }
}

/** @param {File} chosen */
async function take(chosen) {
  if (chosen.size > LARGEST) {
    toast("This file is too large for a list of cameras.", { error: true });
    return;
  }
  put(await chosen.text());
  await check();
}

/** Goes to a line and marks it. @param {number} asked from 1; what is after the end is the last line */
function goTo(asked) {
  const all = text.value.split("\n");
  const wanted = Math.min(asked, all.length);
  const begin = all.slice(0, wanted - 1).reduce((sum, line) => sum + line.length + 1, 0);
  text.focus();
  text.setSelectionRange(begin, begin + (all[wanted - 1]?.length ?? 0));
  const height = text.scrollHeight / Math.max(1, all.length);
  text.scrollTop = Math.max(0, (wanted - 4) * height);
  text.scrollLeft = 0;
}

text.addEventListener("input", forget);
text.addEventListener("scroll", () => { lines.scrollTop = text.scrollTop; });
button.addEventListener("click", () => void check());
need("[data-example]", form).addEventListener("click", () => put(readJson("import-example")));
file.addEventListener("change", () => {
  if (file.files?.[0]) void take(file.files[0]);
  file.value = "";
});
plan.addEventListener("click", (event) => {
  const line = event.target instanceof Element ? event.target.closest("[data-line]") : null;
  if (line) goTo(Number(line.getAttribute("data-line")));
});
text.addEventListener("dragover", (event) => event.preventDefault());
text.addEventListener("drop", (event) => {
  const dropped = event.dataTransfer?.files[0];
  if (!dropped) return;
  event.preventDefault();
  void take(dropped);
});
number();
