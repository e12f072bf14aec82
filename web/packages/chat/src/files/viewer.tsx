import { Trans, useLingui } from "@lingui/react/macro";
import type { FileView } from "@pakawaaz/api/protocol";
import { Button, ErrorState, IconButton, Spinner } from "@pakawaaz/ui";
import { Download, Maximize, X, ZoomIn, ZoomOut } from "lucide-react";
import { type PointerEvent, useEffect, useRef, useState } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { asEngineError, useEngine } from "../app/engine.tsx";
import { useFormat } from "../app/i18n.tsx";
import { useTransfers } from "../chat/hooks";
import { directionOf, harmlessName } from "../chat/logic/text";
import { UserText } from "../chat/parts/user-text";
import { useWords } from "../chat/words";
import { clampPan, UNZOOMED, type Zoom, zoomAt } from "./logic/fit";
import { kindOf, viewType } from "./logic/kinds";
import { percent } from "./logic/sizes";
import { Thumbnail } from "./thumbnail";
import { saveAs, useBlobUrl } from "./use-blob-url";

export interface Viewed {
  group: string;
  message: string;
  file: FileView;
}

/** A file over the whole window. The bytes are checked before they are shown, and forgotten when it closes. */
export function Viewer({ viewed, onClose }: { viewed: Viewed | null; onClose(): void }) {
  return (
    <ModalOverlay
      isOpen={viewed !== null}
      onOpenChange={(open) => !open && onClose()}
      className="fixed inset-0 z-40 bg-black text-white animate-fade"
    >
      <Modal className="size-full">{viewed && <Inside viewed={viewed} onClose={onClose} />}</Modal>
    </ModalOverlay>
  );
}

function Inside({ viewed, onClose }: { viewed: Viewed; onClose(): void }) {
  const { t } = useLingui();
  const engine = useEngine();
  const words = useWords();
  const format = useFormat();
  const [blob, setBlob] = useState<Blob | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [attempt, setAttempt] = useState(0);
  const { group, message, file } = viewed;
  const name = harmlessName(file.name);
  const transfer = useTransfers(group).downloads.get(message);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt fetches again
  useEffect(() => {
    const stop = new AbortController();
    setFailure(null);
    engine.download({ group, message }, { signal: stop.signal }).then(
      (bytes) => !stop.signal.aborted && setBlob(bytes),
      (error) => !stop.signal.aborted && setFailure(asEngineError(error).code),
    );
    return () => stop.abort();
  }, [engine, group, message, attempt]);
  const url = useBlobUrl(blob, viewType(file.media_type));
  const kind = kindOf(file.media_type);
  return (
    <Dialog className="flex size-full flex-col outline-none">
      <header className="flex min-h-14 shrink-0 items-center gap-1 px-2">
        <IconButton icon={X} label={t`Close`} onPress={onClose} className="text-white! hover:bg-white/15" />
        <Heading slot="title" className="min-w-0 flex-1 truncate font-medium">
          <UserText>{name}</UserText>{" "}
          <span className="text-sm font-normal text-white/80 tabular-nums">{words.size(file.size)}</span>
        </Heading>
        <IconButton
          icon={Download}
          label={t`Save`}
          isDisabled={!blob}
          onPress={() => blob && saveAs(blob, name)}
          className="text-white! hover:bg-white/15"
        />
      </header>
      <div className="relative min-h-0 flex-1">
        {failure ? (
          <div className="grid size-full place-items-center">
            <ErrorState
              title={t`The file could not be fetched`}
              action={<Button onPress={() => setAttempt(attempt + 1)}>{t`Try again`}</Button>}
            >
              <span className="text-white">{words.failure(failure)}</span>
            </ErrorState>
          </div>
        ) : !url || !blob ? (
          <div className="grid size-full place-items-center" role="status">
            {file.thumbnail && (
              <Thumbnail
                file={file}
                className="absolute inset-0 m-auto max-h-full max-w-full scale-100 opacity-40 blur-sm"
              />
            )}
            <span className="relative flex items-center gap-2 rounded-full bg-black/70 px-4 py-2">
              {transfer?.state === "paused" ? null : <Spinner />}
              {transfer?.state === "paused" ? <Trans>Paused</Trans> : <Trans>Fetching and checking</Trans>}
              {transfer && transfer.size > 0 && (
                <span className="tabular-nums" aria-hidden>
                  {format.number(percent(transfer.done, transfer.size))}%
                </span>
              )}
            </span>
          </div>
        ) : kind === "image" ? (
          <ZoomImage url={url} name={name} />
        ) : kind === "video" ? (
          // biome-ignore lint/a11y/useMediaCaption: the file is the sender's; there are no captions for it
          <video src={url} controls autoPlay className="size-full" aria-label={name} />
        ) : kind === "audio" ? (
          <div className="grid size-full place-items-center p-4">
            {/* biome-ignore lint/a11y/useMediaCaption: the file is the sender's; there are no captions for it */}
            <audio src={url} controls autoPlay aria-label={name} className="w-full max-w-xl" />
          </div>
        ) : (
          <TextFile blob={blob} name={name} />
        )}
      </div>
    </Dialog>
  );
}

