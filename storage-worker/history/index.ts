export { HistoryIndex } from './history-index.ts'
export { HistoryIndexer, type HistoryStatus } from './history-indexer.ts'
export type { OperationRole, Role } from './history-keys.ts'
export {
  type AddressOperation,
  type HistoryBlock,
  type HistoryEndorsement,
  type HistoryOperation,
  HistoryReader,
  type HistorySlot,
  type Inclusion,
  type ListCursor,
} from './history-reader.ts'
export { deleteHistory, HISTORY_FOLDER, type OpenedHistory, openHistory } from './open-history.ts'
