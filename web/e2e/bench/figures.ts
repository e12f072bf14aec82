/** How a measurement says what it measured: lines that `cargo xtask bench-web` picks out of everything else. */

/** What `xtask/src/bench_web.rs` looks for at the beginning of a line. */
const MARK = "▸";

const widest = 62;

/** A figure, and the target of the design where there is one: `below` is kept when the figure is not larger. */
export function figure(
  what: string,
  value: number,
  unit: string,
  target?: { below: number } | { above: number },
): void {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const said = `${value.toLocaleString("en", { maximumFractionDigits: digits })} ${unit}`;
  console.log(`${MARK} ${what.padEnd(widest)} ${said.padStart(14)}${target ? `   ${verdict(value, target)}` : ""}`);
}

function verdict(value: number, target: { below: number } | { above: number }): string {
  const [sign, limit, kept] =
    "below" in target ? ["≤", target.below, value <= target.below] : ["≥", target.above, value >= target.above];
  return `${sign} ${limit.toLocaleString("en")}${kept ? "" : ": MISSED"}`;
}

/** How the figures after it were measured. */
export function note(text: string): void {
  console.log(`${MARK}   ${text}`);
}

/** The middle one: a busy moment of the machine moves it less than a mean. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[Math.max(0, Math.ceil(sorted.length / 2) - 1)], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error("nothing was measured");
  return (low + high) / 2;
}

/** The value below which this share (0–1) of all values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (at === undefined) throw new Error("nothing was measured");
  return at;
}
