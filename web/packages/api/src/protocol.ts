/**
 * What the screens and the engine (the Rust client core in a worker) say to each other.
 *
 * Screens send commands and render snapshots; they decide nothing. Identifiers are hyphenated UUIDs, times are
 * milliseconds since 1970, bytes are base64. `null` means absent. Texts in views are shown as they are (they are
 * content); everything else is a stable code that the screen translates.
 */

export type Id = string;
export type Millis = number;
export interface BilingualName { en: string; ur: string }

/** A refused command. `code` is stable (`identity.wrong_password`, `client.wrong_pin`); screens translate it. */
export interface EngineError { code: string; message: string; retry_after_ms: number | null }

// ---- Application state -------------------------------------------------------------------------------------------

/** Where the profile on this origin stands; exactly one group of screens belongs to each. */
export type Phase =
  | "starting"          // the engine loads
  | "unsupported"       // the browser lacks something we need (no IndexedDB, no Web Locks)
  | "empty"             // no profile: enrol
  | "locked"            // profile there: PIN
  | "logged_out"        // unlocked, reading works, but the session ended: three factors
  | "waiting_approval"  // enrolled as a further device: another device compares the code
  | "suspended"         // an administrator suspended official, device or SIM, and can undo it; three factors afterwards
  | "cut_off"           // this device was revoked; what is stored can still be deleted
  | "ready";

export interface AppState {
  phase: Phase;
  connection: "offline" | "connecting" | "online";
  /** Pause until the next attempt, when offline. */
  retry_in_ms: number | null;
  /** Everything the server had has been processed. */
  caught_up: boolean;
  server: { realm: string; demo: boolean } | null;
  me: MeView | null;
  /** Messages written here that the server does not have yet. */
  queued: number;
  /** False when the browser may delete our data under pressure: warn. */
  storage_persistent: boolean;
  /** Bytes used and offered by the browser; null when unknown. */
  storage: { usage: number; quota: number } | null;
  /** Whether this tab runs the engine (others follow). */
  leader: boolean;
}

export interface MeView {
  official: Id; username: string; name: BilingualName; rank: BilingualName; posts: HeldPost[];
  device: Id; label: string; assurance: string; realm: string; origin: string;
  session_ends_at: Millis | null; fingerprint: string;
}

// ---- Directory ---------------------------------------------------------------------------------------------------

/** Whether two administrators signed it and it is in force; "unverified": only the server says so. */
export type Standing = "verified" | "expired" | "outdated" | "unverified";
export type AppointmentKind = "substantive" | "acting" | "ended";
/** `kind`, `until` and `standing` are there for what `find` and `official` show, not in `MeView`. */
export interface HeldPost { post: Id; title: BilingualName; units: BilingualName[]; grade: number; kind?: AppointmentKind | null; until?: Millis | null; standing?: Standing }
export interface Official { official: Id; username: string; name: BilingualName; rank: BilingualName; posts: HeldPost[] }
export interface OfficialPage { officials: Official[]; next: string | null }
export interface OrgUnit { unit: Id; parent: Id | null; kind: "ministry" | "division" | "wing" | "section"; name: BilingualName }
export interface Post { post: Id; unit: Id; title: BilingualName; grade: number; holder: Id | null; held_since: Millis | null; kind?: AppointmentKind | null; until?: Millis | null; standing?: Standing | null }

// ---- Conversations -----------------------------------------------------------------------------------------------

export interface ConversationView {
  group: Id;
  /** Set title; null: show `names`. */
  title: string | null;
  /** The other members' names (at most four), for conversations without a title. */
  names: BilingualName[];
  direct: boolean;
  members: Id[];
  last: LineView | null;
  updated_at: Millis;
  unread: number;
  /** Unread messages that mention this official. */
  mentions: number;
  /** Position of the first unread message. */
  first_unread: number | null;
  draft: string;
  pinned: boolean; muted: boolean; archived: boolean;
  queued: number; failed: number;
  /** MLS epoch, for diagnosis. */
  epoch?: number;
  alarms: number; held_back: boolean; left: boolean;
}

export type MessageStatus = "queued" | "sent" | "delivered" | "read" | "failed";

export type SystemLine =
  | { what: "created" | "joined_here" | "removed_here" | "unreadable" }
  /** Who was in a group from its beginning, this official included. */
  | { what: "members"; officials: Id[]; names: BilingualName[] }
  /** "joined": an official, with one device or several; "new_device": a further device of a member. */
  | { what: "joined" | "new_device" | "healed"; official: Id; device: Id }
  /** "gone": no device of the official is left. */
  | { what: "left"; official: Id; device: Id; revoked: boolean; gone: boolean }
  | { what: "titled"; official: Id; title: string }
  | { what: "failed"; reason: string }
  | { what: "alarm"; kind: AlarmKind };

export type AlarmKind = string; // snake_case of views::AlarmKind; the screen translates

