import assert from 'node:assert/strict'
import { createEraRelease } from '../../../storage-worker/anchors/era-release.ts'

const HASH = new Uint8Array(32)
const ANCHOR = { root: HASH, placementRoot: HASH, totalBytes: 1n, totalChunks: 1n, anchoredPeriod: 900n }

describe('storage-worker/anchors/era-release', () => {
  function open(registry: string, requireAnchors?: boolean) {
    const asked: number[] = []
    const inForce = requireAnchors === undefined ? undefined : { snapshot: { requireAnchors } }
    const anchors = {
      find: async (era: number) => {
        asked.push(era)
        return era < 3 ? { ...ANCHOR, era } : undefined
      },
    }
    return { mayGo: createEraRelease(registry, { placement: { inForce }, anchors }), asked }
  }

  it('where eras are anchored nothing goes before its era is', async () => {
    const { mayGo } = open('AS1', true)
    assert.deepEqual([await mayGo(2), await mayGo(3)], [true, false])
  })

  it('where they are not, or there is no registry, anchors are not asked for', async () => {
    for (const { mayGo, asked } of [open('AS1', false), open('')]) {
      assert.equal(await mayGo(3), true)
      assert.deepEqual(asked, [])
    }
  })

  it('while it cannot be told whether they are nothing goes', async () => {
    assert.equal(await open('AS1').mayGo(0), false)
  })
})
