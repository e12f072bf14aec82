import { useLingui } from "@lingui/react/macro";
import type { HeldPost } from "@pakawaaz/api/protocol";
import { Badge, type Tone } from "@pakawaaz/ui";
import { useFormat } from "../app/i18n.tsx";

/** What this device could check of an appointment, in words. */
export function useStandingWords(): Record<NonNullable<HeldPost["standing"]>, [Tone, string]> {
  const { t } = useLingui();
  return {
    verified: ["ok", t`Appointment checked`],
    expired: ["warn", t`The term is over`],
    outdated: ["warn", t`A newer appointment exists`],
    unverified: ["warn", t`Only the server says so`],
  };
}

/** How an appointment is held and what this device could check of it. Silence counts as unchecked. */
export function StandingBadges({ post }: { post: Pick<HeldPost, "kind" | "until" | "standing"> }) {
  const { t } = useLingui();
  const format = useFormat();
  const standings = useStandingWords();
  const [tone, label] = standings[post.standing ?? "unverified"];
  return (
    <p className="mt-1 flex flex-wrap gap-1.5">
      <Badge tone={tone}>{label}</Badge>
      {post.kind === "acting" && <Badge>{t`Acting`}</Badge>}
      {post.until ? <Badge>{t`Until ${format.date(post.until)}`}</Badge> : null}
    </p>
  );
}
