import type {
  AppState,
  Commands,
  ConversationView,
  DeviceView,
  Engine,
  Happening,
  LineView,
  MemberView,
  Subscription,
  TimelineView,
  Topics,
  TransferView,
} from "@pakawaaz/api/protocol";
import { busyTimeline, conversations, endlessLine, line, transfers } from "./fixtures";
import { ME, OFFICIALS, official, POSTS, UNITS, uuid } from "./people";

interface Open {
  id: number;
  topic: keyof Topics;
  args: { group?: string; limit?: number; official?: string };
  emit(snapshot: unknown): void;
  from: number;
  to: number;
  unread: string | null;
}

/**
 * An engine without keys, server or storage: the gallery and the tests of screens run on it. It follows the contract of
 * `protocol.ts` closely enough to use every screen: messages are sent and answered, windows move, transfers progress.
 */
export class FakeEngine implements Engine {
  readonly now: number;
  app: AppState;
  list: ConversationView[];
  transfers: TransferView[];
  typing: Record<string, string[]> = {};
  /** Set to refuse the next command with this code. */
  refuse: string | null = null;
  readonly calls: { name: string; args: unknown }[] = [];
  readonly #lines = new Map<string, LineView[]>();
  readonly #open = new Map<number, Open>();
  readonly #listeners = new Set<(happening: Happening) => void>();
  readonly #endless: string = uuid(7, 3);
  readonly endlessTotal = 100_000;
  #next = 1;

  constructor(options: { now?: number; empty?: boolean; connection?: AppState["connection"] } = {}) {
    this.now = options.now ?? Date.now();
    const busy = busyTimeline(this.now);
    this.list = options.empty ? [] : conversations(this.now, busy);
    this.transfers = options.empty ? [] : transfers();
    for (const conversation of this.list)
      this.#lines.set(conversation.group, conversation.last ? [conversation.last] : []);
    if (!options.empty) {
      this.#lines.set(uuid(7, 1), busy);
      this.typing = { [uuid(7, 1)]: [official(1).official] };
    }
    const me = official(0);
    this.app = {
      phase: "ready",
      connection: options.connection ?? "online",
      retry_in_ms: options.connection === "offline" ? 12_000 : null,
      caught_up: true,
      server: { realm: "gov.pk", demo: true },
      me: {
        ...me,
        device: uuid(4, 0),
        label: "Office laptop",
        assurance: "software_web",
        realm: "gov.pk",
        origin: location.origin,
        session_ends_at: this.now + 8 * 3_600_000,
        fingerprint: "1f2e 3d4c 5b6a 7988",
      },
      queued: 1,
      storage_persistent: true,
      storage: { usage: 4_000_000, quota: 2_000_000_000 },
      leader: true,
    };
  }

  lines(group: string): LineView[] {
    return this.#lines.get(group) ?? [];
  }

  async call<N extends keyof Commands>(
    name: N,
    args: Commands[N][0],
    options?: { files?: File[] },
  ): Promise<Commands[N][1]> {
    this.calls.push({ name, args });
    await Promise.resolve();
    if (this.refuse) {
      const code = this.refuse;
      this.refuse = null;
      throw { code, message: code, retry_after_ms: null };
    }
    return this.#answer(name, args as Record<string, unknown>, options?.files ?? []) as Commands[N][1];
  }

