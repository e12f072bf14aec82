import { Plural, Trans } from "@lingui/react/macro";
import type { Engine, EngineError, Id, Official } from "@pakawaaz/api/protocol";
import { Banner } from "@pakawaaz/ui";
import { useEffect, useState } from "react";
import { useEngine } from "../app/engine.tsx";
import { Refusal } from "../app/errors.tsx";
import { useFormat } from "../app/i18n.tsx";

/** A server that does not answer must not keep the sentence from being shown. */
const PATIENCE_MS = 4_000;

/**
 * Why a conversation with these officials could not be begun. Whoever has no device yet is named, with what to do: the
 * engine's refusals name nobody.
 */
export function InvitationRefusal({ error, officials }: { error: EngineError | null; officials: Official[] }) {
  if (error?.code !== "client.no_device") return <Refusal error={error} />;
  return <NoDevice officials={officials} />;
}

function NoDevice({ officials }: { officials: Official[] }) {
  const engine = useEngine();
  const format = useFormat();
  const [without, setWithout] = useState<Official[] | null>(officials.length === 1 ? officials : null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once, about those who were refused
  useEffect(() => {
    if (without) return;
    let shown = true;
    void Promise.all(officials.map((official) => hasDevice(engine, official.official))).then((has) => {
      const found = officials.filter((_, index) => !has[index]);
      // Somebody was refused: if nobody can be told apart, it may be any of them.
      if (shown) setWithout(found.length > 0 ? found : officials);
    });
    return () => {
      shown = false;
    };
  }, [engine]);
  if (!without) return null;
  const names = without.map((official) => format.name(official.name));
  const who = format.list(names);
  return (
    <Banner
      tone="danger"
      live
      title={<Plural value={names.length} one={`${who} has no device yet`} other={`${who} have no device yet`} />}
    >
      <Trans>
        Messages can be encrypted only for an enrolled device. Ask them to enrol with the card from their administrator,
        then try again.
      </Trans>
      {officials.length > without.length && (
        <>
          {" "}
          <Trans>Or begin without them and add them later.</Trans>
        </>
      )}
    </Banner>
  );
}

/** Whether an official has a device in use; true when nobody answers. */
function hasDevice(engine: Engine, official: Id): Promise<boolean> {
  return new Promise((done) => {
    const answer = (has: boolean) => {
      clearTimeout(timer);
      // Not before there is a subscription to close.
      queueMicrotask(() => subscription.close());
      done(has);
    };
    const timer = setTimeout(() => answer(true), PATIENCE_MS);
    const subscription = engine.subscribe("devices", { official }, (devices) =>
      answer(devices.some((device) => device.status === "active")),
    );
  });
}
