export type { SlotListOptions } from './address-slots.ts'
export { checkHistory } from './check-history.ts'
export { type FinalPeriod, FinalPeriods } from './final-periods.ts'
export { type HistoryAnswer, HistoryAnswers, type ListRequest } from './history-answers.ts'
export type { HistoryIndex } from './history-index.ts'
export { HistoryIndexer, type HistoryStatus } from './history-indexer.ts'
export type { OperationRole } from './history-keys.ts'
export {
  type AddressOperation,
  type HistoryBlock,
  type HistoryEndorsement,
  type HistoryOperation,
  HistoryReader,
  type HistorySlot,
  type Inclusion,
  type SlotSummary,
} from './history-reader.ts'
export type { HistoryCheckOptions } from './history-sync.ts'
export type { HolderFetcher } from './holder-fetcher.ts'
export { type ListCursor, parseCursor } from './list-cursor.ts'
export { HISTORY_FOLDER, openHistory } from './open-history.ts'
export type { RangeAnswer, RangeRequest } from './range-answer.ts'
export { rebuildHistory } from './rebuild-history.ts'
