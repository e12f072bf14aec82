import type { HeldPost, Id } from "@pakawaaz/api/protocol";
import { ShieldAlert, ShieldCheck } from "lucide-react";
import { useFormat } from "../app/i18n.tsx";
import { UserText } from "../chat/parts/user-text";
import { useStandingWords } from "./standing";
import { useOfficial } from "./use-find";

/**
 * Post and organisation of an official in one line, as Find shows them, with what this device could check of the
 * appointment. `otherwise` stands there until the official is known.
 */
export function PostLine({ official: id, otherwise }: { official: Id; otherwise: string }) {
  const format = useFormat();
  const { official } = useOfficial(id);
  if (!official) return <>{otherwise}</>;
  const post = official.posts[0];
  const comma = format.language === "ur" ? "، " : ", ";
  const units = post ? [...post.units].reverse().map((unit) => format.name(unit)) : [];
  const text = [post ? format.name(post.title) : format.name(official.rank), ...units.slice(0, 2)].join(comma);
  return (
    <span className="flex min-w-0 items-center gap-1.5" title={text}>
      {post && <Checked post={post} />}
      <UserText className="min-w-0 truncate">{text}</UserText>
    </span>
  );
}

function Checked({ post }: { post: HeldPost }) {
  const words = useStandingWords();
  const standing = post.standing ?? "unverified";
  const [, label] = words[standing];
  const Icon = standing === "verified" ? ShieldCheck : ShieldAlert;
  return (
    <span title={label} className={standing === "verified" ? "shrink-0 text-ok-ink" : "shrink-0 text-warn-ink"}>
      <Icon size={15} aria-hidden />
      <span className="sr-only">{`${label}: `}</span>
    </span>
  );
}
