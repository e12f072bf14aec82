import { connect } from "@pakawaaz/api";
import type { Engine } from "@pakawaaz/api/protocol";
import { scriptAddress } from "./trusted.ts";

/** The engine of this origin: the Rust client core in a worker, shared by all tabs. */
export function openEngine(): Engine {
  return connect({ trusted: scriptAddress });
}
