import "@pakawaaz/ui/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app.tsx";
import { openEngine } from "./app/open-engine.ts";
import { apply, stored } from "./app/preferences.tsx";
import { registerServiceWorker } from "./app/updates.tsx";

// Before anything is drawn: the right language, direction and theme.
apply(stored());
const root = document.getElementById("root");
if (root) {
  const engine = openEngine();
  createRoot(root).render(
    <StrictMode>
      <App engine={engine} />
    </StrictMode>,
  );
}
if (import.meta.env.PROD) void registerServiceWorker();
