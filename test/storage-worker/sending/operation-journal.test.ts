import assert from 'node:assert/strict'
import { join } from 'node:path'
import { findDamagedTables } from '../../../storage-worker/table-file.ts'
import { openTestStore, TempFolders } from '../temp-store.ts'

const folders = new TempFolders()
const SIGNED = {
  operationId: 'O1',
  sender: 'AU1',
  balanceNanoMas: 5n,
  expirePeriod: 9,
  feeNanoMas: 10n,
  maxGas: 21n,
}
/** As large as a block of a table: its key ends the block, and stands in the index of blocks. */
const BYTES = { data: new Uint8Array(8_192), publicKey: 'P1', signature: '1S' }
/** Of a call with as many challenges as the contract takes, each with the longest id. */
const longestKey = (digit: number) => ['proof', ...Array<string>(8).fill(`${digit}`.repeat(64))].join(' ')

describe('storage-worker/sending/operation-journal', () => {
  afterEach(() => folders.clean())

  it('limit: noted proofs of eight challenges are no damage of the database that holds them', async () => {
    const dataDir = await folders.make()
    const entries = [1, 2].map((digit) => {
      return { purpose: 'proof', key: longestKey(digit), spendNanoMas: 12n, signed: SIGNED, bytes: BYTES } as const
    })
    const before = await openTestStore(dataDir)
    for (const entry of entries) await before.operations.put(entry)
    await before.close()
    // What was in the log is in a table from now on.
    const store = await openTestStore(dataDir)
    try {
      const byKey = (a: { key: string }, b: { key: string }) => a.key.localeCompare(b.key)
      assert.deepEqual((await store.operations.list()).sort(byKey), entries)
      assert.deepEqual(findDamagedTables(join(dataDir, 'index'), undefined, true), [])
      for (const { key } of entries) await store.operations.delete(key)
      assert.deepEqual(await store.operations.list(), [])
    } finally {
      await store.close()
    }
  })
})