function TextFile({ blob, name }: { blob: Blob; name: string }) {
  const [text, setText] = useState("");
  useEffect(() => {
    let shown = true;
    void blob.text().then((read) => shown && setText(read));
    return () => {
      shown = false;
    };
  }, [blob]);
  return (
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable with the keyboard
      tabIndex={0}
      role="document"
      aria-label={name}
      dir="auto"
      lang={directionOf(text) === "rtl" ? "ur" : "en"}
      className="mx-auto size-full max-w-4xl overflow-auto bg-surface p-4 text-start font-sans text-ink whitespace-pre-wrap [overflow-wrap:anywhere]"
    >
      {text}
    </pre>
  );
}

/** Wheel, pinch, double press, buttons and + − 0 arrow keys. */
function ZoomImage({ url, name }: { url: string; name: string }) {
  const { t } = useLingui();
  const frame = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const [zoom, setZoom] = useState<Zoom>(UNZOOMED);
  const change = (next: (was: Zoom) => Zoom) =>
    setZoom((was) =>
      clampPan(next(was), { width: image.current?.clientWidth ?? 0, height: image.current?.clientHeight ?? 0 }),
    );
  const fromMiddle = (event: { clientX: number; clientY: number }) => {
    const box = frame.current?.getBoundingClientRect();
    return box
      ? { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 }
      : { x: 0, y: 0 };
  };
  const by = (factor: number, point = { x: 0, y: 0 }) => change((was) => zoomAt(was, factor, point));
  const pan = (x: number, y: number) =>
    change((was) => (was.scale === 1 ? was : { ...was, x: was.x + x, y: was.y + y }));

  useEffect(() => {
    const element = frame.current;
    // Not passive: the page must not scroll or zoom as well.
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const point = fromMiddle(event);
      setZoom((was) =>
        clampPan(zoomAt(was, Math.exp(-event.deltaY / 300), point), {
          width: image.current?.clientWidth ?? 0,
          height: image.current?.clientHeight ?? 0,
        }),
      );
    };
    element?.addEventListener("wheel", wheel, { passive: false });
    return () => element?.removeEventListener("wheel", wheel);
  });

  const move = (event: PointerEvent) => {
    const held = pointers.current;
    const before = held.get(event.pointerId);
    if (!before) return;
    const others = [...held.entries()].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    const now = { x: event.clientX, y: event.clientY };
    const other = others[0];
    if (other) {
      const distance = (point: { x: number; y: number }) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      by(
        distance(now) / distance(before),
        fromMiddle({ clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 }),
      );
    } else pan(now.x - before.x, now.y - before.y);
    held.set(event.pointerId, now);
  };
  const keyAction = (key: string): (() => void) | null => {
    switch (key) {
      case "+":
      case "=":
        return () => by(1.25);
      case "-":
        return () => by(0.8);
      case "0":
        return () => setZoom(UNZOOMED);
      case "ArrowLeft":
        return () => pan(60, 0);
      case "ArrowRight":
        return () => pan(-60, 0);
      case "ArrowUp":
        return () => pan(0, 60);
      case "ArrowDown":
        return () => pan(0, -60);
      default:
        return null;
    }
  };
  const release = (event: PointerEvent) => pointers.current.delete(event.pointerId);

  return (
    <>
      <div
        ref={frame}
        role="application"
        aria-label={t`${name}. Plus and minus zoom, arrow keys move, 0 shows it whole.`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys zoom and move the picture
        tabIndex={0}
        onKeyDown={(event) => {
          const action = keyAction(event.key);
          if (!action) return;
          event.preventDefault();
          action();
        }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
        }}
        onPointerMove={move}
        onPointerUp={release}
        onPointerCancel={release}
        onDoubleClick={(event) => (zoom.scale > 1 ? setZoom(UNZOOMED) : by(2.5, fromMiddle(event)))}
        className="relative size-full touch-none overflow-hidden outline-offset-[-3px]"
      >
        <img
          ref={image}
          src={url}
          alt={name}
          draggable={false}
          className="absolute inset-0 m-auto max-h-full max-w-full object-contain select-none"
          style={{ transform: `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})` }}
        />
      </div>
      <div className="absolute inset-x-0 bottom-4 mx-auto flex w-fit gap-1 rounded-full bg-black/70 p-1">
        <IconButton
          icon={ZoomOut}
          size="small"
          label={t`Smaller`}
          isDisabled={zoom.scale === 1}
          onPress={() => by(0.66)}
          className="text-white! hover:bg-white/15"
        />
        <IconButton
          icon={Maximize}
          size="small"
          label={t`Whole picture`}
          onPress={() => setZoom(UNZOOMED)}
          className="text-white! hover:bg-white/15"
        />
        <IconButton
          icon={ZoomIn}
          size="small"
          label={t`Larger`}
          onPress={() => by(1.5)}
          className="text-white! hover:bg-white/15"
        />
      </div>
    </>
  );
}
