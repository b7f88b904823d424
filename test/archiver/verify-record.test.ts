import assert from 'node:assert/strict'
import { CpuPool } from '../../archiver/index.ts'
import { type SealedRecord, verifyRecord } from '../../archiver/verify-record.ts'
import { concatBytes, parseBody, splitBody } from '../../core/index.ts'
import type { MadeBlock } from '../../devnet/index.ts'
import { archivedOf, decidedBlock } from '../storage-worker/bootstrap/made-archive.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'
import { blockAt, chainOf, NETWORK } from './made-chain.ts'

describe('archiver/verify-record', () => {
  const chain = chainOf('verify record', 2, { operationsPerBlock: 3, missedSlots: [{ period: 2, thread: 9 }] })
  const sealedOf = (block: MadeBlock): SealedRecord => ({ slot: block.slot, ...decidedBlock(block) })
  const block = blockAt(chain, 2, 5)
  const sealed = sealedOf(block)

  it('proves operations and signatures of an archived block', () => {
    assert.deepEqual(verifyRecord(sealed, NETWORK), { isBound: true, isSealed: true })
  })

  it('a signature that does not verify, one too few and one too many are no seal', () => {
    const { seals } = sealed
    const lies = [0, 1, 2, 3].map((i) => seals.map((byte, at) => (at === 64 * i + 7 ? byte ^ 1 : byte)))
    for (const lie of [...lies, seals.subarray(64), seals.subarray(0, -1), concatBytes(seals, seals.subarray(0, 64))]) {
      assert.equal(verifyRecord({ ...sealed, seals: lie }, NETWORK).isSealed, false)
    }
  })

  it('error: bytes that are no record of this slot and network', () => {
    const { record } = sealed
    for (const lie of [
      { ...sealed, record: record.subarray(0, -1) },
      { ...sealed, record: concatBytes(record, Uint8Array.of(0)) },
      { ...sealed, record: record.map((byte, i) => (i === record.length - 1 ? byte ^ 1 : byte)) },
      { ...sealed, slot: { period: 2, thread: 6 } },
      { ...sealed, slot: { period: 3, thread: 5 } },
    ]) {
      assert.throws(() => verifyRecord(lie, NETWORK), hasCode('CORE_BODY_INVALID'))
    }
    assert.throws(() => verifyRecord(sealed, { ...NETWORK, chainId: 78n }), hasCode('CORE_BODY_INVALID'))
  })

  it('a BODY is split into the records that it is parsed into', () => {
    const body = concatBytes(...archivedOf(chain, 2).chunks)
    const { slots, ...rest } = parseBody(body)
    const split = splitBody(body)
    assert.deepEqual({ network: split.network, period: split.period }, rest)
    assert.equal(slots[9]?.kind, 'miss')
    for (const [thread, slot] of slots.entries()) {
      const found = split.slots[thread]
      assert.equal(found?.kind, slot.kind)
      if (found?.kind !== 'block' || slot.kind !== 'block') continue
      const { record, operationCount } = decidedBlock(blockAt(chain, 2, thread))
      assert.deepEqual(found.record, record)
      assert.deepEqual([found.operationCount, slot.record.operations.length], [operationCount, operationCount])
    }
    for (const lie of [body.subarray(0, -1), concatBytes(body, Uint8Array.of(0)), body.subarray(0, 26)]) {
      assert.throws(() => splitBody(lie), hasCode('CORE_BODY_INVALID'))
    }
  })

  it('worker threads say the same of many, in their order, and refuse as the function does', async function () {
    this.timeout(60_000)
    const cpu = new CpuPool({ threads: 2 })
    try {
      const all = [...chain.blocks.values()].map(sealedOf)
      const bad = all.map((one, i) => (i === 40 ? { ...one, seals: one.seals.map((byte) => byte ^ 1) } : one))
      const found = await cpu.verifyRecords(bad, NETWORK)
      assert.deepEqual(
        found,
        bad.map((one) => verifyRecord(one, NETWORK)),
      )
      assert.equal(found[40]?.isSealed, false)
      const cut = all.map((one, i) => (i === 33 ? { ...one, record: one.record.subarray(1) } : one))
      await assert.rejects(cpu.verifyRecords(cut, NETWORK), hasCode('CORE_BODY_INVALID'))
      assert.deepEqual(await cpu.verifyRecords([], NETWORK), [])
    } finally {
      await cpu.close()
    }
  })
})
