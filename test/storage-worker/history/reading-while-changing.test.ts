import assert from 'node:assert/strict'
import {
  ArchiveError,
  computeAddress,
  computeChunkId,
  computePeriodRoot,
  ERROR_CODES,
  formatAddress,
  isArchiveError,
  type Period,
  toHex,
  verifyAddressHistory,
  verifyCompleteness,
  verifyProof,
} from '../../../core/index.ts'
import type { ChunkHolders } from '../../../storage-worker/history/body-reader.ts'
import { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { HistorySync } from '../../../storage-worker/history/history-sync.ts'
import { type HistoryAnswer, HistoryAnswers, HistoryReader, LevelChunkStore } from '../../../storage-worker/index.ts'
import { encodeBodyKey, MANIFEST } from '../../../storage-worker/keyspace.ts'
import { endorsementIdOf, type MadePeriod, PUBLIC_KEY } from '../../core/reading/made-history.ts'
import { SeededRandom } from '../../fuzz/registry/random.ts'
import { openMemoryLevel } from '../temp-store.ts'
import { toArchived } from './archived-period.ts'
import { ChangingArchive, IDENTITY, MADE } from './changing-archive.ts'

const SEEDS = Number(process.env.READING_SEEDS ?? 4)
const FIRST_SEED = Number(process.env.READING_FIRST_SEED ?? 1)
const READERS = 3
const READS = 14
const CHANGERS = 2
const CHANGES = 14
const ADDRESS = formatAddress(computeAddress(PUBLIC_KEY))
const TRUSTED = {
  findPeriodRoot: (period: Period) => {
    const made = MADE[period]
    return made && computePeriodRoot(made.manifest)
  },
}

/** What may be said instead of an answer. */
const CODES = ['STORE_CHUNK_AWAY', 'STORE_VALUE_CORRUPT', 'STORE_VALUE_MISSING', 'CORE_READING_NOT_HELD'] as const

interface Asked {
  readonly period: Period
  readonly ask: (answers: HistoryAnswers) => Promise<unknown>
  /** Throws unless it verifies. */
  readonly check: (answer: unknown) => void
}

describe('storage-worker/history, reading while the archive changes', () => {
  /** Has everything, and nothing changes it. */
  let complete: HistoryAnswers
  const kinds = new Set<string>()

  before(async () => {
    const { store, index } = await openArchive(MADE)
    complete = new HistoryAnswers({ reader: new HistoryReader({ store, index }), store })
  })

  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    it(`every answer is whole and verifies, or is a coded error, seed ${seed}`, async () => {
      const random = new SeededRandom(BigInt(seed))
      const archive = await ChangingArchive.open(random)
      const open = (holders?: ChunkHolders) => {
        const store = archive.slowly()
        return new HistoryAnswers({ reader: new HistoryReader({ store, index: archive.index, holders }), store })
      }
      const readers = [open(), open(holdersOf(random))]
      const ended = { whole: 0, none: 0, refused: 0 }
      const change = async () => {
        for (let i = 0; i < CHANGES; i++) await archive.changeOnce()
      }
      const read = async () => {
        for (let i = 0; i < READS; i++) {
          const end = await readOnce(random.pick(readers), draw(random), archive)
          ended[end]++
        }
      }
      await Promise.all([...Array.from({ length: CHANGERS }, change), ...Array.from({ length: READERS }, read)])
      assert.equal(ended.whole + ended.none + ended.refused, READERS * READS)
      assert(ended.whole > 0, JSON.stringify(ended))
      for (const kind of archive.kinds) kinds.add(kind)
    })
  }

  it('every kind of change was among them', () => {
    assert.deepEqual([...kinds].sort(), ['archive', 'damage', 'delete', 'mend', 'prune', 'repair'])
  })

  it('regression: a damaged manifest of another period keeps no proof from being made', async () => {
    const { store, index, bodies } = await openArchive(MADE.slice(1, 4))
    await bodies.write([{ type: 'put', key: encodeBodyKey(2, MANIFEST), value: new Uint8Array(9) }], { sync: true })
    const answers = new HistoryAnswers({ reader: new HistoryReader({ store, index }), store })
    const { proof } = (await answers.slot({ period: 1, thread: 3 }, true)) ?? assert.fail('no slot')
    const { trust } = verifyProof(proof, { kind: 'block-at', slot: { period: 1, thread: 3 } }, TRUSTED)
    assert.equal(trust, 'period-root')
  })

  it('regression: of a period that is deleted while a list is made there is nothing in it', async () => {
    const { store, index } = await openArchive(MADE.slice(1, 4))
    const deleting = new Proxy(store, {
      get: (target, name) =>
        name !== 'readChunk'
          ? Reflect.get(target, name)
          : async (period: Period, at: number) => {
              // The last blocks were read by then: lists begin with the newest.
              if (period === 1 && at === 0) await store.deletePeriods(0, 1)
              return store.readChunk(period, at)
            },
    })
    const reader = new HistoryReader({ store: deleting, index })
    const request = { roles: ['creator'] as const, from: 0, to: 3, limit: 100 }
    const { operations } = await reader.listOperations(computeAddress(PUBLIC_KEY), request)
    const counts = [1, 2, 3].map((period) => operations.filter((at) => at.inclusions[0]?.slot.period === period).length)
    assert.deepEqual(counts, [0, 6, 6])
  })

  async function readOnce(
    answers: HistoryAnswers,
    asked: Asked,
    archive: ChangingArchive,
  ): Promise<'whole' | 'none' | 'refused'> {
    const before = archive.observe()
    const isSteady = () => archive.listSteady(before).includes(asked.period)
    try {
      const answer = await asked.ask(answers)
      if (answer === undefined) {
        assert(!isSteady(), `period ${asked.period} is whole here and was not found`)
        return 'none'
      }
      asked.check(answer)
      assertSame(answer, await asked.ask(complete), { mayLackSeals: !isSteady() })
      return 'whole'
    } catch (error) {
      if (!isArchiveError(error)) throw error
      assert((CODES as readonly string[]).includes(error.code), `${error.code}: ${error.message}`)
      assert.notEqual(ERROR_CODES[error.code].kind, 'bug')
      assert(!isSteady(), `period ${asked.period} is whole here: ${error.code} ${error.message}`)
      return 'refused'
    }
  }
})

