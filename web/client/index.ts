export { NanoClient, type ClientOptions } from "./client.ts";
export { ConflictError, NanoError, type ErrorAction, type ErrorCode } from "./errors.ts";
export type { HttpRequest, TokenProvider } from "./http.ts";
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
export { Room, type CommitOptions, type RoomEvents, type RoomOptions, type RoomStatus, type Topic } from "./room.ts";
export { Rooms, type Members, type RoomInfo, type RoomSummary, type User } from "./rooms.ts";
export { browserRuntime, type Runtime, type WebSocketLike } from "./runtime.ts";
export { defaultTiming, type SocketTiming } from "./socket.ts";
export type { TableSnapshot } from "./table-views.ts";
export { ulidFactory, ulidTime } from "./ulid.ts";
