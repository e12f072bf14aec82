import { expect, test } from "vitest";
import { checkScript, checkStyle } from "./rules.ts";

const messages = (text: string) => checkScript("a.tsx", text).map((finding) => finding.message);

test("a bare sentence is found, wherever it stands", () => {
  for (const bad of [
    "<p>Hello there</p>",
    '<p>{"Hello there"}</p>',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text under test
    "<p>{`Hello ${name}`}</p>",
    '<Button label="Send it" />',
    '<input placeholder={"Your name"} />',
    '<i aria-label="Close" />',
    'const parts = [{ id: "a", title: "Account" }];',
    "<p>سلام</p>",
  ]) {
    expect(messages(bad), bad).toHaveLength(1);
  }
});

test("what is translated, marked or no sentence passes", () => {
  for (const good of [
    "<p><Trans>Hello there</Trans></p>",
    "<p>{t`Hello there`}</p>",
    "<Trans>Hello <b>you</b> there</Trans>",
    "<Button label={t`Send it`} />",
    '<span lang="ur">{"اردو"}</span>',
    '<p className="code">{"PKW1 abc"}</p>',
    '<p id="section" className="flex gap-2">·</p>',
    'const parts = [{ id: "account", title: t`Account` }];',
    'const one = { value: "ur", label: "اردو", lang: "ur" };',
  ]) {
    expect(messages(good), good).toEqual([]);
  }
});

test("left and right are found in classes and styles", () => {
  for (const bad of ["ml-2", "md:pr-4", "-left-1", "hover:border-l", "rounded-tl-lg", "text-right"]) {
    expect(messages(`<p className="flex ${bad}" />`), bad).toHaveLength(1);
  }
  expect(
    messages('<p className="flex ms-2 pe-4 start-0 text-start border-e rounded-ss-lg mb-2 place-content-center" />'),
  ).toEqual([]);
  expect(checkStyle("a.css", "a {\n  margin-left: 1px;\n}")).toHaveLength(1);
  expect(checkStyle("a.css", "a {\n  margin-inline-start: 1px;\n  direction: ltr;\n}")).toEqual([]);
});

test("HTML from text is found", () => {
  expect(messages("element.innerHTML = text;")).toHaveLength(1);
});
