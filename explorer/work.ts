import { computeChunkId } from '../core/chunk.ts'
import { CHUNK_SIZE_BYTES } from '../core/units.ts'
import {
  type AnswerProofJson,
  ArchiveError,
  compareAddressList,
  fromHex,
  isArchiveError,
  type Question,
  type TrustedHistory,
  toHex,
  type VerifiedAnswer,
  verifyAddressHistory,
  verifyProof,
} from '../core/verify.ts'
import { type Archive, RefusedByArchive } from './ask-archive.ts'
import { readOverview } from './read-overview.ts'
import { showRecord } from './show-record.ts'
import { judge } from './standing.ts'
import type { Asked, Outcome, RootTexts, SaidBeside, ShownProof, Task } from './worker-messages.ts'

/** Of texts that others wrote; no id, code or message of an honest archive is longer. */
const MAX_NAME_LENGTH = 100
const MAX_MESSAGE_LENGTH = 500

/**
 * Asks the archive, and verifies what it answers. What leaves this as `proven` was verified here; of an answer nothing else is passed
 * on but what is marked as said.
 */
export async function work({ task, roots }: Asked, archive: Archive): Promise<Outcome> {
  try {
    return await solve(task, { archive, roots })
  } catch (error) {
    return describeFailure(error)
  }
}

interface Means {
  readonly archive: Archive
  readonly roots: RootTexts
}

async function solve(task: Task, means: Means): Promise<Outcome> {
  switch (task.kind) {
    case 'record':
      return prove(pathOf(task.question), () => task.question, means)
    case 'slot': {
      const { slot } = task
      // Whatever the archive says that the slot is, it has to prove that.
      const question = ({ kind }: Readonly<Record<string, unknown>>): Question =>
        kind === 'block' ? { kind: 'block-at', slot } : { kind: 'slot-empty', slot }
      return prove(`v1/slots/${slot.period}/${slot.thread}`, question, means)
    }
    case 'chunk':
      return hashChunk(task.id, means)
    case 'list':
      return list(task, means)
    case 'range':
      return scan(task, means)
    case 'overview': {
      const { json } = await means.archive.ask('v1/archive')
      return { kind: 'overview', overview: readOverview(json) }
    }
  }
}

function pathOf(question: Question & { kind: 'block' | 'operation' | 'endorsement' | 'period' }): string {
  if (question.kind === 'period') return `v1/periods/${question.period}`
  return `v1/${question.kind}s/${encodeURIComponent(question.id)}`
}

async function prove(
  path: string,
  questionOf: (answer: Readonly<Record<string, unknown>>) => Question,
  { archive, roots }: Means,
): Promise<Outcome> {
  const { json } = await archive.ask(`${path}?proof=true`)
  const started = performance.now()
  const verified = verifyProof(json.proof, questionOf(json), trustOf(roots))
  const verifyMs = performance.now() - started
  const proof = describeProof(verified, questionOf(json), { proof: json.proof as AnswerProofJson, verifyMs })
  return { kind: 'proven', record: showRecord(verified), proof, said: readSaid(json) }
}

function describeProof(
  verified: VerifiedAnswer,
  question: Question,
  { proof, verifyMs }: { readonly proof: AnswerProofJson; readonly verifyMs: number },
): ShownProof {
  const { trust, gaps, network, period, periodRoot, era } = verified
  return {
    ...judge(verified, question),
    asked: question.kind,
    trust,
    gaps,
    chainId: String(network.chainId),
    genesisTimestampMs: Number(network.genesisTimestampMs),
    period,
    periodRoot: toHex(periodRoot),
    era: era && { era: era.era, root: toHex(era.root) },
    proofBytes: JSON.stringify(proof).length,
    verifyMs,
  }
}

/** Whether an operation succeeded stands under no root. */
function readSaid({ operation }: Readonly<Record<string, unknown>>): SaidBeside {
  const outcome = (operation as { execution?: { outcome?: unknown } } | undefined)?.execution?.outcome
  return outcome === 'success' || outcome === 'failed' || outcome === 'unknown' ? { outcome } : {}
}

