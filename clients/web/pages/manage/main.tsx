/** /manage/#<token>: where a letter's link leads. The fragment of an address is sent to no server. */
import "../../src/widget/style.css";
import "../linked.css";
import "./manage.css";
import { createRoot } from "react-dom/client";
import { createDesk } from "./desk.js";
import { readLink } from "./link.js";
import { createManaging } from "./managing.js";
import { Page } from "./Page.js";

const root = document.getElementById("root");
// Another link in the same window is another page.
addEventListener("hashchange", () => location.reload());
if (root) {
  const link = readLink(location.hash);
  const managing = link && createManaging(createDesk(link));
  managing?.open();
  createRoot(root).render(<Page managing={managing} />);
}
