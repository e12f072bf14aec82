/** What an enrolment card's text holds; either half may be missing. */
export interface CardText {
  voucher: string;
  sim: string;
}

/** Takes an enrolment card apart as the engine does: the SIM file begins at the first brace. */
export function splitCard(text: string): CardText {
  const brace = text.indexOf("{");
  const at = brace < 0 ? text.length : brace;
  return { voucher: text.slice(0, at).trim(), sim: text.slice(at).trim() };
}

/** Looks like a voucher; the engine judges whether it is one. */
export function looksLikeVoucher(text: string): boolean {
  return /^PKW1\.[\w.-]{20,}$/.test(text);
}