async function hashChunk(id: string, { archive }: Means): Promise<Outcome> {
  const bytes = await archive.askForBytes(`chunk/${encodeURIComponent(id)}`)
  if (bytes.length === 0 || bytes.length > CHUNK_SIZE_BYTES || toHex(computeChunkId(bytes)) !== id) {
    throw new ArchiveError('CORE_READING_CHUNK_INVALID', 'these bytes are not those of the chunk')
  }
  return { kind: 'chunk', bytes: bytes.length }
}

/** The list is what the archive says: each operation of it has its own proof. */
async function list(
  { address, cursor, periods, limit }: Extract<Task, { kind: 'list' }>,
  { archive }: Means,
): Promise<Outcome> {
  const query = new URLSearchParams({ limit: String(limit) })
  if (periods) query.set('from', String(periods.from))
  if (periods) query.set('to', String(periods.to))
  if (cursor !== undefined) query.set('cursor', cursor)
  const { json } = await archive.ask(`v1/addresses/${encodeURIComponent(address)}/operations?${query}`)
  if (!Array.isArray(json.operations)) throw malformed('it has no list of operations')
  const operations = json.operations.slice(0, limit).map((one: unknown) => {
    const { operationId, inclusions } = (one ?? {}) as { operationId?: unknown; inclusions?: unknown }
    if (typeof operationId !== 'string' || operationId.length > MAX_NAME_LENGTH || !Array.isArray(inclusions)) {
      throw malformed('its list has no operations')
    }
    return { id: operationId, slots: inclusions.map((inclusion: unknown) => readSlot(inclusion)) }
  })
  return { kind: 'listed', operations, cursor: typeof json.cursor === 'string' ? json.cursor : undefined }
}

function readSlot(inclusion: unknown) {
  const { period, thread } = (inclusion as { slot?: { period?: unknown; thread?: unknown } } | null)?.slot ?? {}
  if (typeof period !== 'number' || typeof thread !== 'number') throw malformed('its list has no slots')
  return { period, thread }
}

/** All bodies of a range, as far as one answer goes. */
async function scan(task: Extract<Task, { kind: 'range' }>, { archive, roots }: Means): Promise<Outcome> {
  const { json, bytes } = await archive.ask(`v1/completeness?from=${task.from}&to=${task.to}&bodies=true`)
  const { from, to, proof } = json
  if (from !== task.from || typeof to !== 'number' || to > task.to) throw malformed('it is of another range')
  const { history, completeness } = verifyAddressHistory(proof, { from, to, address: task.address }, trustOf(roots))
  const inRange = task.listed.filter(({ slot }) => slot.period >= from && slot.period <= to)
  const difference = compareAddressList(history, inRange)
  const { network, periods, untrusted } = completeness
  return {
    kind: 'range',
    range: {
      from,
      to,
      operations: history.operations.length,
      scannedBodies: history.scannedBodies,
      ...difference,
      untrusted,
      genesisTimestampMs: untrusted < periods.length ? Number(network.genesisTimestampMs) : undefined,
      proofBytes: bytes,
    },
  }
}

function trustOf({ periods, eras }: RootTexts): TrustedHistory {
  return {
    findPeriodRoot: (period) => bytesOf(periods[period]),
    findEraRoot: (era) => bytesOf(eras[era]),
  }
}

function bytesOf(hex: string | undefined): Uint8Array | undefined {
  return hex === undefined ? undefined : fromHex(hex)
}

function malformed(what: string): ArchiveError {
  return new ArchiveError('CORE_READING_MALFORMED', `the answer is none: ${what}`)
}

function describeFailure(error: unknown): Outcome {
  if (error instanceof RefusedByArchive) {
    const code = error.code.slice(0, MAX_NAME_LENGTH)
    return { kind: error.isAbsent ? 'absent' : 'failed', code, message: shorten(error.message) }
  }
  if (isArchiveError(error)) {
    // A question that has no id is no lie of the archive.
    const kind = error.code === 'CORE_BASE58_INVALID' ? 'failed' : 'refused'
    return { kind, code: error.code, message: shorten(error.message) }
  }
  return { kind: 'refused', code: 'not verified', message: `The answer could not be verified: ${String(error)}` }
}

function shorten(message: string): string {
  return message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message
}
