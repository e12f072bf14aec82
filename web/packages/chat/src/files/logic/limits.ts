/** Limits of the server that are told in figures. */
export type Limit = "quota" | "size";

/** Which limit a refusal is about. */
export function limitOf(failure: string | null): Limit | null {
  if (failure === "files.quota") return "quota";
  return failure === "files.too_large" ? "size" : null;
}
