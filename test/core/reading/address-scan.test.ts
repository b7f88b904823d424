import assert from 'node:assert/strict'
import {
  AddressScan,
  buildCompleteness,
  compareAddressList,
  computeAddress,
  computeChunkId,
  formatAddress,
  formatOperationId,
  type Operation,
  parseBody,
  scanAddress,
  verifyAddressList,
  verifyCompleteness,
} from '../../../core/index.ts'
import {
  assertCode,
  call,
  lostOperation,
  MadeHistory,
  makePeriod,
  NETWORK,
  PUBLIC_KEY,
  recordOperation,
} from './made-history.ts'

const CREATOR = computeAddress(PUBLIC_KEY)
const RECIPIENT = Uint8Array.from({ length: 34 }, (_, i) => (i < 2 ? 0 : 7))
const CONTRACT = Uint8Array.from({ length: 34 }, (_, i) => (i === 0 ? 1 : 0))

function pay(number: number, recipient: Uint8Array = RECIPIENT): Operation {
  const body = { kind: 'transaction', recipient, amountNanoMas: 5n } as const
  return { feeNanoMas: BigInt(number), expirePeriod: 15n, body }
}

function buyRolls(): Operation {
  return { feeNanoMas: 1n, expirePeriod: 15n, body: { kind: 'roll-buy', rollCount: 3n } }
}

const made = [
  makePeriod(2, { 0: [pay(1), call(1, 5)], 4: [pay(2)] }, 1024),
  makePeriod(3, { 9: [pay(3, CREATOR), buyRolls(), lostOperation()] }),
  // The same operation in two blocks, as a fork may leave it.
  makePeriod(5, { 1: [pay(1)] }),
]
const history = new MadeHistory(made)
const range = { from: 1, to: 6 }
const certificate = verifyCompleteness(await buildCompleteness(history, range), range, history.trusted)

const bare = { readChunk: async () => undefined, readSeals: async () => undefined, readEra: async () => undefined }

function nameOf(operation: Operation): string {
  return formatOperationId(recordOperation(operation).id)
}

function scan(address: Uint8Array) {
  const all = new AddressScan(certificate, formatAddress(address))
  for (const period of all.listMissing()) all.add(period, history.periods.get(period)?.chunks ?? [])
  return all.finish()
}

