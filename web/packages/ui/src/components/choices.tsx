import { Check } from "lucide-react";
import type { ReactNode } from "react";
import {
  Checkbox as AriaCheckbox,
  RadioGroup as AriaRadioGroup,
  Switch as AriaSwitch,
  Label,
  Radio,
  Text,
} from "react-aria-components";
import { cx } from "../classes.ts";

export interface SwitchProps {
  label: string;
  hint?: ReactNode;
  selected: boolean;
  onChange(selected: boolean): void;
  disabled?: boolean;
}

/** A whole row is the switch: large enough for a thumb. */
export function Switch({ label, hint, selected, onChange, disabled }: SwitchProps) {
  return (
    <AriaSwitch
      isSelected={selected}
      onChange={onChange}
      isDisabled={disabled}
      className="group flex min-h-11 w-full items-center justify-between gap-4 rounded-control py-1.5 data-[disabled]:opacity-50"
    >
      <span className="flex flex-col">
        <span className="font-medium">{label}</span>
        {hint && <span className="text-sm text-muted">{hint}</span>}
      </span>
      <span
        aria-hidden
        data-part="track"
        className="flex h-7 w-12 shrink-0 items-center rounded-full border-2 border-line-strong bg-sunken px-0.5 transition-colors duration-quick group-selected:border-brand group-selected:bg-brand"
      >
        <span
          data-part="knob"
          className="size-4.5 rounded-full bg-line-strong transition-[margin] duration-quick group-selected:ms-5 group-selected:bg-on-brand"
        />
      </span>
    </AriaSwitch>
  );
}

export interface ChoicesProps<V extends string> {
  label: string;
  value: V;
  onChange(value: V): void;
  choices: { value: V; label: string; hint?: string; lang?: string }[];
  disabled?: boolean;
}

/** One of a few, all visible. */
export function Choices<V extends string>({ label, value, onChange, choices, disabled }: ChoicesProps<V>) {
  return (
    <AriaRadioGroup
      value={value}
      onChange={(chosen) => onChange(chosen as V)}
      isDisabled={disabled}
      className="flex flex-col gap-1.5"
    >
      <Label className="font-medium">{label}</Label>
      <div className="flex flex-wrap gap-2">
        {choices.map((choice) => (
          <Radio
            key={choice.value}
            value={choice.value}
            className={cx(
              "flex min-h-11 items-center gap-2 rounded-control border border-line-strong bg-surface px-4 cursor-default",
              "hover:bg-hover selected:border-brand selected:bg-brand-soft selected:text-brand-ink selected:font-medium data-[disabled]:opacity-50",
            )}
          >
            {({ isSelected }) => (
              <>
                {isSelected && <Check size={18} aria-hidden />}
                <span lang={choice.lang}>{choice.label}</span>
                {choice.hint && (
                  <Text slot="description" className="text-sm text-muted">
                    {choice.hint}
                  </Text>
                )}
              </>
            )}
          </Radio>
        ))}
      </div>
    </AriaRadioGroup>
  );
}

export function Checkbox({ label, selected, onChange, disabled }: Omit<SwitchProps, "hint">) {
  return (
    <AriaCheckbox
      isSelected={selected}
      onChange={onChange}
      isDisabled={disabled}
      className="group flex min-h-11 items-start gap-3 py-2.5 data-[disabled]:opacity-50"
    >
      <span
        aria-hidden
        className="mt-[0.2em] grid size-5 shrink-0 place-content-center rounded border-2 border-line-strong bg-surface text-on-brand group-selected:border-brand group-selected:bg-brand"
      >
        <Check size={14} strokeWidth={3} className="opacity-0 group-selected:opacity-100" />
      </span>
      <span>{label}</span>
    </AriaCheckbox>
  );
}
