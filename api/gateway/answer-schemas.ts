import * as z from 'zod'
import { ERA_PERIODS } from '../../core/index.ts'

/** What answers look like, by the name that they have in the OpenAPI document. Nothing that is sent is checked against them but in tests. */
export const answerSchemas = z.registry<{ id: string }>()

function named<T extends z.ZodType>(id: string, schema: T): T {
  answerSchemas.add(schema, { id })
  return schema
}

const hex = (digits?: number) =>
  z.string().regex(digits === undefined ? /^[0-9a-f]*$/ : new RegExp(`^[0-9a-f]{${digits}}$`))
const hash = hex(64)
const base64 = z.string().meta({ contentEncoding: 'base64' })
/** u64, amounts and u256, which JSON numbers do not hold. */
const decimal = z.string().regex(/^\d{1,78}$/)
const count = z.int().min(0)
const period = z.int().min(0).max(Number.MAX_SAFE_INTEGER)
const thread = z.int().min(0).max(31)
const massaId = z.string().min(20).max(60)

const slot = named('Slot', z.object({ period, thread }))

const era = z
  .object({ era: count, totalBytes: decimal, totalChunks: decimal, path: z.array(hash) })
  .meta({ description: 'Leads from the period root to the era root; null where the era is not whole in the archive.' })

const proof = named(
  'Proof',
  z
    .object({
      format: z.literal('massa-storage/proof/1'),
      chainId: decimal,
      genesisTimestampMs: decimal,
      period,
      bitmap: hex(8),
      chunkIds: z.array(hash),
      thread: thread.nullable(),
      chunks: z.array(
        z.object({
          index: count,
          byteLength: count,
          runs: z.array(z.object({ firstLeaf: count, bytes: base64 })),
          siblings: z.array(hash),
        }),
      ),
      era: era.nullable(),
      seals: z.object({ header: hex(128), operations: z.array(hex(128)) }).nullable(),
    })
    .meta({ description: 'docs/FORMAT.md, Proof of an answer. With `proof=true` alone.' }),
)

const block = named(
  'Block',
  z.object({
    blockId: massaId,
    slot,
    creator: massaId,
    publicKey: massaId,
    signature: z.string().optional(),
    currentVersion: count,
    announcedVersion: count.optional(),
    parents: z.array(massaId),
    operationsHash: z.string(),
    endorsements: count,
    denunciations: count,
    operations: z.array(massaId),
  }),
)

const inclusions = z.array(z.object({ slot, blockId: massaId }))

const operationFields = {
  operationId: massaId,
  creator: massaId,
  publicKey: massaId,
  signature: z.string().optional(),
  reproducible: z.boolean(),
  unproven: z.array(z.string()).optional(),
  feeNanoMas: decimal,
  expirePeriod: decimal,
  body: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('transaction'), recipient: massaId, amountNanoMas: decimal }),
    z.object({ kind: z.literal('roll-buy'), rollCount: decimal }),
    z.object({ kind: z.literal('roll-sell'), rollCount: decimal }),
    z.object({
      kind: z.literal('execute-sc'),
      maxGas: decimal,
      maxCoinsNanoMas: decimal,
      bytecode: hex(),
      datastore: z.array(z.object({ key: hex(), value: hex() })),
    }),
    z.object({
      kind: z.literal('call-sc'),
      maxGas: decimal,
      coinsNanoMas: decimal,
      target: massaId,
      functionName: z.string(),
      parameter: hex(),
    }),
  ]),
  inclusions,
  execution: z.object({ outcome: z.enum(['success', 'failed', 'unknown']), isProven: z.literal(false) }),
}
const operation = named('Operation', z.object(operationFields))

const endorsement = named(
  'Endorsement',
  z.object({
    endorsementId: massaId,
    slot,
    index: count,
    endorser: massaId,
    publicKey: massaId,
    signature: z.string(),
    endorsedBlock: massaId,
    inclusions,
  }),
)

