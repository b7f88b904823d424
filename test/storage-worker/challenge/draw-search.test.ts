import assert from 'node:assert/strict'
import { ArchiveError, computeAuditDraw, computeDraw, computeDrawChallengeId, signText } from '../../../core/index.ts'
import { drawRequestCodec, type Offence } from '../../../protocol-handler/index.ts'
import { DrawSearch } from '../../../storage-worker/challenge/draw-search.ts'
import { DrawSignatures } from '../../../storage-worker/challenge/draw-signatures.ts'
import { createDrawService } from '../../../storage-worker/peers/draw-service.ts'
import { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import { StillClock } from '../../clocks.ts'
import { seedOf } from '../replication/made-nodes.ts'
import { openMemoryLevel } from '../temp-store.ts'

const ISSUED = { issuer: 'AU-issuer', node: 'AU-node', publicKey: undefined, chunkId: '', nonce: 0n, issuedPeriod: 7 }
const PEERS = ['issuer', 'node', 'other'].map((peer) => ({ peer, address: `AU-${peer}` }))

describe('storage-worker/challenge/draw-search', () => {
  let kept: Map<string, DrawSignatures>
  let asked: string[]
  let offences: [string, Offence][]
  let away: string[]

  beforeEach(async () => {
    kept = new Map()
    for (const { peer } of PEERS) kept.set(peer, new DrawSignatures(await openMemoryLevel('index')))
    asked = []
    offences = []
    away = []
  })

  /** Challenges 0 to 7 of a draw. */
  function makeAudit(name: string) {
    const { signature } = signText(seedOf('challenger'), name)
    const draw = computeDraw(signature.subarray(1))
    return Array.from({ length: 8 }, (_, j) => {
      return { ...ISSUED, challengeId: computeDrawChallengeId(computeAuditDraw(draw, j)), signature }
    })
  }

  async function openSearch(change?: (frame: Uint8Array) => Uint8Array) {
    const client = new PeerClient(
      {
        request: async (peer, name, { bytes }) => {
          assert.equal(name, 'draw')
          asked.push(peer)
          if (away.includes(peer)) throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'made')
          const { answer } = createDrawService(kept.get(peer) ?? assert.fail())
          const frames = await answer(drawRequestCodec.decode(bytes), 'asker', () => {})
          return frames.map((frame) => change?.(frame) ?? frame)
        },
      },
      (peer, offence) => offences.push([peer, offence]),
      { clock: new StillClock() },
    )
    const signatures = new DrawSignatures(await openMemoryLevel('index'))
    return { signatures, search: new DrawSearch({ signatures, client, listPeers: () => PEERS }) }
  }

  it('asks who issued it or was asked by it, once for an audit, and keeps what it is given', async () => {
    const audit = makeAudit('a')
    for (const each of audit) await kept.get('node')?.put(each)
    const { search, signatures } = await openSearch()
    for (const each of audit) assert.deepEqual(await search.find(each), each.signature)
    assert.deepEqual(asked, ['issuer', 'node'])
    for (const each of audit) assert.deepEqual(await signatures.find(each.challengeId), each.signature)
    await search.find(audit[0] ?? assert.fail())
    assert.deepEqual(asked, ['issuer', 'node'])
  })

  it('asks nobody else, and nobody again who does not answer', async () => {
    const [first, second] = [makeAudit('a'), makeAudit('b')].map(([each]) => each)
    assert.ok(first && second)
    await kept.get('other')?.put(first)
    away = ['issuer']
    const { search } = await openSearch()
    assert.equal(await search.find(first), undefined)
    assert.equal(await search.find(second), undefined)
    assert.deepEqual(asked, ['issuer', 'node', 'node'])
    assert.deepEqual(offences, [])
  })

  it('adversary: a signature that does not give the id costs the peer, and the other is asked', async () => {
    const [challenge] = makeAudit('a')
    assert.ok(challenge)
    for (const peer of ['issuer', 'node']) await kept.get(peer)?.put(challenge)
    const { search, signatures } = await openSearch((frame) => {
      if (asked.at(-1) !== 'issuer') return frame
      const changed = Uint8Array.from(frame)
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
      return changed
    })
    assert.deepEqual(await search.find(challenge), challenge.signature)
    assert.deepEqual([offences, asked], [[['issuer', 'reject']], ['issuer', 'node']])
    assert.deepEqual(await signatures.find(challenge.challengeId), challenge.signature)
  })
})
