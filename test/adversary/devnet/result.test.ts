import assert from 'node:assert/strict'
import { type DevnetResult, dropOutdated, readDevnetResult } from './result.ts'

type Network = DevnetResult['networks'][number]

describe('adversary/devnet/result', () => {
  it('a network is dropped once each of its adversaries has done its deed in a later one, however they are grouped', () => {
    const [kept] = readDevnetResult().networks
    const [row] = kept?.rows ?? []
    assert.ok(kept && row)
    const play = (...names: (string | null)[]): Network => ({
      ...kept,
      rows: names.map((name) => ({ ...row, name, deeds: 1 })),
    })
    const all = [play(null, 'a', 'b'), play('c', null), play('a'), play('b', null)]
    assert.deepEqual(dropOutdated(all), all.slice(1))
    assert.deepEqual(dropOutdated(all.slice(0, 3)), all.slice(0, 3))
    const idle = { ...kept, rows: [{ ...row, name: 'b', deeds: 0 }] }
    assert.deepEqual(dropOutdated([...all.slice(0, 3), idle]), [...all.slice(0, 3), idle])
  })
})
