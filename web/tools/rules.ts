import { parseAst } from "vite";

export interface Finding {
  path: string;
  line: number;
  message: string;
}

interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

/** Elements whose text the macro takes to the catalogue. */
const TRANSLATED = new Set(["Trans", "Plural", "Select", "SelectOrdinal"]);
/** Attributes and properties that are read by people. */
const SPOKEN =
  /^(?:label|title|hint|detail|text|alt|placeholder|subtitle|lead|error|aria-(?:label|description|valuetext)|\w+(?:Label|Text|Title))$/;
/** Parts of texts that are the same in every language. */
const SAME_EVERYWHERE = /PKW1\.…?|English|اردو|https?:\/\/\S*/gu;
/** Data of the gallery and of tests: content, not interface. */
const DATA = /gallery\/fixture|\/testing\//;

const SIDED_CLASS =
  /^(?:[\w[\]=&*:>~-]+:)?-?(?:m[lr]|p[lr]|(?:left|right)(?=-)|border-[lr]|rounded-(?:[lr]|[tb][lr])|scroll-[mp][lr]|inset-[lr]|text-(?:left|right)|float-(?:left|right)|clear-(?:left|right)|space-x-reverse)(?:-|$)/;
const SIDED_STYLE =
  /(?:^|[\s;{])(?:(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right)|left|right|border-(?:top|bottom)-(?:left|right)-radius|text-align:\s*(?:left|right)|float:\s*(?:left|right))(?:-[\w-]+)?\s*:/;

function hasWords(text: string): boolean {
  return /\p{L}{2}/u.test(text.replace(SAME_EVERYWHERE, ""));
}

export function checkScript(path: string, text: string): Finding[] {
  const findings: Finding[] = [];
  const add = (at: number, message: string) =>
    findings.push({ path, line: text.slice(0, at).split("\n").length, message });
  const program = parseAst(text, { lang: path.endsWith("x") ? "tsx" : "ts" }) as unknown as Node;

  const words = (node: Node): string | null => {
    if (node.type === "Literal" && typeof node.value === "string") return node.value;
    if (node.type === "TemplateLiteral") {
      return (node.quasis as { value: { raw: string } }[]).map((quasi) => quasi.value.raw).join(" ");
    }
    return null;
  };
  const nameOf = (node: unknown): string => {
    const named = node as { name?: unknown; value?: unknown } | null | undefined;
    return typeof named?.name === "string" ? named.name : typeof named?.value === "string" ? named.value : "";
  };
  const sided = (value: string, at: number) => {
    for (const word of value.split(/\s+/)) {
      if (SIDED_CLASS.test(word)) add(at, `the class ${word} knows left from right; use start and end`);
    }
  };

  /** `translated`: below a Trans. `marked`: the element names its language, or is a code. */
  const visit = (node: Node, translated: boolean, marked: boolean) => {
    let inside = translated;
    let known = marked;
    switch (node.type) {
      case "JSXElement": {
        const opening = node.openingElement as Node;
        const attributes = opening.attributes as Node[];
        inside = TRANSLATED.has(nameOf(opening.name)) || translated;
        known ||= attributes.some((a) => nameOf(a.name) === "lang");
        known ||= attributes.some(
          (a) => nameOf(a.name) === "className" && /\bcode\b/.test(words(a.value as Node) ?? ""),
        );
        break;
      }
      case "JSXText":
        if (!translated && !marked && hasWords(node.value as string))
          add(node.start, `"${String(node.value).trim()}" is not translated`);
        break;
      case "JSXExpressionContainer": {
        const value = words(node.expression as Node);
        if (value !== null && !translated && !marked && node.ofAttribute !== true && hasWords(value)) {
          add(node.start, `"${value}" is not translated`);
        }
        break;
      }
      case "JSXAttribute": {
        const given = node.value as Node | null;
        if (!given) break;
        const inner = given.type === "JSXExpressionContainer" ? (given.expression as Node) : given;
        given.ofAttribute = true;
        const value = words(inner);
        if (value !== null && SPOKEN.test(nameOf(node.name)) && hasWords(value) && !translated && !DATA.test(path)) {
          add(node.start, `${nameOf(node.name)}="${value}" is not translated`);
        }
        break;
      }
      case "ObjectExpression": {
        const properties = node.properties as Node[];
        if (properties.some((p) => nameOf(p.key) === "lang")) known = true;
        break;
      }
      case "Property": {
        const value = words(node.value as Node);
        if (
          path.endsWith("x") &&
          value !== null &&
          SPOKEN.test(nameOf(node.key)) &&
          hasWords(value) &&
          !/^[a-z_-]+$/.test(value) &&
          !marked &&
          !DATA.test(path)
        ) {
          add(node.start, `${nameOf(node.key)}: "${value}" is not translated`);
        }
        break;
      }
      case "Literal":
        if (typeof node.value === "string") sided(node.value, node.start);
        break;
      case "TemplateElement":
        sided((node.value as { raw: string }).raw, node.start);
        break;
      case "MemberExpression":
        if (/^(?:innerHTML|outerHTML|insertAdjacentHTML)$/.test(nameOf(node.property))) {
          add(node.start, "HTML from text is refused by the content security policy");
        }
        break;
    }
    for (const [key, child] of Object.entries(node)) {
      if (key === "type" || key === "ofAttribute") continue;
      for (const each of Array.isArray(child) ? child : [child]) {
        if (each && typeof each === "object" && typeof (each as Node).type === "string")
          visit(each as Node, inside, known);
      }
    }
  };
  visit(program, false, false);
  return findings;
}

export function checkStyle(path: string, text: string): Finding[] {
  return text
    .split("\n")
    .flatMap((line, at) =>
      SIDED_STYLE.test(line)
        ? [{ path, line: at + 1, message: "this style knows left from right; use logical properties" }]
        : [],
    );
}
