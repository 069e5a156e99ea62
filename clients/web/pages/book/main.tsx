/** /book/#<ticket>: where a chat's link leads. The fragment of an address is sent to no server. */
import "../../src/widget/style.css";
import "../linked.css";
import { createRoot } from "react-dom/client";
import { readLink } from "./link.js";
import { Page } from "./Page.js";

const root = document.getElementById("root");
// Another link in the same window is another page.
addEventListener("hashchange", () => location.reload());
if (root) createRoot(root).render(<Page link={readLink(location.hash)} />);
