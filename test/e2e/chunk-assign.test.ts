import assert from 'node:assert/strict'
import { contractCall } from '../../cli/commands/contract-call.ts'
import { registerNode } from '../../cli/commands/node-register.ts'
import { prune } from '../../cli/commands/prune.ts'
import { computeHashSlot, ERA_PERIODS, fromHex, HASH_SLOTS, toHex } from '../../core/index.ts'
import { type GrpcServer, startGrpcServer } from '../../devnet/node/index.ts'
import { RegistryPlace } from '../cli/registry-place.ts'
import { GENESIS_MS, MAS, makeWallet, type Wallet } from '../devnet/node/face.ts'
import { clockOf } from '../devnet/node/grpc/grpc-node.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { openTestStore } from '../storage-worker/temp-store.ts'
import { CliHost } from './cli-host.ts'
import { assertRefused, type CliResult } from './run-cli.ts'

const ADMIN = makeWallet('admin')
/** Two of one operator. */
const NODES = [
  { wallet: makeWallet('node 1'), gb: 100n, operator: 'x' },
  { wallet: makeWallet('node 2'), gb: 50n, operator: 'x' },
  { wallet: makeWallet('node 3'), gb: 10n, operator: '' },
]
const NETWORK = { chainId: 77n, genesisTimestampMs: BigInt(GENESIS_MS) }
const IDENTITY = { network: NETWORK, chunkSizeBytes: 1_048_576 }
const PERIODS = [5, 6, 7]
const NO_CONTRACT = 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p'
const someId = (byte: string) => byte.repeat(32)

interface AssignedChunk {
  readonly chunkId: string
  readonly hashSlot: number
  readonly clustered: boolean
  readonly holders: readonly { role: string; address: string; placementGb: number; pass: number }[]
}
interface Summary {
  readonly era: number
  readonly placementRoot: string
  readonly nodes: number
  readonly replicas: number
  readonly primaries: Record<string, number>
}

