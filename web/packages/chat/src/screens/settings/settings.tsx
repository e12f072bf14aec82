import { useLingui } from "@lingui/react/macro";
import { cx, IconButton, ListRow, TopBar } from "@pakawaaz/ui";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import {
  ArrowLeft,
  Bell,
  CardSim,
  ChevronRight,
  HardDrive,
  Info,
  KeyRound,
  type LucideIcon,
  Palette,
  UserRound,
} from "lucide-react";
import type { ComponentType } from "react";
import { About } from "./about.tsx";
import { Account } from "./account.tsx";
import { Appearance } from "./appearance.tsx";
import { Notifications } from "./notifications.tsx";
import { PhoneAndSim } from "./phone.tsx";
import { Secrets } from "./secrets.tsx";
import { StorageUse } from "./storage.tsx";

interface Part {
  id: string;
  title: string;
  detail: string;
  icon: LucideIcon;
  page: ComponentType;
}

function useParts(): Part[] {
  const { t } = useLingui();
  return [
    { id: "account", title: t`Account`, detail: t`Name, post, log out`, icon: UserRound, page: Account },
    {
      id: "appearance",
      title: t`Language and appearance`,
      detail: t`Theme, contrast, size of text`,
      icon: Palette,
      page: Appearance,
    },
    {
      id: "notifications",
      title: t`Notifications and privacy`,
      detail: t`What others notice, and you`,
      icon: Bell,
      page: Notifications,
    },
    {
      id: "phone",
      title: t`Phone and SIM`,
      detail: t`Your card, and where its phone is`,
      icon: CardSim,
      page: PhoneAndSim,
    },
    { id: "secrets", title: t`PIN and password`, detail: t`Change either of them`, icon: KeyRound, page: Secrets },
    { id: "storage", title: t`Storage`, detail: t`What this browser keeps`, icon: HardDrive, page: StorageUse },
    { id: "about", title: t`About`, detail: t`What this app can promise`, icon: Info, page: About },
  ];
}

/** The list of parts, and the chosen one; side by side where there is room. */
export function Settings() {
  const { t } = useLingui();
  const parts = useParts();
  const { section } = useParams({ strict: false });
  const navigate = useNavigate();
  const chosen = parts.find((part) => part.id === section);
  // Beside the list something must stand; on a phone the list alone is the page.
  const shown = chosen ?? parts[0];
  const Page = shown?.page;
  return (
    <div className="flex min-h-0 flex-1">
      <section
        aria-label={t`Parts of the settings`}
        className={cx(
          "min-h-0 w-full flex-col border-line bg-surface md:flex md:w-88 md:shrink-0 md:border-e",
          chosen ? "hidden" : "flex",
        )}
      >
        <TopBar title={t`Settings`} />
        <nav aria-label={t`Parts of the settings`} className="flex flex-col gap-0.5 overflow-y-auto p-2">
          {parts.map((part) => (
            <Link
              key={part.id}
              to="/settings/$section"
              params={{ section: part.id }}
              aria-current={part === chosen ? "page" : undefined}
              className="rounded-control no-underline outline-offset-[-2px] hover:bg-hover"
            >
              <ListRow
                selected={part === chosen}
                leading={
                  <span aria-hidden className="grid size-10 place-content-center rounded-full bg-sunken text-muted">
                    <part.icon size={20} />
                  </span>
                }
                title={part.title}
                detail={part.detail}
                trailing={<ChevronRight size={18} aria-hidden className="mirror text-muted" />}
              />
            </Link>
          ))}
        </nav>
      </section>
      <div className={cx("min-h-0 min-w-0 flex-1 flex-col md:flex", chosen ? "flex" : "hidden")}>
        <TopBar
          level={chosen ? 1 : 2}
          title={shown?.title}
          back={
            chosen && (
              <>
                <IconButton
                  icon={ArrowLeft}
                  label={t`Back to settings`}
                  className="md:hidden"
                  onPress={() => void navigate({ to: "/settings" })}
                />
                <span className="w-0 max-md:hidden" />
              </>
            )
          }
        />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a part without buttons must scroll by keyboard as well */}
        <section aria-label={shown?.title} tabIndex={0} className="min-h-0 flex-1 overflow-y-auto -outline-offset-2">
          <div className="mx-auto flex w-full max-w-2xl flex-col gap-6 p-4 pb-10 sm:p-6">{Page && <Page />}</div>
        </section>
      </div>
    </div>
  );
}
