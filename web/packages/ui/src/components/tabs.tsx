import type { ReactNode } from "react";
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from "react-aria-components";

export interface TabsProps {
  label: string;
  tabs: { id: string; label: string; content: ReactNode; count?: number }[];
  selected?: string;
  onSelect?(id: string): void;
}

export function Tabs({ label, tabs, selected, onSelect }: TabsProps) {
  return (
    <AriaTabs
      selectedKey={selected}
      onSelectionChange={(key) => onSelect?.(String(key))}
      className="flex min-h-0 flex-col outline-none"
    >
      <TabList aria-label={label} className="flex gap-1 overflow-x-auto border-b border-line">
        {tabs.map((tab) => (
          <Tab
            key={tab.id}
            id={tab.id}
            className="-mb-px flex min-h-11 shrink-0 cursor-default items-center gap-2 border-b-2 border-transparent px-4 text-muted outline-offset-[-3px] hover:text-ink selected:border-brand selected:font-medium selected:text-brand-ink"
          >
            {tab.label}
            {tab.count ? <span className="rounded-full bg-sunken px-2 text-sm tabular-nums">{tab.count}</span> : null}
          </Tab>
        ))}
      </TabList>
      {tabs.map((tab) => (
        <TabPanel key={tab.id} id={tab.id} className="min-h-0 flex-1 pt-3 outline-none">
          {tab.content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
