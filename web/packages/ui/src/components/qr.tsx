import encodeQR from "qr";
import { useMemo } from "react";

/** A QR code as one SVG path; dark on white in every theme, since scanners want that. */
export function Qr({ text, label, size = 224 }: { text: string; label: string; size?: number }) {
  const { path, side } = useMemo(() => {
    const rows = encodeQR(text, "raw", { ecc: "medium", border: 2 });
    let drawn = "";
    rows.forEach((row, y) => {
      row.forEach((dark, x) => {
        if (dark) drawn += `M${x} ${y}h1v1h-1z`;
      });
    });
    return { path: drawn, side: rows.length };
  }, [text]);
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${side} ${side}`}
      width={size}
      height={size}
      shapeRendering="crispEdges"
      className="max-w-full rounded-control bg-white"
    >
      <path d={path} fill="#000" />
    </svg>
  );
}

/** Groups of digits to compare with the eyes or over the telephone. */
export function Fingerprint({ code, label }: { code: string; label: string }) {
  return (
    <ol aria-label={label} className="code grid w-fit grid-cols-3 gap-x-6 gap-y-1 text-lg sm:text-xl">
      {code.split(/\s+/u).map((group, at) => (
        <li key={`${at}-${group}`} className="text-center">
          {group}
        </li>
      ))}
    </ol>
  );
}
