export { Alerts, type AlertPreview, type Requester } from "./alerts.ts";
export {
  Analytics,
  type Budget,
  type BudgetLimits,
  type Costs,
  type Figures,
  type Health,
  type HealthCheck,
  type HealthLevel,
  type ServiceCost,
  type Usage,
  type UsagePoint,
  type UsageRange,
  type UserUsage,
} from "./analytics.ts";
export { type Backup, type BackupFormat, Backups, restoreFrom, type Restored, type RestoreFrom, type RestoreRequest } from "./backups.ts";
export { NanoClient, type ClientOptions } from "./client.ts";
export type { Download, DownloadOptions } from "./download.ts";
export { ConflictError, NanoError, type ErrorAction, type ErrorCode } from "./errors.ts";
export {
  type CellChange,
  type Counts,
  type DiffPage,
  History,
  type LoggedCommit,
  type LogSlice,
  type Point,
  pointText,
  type RowChange,
  type RowHistoryEntry,
  type UndoConflict,
  UndoConflictError,
} from "./history.ts";
export type { HttpRequest, TokenProvider } from "./http.ts";
export { type Caller, type FollowOptions, isOver, type Job, Jobs, type JobState, type Work } from "./jobs.ts";
export type { Acknowledged, OutboxStatus } from "./outbox.ts";
export {
  localStorageOutbox,
  memoryOutbox,
  type Edit,
  type Entry,
  type OutboxSession,
  type OutboxStorage,
} from "./outbox-storage.ts";
export type { Peer } from "./presence.ts";
export * from "./protocol.ts";
export { compare, matches, select, type Query } from "./query.ts";
export { type DeploymentQueue, type FailedJob, type IndexHealth, Queue, type QueueStatus } from "./queue.ts";
export { Room, type CommitOptions, type RoomEvents, type RoomOptions, type RoomStatus, type Topic } from "./room.ts";
export { Rooms, type Members, type RoomInfo, type RoomSummary, type User } from "./rooms.ts";
export { browserRuntime, type Runtime, type WebSocketLike } from "./runtime.ts";
export { defaultTiming, type SocketTiming } from "./socket.ts";
export type { TableSnapshot } from "./table-views.ts";
export {
  decodeImport,
  directLimit,
  type ExportFormat,
  type ExportRequest,
  type ImportFormat,
  type ImportOptions,
  type ImportProblem,
  type ImportReport,
  Transfer,
} from "./transfer.ts";
export { ulidFactory, ulidTime } from "./ulid.ts";
