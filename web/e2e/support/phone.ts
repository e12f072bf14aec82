/** One phone: a browser profile of its own at an origin of its own, and what its owner does with it. */

import { type Browser, type BrowserContext, expect, type Locator, type Page } from "@playwright/test";
import type { AnyRouter } from "@tanstack/react-router";
import type { Card, Demo, Person } from "./demo.ts";

export const PIN = "482915";
export const PASSWORD = "river lantern copper saddle";

/** The words of the screens that tests look for, in both languages. Keys are the English ones. */
export type Words = (english: string) => string;
const english: Words = (text) => text;

export interface PhoneOptions {
  width?: number;
  height?: number;
  words?: Words;
  locale?: string;
  /** What the owner allows the page besides the clipboard. */
  permissions?: string[];
  /** Without it every file comes from the server, where a test can see and change it. */
  serviceWorkers?: "block";
}

/** The tab that runs the engine, as the browser knows it; none while it passes from one to another. */
const leader = (page: Page) =>
  page.evaluate(async () => {
    const { held } = await navigator.locks.query();
    return held?.find(({ name }) => name === "pakawaaz-engine")?.clientId;
  });

/** Something after which another tab than before runs the engine, which `page` is one of or knows of. */
export async function anotherLeads(page: Page, after: () => Promise<unknown>): Promise<void> {
  const before = await leader(page);
  await after();
  await expect.poll(async () => ![undefined, before].includes(await leader(page))).toBe(true);
}

