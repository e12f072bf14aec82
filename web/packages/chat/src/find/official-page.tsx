import type { Id } from "@pakawaaz/api/protocol";

export function OfficialPage({ official }: { official: Id }) {
  return <p>{official}</p>;
}
