import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import type { ClusterPort } from '../../api/cluster-port.ts'
import { createApi, listen } from '../../api/index.ts'
import { locateChunk } from '../../cli/commands/chunk-locate.ts'
import { clusterCheck } from '../../cli/commands/cluster-check.ts'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import type { ClusterReport } from '../../storage-worker/cluster/cluster-report.ts'
import type { LocatedChunk } from '../../storage-worker/cluster/locate-chunk.ts'
import { listDataDirNames, type Store } from '../../storage-worker/index.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

const ID = 'ab'.repeat(32)

const LOCATED: LocatedChunk = {
  chunkId: ID,
  hashSlot: 43,
  place: { period: 7, index: 1, bytes: 2_000 },
  era: 5,
  leafIndex: 1,
  nodes: [
    { address: 'AU1', peer: null, isOwn: true, assigned: 'primary', result: 'shown', durationMs: 1, doubt: null },
    {
      address: 'AU2',
      peer: 'P2',
      isOwn: false,
      assigned: 'replica',
      result: 'notHeld',
      durationMs: 12,
      doubt: 'unshown',
    },
    {
      address: 'AU3',
      peer: null,
      isOwn: false,
      assigned: 'replica',
      result: 'notConnected',
      durationMs: null,
      doubt: null,
    },
    { address: null, peer: 'P4', isOwn: false, assigned: null, result: 'wrong', durationMs: 3, doubt: null },
  ],
}

const NODE = {
  state: 'answered',
  peer: 'P',
  isRegistered: true,
  retentionPeriods: 0,
  headPeriod: 400,

  toFetch: 0,
} as const

const WELL: ClusterReport = {
  own: 'AU1',
  era: 3,
  placementRoot: '00',
  isCurrent: true,
  replicas: 3,
  registered: 4,
  keepsForEver: true,
  periods: { first: 0, last: 392, checked: 393, missing: 0, holes: [], settling: 8, olderElsewhere: 0 },
  chunks: {
    total: 1_200,
    atFloor: 1_200,
    under: 0,
    missingCopies: 0,
    nobody: 0,
    nobodyButHere: 0,
    over: 0,
    extraCopies: 0,
    pastRetention: 0,
    unowed: 0,
    extraHere: 0,
  },
  lackingBy: {
    incomplete: 0,
    unshown: 0,
    otherRoots: 0,
    otherPlacement: 0,
    tooSmall: 0,
    silent: 0,
    unconnected: 0,
    away: 0,
    nobody: 0,
  },
  nodes: [
    { ...NODE, address: 'AU1', state: 'own', peer: null, assigned: 900, lacking: 0, extra: 0 },
    { ...NODE, address: 'AU2', assigned: 900, lacking: 0, extra: 0 },
  ],
  nodesLeftOut: 0,
  states: { own: 1, answered: 3, silent: 0, unconnected: 0, away: 0 },
  unheard: [],
  unheardLeftOut: 0,
  doubted: [],
  thinnest: [],
  clustered: [],
  healing: {
    repairDelaySeconds: 3_600,
    pulling: [],
    pullsWithinSeconds: 300,
    standIns: [],
    standInsWithinSeconds: 0,
    hopeless: 0,
  },
  keepers: { wanted: 3, count: 4, contradicted: [] },
}

const ILL: ClusterReport = {
  ...WELL,
  isCurrent: false,
  periods: { ...WELL.periods, checked: 390, missing: 3, olderElsewhere: 1 },
  chunks: {
    ...WELL.chunks,
    atFloor: 1_199,
    under: 1,
    missingCopies: 3,
    nobody: 1,
    nobodyButHere: 1,
    over: 9,
    extraCopies: 12,
  },
  lackingBy: { ...WELL.lackingBy, incomplete: 1, silent: 1, unconnected: 2 },
  states: { own: 1, answered: 300, silent: 2, unconnected: 1, away: 20 },
  nodes: [
    ...Array.from({ length: 20 }, (_, i) => {
      return { ...NODE, address: `AU${i}`, state: 'away' as const, peer: null, assigned: 9, lacking: 1, extra: 0 }
    }),
    { ...NODE, address: 'AUx', isRegistered: false, retentionPeriods: 50, assigned: 0, lacking: 0, extra: 9 },
  ],
  unheard: [{ peer: 'P7', address: null, why: 'it did not say yet which node it is' }],
  doubted: [
    { address: 'AU6', why: 'unshown', chunks: 7 },
    ...[7, 8, 9, 10].map((i) => ({ address: `AU${i}`, why: 'otherRoots' as const, chunks: 1 })),
  ],
  clustered: [{ copies: 3, operators: 1, networks: 2, hashSlots: 7, chunks: 120 }],
  healing: {
    repairDelaySeconds: 3_600,
    pulling: [{ address: 'AU2', chunks: 1 }],
    pullsWithinSeconds: 300,
    standIns: Array.from({ length: 6 }, (_, i) => ({ address: `AU3${i}`, chunks: 6 - i })),
    standInsWithinSeconds: 7_200,
    hopeless: 4,
  },
  keepers: { wanted: 3, count: 2, contradicted: ['AU5'] },
}

