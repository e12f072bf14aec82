import { useLingui } from "@lingui/react/macro";
import { Button, Dialog } from "@pakawaaz/ui";
import { isMac } from "./shortcuts";

/** Every key, by where it works. */
export function ShortcutHelp({ isOpen, onClose }: { isOpen: boolean; onClose(): void }) {
  const { t } = useLingui();
  const mod = isMac(navigator.platform) ? "⌘" : "Ctrl";
  const alt = isMac(navigator.platform) ? "⌥" : "Alt";
  const sections: { title: string; keys: [string[], string][] }[] = [
    {
      title: t`Anywhere`,
      keys: [
        [[mod, "K"], t`Go to a conversation, person or setting`],
        [[alt, "↓"], t`Next conversation`],
        [[alt, "↑"], t`Conversation before`],
        [["/"], t`Search`],
        [["?"], t`This list`],
        [["Esc"], t`Close what is open`],
      ],
    },
    {
      title: t`In the list`,
      keys: [
        [["↓", "↑"], t`Move`],
        [["J", "K"], t`Move`],
        [["Enter"], t`Open`],
      ],
    },
    {
      title: t`While writing`,
      keys: [
        [["Enter"], t`Send (see settings)`],
        [["Shift", "Enter"], t`New line`],
        [["@"], t`Mention a member`],
        [["↑"], t`Edit the last message, in an empty field`],
        [["Esc"], t`Stop replying or editing`],
      ],
    },
    {
      title: t`On a message`,
      keys: [
        [["↓", "↑"], t`Move`],
        [["Enter"], t`What can be done`],
        [["R"], t`Reply`],
        [["E"], t`Edit`],
        [["C"], t`Copy text`],
        [["I"], t`Who received and read it`],
        [["+"], t`React`],
        [["Del"], t`Delete for everyone`],
        [["Esc"], t`Back to writing`],
      ],
    },
  ];
  return (
    <Dialog title={t`Keyboard shortcuts`} isOpen={isOpen} onClose={onClose} closeLabel={t`Close`} size="large">
      <div className="grid gap-x-8 gap-y-5 pb-5 sm:grid-cols-2">
        {sections.map((section) => (
          <section key={section.title}>
            <h3 className="mb-1 text-sm font-semibold text-muted">{section.title}</h3>
            <dl className="divide-y divide-line">
              {section.keys.map(([keys, what], index) => (
                <div key={index} className="flex items-center justify-between gap-4 py-1">
                  <dt>{what}</dt>
                  <dd dir="ltr" className="flex shrink-0 gap-1">
                    {keys.map((key) => (
                      <kbd
                        key={key}
                        className="code min-w-7 rounded border border-line-strong bg-sunken px-1.5 text-center text-sm"
                      >
                        {key}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      {/* Also what the keyboard needs to scroll the list on a low window. */}
      <Button wide onPress={onClose} className="mb-4">
        {t`Close`}
      </Button>
    </Dialog>
  );
}
