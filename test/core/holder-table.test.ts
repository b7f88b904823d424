import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createNodeNumbers, type HolderPass, HolderTable } from '../../core/holder-table.ts'
import { HASH_SLOTS } from '../../core/index.ts'

const ADDRESSES = ['AU1', 'AU2', 'AU3', 'AU4', 'AU5']
const NODES = ADDRESSES.map((_, number) => number)

/** Every hash slot is ranked alike. */
function makeTable(ranked: readonly number[], replicas: number): HolderTable {
  const numbers = createNodeNumbers(HASH_SLOTS * ranked.length, ADDRESSES.length)
  for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) numbers.set(ranked, hashSlot * ranked.length)
  return new HolderTable(ADDRESSES, { replicas, ranks: { places: ranked.length, numbers } })
}

describe('core/holder-table', () => {
  it('gives back what was put, of each hash slot its own, and nobody where nothing was', () => {
    const someSlot = fc.record({
      hashSlot: fc.constantFrom(0, 1, 2, 8_000, HASH_SLOTS - 1),
      indexes: fc.shuffledSubarray(NODES, { maxLength: 3 }),
      passes: fc.array(fc.constantFrom<HolderPass>(1, 2, 3), { minLength: 3, maxLength: 3 }),
    })
    fc.assert(
      fc.property(fc.uniqueArray(someSlot, { selector: ({ hashSlot }) => hashSlot }), (slots) => {
        const table = makeTable(NODES, 3)
        for (const { hashSlot, indexes, passes } of slots) {
          table.put(
            hashSlot,
            indexes.map((index, i) => ({ index, pass: passes[i] ?? 1 })),
          )
        }
        for (const hashSlot of [0, 1, 2, 3, 8_000, HASH_SLOTS - 1]) {
          const { indexes = [], passes = [] } = slots.find((slot) => slot.hashSlot === hashSlot) ?? {}
          const taken = passes.slice(0, indexes.length)
          assert.deepEqual(table.holdersIn(hashSlot), {
            addresses: indexes.map((index) => ADDRESSES[index]),
            passes: taken,
            clustered: taken.some((pass) => pass !== 1),
          })
          assert.equal(table.countIn(hashSlot), indexes.length)
          for (const node of NODES) assert.equal(table.isHolder(node, hashSlot), indexes.includes(node))
        }
        for (const node of NODES) {
          const held = slots.filter(({ indexes }) => indexes.includes(node)).map(({ hashSlot }) => hashSlot)
          assert.deepEqual(
            table.listSlotsOf(node),
            held.sort((a, b) => a - b),
          )
        }
      }),
      { numRuns: 25 },
    )
  })

  it('lists who ranks next without the holders, and does not know where fewer are kept than that takes', () => {
    const whole = makeTable([3, 1, 4, 0, 2], 2)
    const short = makeTable([3, 1, 4], 2)
    for (const table of [whole, short]) {
      table.put(7, [
        { index: 3, pass: 1 },
        { index: 4, pass: 1 },
      ])
    }
    assert.deepEqual(whole.listNext(7, 2), [1, 0])
    assert.deepEqual(whole.listNext(7, 9), [1, 0, 2])
    assert.deepEqual(whole.listNext(8, 1), [3])
    assert.deepEqual(short.listNext(7, 1), [1])
    assert.equal(short.listNext(7, 2), undefined)
  })

  it('limit: nodes are numbered in two bytes up to 65,536, in four beyond', () => {
    assert.equal(createNodeNumbers(3, 65_536).BYTES_PER_ELEMENT, 2)
    assert.equal(createNodeNumbers(3, 65_537).BYTES_PER_ELEMENT, 4)
  })

  it('has no holders in a hash slot that does not exist, and takes more replicas than there are nodes', () => {
    const table = makeTable(NODES, 255)
    table.put(
      HASH_SLOTS - 1,
      NODES.map((index) => ({ index, pass: 1 as const })),
    )
    assert.equal(table.countIn(HASH_SLOTS - 1), 5)
    for (const hashSlot of [HASH_SLOTS, -1, 0.5]) assert.deepEqual(table.addressesIn(hashSlot), [])
  })
})
