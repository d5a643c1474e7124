/** The list of results: selecting many, and the cards of those in work follow their painting. */

import { followTicks, searchWhileTyping } from "../selecting.js";
import { followCards } from "./cards.js";

followTicks("result");
searchWhileTyping();
followCards();

// What it was before is fetched when somebody looks closer, and not for a whole page of cards.
document.addEventListener("pointerover", (event) => {
  const card = event.target instanceof Element ? event.target.closest(".restyling-card") : null;
  const before = card?.querySelector("img[data-before]");
  if (!(before instanceof HTMLImageElement)) return;
  before.src = before.dataset.before ?? "";
  before.removeAttribute("data-before");
  before.addEventListener("load", () => { before.hidden = false; }, { once: true });
});
