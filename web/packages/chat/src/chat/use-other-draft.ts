import { useEffect, useRef, useState } from "react";
import { HeldDraft } from "./logic/held-draft";

/** Takes over what was written to this conversation in another tab. Gives what is to be called when somebody types here. */
export function useOtherDraft(draft: string, take: (text: string) => void): () => void {
  const [held] = useState(() => new HeldDraft(draft));
  const latest = useRef(take);
  useEffect(() => {
    latest.current = take;
  });
  useEffect(() => {
    const text = held.heard(draft);
    if (text !== null) latest.current(text);
  }, [held, draft]);
  useEffect(() => {
    const left = () => held.left();
    addEventListener("blur", left);
    return () => removeEventListener("blur", left);
  }, [held]);
  return () => held.typed();
}
