export { NanoProvider, useRoom } from "./rooms.tsx";
export {
  useCommit,
  usePresence,
  useRoomStatus,
  useRow,
  useRows,
  useTables,
  type CommitHandle,
  type PresenceHandle,
  type Rows,
  type RowsOptions,
} from "./hooks.ts";
