/** The gallery of styles; its filters and pages are htmx's. */

import { searchWhileTyping } from "../selecting.js";

searchWhileTyping();
