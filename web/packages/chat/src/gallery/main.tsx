import "@pakawaaz/ui/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Gallery } from "./gallery.tsx";
import { Screen } from "./screen.tsx";

const query = new URLSearchParams(location.search);
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>{query.has("screen") ? <Screen query={query} /> : <Gallery query={query} />}</StrictMode>,
  );
}