async function openArchive(periods: readonly MadePeriod[]) {
  const bodies = await openMemoryLevel('bodies')
  const store = new LevelChunkStore(IDENTITY, { bodies, index: await openMemoryLevel('index') })
  for (const made of periods) await store.writePeriod(toArchived(made))
  const index = new HistoryIndex(await openMemoryLevel('history'))
  await new HistorySync({ store, index }).compare()
  return { store, index, bodies }
}

/** Others that hold everything, and sometimes do not answer. */
function holdersOf(random: SeededRandom): ChunkHolders {
  const away = (what: string) => new ArchiveError('STORE_CHUNK_AWAY', `${what}: injected`)
  return {
    fetchChunk: async ({ period }, index) => {
      const chunk = MADE[period]?.chunks[index]
      if (!chunk || random.chance(0.2)) throw away(`${period}/${index}`)
      return chunk
    },
    fetchSeals: async ({ period }, readBody) => {
      await readBody()
      return random.chance(0.2) ? undefined : MADE[period]?.seals
    },
  }
}

function draw(random: SeededRandom): Asked {
  const made = random.pick(MADE)
  const { period } = made.manifest
  const { id, thread, operationIds } = random.pick(made.blocks)
  const hasProof = random.chance(0.5)
  const proven = (ask: Asked['ask'], question: Parameters<typeof verifyProof>[1]): Asked => ({
    period,
    ask,
    check: (answer) => {
      if (hasProof) assert.equal(verifyProof((answer as HistoryAnswer).proof, question, TRUSTED).trust, 'period-root')
    },
  })
  switch (random.int(8)) {
    case 0:
      return proven((answers) => answers.block(id, hasProof), { kind: 'block', id })
    case 1: {
      const operation = random.pick(operationIds)
      return proven((answers) => answers.operation(operation, hasProof), { kind: 'operation', id: operation })
    }
    case 2: {
      const endorsement = endorsementIdOf({ period, thread })
      return proven((answers) => answers.endorsement(endorsement, hasProof), { kind: 'endorsement', id: endorsement })
    }
    case 3: {
      const slot = { period, thread: random.int(32) }
      const kind = made.blocks.some((block) => block.thread === slot.thread) ? 'block-at' : 'slot-empty'
      return proven((answers) => answers.slot(slot, hasProof), { kind, slot })
    }
    case 4:
      return proven((answers) => answers.period(period, hasProof), { kind: 'period', period })
    case 5: {
      const chunkId = random.pick(made.manifest.chunks).chunkId
      return {
        period,
        ask: (answers) => answers.chunk(chunkId),
        check: (chunk) => assert.equal(toHex(computeChunkId(chunk as Uint8Array)), toHex(chunkId)),
      }
    }
    case 6:
      return listing(period, random.pick(['operations', 'blocks', 'endorsements'] as const))
    default:
      return ranging(period, hasProof)
  }
}

/** What an address did in a period: all of it. */
function listing(period: Period, kind: 'operations' | 'blocks' | 'endorsements'): Asked {
  const request = { roles: ['creator'] as const, from: period, to: period, limit: 100 }
  return {
    period,
    ask: async (answers) => {
      const page = await answers[`${kind}Of`](ADDRESS, request)
      return (page[kind] as readonly object[]).length === 0 ? undefined : page
    },
    check: () => undefined,
  }
}

function ranging(period: Period, hasBodies: boolean): Asked {
  const range = { from: period, to: period }
  return {
    period,
    ask: (answers) => answers.range({ ...range, hasBodies }),
    check: (answer) => {
      const { proof } = answer as { proof: unknown }
      if (!hasBodies) verifyCompleteness(proof, range, TRUSTED)
      else {
        const { history } = verifyAddressHistory(proof, { ...range, address: ADDRESS }, TRUSTED)
        assert.equal(history.operations.length, MADE[period]?.blocks.flatMap((block) => block.operationIds).length)
      }
    },
  }
}

/** Of what SEALS are not held signatures may lack, nothing else. Proofs are verified, and end where the eras of an archive do. */
function assertSame(answer: unknown, wanted: unknown, { mayLackSeals }: { readonly mayLackSeals: boolean }): void {
  const left = mayLackSeals ? ['proof', 'signature'] : ['proof']
  const bare = (value: unknown) =>
    JSON.parse(JSON.stringify(value, (key, field) => (left.includes(key) ? undefined : field))) as unknown
  assert.deepEqual(bare(answer), bare(wanted))
}
