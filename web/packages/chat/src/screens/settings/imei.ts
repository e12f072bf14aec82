/**
 * A device number as its phone shows and prints it: the 14 digits that IMEI and IMEISV share, and the check digit, which
 * the network is not told (TS 23.003 §6.2.1).
 */
export function imei(told: string): string {
  const digits = told.slice(0, 14);
  const sum = [...digits].reduce((all, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 1 : 2);
    return all + (value > 9 ? value - 9 : value);
  }, 0);
  return `${digits}${(10 - (sum % 10)) % 10}`;
}
