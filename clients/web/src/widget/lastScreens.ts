/** In one piece: once a time is held, nothing more is fetched that a lost connection could keep back. */
export { DetailsScreen } from "./DetailsScreen.js";
export { DoneScreen } from "./DoneScreen.js";
