/**
 * Addresses of scripts under Trusted Types: only our own files may become workers. The one policy that the content
 * security policy names is created once for the page and shared with the engine.
 */
interface Policy {
  createScriptURL(address: string): unknown;
}
interface TypesFactory {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): Policy;
}

declare global {
  var pakawaazPolicy: Policy | undefined;
  var trustedTypes: TypesFactory | undefined;
}

function sameOrigin(address: string): string {
  const url = new URL(address, location.href);
  if (url.origin !== location.origin) throw new TypeError("a script of another origin");
  return url.href;
}

/** The address, marked as ours where the browser wants that. */
export function scriptAddress(address: string): string {
  globalThis.pakawaazPolicy ??= globalThis.trustedTypes?.createPolicy("pakawaaz", { createScriptURL: sameOrigin });
  return (globalThis.pakawaazPolicy?.createScriptURL(address) ?? sameOrigin(address)) as string;
}
