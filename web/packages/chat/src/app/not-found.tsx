import { Trans } from "@lingui/react/macro";
import { Link } from "@tanstack/react-router";

export function NotFound() {
  return (
    <main className="grid min-h-dvh place-content-center gap-3 p-6 text-center">
      <h1 className="text-xl font-semibold">
        <Trans>There is no such page</Trans>
      </h1>
      <Link to="/" className="text-brand-ink underline">
        <Trans>Back to conversations</Trans>
      </Link>
    </main>
  );
}
