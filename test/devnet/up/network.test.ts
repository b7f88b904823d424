import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isArchiveError } from '../../../core/index.ts'
import type { NodeReport } from '../../../devnet/node/index.ts'
import { Network } from '../../../devnet/up/network.ts'
import { NetworkFiles } from '../../../devnet/up/network-files.ts'
import { SetClock } from '../set-clock.ts'

/** `massa-storage`, in whose place Node ends at once: a node that never gets ready. */
const PROGRAM = { nodeArguments: ['--eval', '', '--'], env: process.env }

describe('devnet/up/network', () => {
  it('error: nothing is added, removed, killed or paused while it is being set up; it goes on being set up', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'massa-storage-network-'))
    const files = new NetworkFiles(join(dir, 'net'))
    const modules = { files, program: PROGRAM, clock: new SetClock(), onStep: () => {} }
    const network = await Network.open({ sidecars: 1, speed: 8, autoPorts: true }, modules)
    let isOver = false
    const up = network.up(new AbortController().signal).finally(() => {
      isOver = true
    })
    try {
      const isRefused = (error: unknown): boolean => isArchiveError(error, 'DEVNET_SETTING_UP')
      await assert.rejects(network.add({ retentionPeriods: 0 }), isRefused)
      await assert.rejects(network.remove('sidecar-1'), isRefused)
      assert.throws(() => network.signal('kill', 'node'), isRefused)
      assert.throws(() => network.signal('pause', 'node'), isRefused)
      assert.equal(isOver, false)
    } finally {
      await network.down()
      await assert.rejects(up)
      rmSync(dir, { recursive: true, force: true })
    }
  })

  it('error: nothing is added to a chain that is paused, and it is said how it goes on', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'massa-storage-network-'))
    const files = new NetworkFiles(join(dir, 'net'))
    const modules = { files, program: PROGRAM, clock: new SetClock(), onStep: () => {} }
    const network = await Network.open({ sidecars: 1, speed: 8, autoPorts: true }, modules)
    network.link.tryReport = async () => ({ isPaused: true }) as NodeReport
    try {
      await assert.rejects(network.add({ retentionPeriods: 0 }), (error) => {
        assert(isArchiveError(error, 'DEVNET_COMMAND_REFUSED'))
        assert.match(error.message, /paused.*`massa-storage devnet control resume`/)
        return true
      })
    } finally {
      await network.down()
      rmSync(dir, { recursive: true, force: true })
    }
  })

  it('error: links that cannot be cut are not cut, and it is said how they could be', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'massa-storage-network-'))
    const files = new NetworkFiles(join(dir, 'net'))
    const modules = { files, program: PROGRAM, clock: new SetClock(), onStep: () => {} }
    const network = await Network.open({ sidecars: 1, speed: 8, autoPorts: true }, modules)
    try {
      for (const order of [() => network.part([]), () => network.join()]) {
        assert.throws(order, (error) => {
          assert(isArchiveError(error, 'DEVNET_COMMAND_REFUSED'))
          assert.match(error.message, /devnet up --cuttable/)
          return true
        })
      }
      assert.throws(
        () => network.part(['sidecar-9']),
        (error) => isArchiveError(error, 'DEVNET_COMMAND_REFUSED'),
      )
    } finally {
      await network.down()
      rmSync(dir, { recursive: true, force: true })
    }
  })

  it('error: what is not dead is not started again, and a chain never without its blocks', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'massa-storage-network-'))
    const files = new NetworkFiles(join(dir, 'net'))
    const modules = { files, program: PROGRAM, clock: new SetClock(), onStep: () => {} }
    const network = await Network.open({ sidecars: 1, speed: 8, autoPorts: true }, modules)
    try {
      for (const name of ['node', 'sidecar-1']) {
        assert.throws(
          () => network.startAgain(name, true),
          (error) => isArchiveError(error, 'DEVNET_COMMAND_REFUSED'),
        )
      }
    } finally {
      await network.down()
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
