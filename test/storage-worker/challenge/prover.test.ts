import assert from 'node:assert/strict'
import { parseAddress, type RegistryChallenge, toHex } from '../../../core/index.ts'
import { type ChallengeMessage, challengeCodec, challengeProofCodec } from '../../../protocol-handler/index.ts'
import type { DrawnChallenge } from '../../../storage-worker/challenge/draw-signatures.ts'
import { Prover } from '../../../storage-worker/challenge/prover.ts'
import { addressOf, seedOf } from '../replication/made-nodes.ts'

const NODE = parseAddress(addressOf(seedOf('prover')))
const CHUNK = new Uint8Array(32).fill(5)
const ASKED = {
  kind: 'challenge',
  challengeId: 'c-1',
  node: NODE,
  chunkId: CHUNK,
  nonce: 7n,
  issuedPeriod: 100,
  drawSignature: new Uint8Array(65),
} satisfies ChallengeMessage

describe('storage-worker/challenge/prover', () => {
  /** Its proofs say what they are for. */
  function setUp() {
    const drawn: DrawnChallenge[] = []
    const made: unknown[] = []
    const record = { id: 'c-1', chunkId: toHex(CHUNK), nonce: 7n, issuedPeriod: 100n, samples: 4 }
    const prover = new Prover(
      { chainId: 77n, node: NODE, registry: 'AS1' },
      {
        proofs: {
          make: async (terms) => {
            made.push(terms)
            return undefined
          },
        },
        findOpen: async (id) => (id === 'c-1' ? (record as unknown as RegistryChallenge) : undefined),
        onDrawn: (each) => drawn.push(each),
      },
    )
    const ask = async (change: Partial<typeof ASKED>) => {
      const message = challengeCodec.decode(challengeCodec.encode({ ...ASKED, ...change }))
      const [frame] = await prover.service.answer(message, 'asker', () => undefined)
      assert.ok(frame)
      return challengeProofCodec.decode(frame).status
    }
    return { ask, drawn, made }
  }

  it('proves what the chain asks for, with the samples of its record', async () => {
    const { ask, drawn, made } = setUp()
    assert.equal(await ask({}), 'notHeld')
    const challenge = { chainId: 77n, contract: 'AS1', challengeId: 'c-1', nodeAddress: addressOf(seedOf('prover')) }
    const asked = { chunkId: CHUNK, nonce: 7n, issuedPeriod: 100 }
    assert.deepEqual(made, [{ kind: 'challenge', samples: 4, challenge: { ...challenge, ...asked } }])
    assert.deepEqual(drawn, [{ challengeId: 'c-1', issuedPeriod: 100, signature: ASKED.drawSignature }])
  })

  it('adversary: signs nothing that differs from the record in any field, and keeps no signature of it', async () => {
    const { ask, drawn, made } = setUp()
    const changes: Partial<typeof ASKED>[] = [
      { issuedPeriod: 99 },
      { issuedPeriod: 101 },
      { nonce: 8n },
      { chunkId: new Uint8Array(32).fill(6) },
      { challengeId: 'c-2' },
      { node: parseAddress(addressOf(seedOf('other'))) },
    ]
    for (const change of changes) assert.equal(await ask(change), 'refused', Object.keys(change).join())
    assert.deepEqual([made, drawn], [[], []])
  })
})
