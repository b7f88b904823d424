import { type ChunkStore, computeDrawText, type Network, type Period, verifyText } from '../../core/index.ts'
import type { DrawSearch } from './draw-search.ts'
import { DRAW_LAG_PERIODS, readBlockIds } from './draw-source.ts'
import { type IssuedChallenge, type IssuedInPeriod, listIssued } from './issued-challenges.ts'
import { type AuditedChallenge, type JudgedDraw, judgeChallenge, listNotIssued, type NotIssued } from './judge-draw.ts'
import type { KnownSource } from './known-source.ts'

/** A draw may wait for blocks, and its operation be sent again after it expired, for so long. */
const LATE_PERIODS = 32
/** Ids of challenges by hand and after failed audits, which are no draws (docs/FORMAT.md, Challenge draw). */
const NO_DRAW = /^[ma]-/

export interface DrawAuditsOptions {
  readonly network: Network
  /** Address of the registry. */
  readonly registry: string
  /** From one draw of a challenger to its next: `challenge_frequency_periods`. */
  readonly frequencyPeriods: number
}

export interface DrawAuditsModules {
  readonly store: Pick<ChunkStore, 'readManifest' | 'readChunk' | 'readExecutionResults' | 'readRange'>
  /** For one audit. */
  readonly openSearch: () => Pick<DrawSearch, 'find'>
  readonly openSource: (period: Period) => Promise<KnownSource>
  /** Challenges of one audit by the settings of the registry; undefined when these cannot be read. */
  readonly readAuditChallenges: () => Promise<number | undefined>
}

/** What there is to say about the draws of all challengers in one period. */
export interface DrawAudit {
  readonly period: Period
  readonly frequencyPeriods: number
  /** A draw is due in every period that the frequency divides, and in no other. */
  readonly isDue: boolean
  readonly isAnchored: boolean | null
  /** By then every challenge of these draws has been issued. */
  readonly lastIssuePeriod: Period
  /** Newest period that is archived here. */
  readonly archivedTo: Period | null
  readonly challenges: readonly AuditedChallenge[]
  /** What an audit should have asked for as well, and did not. */
  readonly notIssued: readonly NotIssued[]
  /** Why there may be more challenges than these. */
  readonly lacks: readonly string[]
}

type Attributed = { readonly challenge: IssuedChallenge; readonly judged: JudgedDraw }

/**
 * Recomputes the draws of a period from what the archive, the registry and the signatures of challengers say, and compares them with
 * the challenges that were issued by them.
 */
export class DrawAudits {
  private readonly options: DrawAuditsOptions
  private readonly modules: DrawAuditsModules

  constructor(options: DrawAuditsOptions, modules: DrawAuditsModules) {
    this.options = options
    this.modules = modules
  }

  /** @throws ArchiveError CHAIN_*; of the store */
  async audit(period: Period): Promise<DrawAudit> {
    const { frequencyPeriods } = this.options
    const range = await this.modules.store.readRange()
    const isDue = period > 0 && period % frequencyPeriods === 0
    const lastIssuePeriod = period + frequencyPeriods + LATE_PERIODS - 1
    const report = { period, frequencyPeriods, isDue, lastIssuePeriod, archivedTo: range?.last ?? null }
    const none = { isAnchored: null, challenges: [], notIssued: [], lacks: [] }
    if (!isDue || !range || range.last < period) return { ...report, ...none }
    const { challenges: issued, lacks } = await this.collect(period, Math.min(range.last, lastIssuePeriod))
    const attributed = await this.attribute(period, issued)
    const { source, isAnchored } = await this.modules.openSource(period)
    const challenges: AuditedChallenge[] = []
    const drawn = new Map<string, Uint8Array>()
    for (const { challenge, judged } of attributed) {
      challenges.push(await judgeChallenge(challenge, judged, { source, isAnchored, drawn }))
    }
    const count = await this.modules.readAuditChallenges()
    const known = { source, ids: new Set(issued.map(({ challengeId }) => challengeId)), drawn }
    const notIssued = count === undefined ? [] : await listNotIssued(known, count)
    return { ...report, isAnchored: isAnchored ?? null, challenges, notIssued, lacks }
  }

