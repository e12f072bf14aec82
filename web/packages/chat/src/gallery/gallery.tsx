import { Trans, useLingui } from "@lingui/react/macro";
import {
  Avatar,
  Badge,
  Banner,
  Button,
  Checkbox,
  Choices,
  CommandPalette,
  Confirm,
  Dialog,
  EmptyState,
  ErrorState,
  IconButton,
  ListRow,
  Menu,
  MenuItem,
  MenuLine,
  PasswordField,
  PinField,
  Progress,
  SearchField,
  Skeleton,
  Spinner,
  Stepper,
  Switch,
  Tabs,
  TextField,
  Tick,
  type TickState,
  Toasts,
  Toolbar,
  toast,
} from "@pakawaaz/ui";
import { Fingerprint, Qr } from "@pakawaaz/ui/qr";
import { Inbox, MessageSquarePlus, MoreVertical, Paperclip, Pin, Send, Settings, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Translations, useFormat } from "../app/i18n.tsx";
import { PreferencesProvider, usePreferences } from "../app/preferences.tsx";
import { usePasswordFieldLabels, useStepLabels } from "../screens/labels.ts";
import { NOW, officials } from "./fixtures.ts";
import { scenes } from "./scenes.ts";
import { preferencesOf } from "./screen.tsx";

/** Every component in every state, in the language and theme of the address. */
export function Gallery({ query }: { query: URLSearchParams }) {
  const [fixed] = useState(() => preferencesOf(query));
  return (
    <PreferencesProvider fixed={fixed}>
      <Translations>
        <Page />
      </Translations>
    </PreferencesProvider>
  );
}

function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-4 rounded-card border border-line bg-surface p-5">
      <h2 className="font-semibold text-muted">{title}</h2>
      {children}
    </section>
  );
}

const SCREENS = [
  "/",
  "/c/00000000-0000-7000-8000-00000000012c",
  "/find",
  "/new",
  "/devices",
  "/settings",
  "/settings/appearance",
];

