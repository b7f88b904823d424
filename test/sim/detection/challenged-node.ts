import {
  type AuditRhythm,
  computeAuditDraw,
  computeDraw,
  selectDrawNode,
  selectDrawTarget,
  toHex,
} from '../../../core/index.ts'
import type { SimRandom } from '../sim-random.ts'
import type { MadeArchive } from './made-archive.ts'

const DAY_PERIODS = 5_400
const SIGNATURE_BYTES = 64
const HASH_SLOTS: ReadonlySet<number> = new Set(Array.from({ length: 16_384 }, (_, hashSlot) => hashSlot))

/** One audit of the node. */
export interface ChallengedAudit {
  readonly period: number
  /** Of each challenge, whether the chunk was there. */
  readonly passed: readonly boolean[]
}

/** A network that one challenger draws from, by the rules of docs/FORMAT.md; of its nodes the first is watched. */
export class ChallengedNode {
  private readonly archive: MadeArchive
  private readonly rhythm: Pick<AuditRhythm, 'frequencyPeriods' | 'intervalPeriods'>
  private readonly challenges: number
  private readonly addresses: readonly string[]

  /** @param options.challenges - of one audit, 1 to 8 */
  constructor(archive: MadeArchive, options: { readonly rhythm: AuditRhythm; readonly challenges: number }) {
    this.archive = archive
    this.rhythm = options.rhythm
    this.challenges = options.challenges
    this.addresses = Array.from({ length: options.rhythm.nodes }, (_, i) => `AU${i}`)
  }

  /** The audits of the watched node, one after the other, until the days are over. */
  *listAudits(missing: ReadonlySet<string>, days: number, random: SimRandom): Generator<ChallengedAudit> {
    const { frequencyPeriods, intervalPeriods } = this.rhythm
    const [watched] = this.addresses
    // The first draw comes at any moment of its interval.
    const first = random.below(frequencyPeriods)
    let last = Number.NEGATIVE_INFINITY
    for (let period = first; period < days * DAY_PERIODS; period += frequencyPeriods) {
      const draw = computeDraw(drawSignature(random))
      if (selectDrawNode(draw, this.addresses) !== watched || period - last < intervalPeriods) continue
      last = period
      yield { period, passed: Array.from({ length: this.challenges }, (_, j) => this.isThere(draw, j, missing)) }
    }
  }

  private isThere(draw: Uint8Array, j: number, missing: ReadonlySet<string>): boolean {
    const among = { eras: this.archive.eras, hashSlots: HASH_SLOTS }
    const target = selectDrawTarget(computeAuditDraw(draw, j), among, (era) => this.archive.listChunks(era))
    if (!target) throw new Error('no chunk was drawn')
    return !missing.has(toHex(target.chunk.chunkId))
  }
}

/** Nobody knows a signature before it is made: any bytes will do. */
function drawSignature(random: SimRandom): Uint8Array {
  return Uint8Array.from({ length: SIGNATURE_BYTES }, () => random.below(256))
}
