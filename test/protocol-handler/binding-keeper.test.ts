import assert from 'node:assert/strict'
import { createBindingKeeper } from '../../protocol-handler/binding-keeper.ts'
import { decodeBindings, encodeBindings } from '../../protocol-handler/binding-record.ts'
import { Bindings } from '../../protocol-handler/bindings.ts'
import { MAX_KEPT_BINDINGS } from '../../protocol-handler/limits.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { KeptMarks } from './kept-marks.ts'
import { NETWORK, OTHER_PEER_ID, OTHER_SEED, PEER_ID, signSample } from './sample-messages.ts'

const DAY_MS = 86_400_000

describe('protocol-handler/binding-keeper', () => {
  const clock = new SetClock()
  const begin = async (marks: KeptMarks, registered: readonly string[] = []) => {
    const failures: string[] = []
    const bindings = new Bindings(NETWORK, (address) => registered.includes(address))
    const keeper = createBindingKeeper(bindings, { marks, clock, onFailure: ({ code }) => failures.push(code) })
    await keeper.load()
    return { bindings, keeper, failures }
  }

  it('replayed capabilities: what a node said before our restart is refused after it, what it says then is taken', async () => {
    const marks = new KeptMarks()
    const first = await begin(marks)
    const address = first.bindings.take(signSample({ sequence: 5n }), PEER_ID) ?? ''
    first.bindings.take(signSample({ sequence: 6n }), PEER_ID)
    await first.keeper.save()
    const { bindings, keeper } = await begin(marks)
    assert.equal(bindings.addressOf(PEER_ID), address)
    assert.deepEqual([bindings.capabilitiesOf(address), bindings.list()], [undefined, []])
    for (const sequence of [5n, 6n]) {
      assert.throws(() => bindings.take(signSample({ sequence }), PEER_ID), { code: 'PROTOCOL_SEQUENCE_OLD' })
    }
    assert.equal(bindings.take(signSample({ sequence: 7n }), PEER_ID), address)
    await keeper.save()
    assert.throws(() => bindings.take(signSample({ sequence: 7n }), PEER_ID), { code: 'PROTOCOL_SEQUENCE_OLD' })
    assert.deepEqual((await begin(marks)).bindings.keep(), [{ address, peerId: PEER_ID, sequence: 7n }])
  })

  it('who was not heard of since stays known over one more restart', async () => {
    const marks = new KeptMarks()
    const first = await begin(marks)
    first.bindings.take(signSample({ sequence: 5n }), PEER_ID)
    await first.keeper.save()
    const second = await begin(marks)
    second.bindings.take(signSample({ sequence: 2n, peerId: OTHER_PEER_ID }, OTHER_SEED), OTHER_PEER_ID)
    await second.keeper.save()
    const { bindings } = await begin(marks)
    assert.throws(() => bindings.take(signSample({ sequence: 5n }), PEER_ID), { code: 'PROTOCOL_SEQUENCE_OLD' })
    assert.equal(bindings.keep().length, 2)
  })

  it('another wallet behind a known PeerId takes the place of the old one, and nobody can turn that back', async () => {
    const marks = new KeptMarks()
    const first = await begin(marks)
    const before = signSample({ sequence: 5n })
    first.bindings.take(before, PEER_ID)
    await first.keeper.save()
    const { bindings } = await begin(marks)
    const after = bindings.take(signSample({ sequence: 6n }, OTHER_SEED), PEER_ID)
    assert.equal(bindings.addressOf(PEER_ID), after)
    assert.throws(() => bindings.take(before, PEER_ID), { code: 'PROTOCOL_SEQUENCE_OLD' })
    assert.deepEqual(
      bindings.keep().map(({ address }) => address),
      [after],
    )
  })

  it('a sequence more than a day ahead of the clock is not kept', async () => {
    const marks = new KeptMarks()
    const first = await begin(marks)
    const latest = BigInt(clock.nowMs() + DAY_MS)
    first.bindings.take(signSample({ sequence: latest }), PEER_ID)
    first.bindings.take(signSample({ sequence: latest + 1n, peerId: OTHER_PEER_ID }, OTHER_SEED), OTHER_PEER_ID)
    await first.keeper.save()
    assert.deepEqual(
      (await begin(marks)).bindings.keep().map(({ sequence }) => sequence),
      [latest],
    )
  })

  it('nodes of the registry are kept before others', async () => {
    const { bindings } = await begin(new KeptMarks())
    bindings.take(signSample({}), PEER_ID)
    const registered = bindings.take(signSample({ peerId: OTHER_PEER_ID }, OTHER_SEED), OTHER_PEER_ID) ?? ''
    const again = await begin(new KeptMarks(), [registered])
    again.bindings.restore(bindings.keep())
    assert.equal(again.bindings.keep()[0]?.address, registered)
  })

  it('writes nothing while nobody says anything new; a damaged record is told', async () => {
    const marks = new KeptMarks()
    const { keeper } = await begin(marks)
    await keeper.save()
    assert.equal(marks.writes, 0)
    marks.values.set('peerBindings', Uint8Array.of(2))
    assert.deepEqual((await begin(marks)).failures, ['CORE_BYTES_INVALID'])
  })

  it('limit: a record has 4,096 bindings, not one more', () => {
    const many = Array.from({ length: MAX_KEPT_BINDINGS + 1 }, (_, i) => ({
      address: `AU${i}`,
      peerId: PEER_ID,
      sequence: BigInt(i),
    }))
    assert.deepEqual(decodeBindings(encodeBindings(many.slice(1))), many.slice(1))
    assert.throws(() => decodeBindings(encodeBindings(many)), { code: 'CORE_BYTES_INVALID' })
  })
})
