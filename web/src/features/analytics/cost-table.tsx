import type { ServiceCost, Usage } from "@nanotype/client";
import { Table, Td, Th } from "../../components/ui/table.tsx";
import { locale } from "../../lib/locale.ts";
import { money } from "./logic/figures.ts";
import { NumberTd, NumberTh } from "./usage-table.tsx";

const units = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });

/** Where the money goes, with the price of each unit and where that is published. */
export function CostTable({ usage: { services, totals, prices } }: { usage: Usage }) {
  return (
    <div className="flex flex-col gap-2">
      <div className="overflow-x-auto" role="region" aria-label="Services" tabIndex={0}>
        <Table aria-label="Cost by service">
          <thead>
            <tr>
              <Th>Service</Th>
              <NumberTh>Used</NumberTh>
              <Th>Price</Th>
              <NumberTh>Cost</NumberTh>
            </tr>
          </thead>
          <tbody>
            {services.map((service) => (
              <ServiceRow key={`${service.service} ${service.what}`} service={service} />
            ))}
          </tbody>
          <tfoot className="font-medium">
            <tr>
              <Td className="h-8 border-b-0" colSpan={3}>
                Together
              </Td>
              <NumberTd>{money(totals.cost)}</NumberTd>
            </tr>
          </tfoot>
        </Table>
      </div>
      <p className="text-xs text-faint">
        What this use costs on AWS by the list prices of {prices.region} as of {prices.date}, without free tiers, storage and taxes. Tokens are counted where
        the model tells them, else estimated from the length of the texts; a model of your own costs nothing here.
      </p>
    </div>
  );
}

function ServiceRow({ service: { service, what, units: used, usd, per, cost, source } }: { service: ServiceCost }) {
  return (
    <tr>
      <Td className="h-8">
        {service} <span className="text-muted">{what}</span>
      </Td>
      <NumberTd>{units.format(used)}</NumberTd>
      <Td className="h-8">
        <a href={`https://${source}`} target="_blank" rel="noreferrer" className="underline decoration-line-strong underline-offset-2 hover:text-ink">
          ${usd} {per === 1 ? "each" : per === 1_000_000 ? "a million" : `for ${units.format(per)}`}
        </a>
      </Td>
      <NumberTd>{money(cost)}</NumberTd>
    </tr>
  );
}