export class Phone {
  /** Whatever the page complained about: a test fails on it. */
  readonly complaints: string[] = [];
  /** Its key packages are at the server: others can begin a conversation with it. */
  private reachable = false;
  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly origin: string,
    readonly person: Person,
    readonly words: Words,
  ) {
    this.listen(page);
  }

  private listen(page: Page) {
    page.on("pageerror", (error) => this.complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      // The browser reports a refused request by itself; what it means is shown on the screen and tested there.
      if (
        message.type() === "error" &&
        !text.startsWith("Failed to load resource") &&
        !text.includes("WebSocket connection to")
      )
        this.complaints.push(`console: ${text}`);
    });
    page.on("response", (response) => {
      const path = new URL(response.url()).pathname;
      if (path === "/v1/key-packages" && response.request().method() === "POST" && response.ok()) this.reachable = true;
    });
    page.on("request", (request) => {
      const url = request.url();
      if (/^(https?|wss?):/.test(url) && new URL(url).host !== new URL(this.origin).host)
        this.complaints.push(`a request to somebody else: ${new URL(url).host}`);
    });
  }

  /** A phone that shows its first page. */
  static async open(browser: Browser, person: Person, origin: string, options: PhoneOptions = {}): Promise<Phone> {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 390, height: options.height ?? 844 },
      locale: options.locale ?? "en-GB",
      permissions: ["clipboard-read", "clipboard-write", ...(options.permissions ?? [])],
      serviceWorkers: options.serviceWorkers ?? "allow",
    });
    const page = await context.newPage();
    const phone = new Phone(context, page, origin, person, options.words ?? english);
    await page.goto(`${origin}/`);
    return phone;
  }

  /** A phone of `person`, enrolled and logged in. */
  static async ready(browser: Browser, demo: Demo, person: Person, options: PhoneOptions = {}): Promise<Phone> {
    const card = await demo.card(person);
    const phone = await Phone.open(browser, person, card.phone, options);
    await phone.enrol(card);
    await phone.expectReady();
    return phone;
  }

  /** What every tab shows now, as a screen reader has it, and what the page complained about. */
  async said(): Promise<string> {
    const tabs = this.context.pages().map(async (page) => {
      const shown = await page.locator("body").ariaSnapshot({ timeout: 5_000 }).catch(String);
      return `${page.url()}\n${shown.slice(0, 4_000)}`;
    });
    return [`${this.person.username}'s phone:`, ...(await Promise.all(tabs)), ...this.complaints].join("\n");
  }

  /** Another tab of the same phone. */
  async tab(path = "/"): Promise<Page> {
    const page = await this.context.newPage();
    this.listen(page);
    await page.goto(`${this.origin}${path}`);
    return page;
  }

  /**
   * Goes to a page of the app without loading it anew: that would ask for the PIN. Returns when it is shown: a page that is
   * still being loaded leaves the one before on the screen, whose fields and links may be called the same.
   */
  async go(path: string): Promise<void> {
    await this.page.evaluate((to) => {
      history.pushState({}, "", to);
      dispatchEvent(new PopStateEvent("popstate"));
    }, path);
    await this.page.waitForFunction(() => {
      const router = (globalThis as unknown as { __TSR_ROUTER__: AnyRouter }).__TSR_ROUTER__;
      const { status, resolvedLocation } = router.state;
      const wanted = [router.latestLocation.pathname, resolvedLocation?.pathname];
      return status === "idle" && wanted.every((pathname) => pathname === location.pathname);
    });
  }

  /**
   * Somebody looks at another window from now on. Playwright keeps every page visible, so the page is told what the
   * browser would tell it.
   */
  async hide(): Promise<void> {
    await this.page.evaluate(() => {
      Object.defineProperty(document, "hidden", { get: () => true });
      Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
      document.dispatchEvent(new Event("visibilitychange"));
    });
  }

  private button(name: string, within: Page | Locator = this.page): Locator {
    return within.getByRole("button", { name: this.words(name), exact: true });
  }

  async enrol(card: Card): Promise<void> {
    const { page, words } = this;
    await page.getByRole("textbox", { name: words("Text of the card") }).fill(card.card);
    await this.button("Continue").click();
    if (card.device === 1) {
      await page.getByLabel(words("Password"), { exact: true }).fill(PASSWORD);
      await page.getByLabel(words("Password again"), { exact: true }).fill(PASSWORD);
    }
    await page.getByLabel(words("PIN for this device"), { exact: true }).fill(PIN);
    await page.getByLabel(words("PIN again"), { exact: true }).fill(PIN);
    await this.button("Enrol this device").click();
  }

  /** Inside, connected, with what the app can promise read and closed. */
  async expectReady(): Promise<void> {
    const { page, words } = this;
    const understood = this.button("Understood");
    const inside = page.getByRole("navigation", { name: words("Main") });
    await expect(inside.or(understood).first()).toBeVisible({ timeout: 60_000 });
    if (await understood.isVisible()) await understood.click();
    await expect(inside.first()).toBeVisible();
    // The screens are there before the server knows how the phone can be invited.
    await expect.poll(() => this.reachable, { message: "others can invite it", timeout: 60_000 }).toBe(true);
  }

  async login(password = PASSWORD): Promise<void> {
    await this.page.getByLabel(this.words("Password"), { exact: true }).fill(password);
    await this.button("Log in").click();
  }

  async unlock(pin = PIN): Promise<void> {
    await this.page.getByLabel(this.words("PIN"), { exact: true }).fill(pin);
    await this.button("Unlock").click();
  }

  /**
   * Types into the field that looks for officials: by its name, because the screen before, which stays until the next one
   * is loaded, has a field to search in messages.
   */
  async lookFor(text: string): Promise<void> {
    await this.page.getByRole("searchbox", { name: this.words("Name, post or organisation") }).fill(text);
  }

  /** Finds an official by username and opens the conversation with them. */
  async writeTo(other: Person): Promise<void> {
    const { page } = this;
    await this.go("/find");
    await this.lookFor(other.username);
    // In whichever language the screens are.
    const name = new RegExp(`${literally(other.name.en)}|${literally(other.name.ur)}`);
    await page.getByText(name).first().click();
    await this.button("Write a message").click();
    await expect(this.composer()).toBeVisible();
  }

  /** Opens a conversation from the list by what it is called. */
  async openChat(name: string): Promise<void> {
    await this.go("/");
    await this.page
      .getByRole("link", { name: new RegExp(literally(name)) })
      .or(this.page.getByRole("row", { name: new RegExp(literally(name)) }))
      .or(this.page.getByRole("option", { name: new RegExp(literally(name)) }))
      .first()
      .click();
    await expect(this.composer()).toBeVisible();
  }

  composer(): Locator {
    return this.page.getByRole("textbox", { name: this.words("Message"), exact: true });
  }

  async send(text: string): Promise<void> {
    await this.composer().fill(text);
    await this.button("Send").click();
    await expect(this.message(text)).toBeVisible();
  }

  /** The newest message that contains `text`. */
  message(text: string): Locator {
    return this.page.getByRole("article").filter({ hasText: text }).last();
  }

  /** Waits until an own message has come that far. */
  async expectStatus(text: string, status: "Sent" | "Delivered" | "Read"): Promise<void> {
    const reached = { Sent: /Sent|Delivered|Read/, Delivered: /Delivered|Read/, Read: /Read/ }[status];
    await expect(this.message(text)).toHaveAccessibleName(reached, { timeout: 30_000 });
  }

  /** Opens the menu of a message and chooses an entry. */
  async act(text: string, entry: string, which: "newest" | "oldest" = "newest"): Promise<void> {
    const all = this.page.getByRole("article").filter({ hasText: text });
    await (which === "newest" ? all.last() : all.first()).click({ button: "right" });
    await this.page.getByRole("menuitem", { name: this.words(entry), exact: true }).click();
  }

  expectQuiet(): void {
    expect(this.complaints, "the page complained").toEqual([]);
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
