import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeLink } from '../../../devnet/up/node-link.ts'
import type { PeerPlace } from '../../../devnet/up/peer-places.ts'
import { configOf, Sidecar, walletOf } from '../../../devnet/up/sidecar.ts'
import { SetClock } from '../set-clock.ts'

describe('devnet/up/sidecar', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'massa-storage-sidecar-'))
  })

  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  /** Nothing is started. */
  function make(retentionPeriods?: number, findPeers?: () => PeerPlace): Sidecar {
    const clock = new SetClock()
    const access = { url: 'http://127.0.0.1:1', token: 'x', grpcPort: 1, jsonRpcPort: 2 }
    const place = {
      directory,
      link: new NodeLink(access, clock),
      chainId: 77n,
      genesisTimestampMs: 1,
      speed: 8,
      retentionPeriods,
    }
    const ports = { api: 3, metrics: 4, p2p: 5 }
    const options = { name: 'sidecar-1', address: 'AU1', isRegistered: true, password: 'x', takesOtherPorts: true }
    return new Sidecar(
      { ...options, place, ports, findPeers, log: join(directory, 'log') },
      { program: { nodeArguments: ['--eval', 'process.exit(7)', '--'], env: process.env }, clock },
    )
  }

  it('keeps for ever, or as long as it is told', () => {
    make()
    assert.match(readFileSync(configOf(directory), 'utf8'), /^ {4}retention_periods = 0$/m)
    make(10)
    assert.match(readFileSync(configOf(directory), 'utf8'), /^ {4}retention_periods = 10$/m)
  })

  it('is told at each start where the others are by then', async () => {
    const ports = [6, 7, 8]
    const find = () => ({ host: '127.0.0.1', bootstrap: [`/ip4/127.0.0.1/tcp/${ports[0]}`] })
    const sidecar = make(0, find)
    const readConfig = () => readFileSync(configOf(directory), 'utf8')
    assert.match(readConfig(), /bootstrap = \["\/ip4\/127.0.0.1\/tcp\/6"\]/)
    ports.shift()
    sidecar.process.start()
    try {
      const { process } = sidecar
      while (process.restarts < 1) await new Promise((resolve) => setImmediate(resolve))
      assert.match(readConfig(), /bootstrap = \["\/ip4\/127.0.0.1\/tcp\/7"\]/)
    } finally {
      await sidecar.process.stop()
    }
  })

  it('one whose disk is lost has its wallet and its configuration still', () => {
    const sidecar = make()
    const data = join(directory, 'data')
    mkdirSync(data)
    writeFileSync(join(data, 'peer-key'), 'x')
    writeFileSync(walletOf(directory), 'x')
    sidecar.empty()
    assert.deepEqual([data, walletOf(directory), configOf(directory)].map(existsSync), [false, true, true])
    // There may be none yet.
    sidecar.empty()
  })
})
