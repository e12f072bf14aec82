import { useLingui } from "@lingui/react/macro";
import type { MemberView } from "@pakawaaz/api/protocol";
import { Avatar, cx } from "@pakawaaz/ui";
import { useWords } from "../words";
import { UserText } from "./user-text";

/** Members that fit the "@…" under way. The text field keeps the focus and moves the mark. */
export function MentionList({
  id,
  members,
  marked,
  onPick,
}: {
  id: string;
  members: MemberView[];
  marked: number;
  onPick(member: MemberView): void;
}) {
  const { t } = useLingui();
  const words = useWords();
  return (
    <div
      role="listbox"
      id={id}
      aria-label={t`Members to mention`}
      className="absolute inset-x-2 bottom-full mb-1 max-h-72 max-w-md overflow-y-auto rounded-card border border-line bg-raised p-1 shadow-overlay"
    >
      {members.map((member, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the text field has the focus and handles the keys
        // biome-ignore lint/a11y/useFocusableInteractive: as above
        <div
          key={member.official}
          role="option"
          id={`${id}-${index}`}
          aria-selected={index === marked}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onPick(member)}
          className={cx(
            "flex min-h-11 items-center gap-3 rounded-md px-2",
            index === marked ? "bg-brand-soft" : "hover:bg-hover",
          )}
        >
          <Avatar id={member.official} name={words.person(member.name)} size="small" />
          <UserText className="min-w-0 flex-1 truncate">{words.person(member.name)}</UserText>
          <span className="code text-sm text-muted">{member.username}</span>
        </div>
      ))}
    </div>
  );
}
