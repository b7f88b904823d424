import * as z from 'zod'
import { ArchiveError } from '../../core/errors.ts'
import { askNetwork } from '../ask-network.ts'
import { parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { COPY_DOUBTS, copyDoubt } from '../copy-doubts.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatCount, formatDuration, type Output } from '../output.ts'
import { shorten } from '../shorten.ts'

const amount = z.object({ address: z.string(), chunks: z.int() })
const state = z.enum(['own', 'answered', 'silent', 'unconnected', 'away'])
const nodeRow = z.object({
  address: z.string(),
  state,
  isRegistered: z.boolean(),
  retentionPeriods: z.number().nullable(),
  headPeriod: z.number().nullable(),
  assigned: z.int(),
  lacking: z.int(),
  extra: z.int(),
})
type NodeRow = z.infer<typeof nodeRow>

const clusterReport = z.object({
  era: z.int(),
  isCurrent: z.boolean(),
  replicas: z.int(),
  registered: z.int(),
  keepsForEver: z.boolean(),
  periods: z.object({
    first: z.int(),
    last: z.int(),
    checked: z.int(),
    missing: z.int(),
    settling: z.int(),
    olderElsewhere: z.int(),
  }),
  chunks: z.object({
    total: z.int(),
    atFloor: z.int(),
    under: z.int(),
    missingCopies: z.int(),
    nobody: z.int(),
    nobodyButHere: z.int(),
    over: z.int(),
    extraCopies: z.int(),
    pastRetention: z.int(),
    unowed: z.int(),
    extraHere: z.int(),
  }),
  lackingBy: z.object({
    incomplete: z.int(),
    unshown: z.int(),
    otherRoots: z.int(),
    otherPlacement: z.int(),
    tooSmall: z.int(),
    silent: z.int(),
    unconnected: z.int(),
    away: z.int(),
    nobody: z.int(),
  }),
  nodes: z.array(nodeRow),
  nodesLeftOut: z.int(),
  states: z.record(state, z.int()),
  unheard: z.array(z.object({ peer: z.string(), address: z.string().nullable(), why: z.string() })),
  unheardLeftOut: z.int(),
  doubted: z.array(z.object({ address: z.string(), why: copyDoubt, chunks: z.int() })),
  clustered: z.array(
    z.object({ copies: z.int(), operators: z.int(), networks: z.int(), hashSlots: z.int(), chunks: z.int() }),
  ),
  healing: z.object({
    pulling: z.array(amount),
    pullsWithinSeconds: z.number(),
    standIns: z.array(amount),
    repairDelaySeconds: z.number(),
    standInsWithinSeconds: z.number(),
    hopeless: z.int(),
  }),
  keepers: z.object({ wanted: z.int(), count: z.int(), contradicted: z.array(z.string()) }),
})
type ClusterReport = z.infer<typeof clusterReport>

const progressRow = z.object({ phase: z.enum(['peers', 'periods']), done: z.int(), total: z.int() })

const PHASES = { peers: 'asking nodes', periods: 'counting copies' } as const
/** People see the worst; --json has more. */
const SHOWN_NODES = 12
const SHOWN_NAMES = 4
/** What stands right of an address in the table; of the address at least so much is shown. */
const REST_COLUMNS = 62
const MIN_ADDRESS = 12

const STATES: { readonly [S in NodeRow['state']]: string } = {
  own: 'this node',
  answered: 'answers',
  silent: 'silent',
  unconnected: 'not connected',
  away: 'away',
}

const COUNTED_STATES = { silent: 'silent', unconnected: 'not connected', away: 'away' } as const

/** How many copies the chunks of the network have; exit code 9 while some have too few. */
export async function clusterCheck(context: Context, signal: AbortSignal): Promise<number> {
  const { output } = context
  let progress = output.progress(PHASES.peers)
  let phase: keyof typeof PHASES = 'peers'
  let result: object | null = null
  try {
    for await (const answer of askNetwork(context, { kind: 'cluster-check' }, signal)) {
      if ('result' in answer) result = answer.result
      if (!('progress' in answer)) continue
      const seen = parseAnswer(progressRow, answer.progress)
      if (seen.phase !== phase) {
        progress.end()
        phase = seen.phase
        progress = output.progress(PHASES[phase])
      }
      progress.update(seen.done, seen.total, `${seen.done} of ${seen.total}`)
    }
  } finally {
    progress.end()
  }
  if (result === null) {
    const message = 'no period of this archive is old enough to be with other nodes, so nothing was checked'
    throw new ArchiveError('CLI_NOT_FOUND', message)
  }
  const report = parseAnswer(clusterReport, result)
  output.value(result)
  show(output, report)
  return report.chunks.under > 0 ? EXIT_CODES.underFloor.code : EXIT_CODES.ok.code
}

function show(output: Output, report: ClusterReport): void {
  const { chunks, era, replicas, registered, states, periods } = report
  const standing = [
    `${states.own + states.answered} heard`,
    ...(['silent', 'unconnected', 'away'] as const).flatMap((other) =>
      states[other] === 0 ? [] : `${states[other]} ${COUNTED_STATES[other]}`,
    ),
  ].join(', ')
  const copies = replicas === 1 ? '1 copy' : `${replicas} copies`
  output.line(`Era ${era}: ${formatCount(registered, 'node')}, ${standing}; ${copies} of each chunk.`)
  output.line(
    `${formatCount(chunks.total, 'chunk')} of ${formatCount(periods.checked, 'period')}, ${periods.first} to ${periods.last}:`,
  )
  if (chunks.unowed === 0) showCounts(output, chunks)
  showNodes(output, report)
  for (const line of [...listHealing(report), ...listExtra(report)]) output.line(line)
  for (const line of listWarnings(report)) output.markedLine('yellow', `! ${line}`)
  if (chunks.unowed > 0) output.line(`Nobody owes them yet: by the placement of era ${era} no node has room.`)
  else if (chunks.under === 0) output.markedLine('green', 'Every chunk that was looked at has its copies.')
  else {
    const have = chunks.under === 1 ? 'has' : 'have'
    output.markedLine('red', `${formatCount(chunks.under, 'chunk')} ${have} too few copies.`)
  }
}

function showCounts(output: Output, chunks: ClusterReport['chunks']): void {
  const share = (count: number): string => count.toLocaleString('en-US')
  output.table(
    [
      ['  at floor', share(chunks.atFloor), percent(chunks.atFloor, chunks.total)],
      ...(chunks.under > 0
        ? [['  under', share(chunks.under), `${formatCount(chunks.missingCopies, 'copy', 'copies')} missing`]]
        : []),
      ...(chunks.nobody > 0
        ? [["  nobody's", share(chunks.nobody), chunks.nobodyButHere > 0 ? `${chunks.nobodyButHere} on this disk` : '']]
        : []),
      ...(chunks.over > 0
        ? [['  over', share(chunks.over), `${formatCount(chunks.extraCopies, 'copy', 'copies')} more than asked for`]]
        : []),
      ...(chunks.pastRetention > 0
        ? [['  let go', share(chunks.pastRetention), 'older than any node has to keep']]
        : []),
    ],
    [false, true, false],
  )
}

function percent(part: number, whole: number): string {
  // Never 100 while one is missing.
  return whole === 0 ? '' : `${(Math.floor((part / whole) * 10_000) / 100).toFixed(2)} %`
}

function showNodes(output: Output, { nodes, nodesLeftOut }: ClusterReport): void {
  if (nodes.length === 0) return
  const shown = nodes.slice(0, SHOWN_NODES)
  const room = Math.max(MIN_ADDRESS, (output.columns ?? Number.POSITIVE_INFINITY) - REST_COLUMNS)
  output.table(
    [
      ['node', '', 'assigned', 'lacking', 'extra', 'keeps', 'to period'],
      ...shown.map((node) => [
        shorten(node.address, room),
        node.isRegistered ? STATES[node.state] : `${STATES[node.state]}, not placed`,
        `${node.assigned}`,
        `${node.lacking}`,
        `${node.extra}`,
        node.retentionPeriods === null ? '-' : node.retentionPeriods === 0 ? 'for ever' : `${node.retentionPeriods}`,
        `${node.headPeriod ?? '-'}`,
      ]),
    ],
    [false, false, true, true, true, true, true],
  )
  const more = nodes.length - shown.length + nodesLeftOut
  if (more > 0) output.line(`and ${more} more: --json shows ${nodesLeftOut > 0 ? nodes.length : 'all'}`)
}

/** What is being done about missing copies. */
function listHealing({ healing, lackingBy, doubted, states }: ClusterReport): string[] {
  const gone = doubted.length > 0 ? 'are away or not believed' : 'are away'
  const { pulling, standIns, standInsWithinSeconds: withinSeconds, hopeless, repairDelaySeconds } = healing
  const begun =
    withinSeconds === 0 ? 'all have begun' : `the last begins in about ${formatDuration(withinSeconds * 1000)}`
  return [
    ...(pulling.length > 0
      ? [
          `Being fetched: ${listAmounts(pulling)}; each looks again within ${formatDuration(healing.pullsWithinSeconds * 1000)}.`,
        ]
      : []),
    ...(standIns.length > 0 ? [`Fetched for nodes that ${gone}: ${listAmounts(standIns)}; ${begun}.`] : []),
    ...(hopeless > 0
      ? [`${formatCount(hopeless, 'chunk')} of nodes that ${gone}: too few are left to hold all copies.`]
      : []),
    ...(states.unconnected > 0
      ? [
          `What nodes that are not connected have announced counts until nothing is heard of them for ${formatDuration(repairDelaySeconds * 1000)}.`,
        ]
      : []),
    ...(lackingBy.unconnected > 0
      ? [
          `${formatCount(lackingBy.unconnected, 'copy', 'copies')} of nodes that this one is not connected to: not known.`,
        ]
      : []),
    ...(lackingBy.silent > 0
      ? [`${formatCount(lackingBy.silent, 'copy', 'copies')} of nodes that do not tell what they hold: not known.`]
      : []),
  ]
}

/** It is no fault: what a node archives it keeps while there is room. */
function listExtra({ nodes, chunks }: ClusterReport): string[] {
  const extra = nodes.filter((node) => node.extra > 0).map(({ address, extra: count }) => ({ address, chunks: count }))
  if (extra.length === 0 || chunks.unowed > 0) return []
  extra.sort((a, b) => b.chunks - a.chunks)
  const sum = extra.reduce((total, node) => total + node.chunks, 0)
  return [
    `Over: ${formatCount(sum, 'copy', 'copies')} more than asked for, as nodes say, kept while there is room: ${listAmounts(extra)}.`,
  ]
}

function listAmounts(amounts: readonly { readonly address: string; readonly chunks: number }[]): string {
  const shown = amounts.slice(0, SHOWN_NAMES).map(({ address, chunks }) => `${chunks} by ${address}`)
  return [...shown, ...(amounts.length > shown.length ? [`others by ${amounts.length - shown.length} more`] : [])].join(
    ', ',
  )
}

/** What the network lacks, and what could not be seen from here. */
function listWarnings(report: ClusterReport): string[] {
  const { chunks, keepers, clustered, periods, unheard, unheardLeftOut, isCurrent, keepsForEver, doubted } = report
  return [
    ...(isCurrent ? [] : ['the placement may be out of date: no repair is started by it']),
    ...(keepsForEver ? [] : ['no node of the registry keeps for ever: old chunks are let go']),
    ...(keepers.count < keepers.wanted && chunks.unowed === 0
      ? [
          `${formatCount(keepers.count, 'node')} ${keepers.count === 1 ? 'keeps' : 'keep'} for ever, and ${keepers.wanted} copies are asked for`,
        ]
      : []),
    ...keepers.contradicted
      .slice(0, SHOWN_NAMES)
      .map((address) => `${address} is registered to keep for ever, and tells its peers that it does not`),
    ...doubted
      .slice(0, SHOWN_NAMES)
      .map(
        ({ address, why, chunks }) =>
          `${address} is not believed to hold ${formatCount(chunks, 'chunk')}: ${COPY_DOUBTS[why]}`,
      ),
    ...(doubted.length > SHOWN_NAMES
      ? [
          `and ${formatCount(doubted.length - SHOWN_NAMES, 'more node')} that ${doubted.length === SHOWN_NAMES + 1 ? 'is' : 'are'} not believed: see --json`,
        ]
      : []),
    ...clustered
      .slice(0, SHOWN_NAMES)
      .map(
        ({ copies, operators, networks, chunks }) =>
          `${formatCount(chunks, 'chunk')} with ${formatCount(copies, 'copy', 'copies')}, ${formatCount(operators, 'operator')}, ${formatCount(networks, 'network')}`,
      ),
    ...(unheard.length > 0
      ? [
          `not heard: ${unheard
            .slice(0, SHOWN_NAMES)
            .map(({ peer, address, why }) => `${address ?? peer} (${why})`)
            .join(
              ', ',
            )}${unheard.length + unheardLeftOut > SHOWN_NAMES ? `, and ${unheard.length + unheardLeftOut - SHOWN_NAMES} more` : ''}`,
        ]
      : []),
    ...(periods.missing > 0
      ? [
          `${formatCount(periods.missing, 'period')} of these ${periods.missing === 1 ? 'is' : 'are'} not in this archive, so not looked at`,
        ]
      : []),
    ...(periods.olderElsewhere > 0
      ? [
          `${formatCount(periods.olderElsewhere, 'older period')} that other nodes have ${periods.olderElsewhere === 1 ? 'is' : 'are'} not in this archive, so not looked at`,
        ]
      : []),
  ]
}
