import type { LineView } from "@pakawaaz/api/protocol";
import { cx } from "@pakawaaz/ui";
import { Info, MonitorSmartphone, ShieldAlert } from "lucide-react";
import { memo } from "react";
import { useFormat } from "../../app/i18n.tsx";
import { useWords, type WhoIs } from "../words";

/** What happened to the conversation itself. Alarms and failures stand out; the rest is quiet. */
export const SystemLineView = memo(function SystemLineView({
  line,
  whoIs,
  reachable,
}: {
  line: LineView;
  whoIs: WhoIs;
  reachable: boolean;
}) {
  const words = useWords();
  const format = useFormat();
  if (!line.system) return null;
  const loud =
    line.system.what === "alarm" ||
    line.system.what === "failed" ||
    line.system.what === "healed" ||
    line.system.what === "unreadable";
  const text = words.system(line.system, whoIs, line.author_name);
  const device = line.system.what === "new_device";
  const Icon = device ? MonitorSmartphone : line.system.what === "alarm" ? ShieldAlert : Info;
  return (
    <div
      role="note"
      data-row={line.key}
      tabIndex={reachable ? 0 : -1}
      aria-label={`${text} ${format.time(line.at)}`}
      className="flex justify-center px-4 py-2 outline-offset-[-2px]"
    >
      <p
        className={cx(
          "flex max-w-lg items-start gap-2 rounded-card px-3 py-1 text-center text-sm",
          loud ? "bg-warn-soft text-start text-warn-ink" : "text-muted",
        )}
      >
        {(loud || device) && <Icon size={17} className="mt-1 urdu:mt-2" aria-hidden />}
        <span>
          {text} <time className="whitespace-nowrap tabular-nums">{format.time(line.at)}</time>
        </span>
      </p>
    </div>
  );
});
