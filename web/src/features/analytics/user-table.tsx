import type { Usage } from "@nanotype/client";
import { Table, Td, Th } from "../../components/ui/table.tsx";
import { count } from "../../lib/format.ts";
import { useUser } from "../../lib/services.ts";
import { money } from "./logic/figures.ts";
import { NumberTd, NumberTh } from "./usage-table.tsx";

/** Who used how much. The server gives everybody to owners only. */
export function UserTable({ usage: { users } }: { usage: Usage }) {
  const me = useUser();
  if (users.length === 0) return <p className="text-muted">Nobody used anything in this time.</p>;
  return (
    <div className="overflow-x-auto" role="region" aria-label="People" tabIndex={0}>
      <Table aria-label="Usage by person">
        <thead>
          <tr>
            <Th>Who</Th>
            <NumberTh>Reads</NumberTh>
            <NumberTh>Writes</NumberTh>
            <NumberTh>AI</NumberTh>
            <NumberTh>Messages</NumberTh>
            <NumberTh>Cost</NumberTh>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.user}>
              <Td className="h-8 max-w-64 truncate">
                {user.user === "system" ? "The service itself" : (user.name ?? user.user)}
                {user.user === me.id && <span className="text-faint"> (you)</span>}
              </Td>
              <NumberTd>{count(user.reads)}</NumberTd>
              <NumberTd>{count(user.writes)}</NumberTd>
              <NumberTd>{count(user.ai)}</NumberTd>
              <NumberTd>{count(user.messages)}</NumberTd>
              <NumberTd>{money(user.cost)}</NumberTd>
            </tr>
          ))}
        </tbody>
      </Table>
    </div>
  );
}
