import * as z from 'zod'
import {
  ArchiveError,
  type CompletenessJson,
  ERA_PERIODS,
  fromHex,
  isArchiveError,
  type Network,
  type Period,
  type PeriodRange,
  type Trust,
  type TrustedHistory,
  verifyCompleteness,
} from '../core/index.ts'
import { endsBefore } from '../core/reading/trusted-roots.ts'
import { callSidecar, parseAnswer } from './call-sidecar.ts'
import type { Context } from './context.ts'
import { findSidecar } from './find-sidecar.ts'

/** Where roots are looked up that an answer has to lead to. */
export interface RootOptions {
  /** gRPC address of the massa-node that says what is anchored; absent: those of the configuration. */
  readonly node?: string
  /** Another registry than the configured one. */
  readonly registry?: string
  /** Roots of eras that the user has from somewhere: he wants nothing that leads to none of them, or to no anchor. */
  readonly trustRoot?: ReadonlyMap<number, Uint8Array>
  /** For tests: roots that are anchored, by era. */
  readonly findAnchors?: (eras: readonly number[]) => Promise<ReadonlyMap<number, Uint8Array>>
}

/** Who says that what was proven is the real chain. */
export type Voucher = 'contract' | 'given-root' | 'own-archive' | 'nobody'

/** For people; of a range of periods that one vouches for. */
export function describeVoucher(voucher: Voucher, from: Period, to: Period = from): string {
  const [first, last] = [eraOf(from), eraOf(to)]
  const eras = first === last ? `era ${first}` : `eras ${first} to ${last}`
  switch (voucher) {
    case 'contract':
      return `anchored in the contract (${eras})`
    case 'given-root':
      return `the root${first === last ? '' : 's'} of ${eras} that you gave`
    case 'own-archive':
      return 'own archive'
    case 'nobody':
      return 'nobody vouches: only internally consistent, where it stands and that this is the real chain is what the archive says'
  }
}

/** For people; of a root that nobody said elsewhere, in hex. */
export function describeLead(era: number, root: string): string {
  return `era ${era}: leads to the root ${root}, which was compared with nothing`
}

/** The roots that a user has of some periods, and from whom. */
export class KnownRoots {
  readonly trusted: TrustedHistory
  private readonly given: ReadonlyMap<number, Uint8Array>

  constructor(roots: {
    readonly network: Network
    readonly given: ReadonlyMap<number, Uint8Array>
    readonly anchored: ReadonlyMap<number, Uint8Array>
    readonly own: ReadonlyMap<Period, Uint8Array>
  }) {
    const { network, given, anchored, own } = roots
    this.given = given
    this.trusted = {
      network,
      findEraRoot: (era) => given.get(era) ?? anchored.get(era),
      findPeriodRoot: (period) => own.get(period),
    }
  }

  /**
   * @param trust - what a verification against `trusted` said of a period
   * @throws ArchiveError CORE_READING_ROOT_UNTRUSTED where roots were given and none of them, nor an anchor, binds it
   */
  findVoucher(trust: Trust, period: Period): Voucher {
    const era = eraOf(period)
    if (trust === 'era-root') return this.given.has(era) ? 'given-root' : 'contract'
    if (this.given.size > 0) {
      const known = this.trusted.findEraRoot?.(era)
      throw known ? endsBefore(era, known, period) : this.otherEra(era, period)
    }
    return trust === 'period-root' ? 'own-archive' : 'nobody'
  }

  private otherEra(era: number, period: Period): ArchiveError {
    const given = [...this.given.keys()].map((other) => `era ${other}`).join(', ')
    const message = `period ${period} is of era ${era}, of which no root was given (given: ${given}) and none is anchored`
    return new ArchiveError('CORE_READING_ROOT_UNTRUSTED', message, { period, era })
  }
}

/**
 * Gathers what the user has beside the answer of an archive: roots that he gave, those that his massa-node says are anchored, and
 * those of his own sidecar, which is believed about no anchor.
 *
 * @throws ArchiveError CLI_NO_REGISTRY and those of `readAnchors` where a node was named; else a node that does not tell is
 *   worth a warning
 */
export async function gatherRoots(
  context: Context,
  range: PeriodRange,
  options: RootOptions,
  signal: AbortSignal,
): Promise<KnownRoots> {
  const { node } = context.load().config
  const network = { chainId: node.chainId, genesisTimestampMs: node.genesisTimestampMs }
  const given = options.trustRoot ?? new Map<number, Uint8Array>()
  const eras = Array.from({ length: eraOf(range.to) - eraOf(range.from) + 1 }, (_, i) => eraOf(range.from) + i)
  const asked = eras.filter((era) => !given.has(era))
  const [anchored, own] = await Promise.all([
    findAnchored(context, asked, options, signal),
    findOwn(context, range, signal),
  ])
  return new KnownRoots({ network, given, anchored, own })
}

/**
 * Of these eras what a massa-node says that is anchored; nothing where no registry or no node is configured.
 *
 * @throws ArchiveError as `gatherRoots`
 */
export async function findAnchored(
  context: Context,
  eras: readonly number[],
  { node, registry, findAnchors }: Omit<RootOptions, 'trustRoot'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const { config } = context.load({
    storage_registry_address: registry,
    ...(node === undefined ? {} : { 'node.grpc_urls': [node] }),
  })
  const isWanted = node !== undefined || registry !== undefined
  const canTell = config.storageRegistryAddress !== '' && config.node.grpcUrls.length > 0
  if (eras.length === 0 || (!findAnchors && !isWanted && !canTell)) return new Map()
  try {
    if (findAnchors) return await findAnchors(eras)
    return await (await import('./placement-access.ts')).findAnchoredRoots(config, eras, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (isWanted || !isArchiveError(error)) throw error
    context.output.warn(`no massa-node says which eras are anchored: ${error.message} (${error.code})`)
    return new Map()
  }
}

const ownPeriod = z.object({ period: z.object({ root: z.string().regex(/^[0-9a-f]{64}$/) }) })

/** Of the own sidecar; nothing where none runs, or it has not all of the range. */
async function findOwn(
  context: Context,
  { from, to }: PeriodRange,
  signal: AbortSignal,
): Promise<ReadonlyMap<Period, Uint8Array>> {
  try {
    const sidecar = await findSidecar(context.load().config, signal)
    if (from === to) {
      const answer = await callSidecar(sidecar, `/v1/periods/${from}`, { signal })
      return new Map([[from, fromHex(parseAnswer(ownPeriod, answer).period.root)]])
    }
    const answer = await callSidecar(sidecar, `/v1/completeness?from=${from}&to=${to}`, { signal })
    const { periods } = verifyCompleteness((answer as { proof?: CompletenessJson }).proof, { from, to })
    return new Map(periods.map(({ period, root }) => [period, root]))
  } catch (error) {
    signal.throwIfAborted()
    if (isArchiveError(error)) return new Map()
    throw error
  }
}

function eraOf(period: Period): number {
  return Math.floor(period / ERA_PERIODS)
}
