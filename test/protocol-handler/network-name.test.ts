import assert from 'node:assert/strict'
import { formatProtocolId, STREAMS, TOPICS } from '../../protocol-handler/index.ts'
import { NETWORK } from './sample-messages.ts'

describe('protocol-handler/network-name', () => {
  it('names topics and streams by chain, genesis and version; another chunk size is another network', () => {
    const identity = { network: NETWORK, chunkSizeBytes: 1_048_576 }
    const names = [...TOPICS, ...STREAMS].map((name) => formatProtocolId(identity, name))
    assert.equal(new Set(names).size, 9)
    assert.equal(names[0], '/massa-storage/77-1795246964000/announce/1')
    assert.equal(formatProtocolId(identity, 'chunk'), '/massa-storage/77-1795246964000/chunk/1')
    assert.equal(
      formatProtocolId({ ...identity, chunkSizeBytes: 4096 }, 'chunk'),
      '/massa-storage/77-1795246964000-4096/chunk/1',
    )
  })
})
