import * as z from 'zod'
import {
  type ArchivedPeriod,
  ArchiveError,
  type FileEra,
  isArchiveError,
  type Period,
  parseBlockId,
  parseOperationId,
} from '../core/index.ts'
import { computeLocalEra } from '../storage-worker/eras/local-era.ts'
import { reportLocalEra } from '../storage-worker/eras/report-eras.ts'
import {
  applyRetention,
  CHUNK_ROLES,
  computeNextRetentionAt,
  computeRetentionStep,
  type Damage,
  type EraRelease,
  type FoundRoles,
  type HistoryCheckOptions,
  type HistoryStatus,
  inspectBlock,
  inspectChunk,
  inspectOperation,
  inspectPeriod,
  listChunks,
  planRetention,
  type SearchWatch,
  type Store,
  type VerifyProgress,
  verifyArchive,
} from '../storage-worker/index.ts'
import type { ClusterPort } from './cluster-port.ts'
import { exportOperations, exportPeriods } from './export-queries.ts'
import { LatestReport } from './latest-report.ts'

/*
 * The questions that the command line asks of an archive, whether it opens the databases by itself or asks the sidecar
 * that has them open. An answer is a stream of rows: `{row}`, `{progress}`, one `{result}` at the end of some.
 */

/** Of which `verify` looks at the index of ids and addresses, unless it goes deep: some ms each. */
const CHECKED_PERIODS = 64

const period = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const range = { from: period, to: period }

const querySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('list-chunks'),
    ...range,
    prefixHex: z.string().regex(/^[0-9a-f]{0,64}$/),
    role: z.enum(CHUNK_ROLES).optional(),
  }),
  z.strictObject({ kind: z.literal('own-roles') }),
  z.strictObject({ kind: z.literal('locate-chunk'), idHex: z.string().regex(/^[0-9a-f]{6,64}$/) }),
  z.strictObject({ kind: z.literal('cluster-check') }),
  z.strictObject({ kind: z.literal('inspect-period'), period }),
  z.strictObject({ kind: z.literal('inspect-block'), id: z.string().max(80) }),
  z.strictObject({ kind: z.literal('inspect-operation'), id: z.string().max(80) }),
  z.strictObject({ kind: z.literal('inspect-chunk'), prefixHex: z.string().max(64) }),
  z.strictObject({
    kind: z.literal('verify'),
    range: z.strictObject(range).optional(),
    deep: z.boolean(),
    repair: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('era'), era: z.number().int().min(0).max(0xffff_ffff) }),
  z.strictObject({ kind: z.literal('rebuild-history') }),
  z.strictObject({ kind: z.literal('export-periods'), from: period.optional(), to: period.optional() }),
  z.strictObject({
    kind: z.literal('export-operations'),
    from: period.optional(),
    to: period.optional(),
    address: z.string().max(80).optional(),
  }),
  z.strictObject({ kind: z.literal('prune'), dryRun: z.boolean(), retentionPeriods: period }),
])

export type QueryRequest = z.infer<typeof querySchema>

/** What queries are asked of. */
export interface Query {
  readonly store: Store
  /** Threads for hashing. */
  readonly threads: number
  /** Of a running sidecar; absent: it has none, or nobody has the archive open but who asks. */
  readonly history?: HistoryPort | undefined
  /** What this node is to hold, now. Absent: nobody can tell. */
  readonly findRoles?: () => Promise<FoundRoles>
  /** Of a running sidecar that meets others. */
  readonly cluster?: ClusterPort | undefined
  /** Gets a damaged period again, when somebody still has it. */
  readonly refetchPeriod?: ((period: Period) => Promise<ArchivedPeriod | undefined>) | undefined
  /** Of the sidecar that is asked: nothing is deleted for another number. Absent: the request's counts. */
  readonly retentionPeriods?: number
  /** Told what a verification read, how much of it is damaged, and what it tried to repair. */
  readonly onVerified?: (found: Verified) => void
  /** Told of the first period that is kept, after a deletion. */
  readonly onPruned?: (keptFrom: Period) => Promise<void>
  /** What was anchored of an era, for those who are to be told; absent: nobody can tell. */
  readonly findAnchor?: (era: number) => Promise<FileEra['anchor'] | undefined>
  /** Which eras `prune` may delete; absent where there is no registry. */
  readonly mayGo?: EraRelease
}

export interface HistoryPort {
  rebuild(onPeriod: (period: Period) => void, signal: AbortSignal): Promise<Omit<HistoryStatus, 'failing'>>
  /** Periods in which something of this id may stand; absent: the index is not open. */
  findPeriods?(kind: 'blocks' | 'operations', id: Uint8Array): Promise<readonly Period[]>
  /** Periods of which the index has not what it should. */
  check(options: HistoryCheckOptions, repair: boolean, signal: AbortSignal): Promise<readonly Period[]>
}

export interface Verified {
  readonly bytes: number
  readonly damages: number
  /** What is held of these may have changed. */
  readonly repairedPeriods: ReadonlySet<Period>
}

export type QueryRow = { readonly row: object } | { readonly progress: object } | { readonly result: object | null }

