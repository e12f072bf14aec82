import type { Official } from "@pakawaaz/api/protocol";
import { Avatar, ListRow } from "@pakawaaz/ui";
import type { ReactNode } from "react";
import { useFormat } from "../app/i18n.tsx";
import { UserText } from "../chat/parts/user-text";

/** An official in a list: name, post and the organisation it belongs to. */
export function OfficialRow({
  official,
  trailing,
  selected,
}: {
  official: Official;
  trailing?: ReactNode;
  selected?: boolean;
}) {
  const format = useFormat();
  const name = format.name(official.name);
  const post = official.posts[0];
  const units = post ? [...post.units].reverse().map((unit) => format.name(unit)) : [];
  return (
    <ListRow
      leading={<Avatar id={official.official} name={name} />}
      title={<UserText>{name}</UserText>}
      detail={
        <>
          <UserText block className="truncate">
            {post ? format.name(post.title) : format.name(official.rank)}
          </UserText>
          {units.length > 0 && (
            <UserText block className="truncate">
              {units.slice(0, 2).join(format.language === "ur" ? "، " : ", ")}
            </UserText>
          )}
        </>
      }
      trailing={trailing}
      selected={selected}
    />
  );
}

export function OfficialSkeleton() {
  return (
    <div className="flex min-h-16 items-center gap-3 px-3 py-2">
      <div className="size-11 animate-sheen rounded-full bg-sunken" />
      <div className="flex flex-1 flex-col gap-2">
        <div className="h-4 w-2/5 animate-sheen rounded bg-sunken" />
        <div className="h-3 w-3/5 animate-sheen rounded bg-sunken" />
      </div>
    </div>
  );
}
