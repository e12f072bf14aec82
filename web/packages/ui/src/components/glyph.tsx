import {
  ArrowLeft,
  ArrowRight,
  ChevronLeft,
  ChevronRight,
  CornerUpLeft,
  LogIn,
  LogOut,
  type LucideIcon,
  Send,
  SendHorizontal,
  Undo2,
} from "lucide-react";
import { cx } from "../classes.ts";

/** What points along the reading direction. (Not a clock or a film's ▶: those run the same way everywhere.) */
const ALONG = new Set<LucideIcon>([
  ArrowLeft,
  ArrowRight,
  ChevronLeft,
  ChevronRight,
  CornerUpLeft,
  LogIn,
  LogOut,
  Send,
  SendHorizontal,
  Undo2,
]);

export const pointsAlong = (icon: LucideIcon): boolean => ALONG.has(icon);

/** An icon as buttons, menus and banners show it: for the eye only, and turned around where the text runs the other way. */
export function Glyph({ icon: Icon, size, className }: { icon: LucideIcon; size: number; className?: string }) {
  return <Icon size={size} aria-hidden className={cx(pointsAlong(Icon) && "mirror", className)} />;
}