describe('core/reading/address-scan', () => {
  it('lists what an address sent, what was sent to it, and both of one operation', () => {
    const [body] = made.slice(1).map((period) => parseBody(period.body))
    assert(body)
    const found = scanAddress(body, CREATOR)
    assert.deepEqual(
      found.map(({ slot, roles, operation }) => [slot.thread, roles, operation.reproducible]),
      [
        [9, ['creator', 'target'], true],
        [9, ['creator'], true],
        [9, ['creator'], false],
      ],
    )
  })

  it('over a range: exactly the operations of the address, of all bodies that have blocks', () => {
    const { operations, ...rest } = scan(RECIPIENT)
    assert.deepEqual(rest, { address: formatAddress(RECIPIENT), ...range, scannedBodies: 3, emptyPeriods: 3 })
    assert.deepEqual(
      operations.map(({ slot, operation, roles }) => [
        slot.period,
        slot.thread,
        formatOperationId(operation.id),
        roles,
      ]),
      [
        [2, 0, nameOf(pay(1)), ['target']],
        [2, 4, nameOf(pay(2)), ['target']],
        [5, 1, nameOf(pay(1)), ['target']],
      ],
    )
    assert.equal(scan(CONTRACT).operations.length, 1)
    assert.equal(scan(CREATOR).operations.length, 7)
    assert.equal(scan(new Uint8Array(34)).operations.length, 0)
  })

  it('names what a list leaves out, and what does not belong to it', () => {
    const found = scan(RECIPIENT)
    const right = [
      { id: nameOf(pay(1)), slot: { period: 5, thread: 1 } },
      { id: nameOf(pay(2)), slot: { period: 2, thread: 4 } },
      { id: nameOf(pay(1)), slot: { period: 2, thread: 0 } },
    ]
    assert.deepEqual(compareAddressList(found, right), { missing: [], surplus: [] })
    assert.deepEqual(compareAddressList(found, right.slice(1)), {
      missing: [`${nameOf(pay(1))} at (5, 1)`],
      surplus: [],
    })
    const [first] = right
    assert(first)
    const other = { id: nameOf(pay(9)), slot: first.slot }
    assert.deepEqual(compareAddressList(found, [...right, first, other]), {
      missing: [],
      surplus: [`${first.id} at (5, 1)`, `${other.id} at (5, 1)`],
    })
  })

  it('refuses a list that is not exactly that, and names the first that is wrong', async () => {
    const found = scan(RECIPIENT)
    const right = found.operations.map(({ operation, slot }) => ({ id: formatOperationId(operation.id), slot }))
    verifyAddressList(found, right.toReversed())
    const refuses = (given: Parameters<typeof verifyAddressList>[1], message: RegExp) =>
      assert.throws(
        () => verifyAddressList(found, given),
        (error: Error) => message.test(error.message) && 'code' in error && error.code === 'CORE_READING_LIST_OTHER',
      )
    refuses([], new RegExp(`leaves out ${nameOf(pay(1))} at \\(2, 0\\) and 2 more$`))
    const long = { id: 'O1'.repeat(999), slot: { period: 3, thread: 0 } }
    refuses(
      [...right, long],
      /^the list of AU\w+ in periods 1 to 6 has (O1){60}, not of this address there or listed twice$/,
    )
    refuses([long], /leaves out O1\w+ at \(2, 0\) and 2 more and has O1/)
  })

  it('does not end before all bodies were scanned', async () => {
    const all = new AddressScan(certificate, formatAddress(RECIPIENT))
    assert.deepEqual(all.listMissing(), [2, 3, 5])
    for (const period of [2, 5]) all.add(period, history.periods.get(period)?.chunks ?? [])
    assert.deepEqual(all.listMissing(), [3])
    await assertCode('CORE_READING_PERIODS_MISSING', () => all.finish())
  })

  it('scans each BODY with one block, of whatever thread', async () => {
    for (const thread of [0, 1, 31]) {
      const source = new MadeHistory([makePeriod(2, { [thread]: [pay(1)] })])
      const alone = { from: 2, to: 2 }
      const said = verifyCompleteness(await buildCompleteness(source, alone), alone, source.trusted)
      assert.deepEqual(new AddressScan(said, formatAddress(RECIPIENT)).listMissing(), [2])
    }
  })

  it('refuses the chunks of another period, too few, changed ones, and a period outside of the range', async () => {
    const all = new AddressScan(certificate, formatAddress(RECIPIENT))
    const chunks = made[0]?.chunks ?? []
    assert(chunks.length > 1)
    const bent = chunks.map((chunk, i) => (i === 0 ? chunk.map((byte, at) => (at === 9 ? byte ^ 1 : byte)) : chunk))
    for (const given of [made[1]?.chunks ?? [], chunks.slice(1), [], bent, chunks.toReversed()]) {
      await assertCode('CORE_READING_CHUNK_INVALID', () => all.add(2, given))
    }
    for (const period of [0, 7, -1]) await assertCode('CORE_READING_SLOT_OTHER', () => all.add(period, chunks))
    await assertCode('CORE_BASE58_INVALID', () => new AddressScan(certificate, 'AU'))
  })

  it('refuses a BODY that its own certificate contradicts', async () => {
    const [first] = made
    assert(first)
    for (const manifest of [
      { ...first.manifest, bitmap: 1 },
      { ...first.manifest, network: { ...NETWORK, chainId: 1n } },
      { ...first.manifest, network: { ...NETWORK, genesisTimestampMs: 1n } },
      { ...first.manifest, period: 3 },
    ]) {
      const source = { ...bare, readManifest: async () => manifest }
      const { period } = manifest
      const alone = { from: period, to: period }
      const all = new AddressScan(
        verifyCompleteness(await buildCompleteness(source, alone), alone),
        formatAddress(RECIPIENT),
      )
      await assertCode('CORE_READING_BODY_INVALID', () => all.add(period, first.chunks))
    }
    const chunks = [Uint8Array.of(1)]
    const odd = makePeriod(2, { 0: [] })
    const manifest = { ...odd.manifest, chunks: [{ byteLength: 1, chunkId: computeChunkId(chunks[0] ?? PUBLIC_KEY) }] }
    const source = { ...bare, readManifest: async () => manifest }
    const said = verifyCompleteness(await buildCompleteness(source, { from: 2, to: 2 }), { from: 2, to: 2 })
    await assertCode('CORE_READING_BODY_INVALID', () => new AddressScan(said, formatAddress(RECIPIENT)).add(2, chunks))
  })
})
