import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isArchiveError } from '../../../core/index.ts'
import type { NodeReport } from '../../../devnet/node/index.ts'
import { Faucet } from '../../../devnet/up/faucet.ts'
import { KeptDescription } from '../../../devnet/up/kept-description.ts'
import { Network } from '../../../devnet/up/network.ts'
import { NetworkFiles } from '../../../devnet/up/network-files.ts'
import { NodeLink } from '../../../devnet/up/node-link.ts'
import { OperatorSteps } from '../../../devnet/up/operator-steps.ts'
import { SetClock } from '../set-clock.ts'

const SIGNAL = new AbortController().signal
/** `massa-storage`, in whose place Node says that all went well. */
const PROGRAM = { nodeArguments: ['--eval', "console.log('{}')", '--'], env: process.env }
const ADDRESS = 'AU12dG5xP1RDEB5ocdHkymNVvvSJmUL9BgHwCksDowqmGWxfpm93x'

/** A node that is away as often as it is told, and executes what it takes in the next period. */
class FakeNode extends NodeLink {
  away = 0
  /** Transfers that it takes and loses. */
  lost = 0
  sent = 0
  private period = 10
  private balance = '0'

  constructor() {
    super({ url: 'http://127.0.0.1:1', token: '', grpcPort: 1, jsonRpcPort: 1 }, new SetClock())
  }

  override async report(): Promise<NodeReport> {
    this.answer()
    return { lastSlot: { period: this.period++, thread: 0 } } as NodeReport
  }

  override async call(method: string): Promise<unknown> {
    this.answer()
    if (method === 'get_addresses') return [{ candidate_balance: this.balance }]
    this.sent++
    if (this.lost-- <= 0) this.balance = '1000.5'
    return ['O1']
  }

  private answer(): void {
    if (this.away-- > 0) throw new TypeError('fetch failed')
  }
}

describe('devnet/up/operator-steps', function () {
  this.timeout(60_000)
  let dir: string
  let node: FakeNode
  let files: NetworkFiles
  let description: KeptDescription
  let steps: OperatorSteps

  beforeEach(() => {
    dir = join(mkdtempSync(join(tmpdir(), 'massa-storage-operator-')), 'net')
    node = new FakeNode()
    files = new NetworkFiles(dir)
    description = KeptDescription.open(files, 'a seed')
    const clock = new SetClock()
    steps = new OperatorSteps({
      ...{ files, description, clock, link: node, program: PROGRAM },
      describePlace: (directory) => ({ directory, link: node, chainId: 77n, genesisTimestampMs: 0, speed: 8 }),
      countNodeEnds: () => 0,
    })
  })

  afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }))

  it('gives coins once, through a node that is away', async () => {
    node.away = 7
    const faucet = new Faucet({ seed: 'a seed', chainId: 77n }, { link: node, clock: new SetClock() })
    await faucet.fund(ADDRESS, SIGNAL)
    await faucet.fund(ADDRESS, SIGNAL)
    assert.equal(node.sent, 1)
  })

  it('gives coins again when the chain has lost them', async () => {
    node.lost = 1
    await new Faucet({ seed: 'a seed', chainId: 77n }, { link: node, clock: new SetClock() }).fund(ADDRESS, SIGNAL)
    assert.equal(node.sent, 2)
  })

  it('describes an added sidecar once it has coins; without them nothing is left of it', async () => {
    node.away = Number.POSITIVE_INFINITY
    await assert.rejects(steps.addSidecar({ retentionPeriods: 0 }, SIGNAL), (error) =>
      isArchiveError(error, 'DEVNET_STEP_FAILED'),
    )
    assert.deepEqual(new NetworkFiles(dir).readDescription()?.sidecars, [])
    assert.equal(existsSync(files.placeOf('sidecar-1')), false)

    node.away = 3
    const { name, address } = await steps.addSidecar({ retentionPeriods: 10 }, SIGNAL)
    assert.equal(name, 'sidecar-1')
    assert.deepEqual(new NetworkFiles(dir).readDescription()?.sidecars, [
      { name, address, isRegistered: false, retentionPeriods: 10 },
    ])
  })

  it('registers one that has no coins, which it gets first', async () => {
    description.change({ sidecars: [{ name: 'sidecar-1', address: ADDRESS, isRegistered: false }] })
    mkdirSync(files.placeOf('sidecar-1'))
    await steps.register('sidecar-1', SIGNAL)
    assert.equal(node.sent, 1)
    assert.equal(files.readDescription()?.sidecars[0]?.isRegistered, true)
  })

  it('lets go of a sidecar that is described and does not run', async () => {
    description.change({ sidecars: [{ name: 'sidecar-1', address: ADDRESS, isRegistered: false }] })
    const modules = { files, program: PROGRAM, clock: new SetClock(), onStep: () => {} }
    const network = await Network.open({ sidecars: 1, speed: 8, autoPorts: true }, modules)
    await network.remove('sidecar-1')
    assert.deepEqual(files.readDescription()?.sidecars, [])
    await assert.rejects(network.remove('sidecar-1'), (error) => isArchiveError(error, 'DEVNET_COMMAND_REFUSED'))
  })
})