describe('cli: chunk locate, cluster check', () => {
  const folders = new TempFolders()
  const signal = new AbortController().signal
  let store: Store
  let api: FastifyInstance
  let cluster: ClusterPort | undefined

  before(async () => {
    store = await openTestStore(await folders.make())
    api = createApi({
      dataDirNames: await listDataDirNames(store.dataDir),
      status: async () => ({ problems: [] }),
      query: {
        store,
        threads: 1,
        get cluster() {
          return cluster
        },
      },
    })
    await store.announce(await listen(api, { host: '127.0.0.1', port: 0 }))
  })
  after(async () => {
    await api.close()
    await store.close()
    await folders.clean()
  })

  const people = () => makeCommand(store.dataDir, {}, { json: false })
  const programs = () => makeCommand(store.dataDir)
  function answering(found: { located?: object; report?: object | undefined }): void {
    cluster = {
      locate: async () => found.located,
      check: async (onProgress) => {
        onProgress({ phase: 'peers', done: 1, total: 2 })
        onProgress({ phase: 'periods', done: 1, total: 2 })
        return found.report
      },
    }
  }

  it('chunk locate shows each node with what it was assigned and what it showed', async () => {
    answering({ located: LOCATED })
    const { context, printed } = people()
    assert.equal(await locateChunk(context, 'ababab', signal), 0)
    assert.deepEqual(printed.stdout.trimEnd().split('\n'), [
      `chunk ${ID}, hash slot 43: chunk 1 of period 7, 2000 bytes`,
      'node              peer       assigned  leaf 1          time',
      'AU1               this node  primary   shown           1 ms',
      'AU2               P2         replica   not held       12 ms',
      'AU3               -          replica   not connected',
      'says nothing yet  P4         -         wrong           3 ms',
      '! AU2 does not count as a copy now: it did not show what it was audited for',
      'shown by 1 node, 1 of 3 holders among them',
    ])
    const json = programs()
    assert.equal(await locateChunk(json.context, 'ababab', signal), 0)
    assert.deepEqual(JSON.parse(json.printed.stdout), LOCATED)
  })

  it('chunk locate without a placement names no holders; a chunk that is not here is said to be so', async () => {
    answering({ located: { ...LOCATED, era: null, place: null, nodes: LOCATED.nodes.slice(0, 1) } })
    const { context, printed } = people()
    assert.equal(await locateChunk(context, ID, signal), 0)
    assert.match(printed.stdout, /hash slot 43: not in this archive$/m)
    assert.match(printed.stdout, /^shown by 1 node$/m)
    assert.match(printed.stderr, /^No placement is in force/)
    answering({})
    await assert.rejects(locateChunk(programs().context, 'ababab', signal), { code: 'CLI_NOT_FOUND' })
  })

  it('cluster check of a network that is well ends with 0', async () => {
    answering({ report: WELL })
    const { context, printed } = people()
    assert.equal(await clusterCheck(context, signal), 0)
    assert.deepEqual(printed.stdout.trimEnd().split('\n'), [
      'Era 3: 4 nodes, 4 heard; 3 copies of each chunk.',
      '1,200 chunks of 393 periods, 0 to 392:',
      '  at floor  1,200  100.00 %',
      'node             assigned  lacking  extra     keeps  to period',
      'AU1   this node       900        0      0  for ever        400',
      'AU2   answers         900        0      0  for ever        400',
      'Every chunk that was looked at has its copies.',
    ])
    const json = programs()
    assert.equal(await clusterCheck(json.context, signal), 0)
    assert.deepEqual(JSON.parse(json.printed.stdout), WELL)
  })

  it('cluster check says who holds more than it is asked for', async () => {
    const nodes = WELL.nodes.map((node, i) => ({ ...node, extra: i === 0 ? 53 : i === 1 ? 83 : 0 }))
    answering({ report: { ...WELL, nodes } })
    const { context, printed } = people()
    assert.equal(await clusterCheck(context, signal), 0)
    const line = 'Over: 136 copies more than asked for, as nodes say, kept while there is room: 83 by AU2, 53 by AU1.'
    assert.ok(printed.stdout.includes(line), printed.stdout)
  })

  it('cluster check while no node has room says that nobody owes anything, and ends with 0', async () => {
    const chunks = { ...WELL.chunks, atFloor: 0, unowed: 1_200 }
    const keepers = { ...WELL.keepers, count: 0 }
    const states = { ...WELL.states, own: 0, answered: 0 }
    answering({ report: { ...WELL, era: 0, registered: 0, states, chunks, nodes: [], keepers } })
    const { context, printed } = people()
    assert.equal(await clusterCheck(context, signal), 0)
    assert.deepEqual(printed.stdout.trimEnd().split('\n'), [
      'Era 0: 0 nodes, 0 heard; 3 copies of each chunk.',
      '1,200 chunks of 393 periods, 0 to 392:',
      'Nobody owes them yet: by the placement of era 0 no node has room.',
    ])
  })

  it('cluster check of one that lacks copies ends with 9, and says how many, whose, and what becomes of them', async () => {
    answering({ report: ILL })
    const { context, printed } = people()
    assert.equal(await clusterCheck(context, signal), 9)
    for (const line of [
      'Era 3: 4 nodes, 301 heard, 2 silent, 1 not connected, 20 away; 3 copies of each chunk.',
      '  at floor  1,199  99.91 %',
      '  under         1  3 copies missing',
      "  nobody's      1  1 on this disk",
      '  over          9  12 copies more than asked for',
      'and 9 more: --json shows all',
      'Being fetched: 1 by AU2; each looks again within 5 min 0 s.',
      'Fetched for nodes that are away or not believed: 6 by AU30, 5 by AU31, 4 by AU32, 3 by AU33, others by 2 more; the last begins in about 2 h 0 min.',
      '4 chunks of nodes that are away or not believed: too few are left to hold all copies.',
      'What nodes that are not connected have announced counts until nothing is heard of them for 1 h 0 min.',
      '2 copies of nodes that this one is not connected to: not known.',
      '1 copy of nodes that do not tell what they hold: not known.',
      '! the placement may be out of date: no repair is started by it',
      '! 2 nodes keep for ever, and 3 copies are asked for',
      '! AU5 is registered to keep for ever, and tells its peers that it does not',
      '! AU6 is not believed to hold 7 chunks: it did not show what it was audited for',
      '! AU7 is not believed to hold 1 chunk: its archive has other roots than this one',
      '! and 1 more node that is not believed: see --json',
      '! 120 chunks with 3 copies, 1 operator, 2 networks',
      '! not heard: P7 (it did not say yet which node it is)',
      '! 3 periods of these are not in this archive, so not looked at',
      '! 1 older period that other nodes have is not in this archive, so not looked at',
      '1 chunk has too few copies.',
    ]) {
      assert.ok(printed.stdout.split('\n').includes(line), `${line} is not in\n${printed.stdout}`)
    }
    const json = programs()
    assert.equal(await clusterCheck(json.context, signal), 9)
    assert.deepEqual(JSON.parse(json.printed.stdout), ILL)
  })

  it('cluster check says that whoever fetches for nodes that are away has begun', async () => {
    const healing = { ...WELL.healing, standIns: [{ address: 'AU2', chunks: 1 }] }
    answering({ report: { ...WELL, healing } })
    const { context, printed } = people()
    await clusterCheck(context, signal)
    assert.match(printed.stdout, /^Fetched for nodes that are away: 1 by AU2; all have begun\.$/m)
  })

  it('names are cut on a narrow terminal alone', async () => {
    const long = 'AU1234567890123456789012345678901234567890123456789'
    answering({
      located: { ...LOCATED, nodes: LOCATED.nodes.map((node) => ({ ...node, address: long, peer: long })) },
      report: { ...WELL, nodes: WELL.nodes.map((node) => ({ ...node, address: long })) },
    })
    for (const columns of [undefined, 80]) {
      const { context, printed } = people()
      Object.defineProperty(context.output, 'columns', { value: columns })
      await locateChunk(context, ID, signal)
      await clusterCheck(context, signal)
      const rows = printed.stdout.split('\n').filter((line) => line.startsWith('AU12'))
      assert.equal(rows.length, 6)
      for (const row of rows) assert.equal(row.includes(long), columns === undefined)
      if (columns !== undefined) for (const row of rows) assert.ok(row.length <= columns, row)
    }
  })

  it('error: an archive with nothing for cluster check to look for', async () => {
    answering({})
    await assert.rejects(clusterCheck(programs().context, signal), { code: 'CLI_NOT_FOUND' })
  })

  it('error: no placement, no peers, no sidecar', async () => {
    const is = (code: Parameters<typeof isArchiveError>[1]) => (error: unknown) => isArchiveError(error, code)
    cluster = {
      locate: () => Promise.reject(new ArchiveError('CORE_BYTES_INVALID', 'several')),
      check: () => Promise.reject(new ArchiveError('PLACEMENT_NOT_IN_FORCE', 'none')),
    }
    await assert.rejects(clusterCheck(programs().context, signal), is('PLACEMENT_NOT_IN_FORCE'))
    await assert.rejects(locateChunk(programs().context, ID, signal), is('CORE_BYTES_INVALID'))
    cluster = undefined
    await assert.rejects(clusterCheck(programs().context, signal), is('API_PEERS_OFF'))
    await assert.rejects(locateChunk(programs().context, ID, signal), is('API_PEERS_OFF'))
    const alone = makeCommand(await folders.make())
    await assert.rejects(clusterCheck(alone.context, signal), is('CLI_SIDECAR_UNREACHABLE'))
    await assert.rejects(locateChunk(alone.context, ID, signal), is('CLI_SIDECAR_UNREACHABLE'))
  })
})
