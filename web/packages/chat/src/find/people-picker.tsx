import { Trans, useLingui } from "@lingui/react/macro";
import type { Id, Official } from "@pakawaaz/api/protocol";
import { Button, cx, EmptyState, SearchField } from "@pakawaaz/ui";
import { Check, SearchX, UserRoundSearch, X } from "lucide-react";
import { useState } from "react";
import { Button as AriaButton, ToggleButton } from "react-aria-components";
import { useTopic } from "../app/engine.tsx";
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
  const app = useTopic("app", {});
  const [text, setText] = useState("");
  const found = useFind(text);
  const offered = found.officials.filter((official) => !without.includes(official.official));
  const isChosen = (official: Official) => chosen.some((each) => each.official === official.official);
  const toggle = (official: Official) =>
    onChange(isChosen(official) ? chosen.filter((each) => each.official !== official.official) : [...chosen, official]);
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
                  onPress={() => toggle(official)}
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
      {found.error !== null && offered.length === 0 && (
        <FindError error={found.error} offline={app?.connection === "offline"} onAgain={found.again} />
      )}
      <ul aria-label={t`Officials`} aria-busy={found.state === "running"}>
        {offered.map((official) => (
          <li key={official.official}>
            <ToggleButton
              isSelected={isChosen(official)}
              onChange={() => toggle(official)}
              className="block w-full rounded-control text-start outline-offset-[-2px] hover:bg-hover selected:bg-brand-soft"
            >
              <OfficialRow
                official={official}
                trailing={
                  <span
                    aria-hidden
                    className={cx(
                      "grid size-6 place-items-center rounded-full border-2",
                      isChosen(official) ? "border-brand bg-brand text-on-brand" : "border-line-strong",
                    )}
                  >
                    {isChosen(official) && <Check size={15} strokeWidth={3} />}
                  </span>
                }
              />
            </ToggleButton>
          </li>
        ))}
      </ul>
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