export interface LineView {
  /** Stable within the conversation; for React and for scrolling. */
  key: string;
  seq: number | null;
  message: Id | null;
  author: Id | null;
  author_name: BilingualName;
  mine: boolean;
  at: Millis;
  text: string;
  mentions: Id[];
  reply: { message: Id; author_name: BilingualName; text: string; file: string | null; deleted: boolean } | null;
  reactions: { emoji: string; officials: Id[]; mine: boolean }[];
  file: FileView | null;
  edited: boolean; deleted: boolean;
  status: MessageStatus | null;
  /** Stable code of why it failed, with status "failed". */
  failure: string | null;
  system: SystemLine | null;
}

export interface FileView {
  name: string; media_type: string; size: number;
  width: number | null; height: number | null; duration_ms: number | null;
  /** Small picture as base64 (JPEG, PNG or WebP). */
  thumbnail: string | null; thumbnail_type: string | null;
}

/** A window of a conversation, oldest line first; queued messages come last when the window reaches the end. */
export interface TimelineView {
  group: Id;
  lines: LineView[];
  /** More above / below the window. */
  older: boolean; newer: boolean;
  /** Key of the first line that was unread when the conversation was opened: the divider stays there. */
  unread_from: string | null;
}

export interface MemberView { official: Id; name: BilingualName; username: string; devices: Id[]; me: boolean }
export interface DeviceView {
  device: Id; official: Id; status: "pending" | "active" | "suspended" | "revoked"; label: string | null;
  assurance: string; enrolled_at: Millis; last_seen_at: Millis | null; this_device: boolean; verified: boolean;
  fingerprint: string; network?: LoginNetwork;
}
/** The phone behind whose address a login came from; absent when it was no phone of the network. For display only. */
export interface LoginNetwork { agreement: "same_phone" | "other_card" | "other_equipment"; equipment?: string }
export interface SessionView {
  session: Id; device: Id; started_at: Millis; ends_at: Millis; this_session: boolean; network?: LoginNetwork;
  /** By what the SIM was proven: the card itself, or the registered phone that it is in. */
  sim: "card" | "phone";
}
/** One of this official's own SIM cards; nobody else's is ever shown. What the server says, and nothing proves. */
export interface CardView { sim: Id; iccid: string; status: "bound" | "suspended" | "revoked"; phone: PhoneView | null }
/** Where the phone with a card is: the cell as hexadecimal digits, registered since, last heard of from elsewhere. */
export interface PhoneView {
  cell: string; place: BilingualName | null; tac: number; area: BilingualName | null;
  since: Millis; seen: Millis; equipment: string | null;
}
export interface AlarmView { kind: AlarmKind; at: Millis; group: Id | null; seq?: number | null; official: Id | null; device: Id | null }

// ---- Files -------------------------------------------------------------------------------------------------------

export interface TransferView {
  transfer: Id;
  direction: "up" | "down";
  group: Id;
  /** Message it belongs to (downloads); null for uploads, whose message is sent at the end. */
  message: Id | null;
  name: string; media_type: string; size: number;
  /**
   * Bytes encrypted into this device's own folder, and bytes that are at the server (or fetched). An upload of which
   * everything is prepared no longer needs the file.
   */
  prepared: number; done: number;
  /** "done": a download that is whole and verified on this device; asking for it again needs no network. */
  state: "preparing" | "running" | "paused" | "waiting" | "failed" | "needs_file" | "done";
  failure: string | null;
  bytes_per_second: number | null;
  /** When a download that nobody goes on with is forgotten; its file can be fetched again. */
  kept_until: Millis | null;
}

/** What this official's files take up at the server, in encrypted bytes, and what they may. */
export interface FileUsage {
  used: number; quota: number;
  open_uploads: number; max_open_uploads: number;
  /** Largest file, largest chunk. */
  max_size: number; max_chunk: number;
}

// ---- Commands ----------------------------------------------------------------------------------------------------

export type LoginStep = "device" | "password" | "sim" | "session";
export type EnrolStep = "voucher" | "keys" | "password" | "sim" | "certificate" | "saved";
/** Emitted while `enrol` and `login` run. */
export type Progress = { step: LoginStep | EnrolStep; state: "running" | "done" | "refused" };

export interface VoucherView { realm: string; url: string; kind: "first" | "additional" | "recovery" | "reset"; not_after: Millis; here: boolean }

/** Command name → [arguments, reply]. */
export interface Commands {
  check_voucher: [{ voucher: string }, VoucherView];
  /** `card` is the text of an enrolment card or SIM file (software SIM; demonstrations only). */
  enrol: [{ voucher: string; card: string; pin: string; password: string | null; label: string }, { username: string; status: "pending" | "active"; code: string }];
  unlock: [{ pin: string }, null];
  lock: [Record<string, never>, null];
  login: [{ password: string }, null];
  logout: [{ everywhere: boolean }, null];
  change_password: [{ password: string }, null];
  reset_password: [{ voucher: string; password: string }, null];
  change_pin: [{ old: string; new: string }, null];
  /** Deletes everything of this origin. */
  forget: [Record<string, never>, null];
  persist_storage: [Record<string, never>, boolean];

  find: [{ text: string; after: string | null }, OfficialPage];
  official: [{ official: Id }, Official];
  units: [Record<string, never>, { units: OrgUnit[] }];
  posts: [{ unit: Id }, { posts: Post[] }];

