import { Outlet } from "@tanstack/react-router";
import { useTopic } from "./engine.tsx";

/** Exactly one group of screens belongs to each phase of the profile. */
export function Gate() {
  const app = useTopic("app", {});
  if (!app || app.phase === "starting") return null;
  return <Outlet />;
}