  async download(args: { group: string; message: string }): Promise<Blob> {
    const found = this.lines(args.group).find((entry) => entry.message === args.message);
    const type = found?.file?.media_type ?? "application/octet-stream";
    if (!type.startsWith("image/")) return new Blob([`The text of ${found?.file?.name ?? "the file"}`], { type });
    const canvas = new OffscreenCanvas(found?.file?.width ?? 800, found?.file?.height ?? 600);
    const context = canvas.getContext("2d");
    if (context) {
      const sky = context.createLinearGradient(0, 0, 0, canvas.height);
      sky.addColorStop(0, "#8fc4e8");
      sky.addColorStop(0.55, "#f3dfae");
      sky.addColorStop(0.56, "#4a6d4f");
      sky.addColorStop(1, "#23402f");
      context.fillStyle = sky;
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    return canvas.convertToBlob({ type: "image/jpeg" });
  }

  subscribe<N extends keyof Topics>(
    topic: N,
    args: Topics[N][0],
    onSnapshot: (snapshot: Topics[N][1]) => void,
  ): Subscription {
    const id = this.#next++;
    const open: Open = {
      id,
      topic,
      args: args as Open["args"],
      emit: onSnapshot as (snapshot: unknown) => void,
      from: 0,
      to: 0,
      unread: null,
    };
    if (topic === "timeline") this.#start(open);
    this.#open.set(id, open);
    queueMicrotask(() => this.#emit(open));
    return { id, close: () => this.#open.delete(id) };
  }

  onHappening(listener: (happening: Happening) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Somebody else writes. */
  receive(group: string, author: number, text: string, more: Partial<LineView> = {}) {
    const added = line(Date.now(), author, text, more);
    this.#append(group, added);
    const view = this.#conversation(group);
    if (view) Object.assign(view, { unread: view.unread + 1 });
    for (const listener of this.#listeners) {
      listener({
        what: "message",
        group,
        message: added.message as string,
        author: added.author as string,
        author_name: added.author_name,
        mention: added.mentions.includes(ME),
        muted: view?.muted ?? false,
      });
    }
    this.emitAll();
  }

  emitAll() {
    for (const open of this.#open.values()) this.#emit(open);
  }

  #total(group: string): number {
    return group === this.#endless ? this.endlessTotal + this.lines(group).length - 1 : this.lines(group).length;
  }

  #slice(group: string, from: number, to: number): LineView[] {
    const own = this.lines(group);
    if (group !== this.#endless) return own.slice(from, to);
    return Array.from({ length: to - from }, (_, offset) => {
      const index = from + offset;
      return index < this.endlessTotal
        ? endlessLine(index, this.endlessTotal, this.now)
        : (own[index - this.endlessTotal + 1] as LineView);
    });
  }

  #start(open: Open) {
    const group = open.args.group as string;
    const total = this.#total(group);
    const unread = this.#conversation(group)?.unread ?? 0;
    const limit = open.args.limit ?? 60;
    if (unread > 0 && unread <= total) {
      const at = Math.max(0, total - unread - (group === uuid(7, 1) ? 4 : 0));
      open.unread = this.#slice(group, at, at + 1)[0]?.key ?? null;
    }
    open.to = total;
    open.from = Math.max(0, total - limit);
  }

  #emit(open: Open) {
    const group = open.args.group as string;
    const snapshots: { [N in keyof Topics]: () => Topics[N][1] } = {
      app: () => ({ ...this.app }),
      conversations: () => this.list.map((entry) => ({ ...entry })),
      timeline: (): TimelineView => ({
        group,
        lines: this.#slice(group, open.from, open.to),
        older: open.from > 0,
        newer: open.to < this.#total(group),
        unread_from: open.unread,
      }),
      members: (): MemberView[] =>
        (this.#conversation(group)?.members ?? []).map((id) => {
          const found = OFFICIALS.find((entry) => entry.official === id) ?? official(0);
          return {
            official: id,
            name: found.name,
            username: found.username,
            devices: [uuid(4, OFFICIALS.indexOf(found))],
            me: id === ME,
          };
        }),
      devices: (): DeviceView[] =>
        OFFICIALS.map(
          (entry, index): DeviceView => ({
            device: uuid(4, index),
            official: entry.official,
            status: "active",
            label: index === 0 ? "Office laptop" : null,
            assurance: "software_web",
            enrolled_at: this.now - index * 40 * 86_400_000,
            last_seen_at: this.now - index * 60_000,
            this_device: index === 0,
            verified: index < 2,
            fingerprint: `${(index + 17).toString(16)}a4 9c31 77fe 02${index}d 8bb0 41c6 5e2f d93a`,
          }),
        ).filter((device) => device.official === (open.args.official ?? ME)),
      alarms: () => [
        {
          kind: "key_changed",
          at: this.now - 86_400_000,
          group: uuid(7, 6),
          official: official(5).official,
          device: uuid(4, 5),
        },
      ],
      transfers: () => this.transfers.map((entry) => ({ ...entry })),
      typing: () => ({ ...this.typing }),
    };
    open.emit(snapshots[open.topic]());
  }

  #conversation(group: string) {
    return this.list.find((entry) => entry.group === group);
  }

