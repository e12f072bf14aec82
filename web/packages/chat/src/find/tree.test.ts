import type { OrgUnit } from "@pakawaaz/api/protocol";
import { expect, test } from "vitest";
import { pathTo, treeOf, type UnitNode } from "./tree";

const unit = (id: string, parent: string | null, kind: OrgUnit["kind"]): OrgUnit => ({
  unit: id,
  parent,
  kind,
  name: { en: id, ur: "" },
});
const compare = (a: OrgUnit, b: OrgUnit) => a.name.en.localeCompare(b.name.en);
const draw = (nodes: UnitNode[]): unknown =>
  nodes.map((node) => (node.children.length > 0 ? [node.unit, draw(node.children)] : node.unit));

test("units stand under their parents, by kind and then by name", () => {
  const units = [
    unit("s", "w", "section"),
    unit("b", "m", "division"),
    unit("a", "m", "division"),
    unit("m", null, "ministry"),
    unit("w", "a", "wing"),
  ];
  expect(draw(treeOf(units, compare))).toEqual([["m", [["a", [["w", ["s"]]]], "b"]]]);
  expect(pathTo(units, "s").map((entry) => entry.unit)).toEqual(["m", "a", "w", "s"]);
});
test("an unknown parent and a loop hide nobody", () => {
  const units = [unit("x", "gone", "wing"), unit("p", "q", "wing"), unit("q", "p", "wing")];
  expect(
    treeOf(units, compare)
      .map((node) => node.unit)
      .sort(),
  ).toEqual(["p", "q", "x"]);
  expect(pathTo(units, "p").length).toBe(2);
});
