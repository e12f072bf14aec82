import "@pakawaaz/ui/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app.tsx";
import { openEngine } from "./app/open-engine.ts";

const root = document.getElementById("root");
if (root) {
  const engine = await openEngine();
  createRoot(root).render(
    <StrictMode>
      <App engine={engine} />
    </StrictMode>,
  );
}
