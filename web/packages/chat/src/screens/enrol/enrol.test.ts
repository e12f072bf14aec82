import { expect, test } from "vitest";
import { looksLikeVoucher, splitCard } from "./card.ts";
import { obviousPin, strength } from "./strength.ts";

test("a card is taken apart at its first brace", () => {
  expect(splitCard('PKW1.abc\n{"imsi": "1"}\n')).toEqual({ voucher: "PKW1.abc", sim: '{"imsi": "1"}' });
  expect(splitCard(" PKW1.abc ")).toEqual({ voucher: "PKW1.abc", sim: "" });
  expect(splitCard("{}")).toEqual({ voucher: "", sim: "{}" });
  expect(splitCard("")).toEqual({ voucher: "", sim: "" });
});

test("a voucher is told from other text", () => {
  expect(looksLikeVoucher(`PKW1.${"aZ0-_".repeat(8)}`)).toBe(true);
  expect(looksLikeVoucher("PKW1.")).toBe(false);
  expect(looksLikeVoucher("https://example.org/")).toBe(false);
});

test("a longer password is stronger, and a famous one is not", () => {
  expect(strength("short")).toBe(0);
  expect(strength("aaaaaaaaaaaaaaaa")).toBe(0);
  expect(strength("password1234")).toBeLessThan(2);
  expect(strength("eleven monsoon lanterns drift")).toBe(4);
  expect(strength("سرخ اینٹ نیلا کبوتر دریا")).toBeGreaterThan(2);
});

test("obvious PINs are seen", () => {
  for (const pin of ["123456", "000000", "654321", "121212"]) expect(obviousPin(pin), pin).toBe(true);
  for (const pin of ["481920", "194712", "12345"]) expect(obviousPin(pin), pin).toBe(false);
});
