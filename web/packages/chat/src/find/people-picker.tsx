import { Trans, useLingui } from "@lingui/react/macro";
import type { Id, Official } from "@pakawaaz/api/protocol";
import { Button, cx, EmptyState, SearchField } from "@pakawaaz/ui";
import { Check, SearchX, UserRoundSearch, X } from "lucide-react";
import { useState } from "react";
import { Button as AriaButton, ListBox, ListBoxItem } from "react-aria-components";
import { useFormat } from "../app/i18n.tsx";
import { UserText } from "../chat/parts/user-text";
import { FindError } from "./find-page";
import { OfficialRow, OfficialSkeleton } from "./official-row";
import { useFind } from "./use-find";

/** Chooses officials from the directory, several at once. `without` are not offered: they are in it already. */
export function PeoplePicker({
  chosen,
  onChange,
  without,
}: {
  chosen: Official[];
  onChange(chosen: Official[]): void;
  without: Id[];
}) {
  const { t } = useLingui();
  const format = useFormat();
  const [text, setText] = useState("");
  const found = useFind(text);
  const offered = found.officials.filter((official) => !without.includes(official.official));
  const isChosen = (official: Official) => chosen.some((each) => each.official === official.official);
  return (
    <div className="flex flex-col gap-2">
      {chosen.length > 0 && (
        <ul aria-label={t`Chosen people`} className="flex flex-wrap gap-1.5">
          {chosen.map((official) => {
            const name = format.name(official.name);
            return (
              <li key={official.official}>
                <AriaButton
                  aria-label={t`Remove ${name}`}
                  onPress={() => onChange(chosen.filter((each) => each !== official))}
                  className="inline-flex min-h-9 items-center gap-1.5 rounded-full bg-brand-soft ps-3 pe-2 text-brand-ink hover:bg-pressed"
                >
                  <UserText>{name}</UserText>
                  <X size={16} aria-hidden />
                </AriaButton>
              </li>
            );
          })}
        </ul>
      )}
      <SearchField
        autoFocus
        label={t`Name, post or organisation`}
        clearLabel={t`Clear`}
        value={text}
        onChange={setText}
      />
      {found.state === "idle" && (
        <EmptyState icon={UserRoundSearch} title={t`Whom do you want to write to?`}>
          <Trans>Type two letters or more, in English or Urdu.</Trans>
        </EmptyState>
      )}
      {found.error !== null && offered.length === 0 && <FindError error={found.error} onAgain={found.again} />}
      {offered.length > 0 && (
        <ListBox
          aria-label={t`Officials`}
          items={offered}
          selectionMode="multiple"
          selectedKeys={chosen.map((official) => official.official)}
          onSelectionChange={(keys) => {
            const wanted = keys === "all" ? offered.map((official) => official.official) : [...keys];
            const kept = chosen.filter((official) => wanted.includes(official.official));
            const added = offered.filter((official) => wanted.includes(official.official) && !isChosen(official));
            onChange([...kept, ...added]);
          }}
          className="outline-none"
        >
          {(official) => (
            <ListBoxItem
              id={official.official}
              textValue={format.name(official.name)}
              className="cursor-default rounded-control outline-offset-[-2px] hover:bg-hover selected:bg-brand-soft"
            >
              {({ isSelected }) => (
                <OfficialRow
                  official={official}
                  trailing={
                    <span
                      aria-hidden
                      className={cx(
                        "grid size-6 place-items-center rounded-full border-2",
                        isSelected ? "border-brand bg-brand text-on-brand" : "border-line-strong",
                      )}
                    >
                      {isSelected && <Check size={15} strokeWidth={3} />}
                    </span>
                  }
                />
              )}
            </ListBoxItem>
          )}
        </ListBox>
      )}
      {found.state === "running" && offered.length === 0 && (
        <div role="status" aria-label={t`Searching`}>
          <OfficialSkeleton />
          <OfficialSkeleton />
        </div>
      )}
      {found.state === "done" && found.error === null && offered.length === 0 && (
        <EmptyState icon={SearchX} title={t`Nobody found`} />
      )}
      {found.next !== null && (
        <Button kind="quiet" wide onPress={found.more}>
          <Trans>More</Trans>
        </Button>
      )}
    </div>
  );
}
