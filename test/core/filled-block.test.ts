import assert from 'node:assert/strict'
import { verifyFilledBlock } from '../../archiver/verify-block.ts'
import { ByteReader, readBlockHead, readBlockRecord, restoreFilledBlock, toHex } from '../../core/index.ts'
import { readRecording } from '../../devnet/index.ts'
import { offerRecording } from '../archiver/archiver-holder.ts'
import { RECORDINGS } from '../devnet/fixture.ts'

describe('core/filled-block', () => {
  const { push, pull, fork } = RECORDINGS
  for (const [name, path] of Object.entries({ push, pull, fork })) {
    it(`${name}: each block of a real node is made again from what is archived of it`, async function () {
      this.timeout(60_000)
      const recording = await readRecording(path)
      const { chainId, genesisTimestampMs } = recording
      let blocks = 0
      let lost = 0
      for (const { id, filledBlock } of offerRecording(recording)) {
        const { record, seals, slot, unverifiedBodies } = verifyFilledBlock(filledBlock, chainId, id)
        const parsed = readBlockRecord(new ByteReader(record), { chainId, genesisTimestampMs }, slot)
        const again = verifyFilledBlock(restoreFilledBlock(chainId, parsed, seals), chainId, id)
        assert.equal(toHex(again.record), toHex(record), id)
        assert.equal(toHex(again.seals), toHex(seals), id)
        assert.equal(again.unverifiedBodies, unverifiedBodies)
        assert.deepEqual(readBlockHead(new ByteReader(record)).header.slot, slot)
        blocks++
        lost += unverifiedBodies
      }
      assert.ok(blocks > 50, `${blocks} blocks, ${lost} operations that are not reproducible`)
    })
  }
})
