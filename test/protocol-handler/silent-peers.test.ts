import assert from 'node:assert/strict'
import { MAX_SILENT_SECONDS } from '../../protocol-handler/limits.ts'
import { SilentPeers } from '../../protocol-handler/silent-peers.ts'
import { SetClock } from '../devnet/set-clock.ts'

describe('protocol-handler/silent-peers', () => {
  let silent: string[]
  let refused: string[]
  let clock: SetClock
  let peers: SilentPeers
  beforeEach(() => {
    silent = ['a']
    refused = []
    clock = new SetClock()
    peers = new SilentPeers({ listSilent: () => silent, refuse: (peer) => refused.push(peer) }, clock)
  })

  const look = (times: number): void => {
    for (let i = 0; i < times; i++) peers.look()
  }

  it('limit: who shows nothing for 60 seconds keeps its place, a second later it gives it up', () => {
    look(MAX_SILENT_SECONDS)
    assert.deepEqual(refused, [])
    look(1)
    assert.deepEqual(refused, ['a'])
  })

  it('an honest slow peer that shows its network in the last second stays', () => {
    look(MAX_SILENT_SECONDS)
    silent = []
    look(2 * MAX_SILENT_SECONDS)
    assert.deepEqual(refused, [])
  })

  it('each has its own time, and one that comes back begins anew', () => {
    look(MAX_SILENT_SECONDS - 1)
    silent = ['b']
    look(1)
    silent = ['a', 'b']
    look(MAX_SILENT_SECONDS)
    assert.deepEqual(refused, ['b'])
    look(1)
    assert.deepEqual(refused, ['b', 'a'])
  })

  it('looks once a second until it is stopped', async () => {
    const startMs = clock.timeMs
    const running = peers.start()
    while (refused.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await peers.stop()
    await running
    assert.equal(clock.timeMs - startMs >= MAX_SILENT_SECONDS * 1_000, true)
  })
})
