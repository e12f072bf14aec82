import { Trans, useLingui } from "@lingui/react/macro";
import { Banner, Button, Spinner } from "@pakawaaz/ui";
import { useEffect, useRef, useState } from "react";

/** Not in TypeScript's library yet; Chromium on phones and macOS has it. */
interface BarcodeDetectorLike {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>;
}
declare const BarcodeDetector: undefined | (new (options: { formats: string[] }) => BarcodeDetectorLike);

type Reader = (video: HTMLVideoElement) => Promise<string | null>;

async function makeReader(): Promise<Reader> {
  if (typeof BarcodeDetector !== "undefined") {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (video) => (await detector.detect(video))[0]?.rawValue ?? null;
  }
  const { default: decode } = await import("qr/decode.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    if (!context || !video.videoWidth) return null;
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    context.drawImage(video, 0, 0);
    try {
      return decode(context.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      // No code in this picture.
      return null;
    }
  };
}

const PAUSE_MS = 200;

/** Looks for a QR code through the camera until it finds one that `accept` takes. Pictures stay in this page. */
export function Scanner({ accept, onCancel }: { accept(text: string): boolean; onCancel(): void }) {
  const { t } = useLingui();
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<"starting" | "looking" | "refused">("starting");
  const latest = useRef(accept);
  useEffect(() => {
    latest.current = accept;
  });
  useEffect(() => {
    let over = false;
    let stream: MediaStream | undefined;
    const look = async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
        const element = video.current;
        if (over || !element) return;
        element.srcObject = stream;
        await element.play();
        setState("looking");
        const read = await makeReader();
        while (!over) {
          const text = await read(element);
          if (text && latest.current(text)) return;
          await new Promise((next) => setTimeout(next, PAUSE_MS));
        }
      } catch {
        if (!over) setState("refused");
      } finally {
        if (over) stop();
      }
    };
    const stop = () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    void look();
    return () => {
      over = true;
      stop();
    };
  }, []);
  if (state === "refused") {
    return (
      <Banner
        tone="warn"
        live
        title={<Trans>The camera is not available</Trans>}
        action={
          <Button size="small" onPress={onCancel}>
            <Trans>Paste instead</Trans>
          </Button>
        }
      >
        <Trans>Allow the camera for this page in the browser, or paste the text of the card.</Trans>
      </Banner>
    );
  }
  return (
    <div className="flex flex-col gap-3">
      <div className="relative aspect-square overflow-hidden rounded-card bg-black">
        <video ref={video} muted playsInline className="size-full object-cover" aria-label={t`Picture of the camera`} />
        <div aria-hidden className="absolute inset-[16%] rounded-card border-4 border-white/80" />
        {state === "starting" && (
          <div className="absolute inset-0 grid place-content-center text-white">
            <Spinner size={32} />
          </div>
        )}
      </div>
      <p role="status" className="text-center text-sm text-muted">
        {state === "starting" ? (
          <Trans>Starting the camera…</Trans>
        ) : (
          <Trans>Hold the code of your card inside the square.</Trans>
        )}
      </p>
      <Button onPress={onCancel}>
        <Trans>Paste instead</Trans>
      </Button>
    </div>
  );
}
