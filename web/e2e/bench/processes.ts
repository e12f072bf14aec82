/** The browser's processes, as Linux tells of them. Only those below this process: others measure and test as well. */

import { readdirSync, readFileSync } from "node:fs";

function parentOf(id: number): number {
  // pid (name) state ppid …; the name may contain anything.
  const stat = readFileSync(`/proc/${id}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

function isOurs(id: number): boolean {
  for (let at = id; at > 1; at = parentOf(at)) if (at === process.pid) return true;
  return false;
}

const known = new Set<number>();

/** Every process that runs pages. */
export function renderers(): number[] {
  const found: number[] = [];
  for (const name of readdirSync("/proc")) {
    const id = Number(name);
    if (!Number.isInteger(id)) continue;
    try {
      // A renderer stays one, but what has just been forked may become one.
      if (!known.has(id) && !(readFileSync(`/proc/${id}/cmdline`, "utf8").includes("--type=renderer") && isOurs(id))) {
        continue;
      }
      known.add(id);
      found.push(id);
    } catch {
      // It has ended meanwhile.
    }
  }
  for (const id of known) if (!found.includes(id)) known.delete(id);
  return found;
}

/** Bytes of memory that a process shares with nobody, of the largest renderer: the page that is measured. */
export function largestRenderer(): number {
  const sizes = renderers().map((id) => {
    const kilobytes = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  });
  return Math.max(0, ...sizes);
}
