import type { Engine } from "@pakawaaz/api/protocol";
import { fixtureEngine } from "../gallery/fixture-engine.ts";

export function openEngine(): Promise<Engine> {
  return Promise.resolve(fixtureEngine());
}
