import { Section } from "./section.tsx";

/** Says what is kept; there is nothing to choose yet. */
const kept: [what: string, howLong: string][] = [
  ["Rows and tables", "Until somebody deletes them. Each acknowledged change is stored before it is confirmed."],
  ["History", "Each commit of the last 35 days, unless whoever runs the server chose otherwise: any second of them can be looked at and gone back to."],
  ["Snapshots", "Hourly ones for 48 hours, then one a day for 14 days and one a week. Those taken by hand stay until somebody deletes them."],
  ["Ids of commits", "30 days, so that a change sent twice is made once. Unsent edits older than 29 days are not sent without asking."],
  ["Presence and cursors", "Not stored at all."],
];

export function RetentionTab() {
  return (
    <Section title="What is kept" description="The same for every room. There are no settings for it.">
      <dl className="divide-y divide-line">
        {kept.map(([what, howLong]) => (
          <div key={what} className="grid gap-x-4 py-2 sm:grid-cols-[12rem_1fr]">
            <dt className="font-medium">{what}</dt>
            <dd className="text-muted">{howLong}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
