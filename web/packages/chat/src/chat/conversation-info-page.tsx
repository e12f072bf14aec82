import type { Id } from "@pakawaaz/api/protocol";

export function ConversationInfoPage({ group }: { group: Id }) {
  return <p>{group}</p>;
}