describe('massa-storage chunk assign', function () {
  this.timeout(180_000)
  let place: RegistryPlace
  let grpc: GrpcServer
  let host: CliHost
  const chunkIds: string[] = []

  before(async () => {
    host = new CliHost()
    place = await RegistryPlace.open([ADMIN, ...NODES.map(({ wallet }) => wallet)], '')
    grpc = await startGrpcServer({ chain: place.face.chain, clock: clockOf(place.face.chain) })
    await fillArchive()
    for (const { wallet, gb, operator } of NODES) {
      const { context, signal, stderr } = open(wallet)
      assert.equal(await registerNode(context, { gb, retentionPeriods: 0n, yes: true, signal }), 0, stderr.text)
      if (operator !== '') await call(wallet, 'update_node_metadata', ['', '', '', operator], MAS)
    }
    await passEra()
  })

  after(async () => {
    await grpc.close()
    await host.stop()
    await place.close()
  })

  const open = (wallet: Wallet) => place.command({ wallet })
  const call = async (wallet: Wallet, functionName: string, args: string[], coins?: bigint) => {
    const { context, signal, stderr } = open(wallet)
    const words = { target: 'storage_registry', functionName, args }
    assert.equal(await contractCall(context, words, { yes: true, signal, ...(coins && { coins }) }), 0, stderr.text)
  }

  /** Until the registry's final state is in another era: what was registered counts from then on. */
  async function passEra(): Promise<void> {
    const { chain, url } = place.face
    const era = Math.floor(chain.lastSlot.period / ERA_PERIODS)
    place.skipPeriods(ERA_PERIODS)
    while (Math.floor(chain.finalSlot.period / ERA_PERIODS) <= era) {
      const body = '{"jsonrpc":"2.0","id":1,"method":"get_status","params":[]}'
      await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    }
  }

  async function fillArchive(): Promise<void> {
    const store = await openTestStore(`${place.dir}/data`, { identity: IDENTITY })
    for (const period of PERIODS) await store.chunks.writePeriod(makePeriod(period, { identity: IDENTITY }))
    for (const period of PERIODS) {
      for (const { chunkId } of (await store.chunks.readManifest(period))?.chunks ?? []) chunkIds.push(toHex(chunkId))
    }
    await store.close()
    assert.equal(chunkIds.length, PERIODS.length)
  }

  const run = (args: readonly string[], urls: readonly string[] = [grpc.url]) =>
    host.run(['chunk', 'assign', ...args], {
      cwd: place.dir,
      env: { MASSA_STORAGE_NODE__GRPC_URLS: urls.join(',') },
    })
  const rowsOf = <T>({ code, stdout, stderr }: CliResult): T[] => {
    assert.equal(code, 0, stderr)
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as T)
  }
  const list = (args: readonly string[], env: Readonly<Record<string, string>>) =>
    host.run(['list-chunks', ...args], {
      cwd: place.dir,
      env: { MASSA_STORAGE_NODE__GRPC_URLS: grpc.url, ...env },
    })
  const refused = (result: CliResult, code: string, exitCode: number) =>
    assertRefused(result, { code, exitCode, secrets: [] })

  it('shows hash slot, primary and replicas with what they offer, and which share an operator', async () => {
    const { code, stdout, stderr } = await run([someId('ab')])
    assert.equal(code, 0, stderr)
    const [head = '', chunk, primary = '', ...replicas] = stdout.trimEnd().split('\n')
    assert.match(head, /^Placement of era \d+: 3 nodes, 3 copies, root [0-9a-f]{64}$/)
    assert.equal(chunk, `chunk ${someId('ab')}, hash slot ${0xabab % HASH_SLOTS}`)
    assert.match(primary, /^ {2}primary {2}AU\w+ +\d+ GB/)
    assert.equal(replicas.length, 2)
    for (const replica of replicas) assert.match(replica, /^ {2}replica {2}AU\w+ +\d+ GB/)
    for (const { wallet, gb } of NODES) assert.match(stdout, new RegExp(`${wallet.address} +${gb} GB`))
    assert.equal(stdout.match(/clustered: operator of another copy$/gm)?.length, 1)
    assert.equal(stdout.includes('\u001b'), false)
  })

  it('with --json one value per chunk and a summary, the same in every period of the era', async () => {
    const first = await run([someId('01'), someId('fe'), '--json'])
    const rows = rowsOf<AssignedChunk & { summary?: Summary }>(first)
    assert.equal(rows.length, 3)
    for (const { chunkId, hashSlot, clustered, holders } of rows.slice(0, 2)) {
      assert.equal(hashSlot, computeHashSlot(fromHex(chunkId)))
      assert.deepEqual(
        holders.map(({ role }) => role),
        ['primary', 'replica', 'replica'],
      )
      assert.equal(clustered, true)
      assert.equal(holders.filter(({ pass }) => pass === 2).length, 1)
    }
    const summary = rows[2]?.summary
    assert.deepEqual([summary?.nodes, summary?.replicas], [3, 3])
    const counted = Object.values(summary?.primaries ?? {}).reduce((sum, count) => sum + count, 0)
    assert.equal(counted, 2)
    // Who changes something now changes the next era.
    await call(NODES[0]?.wallet ?? ADMIN, 'update_storage_allocation', ['1', '0'])
    assert.equal((await run([someId('01'), someId('fe'), '--json'])).stdout, first.stdout)
    assert.equal((await run([someId('01'), someId('fe'), '--json', '--era', `${summary?.era}`])).stdout, first.stdout)
    refused(await run([someId('01'), '--json', '--era', `${(summary?.era ?? 0) + 1}`]), 'PLACEMENT_ERA_OTHER', 2)
  })

  it('several chunks end with the primaries of each node, in the words of the log, also with --quiet', async () => {
    const { code, stdout, stderr } = await run(['--period', '5..7', '--quiet'])
    assert.equal(code, 0, stderr)
    for (const chunkId of chunkIds) assert.match(stdout, new RegExp(`^chunk ${chunkId}, hash slot \\d+$`, 'm'))
    const summary = /^\[INFO\] Chunks assigned to nodes: (AU\w+\[\d\](?:, AU\w+\[\d\])*)$/.exec(
      stdout.trimEnd().split('\n').at(-1) ?? '',
    )?.[1]
    assert.ok(summary !== undefined, stdout)
    const counts = [...summary.matchAll(/\[(\d)\]/g)].map(([, count]) => Number(count))
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      PERIODS.length,
    )
    assert.doesNotMatch((await run([someId('ab')])).stdout, /Chunks assigned/)
  })

  it('takes the beginning of an id of the own archive, each chunk once', async () => {
    const [id = ''] = chunkIds
    const rows = rowsOf<AssignedChunk>(await run([id.slice(0, 12).toUpperCase(), id, '--period', '5', '--json']))
    assert.deepEqual(
      rows.flatMap(({ chunkId }) => chunkId ?? []),
      [id],
    )
  })

  it('marks the own node, and says what it is to hold', async () => {
    const [own] = NODES
    assert(own)
    const { address, secret } = own.wallet
    const env = { MASSA_STORAGE_NODE__GRPC_URLS: grpc.url, MASSA_STORAGE_SECRET_KEY: secret }
    const runOwn = (args: readonly string[]) => host.run(['chunk', 'assign', ...args], { cwd: place.dir, env })
    const { code, stdout, stderr } = await runOwn([someId('ab')])
    assert.equal(code, 0, stderr)
    assert.equal(stdout.match(/this node/g)?.length, 1)
    const role = new RegExp(`^  (primary|replica) +${address} +100 GB  this node`, 'm').exec(stdout)?.[1]
    assert.ok(role !== undefined, stdout)
    assert.match(stderr, new RegExp(`^This node, ${address}: ${role}\\.$`, 'm'))
    const summary = rowsOf<{ summary?: { own: Record<string, unknown> } }>(
      await runOwn(['--period', '5..7', '--json']),
    ).at(-1)
    const { primary, replica, neither, ...rest } = summary?.summary?.own ?? {}
    assert.deepEqual([Number(primary) + Number(replica), neither, rest], [PERIODS.length, 0, { address }])
    const nobody = rowsOf<{ summary?: { own: object | null } }>(await run(['--period', '5..7', '--json'])).at(-1)
    assert.equal(nobody?.summary?.own, null)
  })

  it('list-chunks of an archive whose sidecar does not run asks a massa-node for the roles', async () => {
    interface ListedRow {
      readonly chunkId?: string
      readonly role?: string
      readonly total?: {
        readonly roles: object
        readonly address?: string
        readonly era?: number
        readonly why?: string
      }
    }
    const [own] = NODES
    assert(own)
    const { address, secret } = own.wallet
    const assigned = rowsOf<AssignedChunk>(await run(['--period', '5..7', '--json']))
    const rows = rowsOf<ListedRow>(await list(['--json'], { MASSA_STORAGE_SECRET_KEY: secret }))
    for (const { chunkId, role } of rows.slice(0, -1)) {
      const holders = assigned.find((each) => each.chunkId === chunkId)?.holders
      assert.equal(role, holders?.find((holder) => holder.address === address)?.role)
    }
    const total = rows.at(-1)?.total
    assert.deepEqual([total?.address, typeof total?.era], [address, 'number'])
    const stranger = { MASSA_STORAGE_SECRET_KEY: ADMIN.secret }
    assert.deepEqual(
      rowsOf<ListedRow>(await list(['--role', 'extra', '--json'], stranger)).map(({ role }) => role),
      ['extra', 'extra', 'extra', undefined],
    )
    const away = { MASSA_STORAGE_SECRET_KEY: secret, MASSA_STORAGE_NODE__GRPC_URLS: '127.0.0.1:1' }
    const unknown = rowsOf<ListedRow>(await list(['--json'], away))
    assert.deepEqual(
      unknown.map(({ role }) => role),
      ['none', 'none', 'none', undefined],
    )
    assert.match(unknown.at(-1)?.total?.why ?? '', /ARCHIVER_NODE_UNREACHABLE/)
    refused(await list(['--role', 'primary', '--json'], away), 'CLI_ROLES_UNKNOWN', 1)
    assert.match((await list([], {})).stderr, /^No roles: no key is configured/m)
  })

  it('error: no chunk, a text that is none, and what this archive lacks', async () => {
    refused(await run(['--json']), 'CLI_USAGE', 2)
    refused(await run(['xyz', '--json']), 'CLI_USAGE', 2)
    refused(await run([`${someId('ab')}0`, '--json']), 'CLI_USAGE', 2)
    refused(await run([someId('ab'), '--era', '-1', '--json']), 'CLI_USAGE', 2)
    refused(await run(['ffffffff', '--json']), 'CLI_NOT_FOUND', 4)
    refused(await run(['--period', '100', '--json']), 'CLI_NOT_FOUND', 4)
    const spoken = await run(['ffffffff'])
    assert.match(spoken.stderr, /^massa-storage: in this archive no chunk begins with ffffffff \(CLI_NOT_FOUND\)\n/)
  })

  it('error: no registry, none at the address, no node, a node that is away, one of another network', async () => {
    const id = someId('ab')
    refused(await run([id, '--address', '', '--json']), 'CLI_NO_REGISTRY', 2)
    refused(await run([id, '--address', NO_CONTRACT, '--json']), 'PLACEMENT_REGISTRY_MISSING', 2)
    refused(await run([id, '--json'], []), 'CLI_NO_NODE', 2)
    refused(await run([id, '--json'], ['127.0.0.1:1']), 'ARCHIVER_NODE_UNREACHABLE', 3)
    refused(await run([id, '--json', '--set', 'node.chain_id=78']), 'ARCHIVER_NETWORK_MISMATCH', 1)
    const second = await run([id, '--json'], ['127.0.0.1:1', grpc.url])
    assert.equal(second.code, 0, second.stderr)
  })

  it('names whoever holds a chunk while it is new beside those that keep for ever', async () => {
    const [, brief] = NODES
    assert(brief)
    await call(brief.wallet, 'update_storage_allocation', ['100', '50'])
    await passEra()
    const ids = Array.from({ length: 4 }, (_, i) => someId(`a${i}`))
    const shown = rowsOf<{ holders?: { address: string }[]; recent?: object[] }>(await run([...ids, '--json']))
    const recent = shown.flatMap((row) => row.recent ?? [])
    assert.ok(recent.length > 0)
    for (const node of recent) {
      assert.deepEqual(node, { address: brief.wallet.address, placementGb: 100, retentionPeriods: 50 })
    }
    for (const { holders = [] } of shown) {
      assert.ok(holders.every(({ address }) => address !== brief.wallet.address))
    }
    assert.match((await run(ids)).stdout, new RegExp(`^  recent +${brief.wallet.address} +100 GB  for 50 periods`, 'm'))
  })

  it('prune of an archive whose sidecar does not run asks the registry which eras may go', async () => {
    const dataDir = `${place.dir}/pruned`
    const store = await openTestStore(dataDir, { identity: IDENTITY })
    for (let period = 0; period < 40; period++) {
      await store.chunks.writePeriod(makePeriod(period, { blocks: 0, identity: IDENTITY }))
    }
    await store.close()
    const prunedBy = async (url: string) => {
      const settings = { DATA_DIR: dataDir, RETENTION_PERIODS: '1', NODE__GRPC_URLS: url }
      const env = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`MASSA_STORAGE_${key}`, value]))
      const { context, signal, stdout } = place.command({ wallet: ADMIN, json: true, env })
      await prune(context, {}, signal)
      return JSON.parse(stdout.text) as { periods: number }
    }
    await assert.rejects(prunedBy('127.0.0.1:1'), { code: 'ARCHIVER_NODE_UNREACHABLE' })
    // This registry requires no anchors.
    assert.equal((await prunedBy(grpc.url)).periods, 16)
  })

  it('warns where nobody keeps for ever, and where the settings ask for more copies than there are nodes', async () => {
    for (const [i, { wallet }] of NODES.entries()) {
      if (i === 0) await call(wallet, 'unregister_storage_node', [])
      else await call(wallet, 'update_storage_allocation', ['10', '100'])
    }
    await passEra()
    const { stdout, stderr } = await run([someId('ab')])
    assert.match(stdout, /^Placement of era \d+: 2 nodes, 2 copies/)
    assert.match(stderr, /^Warning: no node of the registry keeps for ever: /m)
    assert.match(stderr, /^Warning: the registry asks for 3 copies, and there are nodes or room for 2 of some chunks$/m)
    const rows = rowsOf<{ summary?: { keepsForEver: boolean } }>(await run([someId('ab'), '--json']))
    assert.equal(rows.at(-1)?.summary?.keepsForEver, false)
  })
})
