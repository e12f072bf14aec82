import { CircleAlert, Eye, EyeOff, Search, X } from "lucide-react";
import { type ReactNode, type Ref, useState } from "react";
import {
  type TextFieldProps as AriaProps,
  SearchField as AriaSearchField,
  TextField as AriaTextField,
  FieldError,
  Input,
  Label,
  Text,
  TextArea,
} from "react-aria-components";
import { cx } from "../classes.ts";
import { IconButton } from "./button.tsx";

// `validationBehavior="aria"` everywhere: a field that shows what the server refused would otherwise keep the browser
// from sending the form again.
const INPUT =
  "w-full min-w-0 rounded-control border border-line-strong bg-surface px-3.5 py-2 text-base text-ink min-h-11 " +
  "placeholder:text-muted disabled:opacity-50 disabled:bg-sunken focused:border-focus invalid:border-danger";

export interface FieldProps extends Omit<AriaProps, "children" | "className" | "style"> {
  label: string;
  /** One sentence below the field. */
  hint?: ReactNode;
  /** What is wrong, shown and read out; makes the field invalid. */
  error?: string | null;
  placeholder?: string;
  className?: string;
}

export interface TextFieldProps extends FieldProps {
  /** More than one line. */
  rows?: number;
  /** A code: fixed width, left to right. */
  code?: boolean;
  ref?: Ref<HTMLInputElement>;
}

export function TextField({ label, hint, error, rows, code, placeholder, className, ref, ...props }: TextFieldProps) {
  const style = cx(INPUT, code && "code");
  return (
    <AriaTextField
      {...props}
      isInvalid={!!error}
      validationBehavior="aria"
      className={cx("flex flex-col gap-1.5", className)}
    >
      <Label className="font-medium">{label}</Label>
      {rows ? (
        <TextArea rows={rows} placeholder={placeholder} className={cx(style, "resize-y")} dir={code ? "ltr" : "auto"} />
      ) : (
        <Input ref={ref} placeholder={placeholder} className={style} dir={code ? "ltr" : "auto"} />
      )}
      <Below hint={hint} error={error} />
    </AriaTextField>
  );
}

function Below({ hint, error }: { hint?: ReactNode; error?: string | null | undefined }) {
  return (
    <>
      {hint && (
        <Text slot="description" className="text-sm text-muted">
          {hint}
        </Text>
      )}
      {error && (
        <FieldError className="flex items-start gap-1.5 text-sm text-danger-ink">
          <CircleAlert size={16} aria-hidden className="mt-[0.3em]" />
          <span>{error}</span>
        </FieldError>
      )}
    </>
  );
}

export interface PasswordFieldProps extends FieldProps {
  showLabel: string;
  hideLabel: string;
}

export function PasswordField({
  label,
  hint,
  error,
  showLabel,
  hideLabel,
  placeholder,
  className,
  ...props
}: PasswordFieldProps) {
  const [shown, show] = useState(false);
  return (
    <AriaTextField
      {...props}
      type={shown ? "text" : "password"}
      isInvalid={!!error}
      validationBehavior="aria"
      className={cx("flex flex-col gap-1.5", className)}
    >
      <Label className="font-medium">{label}</Label>
      <div className="relative" dir="ltr">
        <Input
          className={cx(INPUT, "pe-13")}
          placeholder={placeholder}
          dir="ltr"
          autoCapitalize="none"
          spellCheck={false}
        />
        <span className="absolute inset-y-0 end-1.5 flex items-center">
          <IconButton
            size="small"
            icon={shown ? EyeOff : Eye}
            label={shown ? hideLabel : showLabel}
            onPress={() => show(!shown)}
          />
        </span>
      </div>
      <Below hint={hint} error={error} />
    </AriaTextField>
  );
}

/** Digits only, masked, with the keypad of a phone. */
export function PinField({
  label,
  hint,
  error,
  className,
  maxLength = 12,
  ...props
}: FieldProps & { maxLength?: number }) {
  return (
    <AriaTextField
      {...props}
      type="password"
      inputMode="numeric"
      pattern="[0-9]*"
      maxLength={maxLength}
      isInvalid={!!error}
      validationBehavior="aria"
      onChange={(value) => props.onChange?.(asciiDigits(value).slice(0, maxLength))}
      className={cx("flex flex-col gap-1.5", className)}
    >
      <Label className="font-medium">{label}</Label>
      <Input className={cx(INPUT, "min-h-13 text-center text-2xl tracking-[0.5em]")} dir="ltr" />
      <Below hint={hint} error={error} />
    </AriaTextField>
  );
}

/** Keeps the digits; Urdu and Arabic ones become Western ones, since keyboards type them. */
export function asciiDigits(text: string): string {
  let digits = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (code >= 0x30 && code <= 0x39) digits += char;
    else if (code >= 0x06f0 && code <= 0x06f9) digits += code - 0x06f0;
    else if (code >= 0x0660 && code <= 0x0669) digits += code - 0x0660;
  }
  return digits;
}

export interface SearchFieldProps extends Omit<FieldProps, "error" | "hint" | "type"> {
  clearLabel: string;
  ref?: Ref<HTMLInputElement>;
}

export function SearchField({ label, clearLabel, placeholder, className, ref, ...props }: SearchFieldProps) {
  return (
    <AriaSearchField {...props} aria-label={label} className={cx("group relative flex items-center", className)}>
      <Search size={18} aria-hidden className="pointer-events-none absolute start-3 text-muted" />
      <Input
        ref={ref}
        placeholder={placeholder ?? label}
        className={cx(INPUT, "rounded-full border-line bg-sunken ps-10 pe-11 [&::-webkit-search-cancel-button]:hidden")}
        dir="auto"
      />
      <span className="absolute inset-y-0 end-1 flex items-center group-data-[empty]:hidden">
        <IconButton size="small" icon={X} label={clearLabel} />
      </span>
    </AriaSearchField>
  );
}
