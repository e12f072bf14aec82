/** The test of every file: one demo for all of them, and phones that are put away at the end. */

import { test as base } from "@playwright/test";
import { Demo, type Person } from "./demo.ts";
import { Phone, type PhoneOptions } from "./phone.ts";

export const test = base.extend<
  {
    phones: {
      ready(person?: Person, options?: PhoneOptions): Promise<Phone>;
      open(person: Person, origin: string, options?: PhoneOptions): Promise<Phone>;
    };
  },
  { demo: Demo }
>({
  demo: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from this pattern
    async ({}, use) => {
      const demo = await Demo.start();
      await use(demo);
      await demo.stop();
    },
    { scope: "worker", timeout: 300_000 },
  ],
  phones: async ({ browser, demo }, use, info) => {
    const open: Phone[] = [];
    const kept = <T extends Phone>(phone: T) => {
      open.push(phone);
      return phone;
    };
    await use({
      ready: async (person, options) => kept(await Phone.ready(browser, demo, person ?? demo.somebody(), options)),
      open: async (person, origin, options) => kept(await Phone.open(browser, person, origin, options)),
    });
    for (const phone of open) {
      if (info.status === "passed") phone.expectQuiet();
      // Whoever reads the log of a machine far away has no picture.
      else if (info.status !== "skipped") console.log(await phone.said());
      await phone.close();
    }
  },
});

export { expect } from "@playwright/test";
