import assert from 'node:assert/strict'
import type { BlockIntake } from '../../archiver/block-intake.ts'
import type { IntakeResult } from '../../archiver/feed.ts'
import { Quarantine } from '../../archiver/quarantine.ts'
import { type BlockIdText, concatBytes, formatBlockId, type QuarantinedBlock, type Slot } from '../../core/index.ts'
import { LevelSpool } from '../../storage-worker/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { makeBlock, noise } from '../storage-worker/synthetic-period.ts'
import { openMemoryLevel } from '../storage-worker/temp-store.ts'

const SIZE = 100

describe('archiver/quarantine', () => {
  const ids = Array.from({ length: 6 }, (_, thread) => makeBlock({ period: 9, thread }).id)
  const [a, b, c] = ids as [BlockIdText, BlockIdText, BlockIdText]
  let spool: LevelSpool
  let logged: Record<string, unknown>[]
  let results: Map<BlockIdText, IntakeResult>
  let archivedTo: number

  beforeEach(async () => {
    spool = new LevelSpool(await openMemoryLevel('index'))
    logged = []
    results = new Map()
    archivedTo = -1
  })

  /** Of an intake it needs no more than what it says of a block. */
  function open(): Quarantine {
    const intake = {
      findRefused: (id: BlockIdText): QuarantinedBlock => ({ id, code: 'X', raw: noise(id, SIZE) }),
      take: async (_: number, __: Uint8Array, id: BlockIdText) => results.get(id) ?? 'refused',
      slotOf: (): Slot => ({ period: 9, thread: 0 }),
    } as unknown as BlockIntake
    const log = createLogger({
      level: 'debug',
      format: 'json',
      destination: { write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
    })
    return new Quarantine({ maxBytes: 2 * SIZE }, { spool, intake, log, isArchived: (period) => period <= archivedTo })
  }

  it('limit: keeps blocks up to its limit, and says each one that it does not keep once', async () => {
    const quarantine = open()
    for (let round = 0; round < 3; round++) await quarantine.keep([a, b, c])
    assert.equal(quarantine.sizeBlocks, 2)
    assert.equal(quarantine.refusedBlocks, 1)
    assert.deepEqual(
      logged.filter(({ msg }) => msg === 'final block not quarantined').map(({ level, blockId }) => [level, blockId]),
      [['error', c]],
    )
  })

  it('limit: of blocks without room 10,000 are remembered', async () => {
    const quarantine = open()
    await quarantine.keep([a, b])
    const many = Array.from({ length: 10_001 }, (_, i) =>
      formatBlockId(concatBytes(Uint8Array.of(0), noise(`${i}`, 32))),
    )
    await quarantine.keep(many.slice(0, 9_999))
    assert.equal(quarantine.refusedBlocks, 9_999)
    await quarantine.keep(many.slice(9_999))
    assert.equal(quarantine.refusedBlocks, 10_000)
  })

  it('has room again for what was released', async () => {
    const quarantine = open()
    await quarantine.keep([a, b, c])
    await quarantine.release(a)
    await quarantine.keep([c])
    assert.equal(quarantine.sizeBlocks, 2)
    assert.equal(quarantine.refusedBlocks, 0)
    assert.deepEqual((await listIds()).sort(), [b, c].sort())
  })

  it('counts at a start what is there, without what was healed or is archived meanwhile', async () => {
    await open().keep([a, b])
    results.set(a, 'spooled')
    results.set(b, 'ignored')
    const open2 = open()
    await open2.retry(() => undefined)
    assert.deepEqual(await listIds(), [b])
    await open2.keep([c, ids[3] ?? c])
    assert.equal(open2.sizeBlocks, 2)
    assert.equal(open2.refusedBlocks, 1)
    archivedTo = 9
    results.set(c, 'refused')
    const open3 = open()
    await open3.retry(() => undefined)
    assert.deepEqual(await listIds(), [c])
    assert.equal(open3.sizeBlocks, 1)
  })

  async function listIds(): Promise<BlockIdText[]> {
    const found: BlockIdText[] = []
    for await (const { id } of spool.listQuarantined()) found.push(id)
    return found
  }
})
