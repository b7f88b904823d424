import { ERA_PERIODS, type EraAnchor, toHex } from '../../core/index.ts'
import { queryArchive } from '../archive-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatCount } from '../output.ts'

interface LocalEra {
  readonly missingPeriods: number
  readonly firstMissing: number | null
  readonly own: { readonly root: string; readonly totalBytes: string; readonly totalChunks: string } | null
}

interface Damage {
  readonly period?: number
  readonly what: string
  readonly code: string
}

/** What became of it; `incomplete` and `unanchored`: there is nothing to compare. */
type Result = 'equal' | 'differs' | 'damaged' | 'incomplete' | 'unanchored'

const EXIT_OF: { readonly [R in Result]: number } = {
  equal: EXIT_CODES.ok.code,
  differs: EXIT_CODES.invalid.code,
  damaged: EXIT_CODES.invalid.code,
  incomplete: EXIT_CODES.notFound.code,
  unanchored: EXIT_CODES.notFound.code,
}

/**
 * Verifies the periods of an era on disk, computes the root of the era from them, and compares it with what a massa-node says
 * is anchored.
 *
 * @param options.findAnchor - default: the configured massa-nodes are asked
 */
export async function erasVerify(
  context: Context,
  options: {
    readonly era: number
    readonly deep: boolean
    /** Another registry than the configured one. */
    readonly address?: string | undefined
    readonly findAnchor?: (era: number) => Promise<EraAnchor | undefined>
  },
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const { config } = context.load({ storage_registry_address: options.address })
  const { era, deep } = options
  const findAnchor =
    options.findAnchor ?? (async () => (await import('../placement-access.ts')).findAnchor(config, era, signal))
  const anchor = await findAnchor(era)
  const ask = async <T>(request: Parameters<typeof queryArchive>[1]): Promise<T | undefined> => {
    let result: T | undefined
    for await (const answer of queryArchive(config, request, signal)) {
      if ('result' in answer) result = answer.result as T
    }
    return result
  }
  const range = { from: era * ERA_PERIODS, to: (era + 1) * ERA_PERIODS - 1 }
  const verified = await ask<{ damages: readonly Damage[] }>({ kind: 'verify', range, deep, repair: false })
  if (!verified) return EXIT_CODES.interrupted.code
  const { damages } = verified
  for (const { period, what, code } of damages) {
    output.markedLine('red', 'DAMAGED', ` ${period === undefined ? what : `period ${period}: ${what}`} (${code})`)
  }
  const local = damages.length > 0 ? undefined : await ask<LocalEra>({ kind: 'era', era })
  const result = judge({ damages, local, anchor })
  const root = local?.own?.root ?? null
  const anchoredRoot = anchor ? toHex(anchor.root) : null
  output.value({ era, result, root, anchoredRoot, missingPeriods: local?.missingPeriods ?? null, damages })
  output.line(describe(era, result, { damages, local, anchoredRoot }))
  return EXIT_OF[result]
}

function judge(found: {
  readonly damages: readonly Damage[]
  readonly local: LocalEra | undefined
  readonly anchor: EraAnchor | undefined
}): Result {
  const { damages, local, anchor } = found
  if (damages.length > 0) return 'damaged'
  if (!local?.own) return 'incomplete'
  if (!anchor) return 'unanchored'
  // The root is over the totals, too.
  return local.own.root === toHex(anchor.root) ? 'equal' : 'differs'
}

function describe(
  era: number,
  result: Result,
  found: {
    readonly damages: readonly Damage[]
    readonly local: LocalEra | undefined
    readonly anchoredRoot: string | null
  },
): string {
  const { damages, local, anchoredRoot } = found
  const root = local?.own?.root
  switch (result) {
    case 'equal':
      return `Era ${era} is as it is anchored: ${root}.`
    case 'differs':
      return (
        `Era ${era} is not as it is anchored: ${root} here, ${anchoredRoot} in the registry. ` +
        `'massa-storage eras show ${era}' says in which period, where the running sidecar found somebody who has that one.`
      )
    case 'damaged':
      return `Era ${era} has ${formatCount(damages.length, 'damage')}; 'massa-storage verify --repair' mends what can be.`
    case 'incomplete':
      return `Era ${era} is not complete here: ${formatCount(local?.missingPeriods ?? ERA_PERIODS, 'period')} not archived.`
    case 'unanchored':
      return `Era ${era} is not anchored; its root is ${root} here.`
  }
}
