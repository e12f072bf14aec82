import { useLingui } from "@lingui/react/macro";
import { cx } from "@pakawaaz/ui";
import { useState } from "react";
import { Button, Input, TextField } from "react-aria-components";
import { EMOJI, firstEmoji } from "../logic/emoji";

/** A grid of common emoji, and a field for any other one: the keyboard of the system knows them all. */
export function EmojiPicker({ onPick, chosen = [] }: { onPick(emoji: string): void; chosen?: string[] }) {
  const { t } = useLingui();
  const [typed, setTyped] = useState("");
  return (
    <div className="w-72 max-w-full">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would be announced as a form */}
      <div role="group" aria-label={t`Common emoji`} className="grid grid-cols-8 gap-0.5">
        {EMOJI.map((emoji) => (
          <Button
            key={emoji}
            aria-label={emoji}
            onPress={() => onPick(emoji)}
            className={cx(
              "grid size-9 place-items-center rounded-md text-xl leading-none hover:bg-hover",
              chosen.includes(emoji) && "bg-brand-soft",
            )}
          >
            <span aria-hidden>{emoji}</span>
          </Button>
        ))}
      </div>
      <TextField
        aria-label={t`Another emoji`}
        value={typed}
        className="mt-2"
        onChange={(value) => {
          const emoji = firstEmoji(value);
          if (emoji) {
            setTyped("");
            onPick(emoji);
          } else setTyped(value.slice(0, 8));
        }}
      >
        <Input
          placeholder={t`Another emoji`}
          className="min-h-10 w-full rounded-control border border-line-strong bg-surface px-3 placeholder:text-muted"
        />
      </TextField>
    </div>
  );
}