/** @throws ArchiveError API_QUERY_INVALID and what the query itself throws */
export function runQuery(query: Query, request: unknown, signal: AbortSignal): AsyncIterable<QueryRow> {
  const parsed = querySchema.safeParse(request)
  if (!parsed.success) throw new ArchiveError('API_QUERY_INVALID', z.prettifyError(parsed.error))
  return answer(query, parsed.data, signal)
}

async function* answer(query: Query, request: QueryRequest, signal: AbortSignal): AsyncGenerator<QueryRow> {
  const { chunks } = query.store
  switch (request.kind) {
    case 'list-chunks':
      return yield* list(query, request, signal)
    case 'own-roles':
      return yield { result: describeRoles(await findRoles(query), true) }
    case 'locate-chunk':
      return yield { result: (await needCluster(query).locate(request.idHex)) ?? null }
    case 'cluster-check':
      return yield* checkCluster(needCluster(query), signal)
    case 'inspect-period':
      return yield { result: (await inspectPeriod(chunks, request.period)) ?? null }
    case 'inspect-chunk':
      return yield { result: (await inspectChunk(chunks, request.prefixHex)) ?? null }
    case 'inspect-block':
      return yield* search(async (watch) => {
        const likely = await findLikely(query, 'blocks', parseBlockId(request.id))
        return inspectBlock(chunks, request.id, { ...watch, likely })
      })
    case 'inspect-operation':
      return yield* search(async (watch) => {
        const likely = await findLikely(query, 'operations', parseOperationId(request.id))
        return inspectOperation(chunks, request.id, { ...watch, likely })
      })
    case 'verify':
      return yield* verify(query, request, signal)
    case 'era':
      return yield { result: reportLocalEra(await computeLocalEra(chunks, request.era)) }
    case 'rebuild-history':
      return yield* rebuildHistory(query, signal)
    case 'export-periods':
      return yield* exportPeriods(query, request)
    case 'export-operations':
      return yield* exportOperations(chunks, request)
    case 'prune':
      return yield { result: await prune(query, request) }
  }
}

/** Rows, and behind them by which table and for which node their roles are told, or why they are not. */
async function* list(
  query: Query,
  request: Extract<QueryRequest, { kind: 'list-chunks' }>,
  signal: AbortSignal,
): AsyncGenerator<QueryRow> {
  const found = await findRoles(query)
  const roles = 'roles' in found ? found.roles : undefined
  const isHopeless = !roles && request.role !== undefined && request.role !== 'none'
  if (!isHopeless) {
    for await (const row of listChunks(query.store.chunks, request, roles)) {
      if (signal.aborted) return
      yield { row }
    }
  }
  yield { result: describeRoles(found, false) }
}

async function findRoles({ findRoles: find }: Query): Promise<FoundRoles> {
  return find ? find() : { why: 'nobody can tell who holds what' }
}

/** @param hasSlots - also which hash slots, by role */
function describeRoles(found: FoundRoles, hasSlots: boolean): object {
  if ('why' in found) return found
  const { roles } = found
  const { address, era } = roles
  return { address, era, ...(hasSlots && { primary: roles.listSlots('primary'), replica: roles.listSlots('replica') }) }
}

function needCluster({ cluster }: Query): ClusterPort {
  if (cluster) return cluster
  throw new ArchiveError('API_PEERS_OFF', 'this sidecar meets no others: p2p.enabled is false')
}

async function* checkCluster(cluster: ClusterPort, signal: AbortSignal): AsyncGenerator<QueryRow> {
  const reports = new LatestReport<object>()
  const found = cluster.check((progress) => reports.put(progress), signal).finally(() => reports.end())
  // Whoever asked may have gone meanwhile.
  found.catch(() => undefined)
  for await (const progress of reports) yield { progress }
  yield { result: (await found) ?? null }
}

/**
 * A search reports how far it is; both run at their own pace, so the latest report is what counts. When nothing was found
 * a row says which periods were passed over, since not all of their chunks are held.
 */
async function* search(run: (watch: SearchWatch) => Promise<object | undefined>): AsyncGenerator<QueryRow> {
  const reports = new LatestReport<{ readonly period: number; readonly remaining: number }>()
  const passedOver = { periods: 0, from: Number.POSITIVE_INFINITY, to: 0 }
  const watch: SearchWatch = {
    onSearched: (at, remaining) => reports.put({ period: at, remaining }),
    onPassedOver: (at) => {
      passedOver.periods++
      passedOver.from = Math.min(passedOver.from, at)
      passedOver.to = Math.max(passedOver.to, at)
    },
  }
  const found = run(watch).finally(() => reports.end())
  for await (const progress of reports) yield { progress }
  const result = (await found) ?? null
  if (result === null && passedOver.periods > 0) yield { row: { passedOver } }
  yield { result }
}