  #append(group: string, added: LineView) {
    const following = [...this.#open.values()].filter(
      (open) => open.topic === "timeline" && open.args.group === group && open.to === this.#total(group),
    );
    this.#lines.set(group, [...this.lines(group), added]);
    for (const open of following) open.to += 1;
    const view = this.#conversation(group);
    if (view) Object.assign(view, { last: added, updated_at: added.at });
    this.list.sort((a, b) => b.updated_at - a.updated_at);
  }

  #change(group: string, message: string, change: (entry: LineView) => LineView) {
    this.#lines.set(
      group,
      this.lines(group).map((entry) => (entry.message === message ? change(entry) : entry)),
    );
    const view = this.#conversation(group);
    if (view?.last?.message === message) view.last = change(view.last);
    this.emitAll();
  }

  #answer(name: keyof Commands, args: Record<string, unknown>, files: File[]): unknown {
    const { group, message } = args as { group: string; message: string };
    switch (name) {
      case "send": {
        const { text, reply_to, mentions } = args as unknown as Commands["send"][0];
        const source = this.lines(group).find((entry) => entry.message === reply_to);
        const sent = line(Date.now(), 0, text, {
          mentions,
          status: this.app.connection === "online" ? "sent" : "queued",
          reply: source
            ? {
                message: source.message as string,
                author_name: source.author_name,
                text: source.text,
                file: source.file?.name ?? null,
                deleted: source.deleted,
              }
            : null,
        });
        this.#append(group, sent);
        Object.assign(this.#conversation(group) ?? {}, { draft: "" });
        this.emitAll();
        return { message: sent.message };
      }
      case "edit":
        this.#change(group, message, (entry) => ({ ...entry, text: (args as { text: string }).text, edited: true }));
        return null;
      case "delete":
        this.#change(group, message, (entry) => ({ ...entry, text: "", file: null, reactions: [], deleted: true }));
        return null;
      case "react": {
        const { emoji, remove } = args as unknown as Commands["react"][0];
        this.#change(group, message, (entry) => {
          const others = entry.reactions.map((reaction) =>
            reaction.emoji === emoji
              ? { ...reaction, mine: false, officials: reaction.officials.filter((id) => id !== ME) }
              : reaction,
          );
          if (!remove) {
            const at = others.find((reaction) => reaction.emoji === emoji);
            if (at) Object.assign(at, { mine: true, officials: [...at.officials, ME] });
            else others.push({ emoji, officials: [ME], mine: true });
          }
          return { ...entry, reactions: others.filter((reaction) => reaction.officials.length > 0) };
        });
        return null;
      }
      case "retry":
        this.#change(group, message, (entry) => ({ ...entry, status: "sent", failure: null }));
        return null;
      case "discard":
        this.#lines.set(
          group,
          this.lines(group).filter((entry) => entry.message !== message),
        );
        for (const open of this.#open.values())
          if (open.args.group === group) open.to = Math.min(open.to, this.#total(group));
        break;
      case "window":
        this.#move(args as unknown as Commands["window"][0]);
        return null;
      case "mark_read":
        Object.assign(this.#conversation(group) ?? {}, { unread: 0, mentions: 0, first_unread: null });
        break;
      case "set_draft":
        Object.assign(this.#conversation(group) ?? {}, { draft: (args as { text: string }).text });
        break;
      case "set_flags": {
        const { pinned, muted, archived } = args as unknown as Commands["set_flags"][0];
        Object.assign(this.#conversation(group) ?? {}, { pinned, muted, archived });
        break;
      }
      case "set_title":
        Object.assign(this.#conversation(group) ?? {}, { title: (args as { title: string }).title });
        break;
      case "leave":
        Object.assign(this.#conversation(group) ?? {}, { left: true });
        break;
      case "remove_member":
      case "add_members": {
        const view = this.#conversation(group);
        const { officials, official: gone } = args as unknown as { officials?: string[]; official?: string };
        if (view) view.members = [...view.members.filter((id) => id !== gone), ...(officials ?? [])];
        break;
      }
      case "new_conversation": {
        const { officials, title } = args as unknown as Commands["new_conversation"][0];
        const created = uuid(7, 100 + this.list.length);
        const found = OFFICIALS.filter((entry) => officials.includes(entry.official));
        this.list.unshift({
          ...(this.list[0] as ConversationView),
          group: created,
          title,
          names: found.map((entry) => entry.name),
          members: [ME, ...officials],
          direct: officials.length === 1 && !title,
          last: null,
          updated_at: Date.now(),
          unread: 0,
          mentions: 0,
          draft: "",
          pinned: false,
          queued: 0,
          failed: 0,
        });
        this.#lines.set(created, [line(Date.now(), 0, "", { system: { what: "created" }, message: null })]);
        this.emitAll();
        return { group: created };
      }
      case "find": {
        const { text } = args as { text: string };
        const wanted = text.toLowerCase();
        return {
          officials: OFFICIALS.filter((entry) => JSON.stringify(entry).toLowerCase().includes(wanted)),
          next: null,
        };
      }
      case "official":
        return OFFICIALS.find((entry) => entry.official === (args as { official: string }).official);
      case "units":
        return { units: UNITS };
      case "posts":
        return { posts: POSTS.filter((entry) => entry.unit === (args as { unit: string }).unit) };
      case "search": {
        const { text } = args as { text: string };
        const hits = this.list.flatMap((entry) =>
          this.#slice(entry.group, Math.max(0, this.#total(entry.group) - 500), this.#total(entry.group)).map(
            (found) => ({ group: entry.group, line: found }),
          ),
        );
        return {
          hits: hits
            .filter((hit) => hit.line.text.toLowerCase().includes(text.toLowerCase()))
            .slice(-30)
            .reverse(),
          next: null,
          scanned: hits.length,
        };
      }
      case "message_info":
        return {
          delivered: [official(1).official, official(2).official],
          read: [official(1).official],
          waiting: [official(3).official],
          sent_at: this.now,
        };
      case "attach": {
        const { files: prepared } = args as unknown as Commands["attach"][0];
        const added = prepared.map(
          (file, index): TransferView => ({
            transfer: uuid(8, this.#next++ + 100),
            direction: "up",
            group,
            message: null,
            name: file.name,
            media_type: file.media_type,
            size: files[index]?.size ?? file.size,
            prepared: 0,
            done: 0,
            state: "preparing",
            failure: null,
            bytes_per_second: null,
          }),
        );
        this.transfers = [...this.transfers, ...added];
        this.emitAll();
        return { transfers: added.map((entry) => entry.transfer) };
      }
      case "pause_transfer":
      case "resume_transfer":
      case "provide_file":
        this.transfers = this.transfers.map((entry) =>
          entry.transfer === (args as { transfer: string }).transfer
            ? { ...entry, failure: null, state: name === "pause_transfer" ? "paused" : "running" }
            : entry,
        );
        break;
      case "cancel_transfer":
        this.transfers = this.transfers.filter((entry) => entry.transfer !== (args as { transfer: string }).transfer);
        break;
      default:
    }
    this.emitAll();
    return null;
  }

  #move({ subscription, to }: Commands["window"][0]) {
    const open = this.#open.get(subscription);
    const group = open?.args.group;
    if (!open || !group) return;
    const limit = open.args.limit ?? 60;
    const total = this.#total(group);
    if ("older" in to) {
      open.from = Math.max(0, open.from - to.older);
      open.to = Math.min(open.to, open.from + limit * 2);
    } else if ("newer" in to) {
      open.to = Math.min(total, open.to + to.newer);
      open.from = Math.max(open.from, open.to - limit * 2);
    } else {
      const all = this.#slice(group, 0, group === this.#endless ? 0 : total);
      const at = "message" in to ? all.findIndex((entry) => entry.message === to.message) : -1;
      const middle =
        at < 0 ? ("message" in to && group === this.#endless ? Number.parseInt(to.message.slice(-12), 16) : total) : at;
      open.to = Math.min(total, middle + Math.floor(limit / 2));
      open.from = Math.max(0, open.to - limit);
    }
    this.#emit(open);
  }
}
