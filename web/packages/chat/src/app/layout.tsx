import { Trans, useLingui } from "@lingui/react/macro";
import { cx, EmptyState, Toasts, Tooltip } from "@pakawaaz/ui";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import {
  Lock,
  type LucideIcon,
  MessageCircle,
  MessagesSquare,
  MonitorSmartphone,
  Settings,
  UserSearch,
} from "lucide-react";
import { useEffect } from "react";
import { Button as AriaButton } from "react-aria-components";
import { ConversationList } from "../chat/conversation-list.tsx";
import { Transfers } from "../files/transfers.tsx";
import { Palette } from "../palette/palette.tsx";
import { AssuranceNotice } from "../screens/assurance.tsx";
import { useAnnounce } from "./announcer.tsx";
import { TopBanners } from "./banners.tsx";
import { useCommand, useTopic } from "./engine.tsx";
import { Mark } from "./mark.tsx";
import { Notices } from "./notices.tsx";
import { StorageAside, StorageNote } from "./storage-note.tsx";

interface Place {
  to: "/" | "/find" | "/devices" | "/settings";
  label: string;
  icon: LucideIcon;
  active: boolean;
  count?: number;
}

/** The app around its pages: navigation at the side or below, banners above, what floats over everything. */
export function Shell() {
  const { t } = useLingui();
  const { pathname } = useLocation();
  const conversations = useTopic("conversations", {});
  const devices = useTopic("devices", {});
  const unread = (conversations ?? [])
    .filter((c) => !c.muted && !c.archived)
    .reduce((sum, c) => sum + (c.unread ? 1 : 0), 0);
  const pending = (devices ?? []).filter((d) => d.status === "pending").length;
  const places: Place[] = [
    {
      to: "/",
      label: t`Chats`,
      icon: MessagesSquare,
      active: pathname === "/" || pathname.startsWith("/c/") || pathname === "/new",
      count: unread,
    },
    {
      to: "/find",
      label: t`Find`,
      icon: UserSearch,
      active: pathname.startsWith("/find") || pathname.startsWith("/official"),
    },
    {
      to: "/devices",
      label: t`Devices`,
      icon: MonitorSmartphone,
      active: pathname.startsWith("/devices"),
      count: pending,
    },
    { to: "/settings", label: t`Settings`, icon: Settings, active: pathname.startsWith("/settings") },
  ];
  const announce = useAnnounce();
  const here = places.find((place) => place.active)?.label;
  useEffect(() => {
    if (here) announce(here);
  }, [here, announce]);
  // In a conversation the whole height of a phone belongs to it.
  const deep = !["/", "/find", "/devices", "/settings"].includes(pathname);
  return (
    <div className="flex h-dvh flex-col bg-page text-ink">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:start-2 focus:top-2 focus:z-50 focus:rounded-control focus:bg-brand focus:px-4 focus:py-2 focus:text-on-brand"
      >
        <Trans>Skip to the content</Trans>
      </a>
      <TopBanners />
      <div className="flex min-h-0 flex-1">
        <SideNavigation places={places} />
        <main id="main" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col outline-none">
          <StorageAside>
            <Outlet />
          </StorageAside>
        </main>
      </div>
      {!deep && <BottomNavigation places={places} />}
      <Palette />
      <Transfers />
      <Notices unread={unread} />
      <AssuranceNotice />
      <Toasts label={t`Messages of the app`} closeLabel={t`Close`} />
    </div>
  );
}

function Count({ count }: { count: number | undefined }) {
  const { t } = useLingui();
  if (!count) return null;
  return (
    <span className="absolute -top-2 start-full -ms-1.5 min-w-5 rounded-full bg-brand px-1 text-center text-xs leading-5 font-semibold text-on-brand">
      <span className="sr-only">{t`New:`} </span>
      {count}
    </span>
  );
}

function SideNavigation({ places }: { places: Place[] }) {
  const { t } = useLingui();
  const lock = useCommand("lock");
  return (
    <nav
      aria-label={t`Main`}
      className="hidden w-20 shrink-0 flex-col items-center gap-1 border-e border-line bg-surface py-3 md:flex"
    >
      <span className="mb-3">
        <Mark size={40} />
      </span>
      {places.map((place) => (
        <Link
          key={place.to}
          to={place.to}
          aria-current={place.active ? "page" : undefined}
          className={cx(
            "flex w-17 flex-col items-center gap-0.5 rounded-control py-2 text-xs no-underline transition-colors duration-quick hover:bg-hover",
            place.active ? "bg-brand-soft font-semibold text-brand-ink" : "text-muted",
          )}
        >
          <span className="relative">
            <place.icon size={22} aria-hidden />
            <Count count={place.count} />
          </span>
          <span className="urdu:mt-3 urdu:leading-[1.9]">{place.label}</span>
        </Link>
      ))}
      <span className="flex-1" />
      <Tooltip text={t`Lock the app`}>
        <AriaButton
          aria-label={t`Lock the app`}
          onPress={() => void lock.run({})}
          className="grid size-12 place-content-center rounded-control text-muted hover:bg-hover"
        >
          <Lock size={22} aria-hidden />
        </AriaButton>
      </Tooltip>
    </nav>
  );
}

function BottomNavigation({ places }: { places: Place[] }) {
  const { t } = useLingui();
  return (
    <nav
      aria-label={t`Main`}
      className="safe-bottom grid shrink-0 grid-cols-4 border-t border-line bg-surface md:hidden"
    >
      {places.map((place) => (
        <Link
          key={place.to}
          to={place.to}
          aria-current={place.active ? "page" : undefined}
          className={cx(
            "flex min-h-15 urdu:pt-1 flex-col items-center justify-center gap-0.5 text-xs no-underline outline-offset-[-3px]",
            place.active ? "font-semibold text-brand-ink" : "text-muted",
          )}
        >
          <span className={cx("relative rounded-full px-4 py-0.5", place.active && "bg-brand-soft")}>
            <place.icon size={22} aria-hidden />
            <Count count={place.count} />
          </span>
          <span className="leading-snug urdu:mt-2.5 urdu:leading-[1.9]">{place.label}</span>
        </Link>
      ))}
    </nav>
  );
}

/** The list and what is open; on a phone one of the two. */
export function ListAndPane() {
  const { t } = useLingui();
  const { pathname } = useLocation();
  const atList = pathname === "/";
  return (
    <div className="flex min-h-0 flex-1">
      <section
        aria-label={t`Conversations`}
        className={cx(
          "min-h-0 w-full flex-col border-line bg-surface md:flex md:w-88 md:shrink-0 md:border-e",
          atList ? "flex" : "hidden",
        )}
      >
        <ConversationList />
        <StorageNote />
      </section>
      <div className={cx("min-h-0 min-w-0 flex-1 flex-col md:flex", atList ? "hidden" : "flex")}>
        <Outlet />
      </div>
    </div>
  );
}

/** Beside the list while nothing is open. */
export function NothingOpen() {
  const { t } = useLingui();
  return (
    <div className="grid flex-1 place-content-center">
      <EmptyState icon={MessageCircle} title={t`No conversation is open`}>
        <Trans>Choose one from the list, or find an official to write to.</Trans>
      </EmptyState>
    </div>
  );
}
