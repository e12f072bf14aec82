import { expect, test } from "vitest";
import { stepStates } from "./steps.ts";

const ORDER = ["device", "password", "sim", "session"] as const;

test("without news the first step runs", () => {
  expect(Object.values(stepStates(ORDER, [], false))).toEqual(["running", "waiting", "waiting", "waiting"]);
});

test("steps follow what is reported", () => {
  const progress = [
    { step: "device", state: "done" },
    { step: "password", state: "running" },
  ] as const;
  expect(Object.values(stepStates(ORDER, [...progress], false))).toEqual(["done", "running", "waiting", "waiting"]);
});

test("a refusal marks the step that ran, and nothing runs any more", () => {
  const progress = [
    { step: "device", state: "done" },
    { step: "password", state: "running" },
  ] as const;
  expect(Object.values(stepStates(ORDER, [...progress], true))).toEqual(["done", "refused", "waiting", "waiting"]);
  expect(Object.values(stepStates(ORDER, [], true))).toEqual(["refused", "waiting", "waiting", "waiting"]);
});
