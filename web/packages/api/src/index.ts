/** The engine of this origin, for screens: see `protocol.ts`. */
export { connect, type Options } from "./engine.ts";
export type * from "./protocol.ts";