  own_code: [Record<string, never>, { device: Id; code: string }];
  approve_device: [{ device: Id; code: string }, null];
  revoke_device: [{ device: Id }, null];
  sessions: [Record<string, never>, { sessions: SessionView[] }];
  end_session: [{ session: Id }, null];
  /** `network`: whether there is a cellular network at all. */
  my_phone: [Record<string, never>, { cards: CardView[]; network: boolean }];

  new_conversation: [{ officials: Id[]; title: string | null }, { group: Id }];
  send: [{ group: Id; text: string; reply_to: Id | null; mentions: Id[] }, { message: Id }];
  edit: [{ group: Id; message: Id; text: string; mentions?: Id[] }, null];
  delete: [{ group: Id; message: Id }, null];
  react: [{ group: Id; message: Id; emoji: string; remove: boolean }, null];
  /** Sends a failed message again, or gives it up for good. */
  retry: [{ group: Id; message: Id }, null];
  discard: [{ group: Id; message: Id }, null];
  set_title: [{ group: Id; title: string }, null];
  add_members: [{ group: Id; officials: Id[] }, null];
  remove_member: [{ group: Id; official: Id }, null];
  leave: [{ group: Id }, null];
  mark_read: [{ group: Id; up_to: number | null }, null];
  set_draft: [{ group: Id; text: string }, null];
  set_flags: [{ group: Id; pinned: boolean; muted: boolean; archived: boolean }, null];
  typing: [{ group: Id; on: boolean }, null];
  search: [{ text: string; group: Id | null; before: string | null }, { hits: { group: Id; line: LineView }[]; next: string | null; scanned: number }];
  /** Why: what the server said, for the page about one message. */
  message_info: [{ group: Id; message: Id }, { delivered: Id[]; read: Id[]; waiting: Id[]; sent_at: Millis }];

  /** Uploads; the `File` objects travel beside the arguments in the same order. */
  attach: [{ group: Id; caption: string; reply_to: Id | null; mentions?: Id[]; files: { name: string; media_type: string; size: number; width: number | null; height: number | null; duration_ms: number | null; thumbnail: string | null; thumbnail_type: string | null }[] }, { transfers: Id[] }];
  /** Gives a transfer in state "needs_file" its file again; `engine.other_file` when its size is another. */
  provide_file: [{ transfer: Id }, null];
  pause_transfer: [{ transfer: Id }, null];
  resume_transfer: [{ transfer: Id }, null];
  cancel_transfer: [{ transfer: Id }, null];
  /**
   * Resolves with a Blob (beside the reply) once every byte is verified. It goes on waiting while the download is paused.
   * A download that nobody waits for (the page was loaded again) goes on too, and ends in state "done": it is kept on
   * this device until somebody asks for it, for a week.
   */
  download: [{ group: Id; message: Id }, { transfer: Id }];
  file_usage: [Record<string, never>, FileUsage];

  /** Moves the window of a timeline subscription. */
  window: [{ subscription: number; to: { older: number } | { newer: number } | { message: Id } | { newest: true } }, null];
}

// ---- Subscriptions -----------------------------------------------------------------------------------------------

/** Topic → [arguments, snapshot]. A new snapshot replaces the one before; unchanged ones are not repeated. */
export interface Topics {
  app: [Record<string, never>, AppState];
  conversations: [Record<string, never>, ConversationView[]];
  /** Starts at the first unread line if there is one, else at the newest; `limit` lines. */
  timeline: [{ group: Id; limit: number }, TimelineView];
  members: [{ group: Id }, MemberView[]];
  /** Devices of an official; own ones without it. */
  devices: [{ official?: Id }, DeviceView[]];
  alarms: [Record<string, never>, AlarmView[]];
  transfers: [Record<string, never>, TransferView[]];
  /** Officials who are writing, by conversation. */
  typing: [Record<string, never>, Record<Id, Id[]>];
}

/** Things that happen once: for announcements and notifications. */
export type Happening =
  | { what: "message"; group: Id; message: Id; author: Id; author_name: BilingualName; mention: boolean; muted: boolean }
  | { what: "alarm"; kind: AlarmKind; group: Id | null }
  | { what: "own_device"; device: Id }
  | { what: "cut_off" };

/** What a screen holds. Implemented by the engine client; every tab has one, whoever leads. */
export interface Engine {
  call<N extends keyof Commands>(name: N, args: Commands[N][0], options?: { files?: File[]; progress?: (p: Progress) => void; signal?: AbortSignal }): Promise<Commands[N][1]>;
  /** As `call("download")`, with the verified bytes. */
  download(args: { group: Id; message: Id }, options?: { signal?: AbortSignal }): Promise<Blob>;
  subscribe<N extends keyof Topics>(topic: N, args: Topics[N][0], onSnapshot: (snapshot: Topics[N][1]) => void): Subscription;
  onHappening(listener: (happening: Happening) => void): () => void;
  /** Tries to connect now, whatever pause there is until the next attempt; the state is in `app`. */
  reconnect(): void;
}
export interface Subscription { id: number; close(): void }
