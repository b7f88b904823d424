import assert from 'node:assert/strict'
import { ArchiveError, computeChunkId, fromHex, parseAddress, toHex } from '../../../core/index.ts'
import {
  type ChallengeProofMessage,
  challengeCodec,
  challengeProofCodec,
  type Offence,
} from '../../../protocol-handler/index.ts'
import { ChallengeHistory } from '../../../storage-worker/challenge/challenge-history.ts'
import { Challenger } from '../../../storage-worker/challenge/challenger.ts'
import { DiskProofs } from '../../../storage-worker/challenge/disk-proofs.ts'
import { Prover } from '../../../storage-worker/challenge/prover.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { openMemoryStore } from '../replication/audited-nodes.ts'
import { addressOf, seedOf } from '../replication/made-nodes.ts'
import { makePeriod } from '../synthetic-period.ts'
import { openMemoryLevel } from '../temp-store.ts'

const SEED = seedOf('prover')
const NODE = addressOf(SEED)
const REGISTRY = 'AS12Z4zTFAaSoJtgbGdtqoAss9XF7JQ9EkS2b5xKX6Vmv8M3UJgdc'

describe('storage-worker/challenge: a rehearsal', () => {
  const period = makePeriod(5, { blocks: 4, operations: 2 })
  const [chunk] = period.chunks
  assert.ok(chunk)
  const chunkId = computeChunkId(chunk)

  async function setUp(options: { readonly chunks?: boolean; readonly proverRegistry?: string } = {}) {
    const store = await openMemoryStore()
    if (options.chunks ?? true) await store.writePeriod(period)
    const withheld = new Set<string>()
    const proofs = new DiskProofs(SEED, {
      store,
      withheld: { has: ({ period: of, index }) => withheld.has(`${of}/${index}`) },
    })
    const prover = new Prover(
      { chainId: 77n, node: parseAddress(NODE), registry: options.proverRegistry ?? REGISTRY },
      { proofs, findOpen: undefined, onDrawn: () => assert.fail('a rehearsal is no draw') },
    )
    const read: number[] = []
    const world = {
      answer: async (bytes: Uint8Array): Promise<Uint8Array> => {
        const [frame] = await prover.service.answer(challengeCodec.decode(bytes), 'asker', (count) => read.push(count))
        assert.ok(frame)
        return frame
      },
    }
    const offences: [string, Offence][] = []
    const lines: string[] = []
    const clock = new SetClock()
    const history = new ChallengeHistory(await openMemoryLevel('index'))
    let drawn = 0
    const challenger = new Challenger(
      { registry: REGISTRY },
      {
        network: {
          request: async (peer, name, { bytes, frames }) => {
            assert.deepEqual([peer, name, frames], ['peer', 'challenge', 1])
            clock.timeMs += 20
            return [await world.answer(bytes)]
          },
        },
        store,
        history,
        findPeer: (address) => (address === NODE ? 'peer' : undefined),
        onOffence: (peer, offence) => offences.push([peer, offence]),
        clock,
        random: (count) => new Uint8Array(count).fill(++drawn),
        log: createLogger({
          level: 'info',
          format: 'human',
          destination: { write: (text) => lines.push(text.trimEnd()) },
        }),
      },
    )
    return { world, challenger, history, withheld, offences, lines, read }
  }

  it('a node that holds the chunk passes, and the log says it in the words of the seed', async () => {
    const { challenger, history, lines, offences, read } = await setUp()
    const entry = await challenger.rehearse(NODE, chunkId)
    assert.deepEqual(
      [entry.result, entry.reason, entry.kind, entry.durationMs, entry.challengeId],
      ['valid', '', 'rehearsal', 20, `m-${'01'.repeat(16)}`],
    )
    assert.deepEqual(lines, [
      `[INFO] Challenge issued to ${NODE} for chunk ${toHex(chunkId)}`,
      `[INFO] Proof received from ${NODE} - VALID`,
      `[INFO] Success rate updated: ${NODE} = 100%`,
    ])
    assert.deepEqual(await history.list(10), [entry])
    assert.deepEqual([offences, read], [[], [chunk.length]])
  })

  it('what the node lacks, withholds or refuses is told, and counts against it', async () => {
    const lacking = await setUp({ chunks: false })
    assert.equal((await lacking.challenger.rehearse(NODE, chunkId)).result, 'notHeld')
    const { challenger, withheld, history, lines } = await setUp()
    withheld.add('5/0')
    assert.equal((await challenger.rehearse(NODE, chunkId)).result, 'notHeld')
    withheld.clear()
    assert.equal((await challenger.rehearse(NODE, chunkId)).result, 'valid')
    assert.deepEqual(await history.rateOf(NODE, 'rehearsal'), { passed: 1, total: 2 })
    assert.equal(lines.at(-1), `[INFO] Success rate updated: ${NODE} = 50%`)
  })

  it('a proof for another registry, another chunk or with a wrong byte is none', async () => {
    const elsewhere = await setUp({ proverRegistry: '' })
    assert.equal((await elsewhere.challenger.rehearse(NODE, chunkId)).result, 'invalid')
    const { challenger, world, offences, lines } = await setUp()
    const honest = world.answer
    world.answer = async (bytes) => {
      const answer = challengeProofCodec.decode(await honest(bytes))
      assert.ok(answer.status === 'ok')
      answer.proof[50] = (answer.proof[50] ?? 0) ^ 1
      return challengeProofCodec.encode(answer)
    }
    const entry = await challenger.rehearse(NODE, chunkId)
    assert.equal(entry.result, 'invalid')
    assert.notEqual(entry.reason, '')
    assert.equal(lines[1], `[INFO] Proof received from ${NODE} - INVALID`)
    assert.deepEqual(offences, [])
  })

  it('a busy node is not blamed; one that is silent, or answers something else, is', async () => {
    const { challenger, world, history, offences } = await setUp()
    const say = (answer: ChallengeProofMessage) => {
      world.answer = async () => challengeProofCodec.encode(answer)
    }
    say({ status: 'busy', challengeId: `m-${'01'.repeat(16)}` })
    assert.equal((await challenger.rehearse(NODE, chunkId)).result, 'busy')
    assert.deepEqual(await history.rateOf(NODE, 'rehearsal'), { passed: 0, total: 0 })
    world.answer = async () => {
      throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'made')
    }
    assert.equal((await challenger.rehearse(NODE, chunkId)).result, 'noAnswer')
    say({ status: 'busy', challengeId: 'another' })
    assert.equal((await challenger.rehearse(NODE, chunkId)).result, 'invalid')
    assert.deepEqual(offences, [])
    world.answer = async () => fromHex('ff')
    assert.equal((await challenger.rehearse(NODE, chunkId)).result, 'invalid')
    assert.deepEqual(offences, [['peer', 'reject']])
    assert.deepEqual(await history.rateOf(NODE, 'rehearsal'), { passed: 0, total: 3 })
  })

  it('error: a node that no connected peer speaks for', async () => {
    const { challenger, history } = await setUp()
    const other = addressOf(seedOf('other'))
    await assert.rejects(challenger.rehearse(other, chunkId), { code: 'API_PEER_UNCONNECTED' })
    assert.deepEqual(await history.list(10), [])
  })

  it('nothing is signed for another node, nor for a challenge that the chain does not know', async () => {
    const { world } = await setUp()
    const message = {
      kind: 'rehearsal' as const,
      challengeId: 'm-1',
      node: parseAddress(NODE),
      chunkId,
      nonce: 1n,
      issuedPeriod: 0,
      drawSignature: undefined,
    }
    const ask = async (change: object) =>
      challengeProofCodec.decode(await world.answer(challengeCodec.encode({ ...message, ...change }))).status
    assert.equal(await ask({}), 'ok')
    assert.equal(await ask({ kind: 'challenge', issuedPeriod: 7 }), 'refused')
    assert.equal(await ask({ kind: 'challenge' }), 'refused')
    assert.equal(await ask({ issuedPeriod: 7 }), 'refused')
    assert.equal(await ask({ node: parseAddress(addressOf(seedOf('other'))) }), 'refused')
  })
})