function Page() {
  const { t } = useLingui();
  const { preferences, change } = usePreferences();
  const format = useFormat();
  const stepLabels = useStepLabels();
  const passwordLabels = usePasswordFieldLabels();
  const [text, setText] = useState("");
  const [pin, setPin] = useState("");
  const [on, setOn] = useState(true);
  const [agreed, setAgreed] = useState(true);
  const [dialog, setDialog] = useState<"dialog" | "confirm" | "palette" | null>(null);
  const [search, setSearch] = useState("");
  const ticks: [TickState, string][] = [
    ["queued", t`Waiting`],
    ["sent", t`Sent`],
    ["delivered", t`Delivered`],
    ["read", t`Read`],
    ["failed", t`Not sent`],
  ];
  const colours = [
    "bg-page",
    "bg-surface",
    "bg-sunken",
    "bg-hover",
    "bg-brand",
    "bg-brand-soft",
    "bg-mine",
    "bg-danger-soft",
    "bg-warn-soft",
    "bg-info-soft",
  ];
  const query = `lang=${preferences.language}&theme=${preferences.theme}${preferences.contrast ? "&contrast=more" : ""}`;
  return (
    <main className="mx-auto flex max-w-5xl flex-col gap-5 bg-page p-4 sm:p-8">
      <h1 className="text-2xl font-semibold">
        <Trans>Design system</Trans>
      </h1>
      <div className="flex flex-wrap gap-6">
        <Choices
          label={t`Language`}
          value={preferences.language}
          onChange={(language) => change({ language })}
          choices={[
            { value: "en", label: "English", lang: "en" },
            { value: "ur", label: "اردو", lang: "ur" },
          ]}
        />
        <Choices
          label={t`Theme`}
          value={preferences.theme}
          onChange={(theme) => change({ theme })}
          choices={[
            { value: "light", label: t`Light` },
            { value: "dark", label: t`Dark` },
          ]}
        />
        <Switch
          label={t`High contrast`}
          selected={preferences.contrast}
          onChange={(contrast) => change({ contrast })}
        />
      </div>
      <div className="grid items-start gap-5 md:grid-cols-2">
        <Block title={t`Colours`}>
          <div className="grid grid-cols-5 gap-2">
            {colours.map((colour) => (
              <span key={colour} className={`h-12 rounded-control border border-line ${colour}`} />
            ))}
          </div>
          <p>
            <Trans>Ordinary text</Trans> · <span className="text-muted">{t`quiet text`}</span> ·{" "}
            <span className="text-brand-ink">{t`brand`}</span> · <span className="text-danger-ink">{t`danger`}</span>
          </p>
        </Block>
        <Block title={t`Type`}>
          <p className="text-2xl font-semibold">{t`A heading`}</p>
          <p>
            <Trans>
              A sentence of ordinary length, to see how lines stand above each other when there is more than one of
              them.
            </Trans>
          </p>
          <p lang="ur" dir="rtl">
            {"پاک آواز سرکاری افسران کے درمیان محفوظ پیغام رسانی کا نظام ہے۔"}
          </p>
          <p className="code">{"4512 0837 6619 2245"}</p>
        </Block>
        <Block title={t`Buttons`}>
          <div className="flex flex-wrap gap-2">
            <Button kind="primary">{t`Primary`}</Button>
            <Button>{t`Secondary`}</Button>
            <Button kind="quiet">{t`Quiet`}</Button>
            <Button kind="danger">{t`Danger`}</Button>
          </div>
          <div className="flex flex-wrap gap-2">
            <Button kind="primary" busy>{t`Busy`}</Button>
            <Button isDisabled>{t`Disabled`}</Button>
            <Button kind="primary" icon={Send}>{t`With icon`}</Button>
            <Button size="small">{t`Small`}</Button>
          </div>
          <Toolbar label={t`Toolbar`}>
            <IconButton icon={Paperclip} label={t`Attach`} />
            <IconButton icon={Send} kind="primary" label={t`Send`} />
            <IconButton icon={Inbox} label={t`Conversations`} count={3} />
            <IconButton icon={Trash2} label={t`Delete`} isDisabled />
            <Menu label={t`More`} trigger={<IconButton icon={MoreVertical} label={t`More`} />}>
              <MenuItem label={t`Pin`} icon={Pin} onAction={() => {}} shortcut="P" />
              <MenuItem label={t`Settings`} icon={Settings} onAction={() => {}} disabled />
              <MenuLine />
              <MenuItem label={t`Delete`} icon={Trash2} danger onAction={() => {}} />
            </Menu>
          </Toolbar>
        </Block>
        <Block title={t`Over the page`}>
          <div className="flex flex-wrap gap-2">
            <Button onPress={() => setDialog("dialog")}>{t`Dialog`}</Button>
            <Button onPress={() => setDialog("confirm")}>{t`Question`}</Button>
            <Button onPress={() => setDialog("palette")}>{t`Command palette`}</Button>
            <Button
              onPress={() => toast({ text: t`The device was revoked.`, actionLabel: t`Look` })}
            >{t`Toast`}</Button>
          </div>
          <Dialog title={t`Dialog`} isOpen={dialog === "dialog"} onClose={() => setDialog(null)} closeLabel={t`Close`}>
            <Trans>
              A sentence of ordinary length, to see how lines stand above each other when there is more than one of
              them.
            </Trans>
          </Dialog>
          <Confirm
            title={t`Revoke “${officials[0]?.username ?? ""}”?`}
            isOpen={dialog === "confirm"}
            onClose={() => setDialog(null)}
            closeLabel={t`Keep it`}
            confirmLabel={t`Revoke`}
            kind="danger"
            onConfirm={() => setDialog(null)}
          >
            <Trans>This cannot be undone.</Trans>
          </Confirm>
          <CommandPalette
            isOpen={dialog === "palette"}
            onClose={() => setDialog(null)}
            label={t`Command palette`}
            placeholder={t`Find`}
            emptyText={t`Nothing found`}
            text={search}
            onText={setSearch}
            entries={officials
              .filter((o) => format.name(o.name).toLowerCase().includes(search.toLowerCase()))
              .map((o) => ({
                id: o.official,
                title: format.name(o.name),
                detail: format.name(o.rank),
                onAction: () => {},
              }))}
          />
          <Toasts label={t`Messages of the app`} closeLabel={t`Close`} />
        </Block>
        <Block title={t`Fields`}>
          <TextField
            label={t`Name of this device`}
            hint={t`You and your colleagues see it in the list of devices.`}
            value={text}
            onChange={setText}
          />
          <TextField label={t`Voucher`} rows={2} code error={t`The two passwords differ.`} />
          <TextField label={t`Disabled`} isDisabled defaultValue="…" />
          <PasswordField label={t`Password`} {...passwordLabels} />
          <PinField label={t`PIN`} value={pin} onChange={setPin} />
          <SearchField label={t`Find`} clearLabel={t`Clear`} />
        </Block>
        <Block title={t`Choices`}>
          <Switch label={t`Notifications`} hint={t`What others notice, and you`} selected={on} onChange={setOn} />
          <Switch label={t`Disabled`} selected={false} onChange={() => {}} disabled />
          <Checkbox label={t`I understand that this cannot be undone.`} selected={agreed} onChange={setAgreed} />
          <Tabs
            label={t`Choices`}
            tabs={[
              { id: "a", label: t`Members`, content: <p>{t`Members`}</p>, count: 4 },
              { id: "b", label: t`Files`, content: <p>{t`Files`}</p> },
            ]}
          />
        </Block>
        <Block title={t`Lists`}>
          <div className="flex flex-col gap-1">
            {officials.map((official, at) => (
              <ListRow
                key={official.official}
                selected={at === 1}
                leading={<Avatar id={official.official} name={format.name(official.name)} />}
                title={format.name(official.name)}
                detail={format.name(official.rank)}
                aside={format.short(NOW - at * 90_000_000, NOW)}
                trailing={
                  at === 0 ? (
                    <Badge tone="brand" label={t`New:`}>
                      {7}
                    </Badge>
                  ) : undefined
                }
              />
            ))}
          </div>
          <div className="flex flex-wrap gap-2">
            <Badge>{t`neutral`}</Badge>
            <Badge tone="ok">{t`good`}</Badge>
            <Badge tone="warn">{t`Suspended`}</Badge>
            <Badge tone="danger">{t`Revoked`}</Badge>
            <Badge tone="info">{t`news`}</Badge>
          </div>
          <div className="flex flex-wrap gap-4">
            {ticks.map(([state, label]) => (
              <Tick key={state} state={state} label={label} visible />
            ))}
          </div>
        </Block>
        <Block title={t`Banners`}>
          <Banner tone="info">{t`A new version of the app is ready.`}</Banner>
          <Banner tone="ok">{t`The browser keeps this data until you delete it.`}</Banner>
          <Banner
            tone="warn"
            title={t`The browser may delete your messages`}
            action={<Button size="small">{t`Ask it to keep them`}</Button>}
          />
          <Banner tone="danger" onDismiss={() => {}} dismissLabel={t`Close`}>{t`This device has been cut off.`}</Banner>
        </Block>
        <Block title={t`Progress`}>
          <Progress label={t`Used`} visibleLabel value={0.42} detail={format.bytes(420_000_000)} />
          <Progress label={t`Opening…`} visibleLabel />
          <span className="flex items-center gap-2">
            <Spinner /> {t`Opening…`}
          </span>
          <Skeleton />
          <Skeleton className="h-16" />
          <Stepper
            label={t`Factors of the login`}
            stateLabels={stepLabels}
            steps={[
              { id: "a", title: t`Device`, detail: t`This browser signs with its key.`, state: "done" },
              { id: "b", title: t`Password`, state: "running" },
              { id: "c", title: t`SIM`, state: "refused" },
              { id: "d", title: t`Session`, state: "waiting" },
            ]}
          />
        </Block>
        <Block title={t`Codes`}>
          <Qr text="45120 83766 19224 51098 77310 02846" label={t`The code as a QR code`} size={160} />
          <Fingerprint code="45120 83766 19224 51098 77310 02846" label={t`Code of this device`} />
        </Block>
        <Block title={t`Empty`}>
          <EmptyState
            icon={MessageSquarePlus}
            title={t`No conversation is open`}
            action={<Button kind="primary">{t`Find`}</Button>}
          >
            <Trans>Choose one from the list, or find an official to write to.</Trans>
          </EmptyState>
        </Block>
        <Block title={t`Refused`}>
          <ErrorState title={t`The enrolment was refused`} action={<Button>{t`Try again`}</Button>}>
            <Trans>This needs a connection.</Trans>
          </ErrorState>
        </Block>
      </div>
      <Block title={t`Screens over fixtures`}>
        <ul className="grid gap-1 sm:grid-cols-2">
          {[...SCREENS.map((path) => [path, "ready"]), ...Object.keys(scenes).map((scene) => ["/", scene])].map(
            ([path, scene]) => (
              <li key={`${path} ${scene}`}>
                <a className="code text-brand-ink underline" href={`?screen=${path}&scene=${scene}&${query}`}>
                  {path} {scene}
                </a>
              </li>
            ),
          )}
        </ul>
      </Block>
    </main>
  );
}
