import assert from 'node:assert/strict'
import { computeEraText, type EraStatement, signText } from '../../../core/index.ts'
import { type EraResponse, eraRequestCodec, eraResponseCodec, type Offence } from '../../../protocol-handler/index.ts'
import { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import { StillClock } from '../../clocks.ts'
import { NETWORK, REGISTRY } from '../placement/made-registry.ts'
import { addressOf, seedOf } from '../replication/made-nodes.ts'

const { chainId } = NETWORK
const SEED = seedOf('node')
const STATEMENT: EraStatement = {
  chainId,
  contract: REGISTRY,
  era: 4,
  eraRoot: new Uint8Array(32).fill(1),
  totalBytes: 2n,
  totalChunks: 3n,
  nextPlacementRoot: new Uint8Array(32).fill(4),
}

function answerOf(statement: EraStatement, ...seeds: readonly Uint8Array[]): EraResponse {
  const { chainId: _, contract: __, ...said } = statement
  const signers = seeds.length > 0 ? seeds : [SEED]
  return { status: 'ok', ...said, signatures: signers.map((seed) => signText(seed, computeEraText(statement))) }
}

async function fetch(answer: EraResponse) {
  const offences: [string, Offence][] = []
  const client = new PeerClient(
    {
      request: async (peer, name, { bytes, frames, maxAnswerBytes }) => {
        assert.deepEqual([peer, name, eraRequestCodec.decode(bytes), frames], ['peer', 'era', { era: 4 }, 1])
        assert.equal(maxAnswerBytes, eraResponseCodec.maxBytes)
        return [eraResponseCodec.encode(answer)]
      },
    },
    (peer, offence) => offences.push([peer, offence]),
    { clock: new StillClock() },
  )
  const about = { chainId, contract: REGISTRY, era: 4, address: addressOf(SEED) }
  const fetched = await client.fetchEra('peer', about).catch((error) => error.code)
  return { fetched, offences }
}

describe('storage-worker/peers: what a node signs about an era', () => {
  it('is told with its status', async () => {
    const [own, other] = [SEED, seedOf('other')].map((seed) => signText(seed, computeEraText(STATEMENT)))
    const said = { statement: STATEMENT, own, others: [] }
    assert.deepEqual(await fetch(answerOf(STATEMENT)), { fetched: { status: 'ok', value: said }, offences: [] })
    const more = { ...said, others: [{ address: addressOf(seedOf('other')), signature: other }] }
    const answer = answerOf(STATEMENT, SEED, seedOf('other'))
    assert.deepEqual(await fetch(answer), { fetched: { status: 'ok', value: more }, offences: [] })
    for (const status of ['notHeld', 'busy', 'refused'] as const) {
      assert.deepEqual(await fetch({ status }), { fetched: { status }, offences: [] })
    }
  })

  const honest = answerOf(STATEMENT)
  assert.ok(honest.status === 'ok')
  const wrong: [string, EraResponse][] = [
    ['of another era', answerOf({ ...STATEMENT, era: 5 })],
    ['of another registry', answerOf({ ...STATEMENT, contract: 'AS1' })],
    ['of another chain', answerOf({ ...STATEMENT, chainId: 78n })],
    ['signed by another node', answerOf(STATEMENT, seedOf('other'))],
    ['that names itself twice', answerOf(STATEMENT, SEED, SEED)],
    ['that names another signer twice', answerOf(STATEMENT, SEED, seedOf('other'), seedOf('other'))],
    ['signed by nobody', { ...honest, signatures: [] }],
    ['with another placement root than is signed', { ...honest, nextPlacementRoot: new Uint8Array(32) }],
  ]
  for (const [name, answer] of wrong) {
    it(`error: a statement ${name} is wrong, and costs whoever gives it`, async () => {
      assert.deepEqual(await fetch(answer), { fetched: 'PROTOCOL_ANSWER_WRONG', offences: [['peer', 'reject']] })
    })
  }
})
