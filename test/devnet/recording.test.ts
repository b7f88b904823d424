import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { isArchiveError, slotIndex } from '../../core/index.ts'
import { computeWholePeriods, readRecording } from '../../devnet/index.ts'
import { RECORDINGS } from './fixture.ts'

describe('devnet/replay/recording', () => {
  let folder = ''

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'recording-'))
  })

  afterEach(() => rm(folder, { recursive: true }))

  async function refuse(content: string | Buffer): Promise<unknown> {
    const path = join(folder, 'broken.ndjson')
    await writeFile(path, content)
    try {
      await readRecording(path)
    } catch (error) {
      assert.ok(isArchiveError(error, 'DEVNET_RECORDING_INVALID'), String(error))
      return error.context.line
    }
    return assert.fail('the recording was accepted')
  }

  it('holds periods 1 to 58 whole in the recording that `replay` plays', async () => {
    const recording = await readRecording(RECORDINGS.replayed)
    assert.deepEqual(computeWholePeriods(recording), { first: 1, last: 58, holes: [] })
    assert.equal(recording.chainId, 77n)
    assert.equal(recording.genesisTimestampMs, 1795246964000n)
    assert.equal(recording.broadcasts, true)
  })

  it('holds the blocks and operations of the golden periods', async () => {
    const recording = await readRecording(RECORDINGS.replayed)
    const golden = [13, 40].map((period) => {
      const blocks = Array.from({ length: 32 }, (_, thread) => recording.finals.get(slotIndex({ period, thread })))
      const found = blocks.flatMap((id) => (id === undefined ? [] : (recording.blocks.get(id) ?? [])))
      return [found.length, new Set(found.flatMap((block) => block.operationIds)).size]
    })
    assert.deepEqual(golden, [
      [27, 1],
      [29, 20],
    ])
  })

  it('finds the competing blocks of (16, 15) and (16, 17), one final and one lost', async () => {
    const recording = await readRecording(RECORDINGS.fork)
    const competing = [15, 17].map((thread) => {
      const rivals = [...recording.blocks.values()].filter((b) => b.slotIndex === slotIndex({ period: 16, thread }))
      return rivals.map((block) => block.isFinal).sort()
    })
    assert.deepEqual(competing, [
      [false, true],
      [false, true],
    ])
    assert.deepEqual(computeWholePeriods(recording), { first: 15, last: 17, holes: [] })
  })

  it('knows a recording with silent streams by its answers alone', async () => {
    const recording = await readRecording(RECORDINGS.pull)
    assert.equal(recording.broadcasts, false)
    assert.deepEqual(computeWholePeriods(recording), { first: 1, last: 11, holes: [] })
  })

  it('counts no period as whole that lacks a block', async () => {
    const recording = await readRecording(RECORDINGS.push)
    const blocks = new Map(recording.blocks)
    const removed = [...blocks.values()].find((block) => block.slotIndex >= slotIndex({ period: 4, thread: 0 }))
    blocks.delete(removed?.id ?? '')
    assert.deepEqual(computeWholePeriods(recording), { first: 1, last: 8, holes: [] })
    assert.deepEqual(computeWholePeriods({ ...recording, blocks }), { first: 1, last: 8, holes: [4, 5] })
  })

  it('counts no period as whole that lacks an operation', async () => {
    const recording = await readRecording(RECORDINGS.push)
    const operations = new Map(recording.operations)
    const holder = [...recording.blocks.values()].find((b) => b.slotIndex >= 160 && b.operationIds.length > 0)
    assert.ok(holder)
    operations.delete(holder.operationIds[0] ?? '')
    const whole = computeWholePeriods({ ...recording, operations })
    assert.deepEqual(whole?.holes, [Math.floor(holder.slotIndex / 32)])
  })

  it('reads a recording that is not packed', async () => {
    const path = join(folder, 'plain.ndjson')
    await writeFile(path, gunzipSync(await readFile(RECORDINGS.push)))
    const [plain, packed] = [await readRecording(path), await readRecording(RECORDINGS.push)]
    assert.deepEqual([...plain.blocks.keys()], [...packed.blocks.keys()])
  })

  it('error: a file that does not exist is missing', async () => {
    await assert.rejects(readRecording(join(folder, 'none')), { code: 'DEVNET_RECORDING_MISSING' })
  })

  it('error: a packed file that ends early is refused', async () => {
    const packed = await readFile(RECORDINGS.push)
    assert.equal(await refuse(packed.subarray(0, packed.length - 100)), undefined)
  })

  it('error: a recording without a status answer is refused', async () => {
    await refuse('{"t":0,"open":"NewFilledBlocksServer","request":""}\n')
    await refuse('')
  })

  for (const [what, line] of [
    ['text that is not JSON', '{"t":1,'],
    ['JSON that is no object', '7'],
    ['no time', '{"rpc":"GetStatus","request":"","response":""}'],
    ['a negative time', '{"t":-1,"rpc":"GetStatus","request":"","response":""}'],
    ['none of the known forms', '{"t":1,"what":"GetStatus"}'],
    ['a call without answer', '{"t":1,"rpc":"GetStatus","request":""}'],
    ['a body that is not base64', '{"t":1,"rpc":"GetStatus","request":"","response":"a*=="}'],
    ['a cut base64 body', '{"t":1,"rpc":"GetStatus","request":"","response":"abc"}'],
    ['a message that is not protobuf', '{"t":1,"rpc":"GetBlocks","request":"","response":"/////w=="}'],
    ['an empty status', '{"t":1,"rpc":"GetStatus","request":"","response":""}'],
  ] as const) {
    it(`error: names the line with ${what}`, async () => {
      const good = '{"t":0,"open":"NewFilledBlocksServer","request":""}'
      assert.equal(await refuse(`${good}\n${good}\n${line}\n${good}\n`), 3)
    })
  }
})
