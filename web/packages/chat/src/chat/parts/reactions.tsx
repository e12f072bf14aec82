import { useLingui } from "@lingui/react/macro";
import type { LineView } from "@pakawaaz/api/protocol";
import { cx, Tooltip } from "@pakawaaz/ui";
import { ToggleButton } from "react-aria-components";
import { useFormat } from "../../app/i18n.tsx";
import { useWords, type WhoIs } from "../words";

/** The reactions under a message; pressing one adds or takes back one's own. */
export function Reactions({
  line,
  whoIs,
  disabled,
  onReact,
}: {
  line: LineView;
  whoIs: WhoIs;
  disabled: boolean;
  onReact(emoji: string, remove: boolean): void;
}) {
  const { t } = useLingui();
  const words = useWords();
  const format = useFormat();
  if (line.reactions.length === 0) return null;
  return (
    <div className="relative -mt-1.5 flex flex-wrap gap-1 px-2">
      {line.reactions.map(({ emoji, officials, mine }) => {
        const who = format.list(officials.map((official) => words.person(whoIs(official))));
        const label = t`${emoji} by ${who}`;
        return (
          <Tooltip key={emoji} text={label}>
            <ToggleButton
              isSelected={mine}
              isDisabled={disabled}
              onChange={() => onReact(emoji, mine)}
              className={cx(
                "inline-flex min-h-7 items-center gap-1 rounded-full border px-2 text-sm leading-none shadow-raised",
                mine ? "border-brand bg-brand-soft text-brand-ink" : "border-line bg-raised text-ink hover:bg-hover",
              )}
            >
              <span>{emoji}</span>
              {officials.length > 1 && <span className="tabular-nums">{format.number(officials.length)}</span>}
              <span className="sr-only">{who}</span>
            </ToggleButton>
          </Tooltip>
        );
      })}
    </div>
  );
}
