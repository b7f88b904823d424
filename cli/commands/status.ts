import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { callSidecar, parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { bootstrapAnswer, describeBootstrap } from '../describe-bootstrap.ts'
import { describeRepair, repairAnswer } from '../describe-repair.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { findSidecar } from '../find-sidecar.ts'
import { formatBytes, formatCount, formatDuration, type Output } from '../output.ts'

const placement = z.object({
  inForce: z
    .object({
      era: z.int(),
      nodes: z.int(),
      replicas: z.int(),
      wantedReplicas: z.int(),
      fewestHolders: z.int(),
      keepsForEver: z.boolean(),
    })
    .optional(),
  nextFromPeriod: z.int().optional(),
  isCurrent: z.boolean(),
})

const registry = z.object({
  address: z.string(),
  obstacles: z.array(z.object({ code: z.string(), message: z.string(), action: z.string() })),
})

const prune = z.object({
  isFull: z.boolean(),
  droppedChunks: z.int(),
  droppedBytes: z.number(),
  kept: z.record(z.string(), z.int()),
})

const history = z.object({ indexedPeriods: z.int(), partialPeriods: z.int(), isComplete: z.boolean() })

/** What `/v1/status` answers, as far as it is shown here. */
const statusAnswer = z.object({
  version: z.string(),
  pid: z.int(),
  upMs: z.number(),
  dataDir: z.string(),
  network: z.object({ chainId: z.string(), genesisTimestampMs: z.number() }),
  nodes: z.array(
    z.object({
      url: z.string(),
      up: z.boolean(),
      mode: z.string(),
      version: z.string(),
      lastFinalSlot: z.string().nullable(),
      lastError: z.string().optional(),
    }),
  ),
  archived: z.object({ first: z.int(), last: z.int() }).nullable(),
  holes: z.array(z.object({ firstPeriod: z.int(), lastPeriod: z.int() })),
  lagPeriods: z.int().optional(),
  gaps: z.array(z.object({ thread: z.int(), firstPeriod: z.int(), lastPeriod: z.int(), missing: z.string() })),
  spooledBlocks: z.int(),
  quarantinedBlocks: z.int(),
  unreportedSlots: z.int(),
  placement: placement.nullable(),
  registry: registry.nullish(),
  bootstrap: bootstrapAnswer.nullish(),
  replication: z.object({ repair: repairAnswer.nullish() }).nullish(),
  prune: prune.nullable(),
  history: history.nullish(),
  storedBytes: z.number(),
  freeBytes: z.number(),
  quotaBytes: z.number(),
  problems: z.array(z.string()),
})

type StatusAnswer = z.infer<typeof statusAnswer>

const SHOWN_GAPS = 8
const SHOWN_HOLES = 3
const WATCH_INTERVAL_MS = 2_000

/** One screen about the running sidecar; exit code 1 while it has a problem. */
export async function status(
  context: Context,
  options: { readonly watch?: boolean },
  signal: AbortSignal,
): Promise<number> {
  const { config } = context.load()
  for (;;) {
    const json = await callSidecar(await findSidecar(config, signal), '/v1/status', { signal })
    const answer = parseAnswer(statusAnswer, json)
    context.output.value(json)
    if (options.watch && process.stdout.isTTY) process.stdout.write('\x1b[2J\x1b[H')
    show(context.output, answer)
    if (!options.watch) return answer.problems.length === 0 ? EXIT_CODES.ok.code : EXIT_CODES.failed.code
    await sleep(WATCH_INTERVAL_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return EXIT_CODES.ok.code
  }
}

function show(output: Output, answer: StatusAnswer): void {
  const { archived, holes } = answer
  const bootstrap = describeBootstrap(answer.bootstrap)
  const absent = holes.reduce((sum, { firstPeriod, lastPeriod }) => sum + lastPeriod - firstPeriod + 1, 0)
  const repair = describeRepair(answer.replication?.repair, absent)
  const rows: string[][] = [
    ['sidecar', `massa-storage ${answer.version}, pid ${answer.pid}, up ${formatDuration(answer.upMs)}`],
    [
      'network',
      `chain ${answer.network.chainId}, genesis ${new Date(answer.network.genesisTimestampMs).toISOString()}`,
    ],
    ...answer.nodes.map((node) => ['massa-node', describeNode(node)]),
    [
      'archived',
      archived
        ? `periods ${archived.first} to ${archived.last}${describeHoles(holes)}`
        : 'nothing yet: a period is archived about a minute after its blocks',
    ],
    ['lag', answer.lagPeriods === undefined ? '-' : formatCount(answer.lagPeriods, 'period')],
    ['gaps', describeGaps(answer)],
    ...(bootstrap === undefined ? [] : [['bootstrap', bootstrap]]),
    ['placement', describePlacement(answer.placement)],
    ...(answer.registry ? [['registry', describeRegistry(answer.registry)]] : []),
    ...(repair === undefined ? [] : [['to hold', repair]]),
    ...(answer.history ? [['index', describeIndex(answer.history)]] : []),
    ['spool', `${formatCount(answer.spooledBlocks, 'block')}, quarantine ${answer.quarantinedBlocks}`],
    ...(answer.unreportedSlots > 0
      ? [['results', `not reported in time for ${formatCount(answer.unreportedSlots, 'slot')} since the start`]]
      : []),
    [
      'disk',
      `${formatBytes(answer.storedBytes)} of ${formatBytes(answer.quotaBytes)}, ${formatBytes(answer.freeBytes)} free, ${answer.dataDir}`,
    ],
  ]
  const letGo = describePrune(answer.prune)
  if (letGo !== undefined) rows.push(['let go', letGo])
  output.table(rows)
  for (const gap of answer.gaps.slice(0, SHOWN_GAPS)) {
    output.line(`  gap: thread ${gap.thread}, periods ${gap.firstPeriod} to ${gap.lastPeriod}, before ${gap.missing}`)
  }
  if (answer.gaps.length > SHOWN_GAPS) output.line(`  and ${answer.gaps.length - SHOWN_GAPS} more: --json shows all`)
  for (const lack of listLacks(answer.placement)) output.markedLine('yellow', `! ${lack}`)
  // Not among the problems: archiving goes on.
  for (const { code, message, action } of answer.registry?.obstacles ?? []) {
    output.markedLine('yellow', `! ${message} (${code}). ${action}`)
  }
  for (const problem of answer.problems) output.markedLine('yellow', `! ${problem}`)
}

function describeIndex({ indexedPeriods, partialPeriods, isComplete }: z.infer<typeof history>): string {
  const partial = partialPeriods > 0 ? `, ${formatCount(partialPeriods, 'period')} held in part are not` : ''
  return `${formatCount(indexedPeriods, 'period')} found by id and address${partial}${isComplete ? '' : ', more to come'}`
}

function describeHoles(holes: StatusAnswer['holes']): string {
  if (holes.length === 0) return ''
  const shown = holes.slice(0, SHOWN_HOLES).map(({ firstPeriod, lastPeriod }) => {
    return firstPeriod === lastPeriod ? `${firstPeriod}` : `${firstPeriod} to ${lastPeriod}`
  })
  const more = holes.length > shown.length ? `, and ${holes.length - shown.length} more` : ''
  return `, without ${shown.join(', ')}${more}`
}

function describeNode(node: StatusAnswer['nodes'][number]): string {
  if (!node.up) return `${node.url} does not answer${node.lastError ? `: ${node.lastError}` : ''}`
  return `${node.url} ${node.version}, final slot ${node.lastFinalSlot ?? '-'}, ${node.mode === 'push' ? 'streaming' : 'polling'}`
}

function describeGaps({ gaps }: StatusAnswer): string {
  if (gaps.length === 0) return 'none'
  const slots = gaps.reduce((sum, gap) => sum + gap.lastPeriod - gap.firstPeriod + 1, 0)
  return `${formatCount(slots, 'slot')} in ${formatCount(gaps.length, 'run')}`
}

function describePlacement(placement: StatusAnswer['placement']): string {
  if (!placement) return 'no registry'
  const { inForce, nextFromPeriod, isCurrent } = placement
  const next = nextFromPeriod === undefined ? '' : `, the next from period ${nextFromPeriod} on`
  if (!inForce) return `none in force yet${next}`
  const { era, nodes, replicas } = inForce
  const age = isCurrent ? '' : ', out of date: nothing is dropped or repaired by it'
  return `era ${era}, ${formatCount(nodes, 'node')}, ${replicas === 1 ? '1 copy' : `${replicas} copies`}${next}${age}`
}

function describeRegistry({ address, obstacles }: NonNullable<StatusAnswer['registry']>): string {
  return obstacles.length === 0 ? address : `${address}, where something keeps this node from earning: see below`
}

/** Nothing while there is room. */
function describePrune(prune: StatusAnswer['prune']): string | undefined {
  if (!prune || (!prune.isFull && prune.droppedChunks === 0)) return undefined
  const dropped = `${formatCount(prune.droppedChunks, 'chunk')}, ${formatBytes(prune.droppedBytes)} since the start`
  const kept = Object.entries(prune.kept).map(([reason, count]) => `${count} ${reason}`)
  const full = prune.isFull ? '; the room for chunks is full to more than 90 %' : ''
  return `${dropped}${full}${kept.length === 0 ? '' : `; kept of those looked at: ${kept.join(', ')}`}`
}

/** What the network lacks; this sidecar does its part all the same. */
function listLacks(placement: StatusAnswer['placement']): string[] {
  if (!placement?.inForce) return []
  const { wantedReplicas, fewestHolders, keepsForEver } = placement.inForce
  return [
    ...(fewestHolders < wantedReplicas
      ? [
          `the registry asks for ${wantedReplicas} copies, and there are nodes or room for ${fewestHolders} of some chunks`,
        ]
      : []),
    ...(keepsForEver ? [] : ['no node of the registry keeps for ever']),
  ]
}
