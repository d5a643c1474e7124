/** Where the time of a frame goes, as a bar of its stages. */

import { html, need } from "../dom.js";
import { one } from "./format.js";

/** @type {[string, string][]} stages in their order, with their words */
const STAGES = [
  ["decode", "decode"], ["wait", "wait"], ["gate", "gate"], ["detect", "detect"], ["track", "track"],
  ["events", "events"], ["encode", "encode"],
];
const LEAST = 0.05; // milliseconds worth a word

/** @param {ParentNode} root with a bar and its legend @param {Record<string, number>} ms */
export function drawLatency(root, ms) {
  const bar = need("[data-latency]", root);
  const legend = need("[data-latency-legend]", root);
  const parts = STAGES.filter(([key]) => (ms[key] ?? 0) >= LEAST);
  const text = parts.map(([key, word]) => `${word} ${one(ms[key])} ms`).join(", ");
  bar.setAttribute("aria-label", parts.length ? `A frame takes ${one(ms.total)} ms: ${text}` : "No frame has been analysed yet");
  bar.title = text;
  bar.replaceChildren(...parts.map(([key]) => {
    const part = html("i", { "data-stage": key });
    part.style.setProperty("flex-grow", String(ms[key]));
    return part;
  }));
  if (!parts.length) {
    legend.textContent = "No frame has been analysed yet";
    return;
  }
  const words = parts.map(([key, word]) => html("span", {}, html("i", { "data-stage": key }), `${word} `, html("b", {}, one(ms[key]))));
  legend.replaceChildren(...words, html("span", { class: "latency-total" }, html("b", {}, `${one(ms.total)} ms`), " in all"));
}
