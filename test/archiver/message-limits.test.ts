import assert from 'node:assert/strict'
import { BlockIntake } from '../../archiver/block-intake.ts'
import { checkNodeStatus } from '../../archiver/check-node-status.ts'
import { NodeClient, type NodeStatus } from '../../archiver/index.ts'
import { SpoolRoom } from '../../archiver/spool-room.ts'
import { verifyFilledBlock } from '../../archiver/verify-block.ts'
import {
  ArchiveError,
  type BlockIdText,
  isArchiveError,
  MAX_BLOCK_OPERATIONS,
  RawFilledBlockCodec,
  SecureHashCodec,
  SLOT_MS,
  slotOfIndex,
  THREAD_COUNT,
} from '../../core/index.ts'
import { encodeFilledBlock, makeChain, ScriptedNode } from '../../devnet/index.ts'
import { LevelSpool } from '../../storage-worker/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { openMemoryLevel } from '../storage-worker/temp-store.ts'

const KIB = 1024
const MIB = 1024 * KIB
const NETWORK = { chainId: 77n, genesisTimestampMs: 1_000_000n }
const REMEMBERED = 10_000

/** The same protobuf message with a field that nobody knows, so that it has this many bytes. */
function padTo(message: Uint8Array, sizeBytes: number): Buffer {
  const restBytes = sizeBytes - message.length
  for (let lengthBytes = 1; lengthBytes <= 5; lengthBytes++) {
    const contentBytes = restBytes - 2 - lengthBytes
    const length = encodeVarint(contentBytes)
    if (length.length !== lengthBytes) continue
    // Field 100, length-delimited.
    return Buffer.concat([message, encodeVarint((100 << 3) | 2), length, Buffer.alloc(contentBytes)])
  }
  return assert.fail(`no padding of ${restBytes} bytes`)
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

/** `count` more fields that nobody knows, of two bytes of tag and an empty content. */
function addFields(message: Uint8Array, count: number): Buffer {
  return Buffer.concat([
    message,
    Buffer.alloc(count * 3, Buffer.concat([encodeVarint((100 << 3) | 2), Buffer.alloc(1)])),
  ])
}

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'taken'
  } catch (error) {
    return isArchiveError(error) ? error.code : String(error)
  }
}

const codeOfAsync = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'taken',
    (error: unknown) => (isArchiveError(error) ? error.code : String(error)),
  )

