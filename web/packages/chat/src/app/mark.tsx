/** The mark of Pakawaaz, as in `public/icon.svg`. Decoration; the name stands beside it. */
export function Mark({ size }: { size: number }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 64 64" width={size} height={size}>
      <rect width="64" height="64" rx="15" fill="#0b5d3f" />
      <path fill="#fff" d={BUBBLE} />
      <path fill="#0b5d3f" d={CRESCENT} />
      <circle cx="41" cy="25" r="3" fill="#0b5d3f" />
    </svg>
  );
}

const BUBBLE =
  "M32 11C19 11 9 19.5 9 30c0 6 3.2 11.3 8.3 14.8-.4 3-1.7 5.7-3.8 7.9 4.5-.3 8.600-1.9 12-4.4 2.1.5 4.3.7 6.5.7 13 0 23-8.5 23-19S45 11 32 11z";
const CRESCENT = "M37.5 38.5A11 11 0 1 1 37 21.3 9 9 0 1 0 42.3 32a11 11 0 0 1-4.8 6.5z";
