import assert from 'node:assert/strict'
import { findNetwork, formatProtocolId, formatServiceTag, STREAMS, TOPICS } from '../../protocol-handler/index.ts'
import { NETWORK } from './sample-messages.ts'

describe('protocol-handler/network-name', () => {
  it('names topics and streams by chain, genesis and version; another chunk size is another network', () => {
    const identity = { network: NETWORK, chunkSizeBytes: 1_048_576 }
    const names = [...TOPICS, ...STREAMS].map((name) => formatProtocolId(identity, name))
    assert.equal(new Set(names).size, 11)
    assert.equal(names[0], '/massa-storage/77-1795246964000/announce/1')
    assert.equal(formatProtocolId(identity, 'chunk'), '/massa-storage/77-1795246964000/chunk/1')
    assert.equal(
      formatProtocolId({ ...identity, chunkSizeBytes: 4096 }, 'chunk'),
      '/massa-storage/77-1795246964000-4096/chunk/1',
    )
  })

  it('tells by its protocols of which network a peer is', () => {
    const identity = { network: NETWORK, chunkSizeBytes: 1_048_576 }
    const own = formatProtocolId(identity, 'chunk')
    const foreign = formatProtocolId({ ...identity, chunkSizeBytes: 4096 }, 'chunk')
    const other = formatProtocolId({ ...identity, network: { ...NETWORK, chainId: 7n } }, 'chunk')
    const found = [[], ['/ipfs/id/1.0.0', '/meshsub/1.1.0'], [own], ['/a', foreign], [other], [other, own]]
    assert.deepEqual(
      found.map((protocols) => findNetwork(identity, protocols)),
      [undefined, undefined, 'own', 'foreign', 'foreign', 'own'],
    )
  })

  it('asks by multicast DNS for sidecars of its chain, genesis and chunk size, under a name that DNS takes', () => {
    const identity = { network: NETWORK, chunkSizeBytes: 1_048_576 }
    assert.equal(formatServiceTag(identity), '_massa-storage-77-1795246964000._udp.local')
    const most = 2n ** 64n - 1n
    const longest = { network: { chainId: most, genesisTimestampMs: most }, chunkSizeBytes: 1_000_000 }
    const [label = ''] = formatServiceTag(longest).split('.')
    assert.equal(label.length, 63)
    assert.ok(label.startsWith(`_massa-storage-${most}-${most}`))
  })
})
