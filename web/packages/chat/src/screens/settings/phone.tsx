import { Trans, useLingui } from "@lingui/react/macro";
import type { CardView, Commands, EngineError, Millis, PhoneView } from "@pakawaaz/api/protocol";
import { Badge, Banner, Button, cx, EmptyState, Section, Skeleton, type Tone } from "@pakawaaz/ui";
import { CardSim, Landmark, type LucideIcon, RadioTower, Smartphone } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { asEngineError, useEngine, useTopic } from "../../app/engine.tsx";
import { Refusal } from "../../app/errors.tsx";
import { useFormat } from "../../app/i18n.tsx";
import { whileVisible } from "../../app/while-visible.ts";
import { UserText } from "../../chat/parts/user-text";
import { imei } from "./imei.ts";

/** A phone that is switched off or moves is seen about so much later. */
const EVERY_MS = 5_000;

type Seen = Commands["my_phone"][1] & { at: Millis };

/** What the server says of the own cards, asked again as long as this is looked at. */
function useMyPhone() {
  const engine = useEngine();
  const online = useTopic("app", {})?.connection === "online";
  const [seen, setSeen] = useState<Seen | null>(null);
  const [error, setError] = useState<EngineError | null>(null);
  const ask = useCallback(async () => {
    try {
      const reply = await engine.call("my_phone", {});
      setSeen({ ...reply, at: Date.now() });
      setError(null);
    } catch (thrown) {
      setError(asEngineError(thrown));
    }
  }, [engine]);
  useEffect(() => (online ? whileVisible(EVERY_MS, ask) : undefined), [online, ask]);
  return { seen, error, online, ask };
}

/** The own SIM cards, and where the phones with them are. */
export function PhoneAndSim() {
  const { t } = useLingui();
  const format = useFormat();
  const { seen, error, online, ask } = useMyPhone();
  if (!seen) {
    if (error) {
      return (
        <div className="flex flex-col items-start gap-3">
          <Refusal error={error} />
          <Button size="small" onPress={() => void ask()}>
            <Trans>Try again</Trans>
          </Button>
        </div>
      );
    }
    if (online) return <Skeleton className="h-56" />;
    return (
      <p className="text-muted">
        <Trans>Card and phone are shown when there is a connection.</Trans>
      </p>
    );
  }
  const old = !online || error !== null;
  const at = format.time(seen.at);
  return (
    <>
      {old && (
        <Banner tone="warn" live>
          <Trans>The server cannot be asked at the moment. This is how it was at {at}.</Trans>
        </Banner>
      )}
      {seen.cards.length === 0 ? (
        <EmptyState icon={CardSim} title={t`No SIM card is yours`}>
          <Trans>A card becomes yours when you enrol a device with it.</Trans>
        </EmptyState>
      ) : (
        seen.cards.map((card) => <Card key={card.sim} card={card} network={seen.network} now={seen.at} />)
      )}
      <p className="px-1 text-sm text-muted">
        {seen.network ? (
          <Trans>
            Only you are shown this, and those who run the network. It is what the network says now; it proves nothing
            and is not part of the login.
          </Trans>
        ) : (
          <Trans>
            Your organisation runs no cellular network here, so no phone can be seen. The card proves who you are at
            each login all the same.
          </Trans>
        )}
      </p>
    </>
  );
}

function useStatus(status: CardView["status"]): [tone: Tone, word: string] {
  const { t } = useLingui();
  const words: Record<CardView["status"], [Tone, string]> = {
    bound: ["ok", t`Active`],
    suspended: ["warn", t`Suspended`],
    revoked: ["danger", t`Revoked`],
  };
  return words[status];
}

function Card({ card, network, now }: { card: CardView; network: boolean; now: Millis }) {
  const { t } = useLingui();
  const [tone, word] = useStatus(card.status);
  const { phone } = card;
  return (
    <Section title={t`SIM card`}>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div className="flex min-w-0 items-center gap-3">
          <CardSim size={22} aria-hidden className="shrink-0 text-muted" />
          <span className="code break-all">{card.iccid}</span>
        </div>
        <Badge tone={tone}>{word}</Badge>
      </div>
      {card.status === "suspended" && (
        <p className="text-sm text-muted">
          <Trans>An administrator suspended this card. Logins with it work again once that is lifted.</Trans>
        </p>
      )}
      {card.status === "revoked" && (
        <p className="text-sm text-muted">
          <Trans>This card is revoked for good. Your administrator can give you another one.</Trans>
        </p>
      )}
      {network && (
        <>
          <Path there={phone !== null} />
          <p role="status" className="font-medium">
            {phone ? <Trans>The phone is on the network.</Trans> : <Trans>The phone is not on the network.</Trans>}
          </p>
          {phone ? (
            <Where phone={phone} now={now} />
          ) : (
            card.status === "bound" && (
              <p className="text-sm text-muted">
                <Trans>It is switched off, out of reach, or the card is in no phone.</Trans>
              </p>
            )
          )}
        </>
      )}
    </Section>
  );
}

/** Phone, cell and network in a row, joined while the phone is registered. It says nothing that the words do not. */
function Path({ there }: { there: boolean }) {
  const stations: LucideIcon[] = [Smartphone, RadioTower, Landmark];
  return (
    <div aria-hidden data-there={there} className="flex items-center py-1">
      {stations.map((Station, n) => (
        <div key={Station.displayName ?? n} className={cx("flex items-center", n > 0 && "flex-1")}>
          {n > 0 && (
            <span
              className={cx("mx-2 flex-1 border-t-2", there ? "border-brand-ink" : "border-dashed border-line-strong")}
            />
          )}
          <span
            className={cx(
              "grid size-12 shrink-0 place-content-center rounded-full",
              there ? "bg-ok-soft text-ok-ink" : "bg-sunken text-muted",
            )}
          >
            <Station size={24} />
          </span>
        </div>
      ))}
    </div>
  );
}

/** By the names that administrators gave; a place without one keeps its number. */
function Where({ phone, now }: { phone: PhoneView; now: Millis }) {
  const { t } = useLingui();
  const format = useFormat();
  const today = format.date(phone.seen) === format.date(now);
  const there = today ? format.time(phone.seen) : format.dateTime(phone.seen);
  const { cell, place, area } = phone;
  const number = format.number(phone.tac);
  const device = phone.equipment && imei(phone.equipment);
  const rows: [string, string, string?][] = [
    [t`Place`, place ? format.name(place) : t`Cell ${cell}`, t`Since ${there}`],
    [t`Area`, area ? format.name(area) : t`Tracking area ${number}`],
    [t`On the network since`, format.dateTime(phone.since), format.relative(phone.since, now)],
  ];
  return (
    <>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2">
        {rows.map(([name, value, beside]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd>
              <UserText>{value}</UserText>
              {beside && <span className="block text-sm text-muted">{beside}</span>}
            </dd>
          </div>
        ))}
      </dl>
      {device && (
        <p className="text-sm text-muted">
          <Trans>
            The phone gives its device number (IMEI) as <bdi dir="ltr">{device}</bdi>. The network cannot check that,
            but you can: dial <bdi dir="ltr">*#06#</bdi> on the phone.
          </Trans>
        </p>
      )}
    </>
  );
}
