export * from "./classes.ts";
export * from "./components/button.tsx";
export * from "./components/progress.tsx";
export * from "./components/tooltip.tsx";
