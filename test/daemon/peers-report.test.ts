import assert from 'node:assert/strict'
import type { PeerContext } from '../../daemon/peers/peer-context.ts'
import { reportPeers } from '../../daemon/peers-report.ts'

describe('daemon/peers-report', () => {
  it('has with each node what it showed in the last day, and null where it was not asked', () => {
    const peerId = (fill: number) => Uint8Array.from([0, 36, 8, 1, 18, 32, ...new Array<number>(32).fill(fill)])
    const entry = (address: string, fill: number) => ({
      address,
      capabilities: {
        peerId: peerId(fill),
        listenAddresses: [],
        allocatedGb: 1n,
        storedChunks: 2n,
        retentionPeriods: 0n,
      },
    })
    const context = {
      node: { peer: 'own', peers: [], addresses: [] },
      address: 'me',
      bindings: { list: () => [entry('A', 1), entry('B', 2), entry('C', 3)] },
      scores: { scoreOf: () => 0, listBans: () => [] },
    } as unknown as PeerContext
    const report = () => ({
      day: [{ address: 'A', shown: 5, failed: 1, unanswered: 2 }],
      suspicions: [
        { address: 'A', period: 7, index: 0, sinceMs: 70, kind: 'failed' as const },
        { address: 'B', period: 8, index: 1, sinceMs: 80, kind: 'unanswered' as const },
      ],
    })
    const rows = new Map(reportPeers(context, { report }).peers.map(({ address, audits }) => [address, audits]))
    assert.deepEqual(rows.get('A'), {
      shown: 5,
      failed: 1,
      unanswered: 2,
      suspicions: [{ period: 7, index: 0, sinceMs: 70, kind: 'failed' }],
    })
    assert.deepEqual(rows.get('B'), {
      shown: 0,
      failed: 0,
      unanswered: 0,
      suspicions: [{ period: 8, index: 1, sinceMs: 80, kind: 'unanswered' }],
    })
    assert.equal(rows.get('C'), null)
  })
})
