/** The gallery: the field searches while it is typed in; leaving it must not search again. */

import { need } from "../dom.js";

need("#people-q").addEventListener("change", (event) => event.stopPropagation());
