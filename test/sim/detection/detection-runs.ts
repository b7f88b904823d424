import { type AuditRhythm, type RegistryConfig, toHex } from '../../../core/index.ts'
import { SimRandom } from '../sim-random.ts'
import { type Audience, AuditedNode } from './audited-node.ts'
import { ChallengedNode } from './challenged-node.ts'
import { JudgedNode } from './judged-node.ts'
import { MadeArchive } from './made-archive.ts'

const DAY_PERIODS = 5_400
const DAYS_PER_YEAR = 365
/** A node that is not slashed by then is left alone. */
const MOST_DAYS = 400

/** How often a node that lacks a share of its chunks was caught within its days. */
export interface Caught {
  readonly byAudits: number
  readonly byChallenges: number
  readonly byEither: number
}

/** What a node that misses audits by chance comes to. */
export interface HonestRun {
  /** Years in which it was slashed. */
  readonly slashedYears: number
  readonly mostPoints: number
}

/** The simulations of docs/DETECTION.md: each run has its own randomness, so that more runs change none before them. */
export class DetectionRuns {
  private readonly random = new SimRandom('detection')
  private readonly archive = new MadeArchive(this.random.fork('archive'))
  private readonly ids = this.archive.chunks.map(({ chunkId }) => toHex(chunkId))
  private readonly audited = new AuditedNode(this.archive)
  private readonly settings: RegistryConfig
  private readonly rhythm: AuditRhythm
  private readonly challenged: ChallengedNode

  constructor({ settings, rhythm }: { readonly settings: RegistryConfig; readonly rhythm: AuditRhythm }) {
    this.settings = settings
    this.rhythm = rhythm
    this.challenged = new ChallengedNode(this.archive, { rhythm, challenges: settings.maxOpenChallengesPerNode })
  }

  async countCaught(missingShare: number, days: number, runs: number): Promise<Caught> {
    const caught = { byAudits: 0, byChallenges: 0, byEither: 0 }
    for (let run = 0; run < runs; run++) {
      const random = this.random.fork(`caught ${missingShare} ${run}`)
      const missing = this.drawMissing(missingShare, random)
      const { nodes, challengers } = this.rhythm
      const audience = { nodes, challengers, isTold: true }
      const byAudits = await this.audited.isCaught(missing, audience, { days, random: random.fork('audits') })
      const byChallenges = this.isChallengeFailed(missing, days, random.fork('challenges'))
      if (byAudits) caught.byAudits++
      if (byChallenges) caught.byChallenges++
      if (byAudits || byChallenges) caught.byEither++
    }
    return caught
  }

  /** How many that lack a share a challenger suspects within a day. */
  async countSuspected(missingShare: number, audience: Audience, runs: number): Promise<number> {
    const { nodes, challengers, isTold } = audience
    let count = 0
    for (let run = 0; run < runs; run++) {
      const random = this.random.fork(`suspected ${missingShare} ${nodes} ${challengers} ${isTold} ${run}`)
      const missing = this.drawMissing(missingShare, random)
      if (await this.audited.isCaught(missing, audience, { days: 1, random: random.fork('audits') })) count++
    }
    return count
  }

  /** Days until routine challenges alone have the node slashed, ascending; infinite after 400. */
  listSlashDays(missingShare: number, runs: number): number[] {
    const days = Array.from({ length: runs }, (_, run) => {
      const random = this.random.fork(`slashed ${missingShare} ${run}`)
      const node = new JudgedNode(this.settings)
      const missing = this.drawMissing(missingShare, random)
      for (const { period, passed } of this.challenged.listAudits(missing, MOST_DAYS, random)) {
        if (node.audit(period, passed)) return period / DAY_PERIODS
      }
      return Number.POSITIVE_INFINITY
    })
    return days.sort((a, b) => a - b)
  }

  /** A node that has everything and misses whole audits by chance, year after year. */
  runHonest(missedShare: number, auditsPerDay: number, years: number): HonestRun {
    const run = { slashedYears: 0, mostPoints: 0 }
    for (let year = 0; year < years; year++) {
      const random = this.random.fork(`honest ${missedShare} ${year}`)
      const node = new JudgedNode(this.settings)
      let isSlashed = false
      for (let audit = 0; audit < DAYS_PER_YEAR * auditsPerDay; audit++) {
        const isMissed = random.chance(missedShare)
        // A passed audit of a node without points changes none.
        if (!isMissed && node.strikePoints === 0) continue
        isSlashed = node.audit(Math.floor((audit * DAY_PERIODS) / auditsPerDay), [!isMissed]) || isSlashed
        run.mostPoints = Math.max(run.mostPoints, node.strikePoints)
      }
      if (isSlashed) run.slashedYears++
    }
    return run
  }

  private isChallengeFailed(missing: ReadonlySet<string>, days: number, random: SimRandom): boolean {
    for (const { passed } of this.challenged.listAudits(missing, days, random)) if (passed.includes(false)) return true
    return false
  }

  /** As many chunks as the share says, any of them. */
  private drawMissing(share: number, random: SimRandom): Set<string> {
    const left = [...this.ids]
    const count = Math.round(left.length * share)
    for (let i = 0; i < count; i++) {
      const other = random.between(i, left.length - 1)
      const [kept = '', drawn = ''] = [left[i], left[other]]
      left[i] = drawn
      left[other] = kept
    }
    return new Set(left.slice(0, count))
  }
}