/** Where the index says that something stands; of one that is damaged all periods are looked through. */
async function findLikely(
  { history }: Query,
  kind: 'blocks' | 'operations',
  id: Uint8Array,
): Promise<readonly Period[]> {
  try {
    return (await history?.findPeriods?.(kind, id)) ?? []
  } catch (error) {
    if (isArchiveError(error, 'STORE_READ_FAILED') || isArchiveError(error, 'STORE_VALUE_CORRUPT')) return []
    throw error
  }
}

async function* verify(
  query: Query,
  request: Extract<QueryRequest, { kind: 'verify' }>,
  signal: AbortSignal,
): AsyncGenerator<QueryRow> {
  const reports = new LatestReport<VerifyProgress>()
  const { refetchPeriod, store, threads } = query
  const { deep, repair, range } = request
  const report = verifyArchive(
    store.chunks,
    { ...range, deep, repair, threads, ...(refetchPeriod ? { refetchPeriod } : {}) },
    (progress) => reports.put(progress),
    signal,
  ).finally(() => reports.end())
  const span = await store.chunks.readRange()
  for await (const progress of reports) yield { progress: { ...progress, ...span } }
  const found = await report
  // After the databases: what a damaged log has lost is sought there before the log is done with.
  const files = range ? [] : await store.checkFiles(repair)
  const repairedPeriods = new Set(
    found.damages.flatMap(({ period }) => (repair && period !== undefined ? [period] : [])),
  )
  query.onVerified?.({ bytes: found.bytes, damages: files.length + found.damages.length, repairedPeriods })
  const unfound = await checkIndex(query, request, signal)
  yield { result: { ...found, damages: [...store.mended, ...files, ...found.damages, ...unfound] } }
}

/** What bodies say that the index of ids and addresses does not: of some periods, with `deep` of all. */
async function checkIndex(
  { history }: Query,
  { deep, repair, range }: Extract<QueryRequest, { kind: 'verify' }>,
  signal: AbortSignal,
): Promise<Damage[]> {
  const most = deep ? undefined : CHECKED_PERIODS
  const options = { from: range?.from ?? 0, to: range?.to ?? Number.MAX_SAFE_INTEGER, most }
  const damage = { what: 'index of ids and addresses', code: 'STORE_HISTORY_DIFFERENT', repairable: true } as const
  try {
    const different = (await history?.check(options, repair, signal)) ?? []
    return different.map((at) => ({ period: at, ...damage, ...(repair ? { repaired: true } : {}) }))
  } catch (error) {
    if (!isArchiveError(error, 'STORE_READ_FAILED')) throw error
    // Its tables: nothing but making it anew mends them.
    return [{ ...damage, repairable: false, reason: error.message }]
  }
}

/** The index is deleted and made again from what is archived. */
async function* rebuildHistory({ history, store }: Query, signal: AbortSignal): AsyncGenerator<QueryRow> {
  if (!history) {
    throw new ArchiveError(
      'API_HISTORY_OFF',
      'this sidecar keeps no index of ids and addresses: history.enabled is false',
    )
  }
  const reports = new LatestReport<{ readonly period: Period }>()
  const rebuilt = history.rebuild((period) => reports.put({ period }), signal).finally(() => reports.end())
  rebuilt.catch(() => undefined)
  const span = await store.chunks.readRange()
  for await (const progress of reports) yield { progress: { ...progress, ...span } }
  const { indexedPeriods, partialPeriods, isComplete } = await rebuilt
  yield { result: { indexedPeriods, partialPeriods, isComplete } }
}

/** What goes, or would go, and what stays; numbers of periods are null where there is no such period. */
async function prune(query: Query, request: Extract<QueryRequest, { kind: 'prune' }>) {
  const { onPruned, mayGo, retentionPeriods: own } = query
  const store = query.store.chunks
  const { retentionPeriods, dryRun } = request
  const isOther = own !== undefined && own !== retentionPeriods
  if (isOther && !dryRun) {
    const message = `the running sidecar has retention_periods = ${own}, and prune is to delete for ${retentionPeriods}`
    throw new ArchiveError('API_RETENTION_DIFFERENT', message, { own, retentionPeriods })
  }
  const range = await store.readRange()
  let unanchoredEra: number | undefined
  const release: EraRelease = async (era) => {
    const isFree = (await mayGo?.(era)) ?? true
    if (!isFree) unanchoredEra = era
    return isFree
  }
  const plan = await (dryRun ? planRetention : applyRetention)(store, retentionPeriods, release)
  if (plan && !dryRun) await onPruned?.(plan.to + 1)
  const keptFrom = plan ? plan.to + 1 : range?.first
  return {
    dryRun,
    retentionPeriods,
    ...(isOther ? { sidecarRetentionPeriods: own } : {}),
    stepPeriods: computeRetentionStep(retentionPeriods),
    periods: plan?.periods ?? 0,
    bodyBytes: plan?.bodyBytes ?? 0,
    from: plan?.from ?? null,
    to: plan?.to ?? null,
    keptFrom: keptFrom ?? null,
    nextAtPeriod:
      keptFrom === undefined || retentionPeriods === 0 ? null : computeNextRetentionAt(keptFrom, retentionPeriods),
    ...(unanchoredEra === undefined ? {} : { unanchoredEra }),
  }
}
