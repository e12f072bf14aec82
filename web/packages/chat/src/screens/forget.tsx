import { Trans, useLingui } from "@lingui/react/macro";
import { Checkbox, Confirm } from "@pakawaaz/ui";
import { type ReactNode, useState } from "react";
import { useCommand } from "../app/engine.tsx";
import { Refusal } from "../app/errors.tsx";

/** Deletes everything of this origin, after it was said what that means. */
export function ForgetDialog({ isOpen, onClose, lead }: { isOpen: boolean; onClose(): void; lead?: ReactNode }) {
  const { t } = useLingui();
  const [sure, setSure] = useState(false);
  const forget = useCommand("forget");
  return (
    <Confirm
      title={t`Delete what is stored here`}
      isOpen={isOpen}
      onClose={() => {
        setSure(false);
        onClose();
      }}
      closeLabel={t`Keep it`}
      confirmLabel={t`Delete everything`}
      kind="danger"
      firm
      busy={forget.running}
      onConfirm={() => {
        if (sure) void forget.run({});
      }}
    >
      <div className="flex flex-col gap-3">
        {lead && <p>{lead}</p>}
        <p>
          <Trans>
            The profile, its keys and every message stored in this browser are deleted. Messages cannot be brought back
            from the server. To use this browser again you need a new voucher.
          </Trans>
        </p>
        <Checkbox label={t`I understand that this cannot be undone.`} selected={sure} onChange={setSure} />
        <Refusal error={forget.error} />
      </div>
    </Confirm>
  );
}
