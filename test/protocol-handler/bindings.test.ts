import assert from 'node:assert/strict'
import { Bindings } from '../../protocol-handler/bindings.ts'
import { type Capabilities, readSigner } from '../../protocol-handler/index.ts'
import { NETWORK, OTHER_PEER_ID, OTHER_SEED, PEER_ID, signSample } from './sample-messages.ts'

describe('protocol-handler/bindings', () => {
  const open = (registered: string[] = []) => new Bindings(NETWORK, (address) => registered.includes(address))

  it('binds a PeerId to the address whose key signed', () => {
    const bindings = open()
    const capabilities = signSample({})
    const address = bindings.take(capabilities, PEER_ID)
    assert.equal(address, readSigner(capabilities))
    assert.equal(bindings.addressOf(PEER_ID), address)
    assert.equal(bindings.capabilitiesOf(address ?? ''), capabilities)
  })

  it('replayed capabilities: the same or an older sequence is refused, a later one taken', () => {
    const bindings = open()
    const first = signSample({})
    bindings.take(first, PEER_ID)
    for (const again of [first, signSample({ sequence: 4n })]) {
      assert.throws(() => bindings.take(again, PEER_ID), { code: 'PROTOCOL_SEQUENCE_OLD' })
    }
    bindings.take(signSample({ sequence: 6n, allocatedGb: 2n }), PEER_ID)
    assert.equal(bindings.list()[0]?.capabilities.allocatedGb, 2n)
  })

  it('foreign binding: capabilities of another PeerId than the sender are refused', () => {
    const bindings = open()
    assert.throws(() => bindings.take(signSample({}), OTHER_PEER_ID), { code: 'PROTOCOL_BINDING_FOREIGN' })
    assert.equal(bindings.list().length, 0)
  })

  it('foreign network: another chain id or genesis is refused', () => {
    for (const network of [
      { ...NETWORK, chainId: 78n },
      { ...NETWORK, genesisTimestampMs: 0n },
    ]) {
      assert.throws(() => open().take(signSample({ network }), PEER_ID), { code: 'PROTOCOL_NETWORK_FOREIGN' })
    }
  })

  it('forged capabilities: any changed field breaks the signature', () => {
    const honest = signSample({})
    const changes: Partial<Capabilities>[] = [
      { sequence: 6n },
      { allocatedGb: 1_000n },
      { storedChunks: 9n },
      { retentionPeriods: 1n },
      { endPeriod: 9 },
      { listenAddresses: ['/ip4/1.2.3.4/tcp/1'] },
    ]
    for (const change of changes) {
      assert.throws(() => open().take({ ...honest, ...change }, PEER_ID), { code: 'PROTOCOL_SIGNATURE_INVALID' })
    }
  })

  it('a PeerId speaks for one address: a new wallet takes the place of the old, a new PeerId that of the old', () => {
    const bindings = open()
    const before = bindings.take(signSample({}), PEER_ID)
    const after = bindings.take(signSample({ sequence: 6n }, OTHER_SEED), PEER_ID)
    assert.notEqual(after, before)
    assert.equal(bindings.addressOf(PEER_ID), after)
    assert.equal(bindings.capabilitiesOf(before ?? ''), undefined)
    bindings.take(signSample({ sequence: 7n, peerId: OTHER_PEER_ID }, OTHER_SEED), OTHER_PEER_ID)
    assert.equal(bindings.addressOf(PEER_ID), undefined)
    assert.equal(bindings.addressOf(OTHER_PEER_ID), after)
  })
})
