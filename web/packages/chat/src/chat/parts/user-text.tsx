import { cx } from "@pakawaaz/ui";
import { directionOf } from "../logic/text";

/**
 * Something a person wrote (a name, a title, a line of a message) inside the interface: its own direction, and its own language,
 * which decides the height of the line (Nastaliq needs more).
 */
export function UserText({ children, className, block }: { children: string; className?: string; block?: boolean }) {
  const Tag = block ? "div" : "bdi";
  return (
    <Tag
      dir="auto"
      lang={directionOf(children) === "rtl" ? "ur" : "en"}
      // The letters run in their own direction; the block stands where the interface puts it.
      className={cx(block && "[text-align:-webkit-match-parent] [text-align:match-parent]", className)}
    >
      {children}
    </Tag>
  );
}
