import { Trans, useLingui } from "@lingui/react/macro";
import type { Official } from "@pakawaaz/api/protocol";
import { Button, IconButton, TextField, TopBar } from "@pakawaaz/ui";
import { useNavigate } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useState } from "react";
import { useCommand, useTopic } from "../app/engine.tsx";
import { InvitationRefusal } from "../find/no-device";
import { PeoplePicker } from "../find/people-picker";

/** The longest title that the protocol takes, in bytes; Urdu letters take two. */
export const LONGEST_TITLE = 250;

/** One person: a conversation of two. Several: a group, which may have a title. */
export function NewConversationPage() {
  const { t } = useLingui();
  const navigate = useNavigate();
  const app = useTopic("app", {});
  const conversations = useTopic("conversations", {});
  const create = useCommand("new_conversation");
  const [chosen, setChosen] = useState<Official[]>([]);
  const [title, setTitle] = useState("");
  const several = chosen.length > 1;
  // Another attempt asks anew who has a device.
  const [asked, setAsked] = useState(0);
  const start = async () => {
    setAsked(asked + 1);
    const officials = chosen.map((official) => official.official);
    const open = conversations?.find(
      (entry) => !several && entry.direct && !entry.left && entry.members.includes(officials[0] ?? ""),
    );
    const group =
      open?.group ?? (await create.run({ officials, title: several && title.trim() ? title.trim() : null }))?.group;
    if (group) void navigate({ to: "/c/$group", params: { group }, replace: true });
  };
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col bg-surface">
      <TopBar
        title={t`New conversation`}
        back={<IconButton icon={ArrowLeft} label={t`All conversations`} onPress={() => void navigate({ to: "/" })} />}
      />
      <div className="min-h-0 flex-1 overflow-y-auto px-4 py-3">
        <div className="mx-auto flex max-w-2xl flex-col gap-3">
          <InvitationRefusal key={asked} error={create.error} officials={chosen} />
          <PeoplePicker chosen={chosen} onChange={setChosen} without={app?.me ? [app.me.official] : []} />
        </div>
      </div>
      {chosen.length > 0 && (
        <form
          className="safe-bottom border-t border-line bg-surface px-4 py-3"
          onSubmit={(event) => {
            event.preventDefault();
            void start();
          }}
        >
          <div className="mx-auto flex max-w-2xl flex-wrap items-end justify-end gap-3">
            {several && (
              <TextField
                label={t`Title of the group (optional)`}
                value={title}
                onChange={setTitle}
                maxLength={LONGEST_TITLE}
                className="min-w-52 flex-1"
              />
            )}
            <Button type="submit" kind="primary" busy={create.running}>
              <Trans>Start the conversation</Trans>
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}
