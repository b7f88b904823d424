export { DATA_DIR_HEADER } from './data-dir-header.ts'
export type { ArchiveRpcModules } from './json-rpc/archive-rpc.ts'
export { type Query, type QueryRequest, type QueryRow, runQuery } from './queries.ts'
export { createApi, createMetricsServer, listen, type StatusReport } from './server.ts'