describe('archiver: limits of what nodes send', () => {
  const chain = makeChain({ seed: 'limits', ...NETWORK, periods: 1, operationsPerBlock: 2 })
  const [block = assert.fail()] = chain.blocks.values()
  const filledBlock = encodeFilledBlock(block)

  describe('limit: blocks', () => {
    /** @param reads - whether a block can be read */
    async function open(reads = true): Promise<{ intake: BlockIntake; refused: string[] }> {
      const spool = new LevelSpool(await openMemoryLevel('index'))
      const log = createLogger({ level: 'error', format: 'json', destination: { write: () => {} } }).child({
        module: 'archiver',
      })
      const refused: string[] = []
      const verifyBlock = async (job: { filledBlock: Uint8Array; chainId: bigint; expectedId?: string }) => {
        if (reads) return verifyFilledBlock(job.filledBlock, job.chainId, job.expectedId)
        throw new ArchiveError('ARCHIVER_BLOCK_UNPARSABLE', 'of a later release')
      }
      const intake = new BlockIntake(
        { chainId: NETWORK.chainId },
        {
          spool,
          log,
          cpu: { verifyBlock, encodePeriod: () => assert.fail() },
          room: new SpoolRoom({}, { spool, log }),
          isWanted: () => false,
          isArchived: () => false,
          isUrgent: () => false,
          isDue: () => true,
          onSpooled: async () => undefined,
          onArchived: () => assert.fail(),
          onRefused: (code) => void refused.push(code),
        },
      )
      return { intake, refused }
    }

    it('a block of 8 MiB is taken, one byte more is refused unread', async () => {
      const { intake, refused } = await open()
      assert.equal(await intake.take(0, padTo(filledBlock, 8 * MIB + 1), block.id), 'refused')
      assert.deepEqual(refused, ['ARCHIVER_BLOCK_UNPARSABLE'])
      assert.equal(intake.findRefused(block.id), undefined)
      assert.equal(await intake.take(0, padTo(filledBlock, 8 * MIB), block.id), 'spooled')
    })

    it('16 fields more than a block can have operations are read over, one more is refused unread', async () => {
      const { intake } = await open()
      const most = MAX_BLOCK_OPERATIONS + 16
      // A header and two operations are there.
      assert.equal(await intake.take(0, addFields(filledBlock, most - 2), block.id), 'refused')
      assert.equal(intake.findRefused(block.id), undefined)
      assert.equal(await intake.take(0, addFields(filledBlock, most - 3), block.id), 'spooled')
    })

    it('a header of 256 KiB is read, one byte more is not', () => {
      const operations = block.operations.map(({ idText, message }) => ({ operationId: idText, operation: message }))
      const withHeader = (sizeBytes: number) => joinBlock(padTo(block.headerMessage, sizeBytes), operations)
      const verify = (bytes: Uint8Array) => codeOf(() => verifyFilledBlock(bytes, NETWORK.chainId, block.id))
      assert.equal(verify(withHeader(256 * KIB)), 'taken')
      assert.equal(verify(withHeader(256 * KIB + 1)), 'ARCHIVER_BLOCK_UNPARSABLE')
    })

    it('an id of 64 letters is looked at, one of 65 is not', async () => {
      const { intake, refused } = await open()
      const claim = (letters: number) =>
        RawFilledBlockCodec.encode({
          header: SecureHashCodec.encode({ secureHash: 'B'.repeat(letters) }),
          operations: [],
        })
      await intake.take(0, claim(64))
      assert.equal(intake.findRefused('B'.repeat(64) as BlockIdText)?.code, refused[0])
      await intake.take(0, claim(65))
      assert.equal(intake.findRefused('B'.repeat(65) as BlockIdText), undefined)
    })

    it('of refused blocks 16 MiB are kept, and for a byte more the oldest goes', async () => {
      const { intake } = await open(false)
      const ids = ['first', 'second', 'third'] as BlockIdText[]
      const kept = () => ids.filter((id) => intake.findRefused(id))
      for (const id of ids.slice(0, 2)) await intake.take(0, padTo(filledBlock, 8 * MIB), id)
      assert.deepEqual(kept(), ids.slice(0, 2))
      // The least that is a message.
      await intake.take(0, Buffer.from('0a00', 'hex'), 'third' as BlockIdText)
      assert.deepEqual(kept(), ids.slice(1))
    })

    it('what is refused again and again is asked for after 512 polls at most', async () => {
      const { intake } = await open(false)
      const skipped: number[] = []
      for (let times = 1; times <= 11; times++) {
        await intake.take(0, filledBlock, block.id)
        let skips = 0
        while (!intake.isDueFrom(0, block.id)) skips++
        skipped.push(skips)
      }
      assert.deepEqual(skipped, [2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512])
    })

    it('10,000 refusals are remembered, and for one more all are forgotten', async () => {
      const { intake } = await open(false)
      const empty = Buffer.alloc(0)
      for (let i = 0; i < REMEMBERED; i++) await intake.take(0, empty, `B${i}` as BlockIdText)
      assert.equal(intake.isDueFrom(0, 'B0' as BlockIdText), false)
      await intake.take(0, empty, 'one more' as BlockIdText)
      assert.equal(intake.isDueFrom(0, 'B1' as BlockIdText), true)
      assert.equal(intake.isDueFrom(0, 'one more' as BlockIdText), false)
    })
  })

  it('limit: a node may call final what is due within a minute, and no slot later', () => {
    const nowMs = Number(NETWORK.genesisTimestampMs) + 1_000 * SLOT_MS
    const check = (index: number, atMs: number) => {
      const status: NodeStatus = {
        network: NETWORK,
        threadCount: THREAD_COUNT,
        version: '',
        currentTimeMs: 0,
        lastFinalSlot: slotOfIndex(index),
      }
      return codeOf(() => checkNodeStatus(status, { node: 0, network: NETWORK, nowMs: atMs }))
    }
    assert.equal(check(1_120, nowMs), 'taken')
    assert.equal(check(1_121, nowMs), 'ARCHIVER_NODE_REFUSED')
    assert.equal(check(1_121, nowMs + SLOT_MS - 1), 'ARCHIVER_NODE_REFUSED')
    assert.equal(check(1_121, nowMs + SLOT_MS), 'taken')
  })

  describe('limit: answers', () => {
    let node: ScriptedNode
    let client: NodeClient
    before(async () => {
      node = new ScriptedNode({ chain, broadcast: false })
      await node.start()
      client = new NodeClient({ url: node.url, timeoutMs: 60_000 })
    })
    after(async () => {
      client.close()
      await node.stop()
    })

    it('of 64 MiB are read, one byte more is ARCHIVER_MESSAGE_TOO_LARGE', async function () {
      this.timeout(120_000)
      for (const [sizeBytes, wanted] of [
        [64 * MIB, 'taken'],
        [64 * MIB + 1, 'ARCHIVER_MESSAGE_TOO_LARGE'],
      ] as const) {
        node.intercept('GetStatus', (_request, honest) => padTo(honest(), sizeBytes))
        assert.equal(await codeOfAsync(client.getStatus()), wanted)
      }
    })

    it('of 100,000 entries are read, one more is ARCHIVER_NODE_REFUSED', async () => {
      for (const [entries, wanted] of [
        [100_000, 'taken'],
        [100_001, 'ARCHIVER_NODE_REFUSED'],
      ] as const) {
        node.intercept('SearchBlocks', () => Buffer.alloc(entries * 2, Buffer.from('0a00', 'hex')))
        const asked = client.searchBlocks({ period: 0, thread: 0 }, { period: 1, thread: 0 })
        assert.equal(await codeOfAsync(asked), wanted)
      }
    })
  })
})

function joinBlock(
  header: Uint8Array,
  operations: readonly { readonly operationId: string; readonly operation: Uint8Array }[],
): Uint8Array {
  return RawFilledBlockCodec.encode({ header, operations: [...operations] })
}
