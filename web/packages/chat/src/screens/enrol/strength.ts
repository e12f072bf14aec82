/** 0 (guessed at once) to 4 (strong). A help while typing and no rule: the length is what counts most. */
export function strength(password: string): 0 | 1 | 2 | 3 | 4 {
  const letters = [...password];
  if (letters.length < 8) return 0;
  const different = new Set(letters.map((l) => l.toLowerCase())).size;
  if (different < 5) return 0;
  let kinds = 0;
  for (const kind of [/\p{Ll}|\p{Lo}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{L}\p{Nd}]/u]) if (kind.test(password)) kinds += 1;
  let points = Math.min(letters.length, 24) + kinds * 2 + Math.min(different, 12) / 2;
  // Runs and well-known beginnings add length and little else.
  if (/(.)\1\1|0123|1234|abcd|qwer|pass|پاکستان|pakistan/iu.test(password)) points -= 8;
  if (points < 16) return 1;
  if (points < 21) return 2;
  if (points < 27) return 3;
  return 4;
}

/** PINs that everybody tries first. */
export function obviousPin(pin: string): boolean {
  if (pin.length < 6) return false;
  const steps = [...pin].slice(1).map((digit, at) => Number(digit) - Number(pin[at]));
  return steps.every((step) => step === steps[0] && Math.abs(step) <= 1) || /^(\d\d)\1+$/.test(pin);
}
