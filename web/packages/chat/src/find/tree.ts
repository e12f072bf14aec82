import type { OrgUnit } from "@pakawaaz/api/protocol";

export interface UnitNode extends OrgUnit {
  children: UnitNode[];
}

const ORDER: OrgUnit["kind"][] = ["ministry", "division", "wing", "section"];

/** The organisation as a tree. A unit whose parent is unknown stands at the top rather than vanish; a loop is cut. */
export function treeOf(units: readonly OrgUnit[], compare: (a: OrgUnit, b: OrgUnit) => number): UnitNode[] {
  const nodes = new Map<string, UnitNode>(units.map((unit) => [unit.unit, { ...unit, children: [] }]));
  const roots: UnitNode[] = [];
  for (const node of nodes.values()) {
    const parent = node.parent === null ? undefined : nodes.get(node.parent);
    if (!parent || loops(node, nodes)) roots.push(node);
    else parent.children.push(node);
  }
  const sort = (list: UnitNode[]) => {
    list.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || compare(a, b));
    for (const node of list) sort(node.children);
  };
  sort(roots);
  return roots;
}

function loops(node: UnitNode, nodes: Map<string, UnitNode>): boolean {
  const seen = new Set<string>();
  for (let at: UnitNode | undefined = node; at; at = at.parent === null ? undefined : nodes.get(at.parent)) {
    if (seen.has(at.unit)) return true;
    seen.add(at.unit);
  }
  return false;
}

/** From the top down to the unit, the unit last. */
export function pathTo(units: readonly OrgUnit[], unit: string): OrgUnit[] {
  const byId = new Map(units.map((entry) => [entry.unit, entry]));
  const path: OrgUnit[] = [];
  for (let at = byId.get(unit); at && !path.includes(at); at = at.parent === null ? undefined : byId.get(at.parent))
    path.unshift(at);
  return path;
}