const periodShown = named(
  'Period',
  z.object({
    period,
    root: hash,
    bitmap: count,
    blocks: count,
    operations: count,
    chunks: z.array(z.object({ chunkId: hash, bytes: count })),
  }),
)

export const blockAnswer = named('BlockAnswer', z.object({ block, proof: proof.optional() }))
/** Who signed what became of an operation, with the results that are signed. */
const attestation = named(
  'Attestation',
  z.object({ period, results: base64, publicKey: massaId, signature: z.string() }),
)
export const operationAnswer = named(
  'OperationAnswer',
  z.object({ operation, proof: proof.optional(), attestations: z.array(attestation).optional() }),
)
export const endorsementAnswer = named('EndorsementAnswer', z.object({ endorsement, proof: proof.optional() }))
export const slotAnswer = named(
  'SlotAnswer',
  z.object({ slot, kind: z.enum(['block', 'miss', 'void']), block: block.optional(), proof: proof.optional() }),
)
export const periodAnswer = named('PeriodAnswer', z.object({ period: periodShown, proof: proof.optional() }))
const listFields = { address: massaId, cursor: z.string().nullable() }
export const operationsAnswer = named(
  'OperationsAnswer',
  z.object({
    ...listFields,
    operations: z.array(z.object({ ...operationFields, roles: z.array(z.enum(['creator', 'target'])) })),
  }),
)

export const blocksAnswer = named('BlocksAnswer', z.object({ ...listFields, blocks: z.array(block) }))
export const endorsementsAnswer = named(
  'EndorsementsAnswer',
  z.object({ ...listFields, endorsements: z.array(endorsement) }),
)
const event = named(
  'Event',
  z
    .object({
      slot,
      indexInSlot: count,
      callStack: z.array(z.string()),
      operationId: massaId.nullable(),
      failed: z.boolean(),
      data: hex(),
    })
    .meta({ description: 'Under no root: what a node said to who archived it.' }),
)
export const eventsAnswer = named(
  'EventsAnswer',
  z.object({ ...listFields, events: z.array(event), attestations: z.array(attestation).optional() }),
)

const completeness = named(
  'Completeness',
  z
    .object({
      format: z.literal('massa-storage/completeness/1'),
      chainId: decimal,
      genesisTimestampMs: decimal,
      from: period,
      to: period,
      periods: base64,
      eras: z.array(
        z.object({ era: count, totalBytes: decimal, totalChunks: decimal, siblings: z.array(hash) }).nullable(),
      ),
    })
    .meta({ description: 'docs/FORMAT.md, Completeness.' }),
)
const rangeProof = z.object({
  format: z.literal('massa-storage/range/1'),
  completeness,
  bodies: z.array(z.array(base64)),
})
export const rangeAnswer = named(
  'RangeAnswer',
  z.object({ from: period, to: period, next: period.nullable(), proof: z.union([completeness, rangeProof]) }),
)

export const archiveAnswer = named(
  'ArchiveAnswer',
  z.object({
    chainId: decimal,
    genesisTimestampMs: decimal,
    first: period,
    last: period,
    latest: z.array(z.object({ period, root: hash, blocks: count, operations: count, bytes: count })),
  }),
)

export const searchAnswer = named(
  'SearchAnswer',
  z.object({
    kind: z.enum(['block', 'operation', 'endorsement', 'address', 'chunk', 'slot', 'period']),
    path: z.string(),
    period: period.nullable(),
    thread: thread.nullable(),
  }),
)

export const eraAnswer = named(
  'EraAnswer',
  z.object({
    era: count,
    chainId: decimal,
    genesisTimestampMs: decimal,
    root: hash,
    totalBytes: decimal,
    totalChunks: decimal,
    firstPeriod: period,
    periodRoots: z.array(hash).length(ERA_PERIODS),
  }),
)

export const problem = named(
  'Problem',
  z
    .object({
      type: z.string(),
      title: z.string(),
      status: count,
      detail: z.string(),
      code: z.string(),
      action: z.string(),
    })
    .meta({ description: 'RFC 9457; `code` is stable (docs/ERRORS.md).' }),
)
