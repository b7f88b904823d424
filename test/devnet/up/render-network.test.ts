import assert from 'node:assert/strict'
import type { EarningSidecar, NetworkReport } from '../../../devnet/up/network-report.ts'
import { renderNetwork, summarizeNetwork } from '../../../devnet/up/render-network.ts'

const SIDECAR: EarningSidecar = {
  name: 'sidecar-1',
  address: 'AU1',
  state: 'archiving',
  restarts: 0,
  isRegistered: true,
  apiUrl: 'http://127.0.0.1:1',
  archived: { first: 0, last: 123_456 },
  lagPeriods: 2,
  gaps: 0,
  storedBytes: 3_140_000_000,
  chunks: 123_457,
  problems: [],
}

const NETWORK: NetworkReport = {
  directory: 'net',
  speed: 8,
  isSetUp: true,
  node: {
    state: 'running',
    restarts: 0,
    grpcUrl: '127.0.0.1:1',
    jsonRpcUrl: 'http://127.0.0.1:2',
    report: {
      chainId: '77',
      genesisTimestampMs: 0,
      speed: 8,
      isPaused: false,
      enableBroadcast: true,
      lastSlot: { period: 123_460, thread: 1 },
      finalSlot: { period: 123_458, thread: 3 },
      poolSize: 0,
      finalOperations: 1_234_567,
      consumers: 1,
      streams: 1,
      faults: 0,
    },
  },
  traffic: { sent: 1_234_999, refused: 0 },
  sidecars: [
    SIDECAR,
    { ...SIDECAR, name: 'sidecar-32', state: 'restarting', restarts: 3, lastEnd: 'SIGKILL', gaps: 2 },
  ],
}

describe('devnet/up/render-network', () => {
  for (const columns of [79, 119]) {
    it(`says everything in ${columns} columns`, () => {
      const lines = renderNetwork(NETWORK, columns)
      assert(lines.every((line) => line.length <= columns))
      const text = lines.join('\n')
      for (const part of ['123460', 'final 123458', 'speed 8', '0-123456', '3140.0 MB']) {
        assert(text.includes(part), `${part} is not in\n${text}`)
      }
      assert.match(text, /! sidecar-32 ended 3 times \(SIGKILL\), starts again/)
      assert.match(text, /! sidecar-32 has gaps in 2 runs/)
    })
  }

  it('counts peers and the chunks that a sidecar is to hold, and says why where there is no number', () => {
    const earned = { successRate: 1, pendingRewardsNanoMas: '0' }
    const shown = (known: Partial<EarningSidecar>, columns: number) => {
      const sidecars = [
        { ...SIDECAR, ...earned, ...known },
        { ...SIDECAR, ...earned, archived: undefined },
      ]
      const lines = renderNetwork({ ...NETWORK, sidecars }, columns)
      return [lines[2]?.split(/ +/).slice(6).join(' '), ...lines.slice(4)]
    }
    for (const columns of [79, 119]) {
      assert.deepEqual(shown({ peers: 3, primary: 0, replica: 41 }, columns), ['MB 3 0 41 100 % 0.000'])
      const none = ['MB - - - 100 % 0.000', '-: p2p is off, no placement in force yet']
      assert.deepEqual(shown({}, columns), none)
    }
  })

  it('shows what was passed and what may be claimed, rounded down, and says why where there is no number', () => {
    const shown = (known: Partial<EarningSidecar>) => {
      const sidecar = { ...SIDECAR, peers: 3, primary: 0, replica: 41, ...known }
      const lines = renderNetwork({ ...NETWORK, sidecars: [sidecar] }, 119)
      return [lines[2]?.split(/ {2,}/).slice(-2).join(', '), ...lines.slice(3)]
    }
    const earned: readonly (readonly [number, string, string])[] = [
      [1, '2000000000', '100 %, 2.000'],
      [0.999, '1234567899', '99.9 %, 1.234'],
      [0.29, '1000000', '29 %, 0.001'],
      [0, '999999', '0 %, 0.000'],
    ]
    for (const [successRate, pendingRewardsNanoMas, wanted] of earned) {
      assert.deepEqual(shown({ successRate, pendingRewardsNanoMas }), [wanted])
      // Its archive is lost, or not begun; what it earned is not.
      assert.deepEqual(shown({ successRate, pendingRewardsNanoMas, archived: undefined }), [wanted])
    }
    assert.deepEqual(shown({ pendingRewardsNanoMas: '0' }), ['-, 0.000', '-: no challenge is over yet'])
    assert.deepEqual(shown({}), ['-, -', '-: no record read from the registry'])
    assert.deepEqual(shown({ isRegistered: false }), ['-, -', '-: not registered yet'])
  })

  it('shows what a node said last that stands still, and says so', () => {
    const [line] = renderNetwork({ ...NETWORK, node: { ...NETWORK.node, state: 'paused' } }, 119)
    assert.match(line ?? '', /^node paused: period 123460/)
  })

  it('says that the chain stands still, is in turbo, or still has another speed than was asked for', () => {
    const shown = (report: object, isSetUp = true) => {
      const { node } = NETWORK
      const shownNode = { ...node, report: { ...node.report, ...report } as never }
      return renderNetwork({ ...NETWORK, isSetUp, node: shownNode }, 119)[0]
    }
    assert.match(shown({ isPaused: true }) ?? '', /paused/)
    assert.match(shown({ speed: 'turbo' }) ?? '', /turbo/)
    assert.match(shown({ speed: 4 }, false) ?? '', /speed 4 \(setting up\)/)
    // Ordered about since.
    assert.doesNotMatch(shown({ speed: 4 }) ?? '', /setting up/)
  })

  it('shows the first problem of each sidecar whole, once where several have the same', () => {
    const full =
      'the store cannot be written: STORE_DISK_FULL: 96 MB are free on the disk of net/sidecar-1/data, 128 MB must stay free'
    const troubled = (name: string, ...problems: string[]) => ({ ...SIDECAR, name, archived: undefined, problems })
    const sidecars = [
      troubled('sidecar-1', full, 'nothing is archived yet'),
      troubled('sidecar-2', 'no massa-node answers'),
      troubled('sidecar-3', 'no massa-node answers'),
      SIDECAR,
    ]
    for (const columns of [79, 119]) {
      const lines = renderNetwork({ ...NETWORK, sidecars }, columns)
      assert(lines.every((line) => line.length <= columns))
      const text = lines.join(' ').replace(/\s+/g, ' ')
      assert(text.includes(`! sidecar-1: ${full} (and 1 more) ! sidecar-2, sidecar-3: no massa-node answers -:`), text)
    }
    assert(renderNetwork({ ...NETWORK, sidecars }, 1).every((line) => line.length <= 1))
    const line = summarizeNetwork({ ...NETWORK, sidecars })
    assert(line.endsWith(`; ! sidecar-1: ${full} (and 1 more); ! sidecar-2, sidecar-3: no massa-node answers`), line)
  })

  it('says how the node ended that was started again', () => {
    const node = { ...NETWORK.node, restarts: 2, lastEnd: 'exit code 2' }
    assert.match(
      renderNetwork({ ...NETWORK, node }, 79).join('\n'),
      /^! node ended 2 times \(exit code 2\), started again$/m,
    )
  })

  it('is one line where nothing is drawn anew', () => {
    const line = summarizeNetwork(NETWORK)
    assert.equal(line.includes('\n'), false)
    assert.match(line, /#1 to 123456 \(lag 2\)/)
    assert.equal(summarizeNetwork({ ...NETWORK, sidecars: [] }), line.slice(0, line.indexOf(';')))
  })
})
