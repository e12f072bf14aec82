import type { Id } from "@pakawaaz/api/protocol";

export function ConversationPage({ group }: { group: Id }) {
  return <p>{group}</p>;
}
