import type { ReactElement } from "react";
import { Tooltip as AriaTooltip, TooltipTrigger } from "react-aria-components";

/** A hint for pointer and keyboard. The trigger must carry the same text as its label: a tooltip is no label. */
export function Tooltip({ text, children }: { text: string; children: ReactElement }) {
  return (
    <TooltipTrigger delay={600}>
      {children}
      <AriaTooltip
        offset={6}
        className="z-50 max-w-64 rounded-md bg-ink px-2.5 py-1 text-sm text-page shadow-overlay animate-fade"
      >
        {text}
      </AriaTooltip>
    </TooltipTrigger>
  );
}
