import { expect, test } from "vitest";
import { bubbleBox, clampPan, fitInside, UNZOOMED, zoomAt } from "./fit";
import { canView, kindOf, safeName, safeType, typeLabel, viewType } from "./kinds";
import { limitOf } from "./limits";
import { durationText, percent, secondsLeft, sizeText, speedText } from "./sizes";

test("sizes are decimal and short", () => {
  expect(sizeText(0, "en")).toBe("0 byte");
  expect(sizeText(1_400_000, "en")).toBe("1.4 MB");
  expect(sizeText(999_999, "en")).toBe("1 MB");
  expect(sizeText(2_147_483_648, "en")).toBe("2.1 GB");
  expect(sizeText(1_400_000, "ur")).toContain("1.4");
});
test("nothing is said about a speed nobody measured", () => {
  expect(speedText(null, "en")).toBe("");
  expect(speedText(Number.NaN, "en")).toBe("");
  expect(speedText(2_000_000, "en")).toBe("2 MB/s");
  expect(secondsLeft(100, 0, null)).toBeNull();
  expect(secondsLeft(100, 0, 0)).toBeNull();
});
test("the time left is rounded up, never zero before the end", () => {
  expect(secondsLeft(1000, 999, 1000)).toBe(1);
  expect(secondsLeft(33_000, 0, 1000)).toBe(35);
  expect(secondsLeft(61_000, 0, 1000)).toBe(120);
});
test("durations and shares", () => {
  expect(durationText(65_400)).toBe("1:05");
  expect(durationText(3_723_000)).toBe("1:02:03");
  expect(percent(999, 1000)).toBe(99);
  expect(percent(0, 0)).toBe(100);
  expect(percent(12, 10)).toBe(100);
});
test("what could run as a page is never viewed", () => {
  for (const type of [
    "text/html",
    "image/svg+xml",
    "application/xhtml+xml",
    "text/xml",
    "application/pdf",
    "application/javascript",
    "",
  ]) {
    expect(kindOf(type)).toBe("other");
    expect(canView(type, 10)).toBe(false);
    expect(viewType(type)).toBe("application/octet-stream");
  }
  expect(viewType("application/json")).toBe("text/plain;charset=utf-8");
  expect(viewType("IMAGE/PNG; x=y")).toBe("image/png");
  expect(canView("text/plain", 3_000_000)).toBe(false);
});
test("names fit the protocol: no separators, no control characters, 255 bytes, the ending kept", () => {
  expect(safeName("../a\u0000b\\c.txt")).toBe(".._ab_c.txt");
  expect(safeName("  ")).toBe("file");
  const long = safeName(`${"ع".repeat(300)}.pdf`);
  expect(new TextEncoder().encode(long).length).toBeLessThanOrEqual(255);
  expect(long.endsWith(".pdf")).toBe(true);
  expect(safeType("nonsense")).toBe("application/octet-stream");
  expect(typeLabel("a.tar.gz", "")).toBe("GZ");
  expect(typeLabel("a", "application/octet-stream")).toBe("");
});
test("pictures shrink and never grow", () => {
  expect(fitInside({ width: 4000, height: 3000 }, { width: 480, height: 480 })).toEqual({ width: 480, height: 360 });
  expect(fitInside({ width: 10, height: 5 }, { width: 480, height: 480 })).toEqual({ width: 10, height: 5 });
  expect(fitInside({ width: 100_000, height: 1 }, { width: 480, height: 480 }).height).toBe(1);
  expect(bubbleBox(null, null)).toEqual({ width: 240, height: 160 });
});
test("zooming keeps the point under the pointer and ends where it began", () => {
  const zoomed = zoomAt(UNZOOMED, 2, { x: 50, y: 0 });
  expect(zoomed).toEqual({ scale: 2, x: -50, y: 0 });
  expect(zoomAt(zoomed, 0.1, { x: 0, y: 0 })).toEqual(UNZOOMED);
  expect(clampPan({ scale: 2, x: 999, y: -999 }, { width: 100, height: 100 })).toEqual({ scale: 2, x: 100, y: -100 });
});
test("the limits that are told in figures are the server's", () => {
  expect(limitOf("files.quota")).toBe("quota");
  expect(limitOf("files.too_large")).toBe("size");
  expect(limitOf("files.not_found")).toBeNull();
  expect(limitOf(null)).toBeNull();
});