  private async collect(from: Period, to: Period): Promise<IssuedInPeriod> {
    const { network, registry } = this.options
    const [challenges, lacks]: [IssuedChallenge[], string[]] = [[], []]
    for (let period = from; period <= to; period++) {
      const found = await listIssued({ network, registry, period }, this.modules.store)
      challenges.push(...found.challenges)
      lacks.push(...found.lacks)
    }
    return { challenges, lacks }
  }

  /** Those of the draws of this period; what cannot be told belongs to the draws that were due last when it was issued. */
  private async attribute(period: Period, issued: readonly IssuedChallenge[]): Promise<Attributed[]> {
    const means = { texts: new DrawTexts(this.modules.store), search: this.modules.openSearch() }
    const attributed: Attributed[] = []
    for (const challenge of issued) {
      const judged = await this.findDraw(challenge, means)
      const of = judged.kind === 'drawn' ? judged.period : this.dueAt(challenge.issuedPeriod)
      if (of === period) attributed.push({ challenge, judged })
    }
    return attributed
  }

  private async findDraw(
    challenge: IssuedChallenge,
    { texts, search }: { readonly texts: DrawTexts; readonly search: Pick<DrawSearch, 'find'> },
  ): Promise<JudgedDraw> {
    const { challengeId, issuedPeriod, publicKey } = challenge
    if (NO_DRAW.test(challengeId)) return { kind: 'undrawn' }
    const signature = await search.find(challenge)
    if (!signature)
      return {
        kind: 'unchecked',
        lack: 'no signature of a draw that gives this id was seen here, nor do its issuer and its node show one',
      }
    if (!publicKey) {
      const lack =
        'the public key of the issuer is not in the archive: its blocks are not all here, or it is a contract'
      return { kind: 'unchecked', lack }
    }
    const newest = this.dueAt(issuedPeriod)
    const oldest = Math.max(0, issuedPeriod - this.options.frequencyPeriods - LATE_PERIODS + 1)
    const due: Period[] = []
    for (let each = newest; each >= oldest && each > 0; each -= this.options.frequencyPeriods) due.push(each)
    const others = Array.from({ length: issuedPeriod - oldest + 1 }, (_, i) => issuedPeriod - i)
    let unread: Period | undefined
    for (const period of [...due, ...others.filter((each) => !due.includes(each))]) {
      const text = await texts.read(period)
      if (text === undefined) unread ??= period - DRAW_LAG_PERIODS
      else if (verifyText(text, { publicKey, signature })) {
        return due.includes(period)
          ? { kind: 'drawn', period, signature }
          : { kind: 'forged', difference: { field: 'period', expected: due.join(' or '), found: `${period}` } }
      }
    }
    if (unread !== undefined) {
      return { kind: 'unchecked', lack: `the blocks of period ${unread}, which are signed, are not archived` }
    }
    const expected = `of ${challenge.issuer} in a period from ${oldest} to ${issuedPeriod}`
    return { kind: 'forged', difference: { field: 'signature', expected, found: 'of another key or period' } }
  }

  private dueAt(period: Period): Period {
    return Math.floor(period / this.options.frequencyPeriods) * this.options.frequencyPeriods
  }
}

/** What challengers sign in each period, read once. */
class DrawTexts {
  private readonly store: DrawAuditsModules['store']
  private readonly read_ = new Map<Period, string | undefined>()

  constructor(store: DrawAuditsModules['store']) {
    this.store = store
  }

  /** Undefined when the blocks are not archived here. */
  async read(period: Period): Promise<string | undefined> {
    if (!this.read_.has(period)) {
      const ids = await readBlockIds(this.store, period - DRAW_LAG_PERIODS)
      this.read_.set(period, ids && computeDrawText(period, ids))
    }
    return this.read_.get(period)
  }
}
