import { type Clock, Loop, type Network } from '../../core/index.ts'
import { haveResponseCodec } from '../../protocol-handler/index.ts'
import { runInSlices } from '../placement/run-in-slices.ts'
import { HaveDraft } from './have-draft.ts'
import { type ArchivedRange, eraOf, type OwnHoldings } from './own-holdings.ts'
import { Turns } from './turns.ts'

/** An era is read anew when a period of it comes, every 16 s; whoever asks is told at once what was made last. */
const LOOK_MS = 2_000
/** What changed without a note is seen then. */
const ANEW_MS = 600_000

export interface HaveMapModules {
  readonly holdings: Pick<OwnHoldings, 'changes' | 'readRange' | 'readEra'>
  /** Hash slots that are this node's duty, ascending; undefined while no placement is in force. */
  readonly listSlots: () => readonly number[] | undefined
  readonly clock: Clock
  /** The disk does not answer. */
  readonly onFailure: (error: unknown) => void
}

interface MadeMap {
  /** Encoded answers by their first hash slot. */
  readonly answers: ReadonlyMap<number, Uint8Array>
  readonly range: ArchivedRange
  readonly slots: readonly number[]
  readonly changes: number
  readonly atMs: number
}

/** What this node says that it holds of its hash slots, made anew when it has changed, and ready to be asked for. */
export class HaveMap {
  private readonly options: { readonly seed: Uint8Array; readonly network: Network }
  private readonly modules: HaveMapModules
  private readonly turns: Turns
  private readonly loop: Loop
  private newest: MadeMap | undefined
  /** Whoever was given its first page goes on in it. */
  private before: MadeMap | undefined
  private isEmpty = false

  /** @param options.seed - 32-byte secret of the Massa key that the node speaks for */
  constructor(options: { readonly seed: Uint8Array; readonly network: Network }, modules: HaveMapModules) {
    this.options = options
    this.modules = modules
    this.turns = new Turns(modules.clock)
    this.loop = new Loop(
      { everyMs: LOOK_MS },
      { clock: modules.clock, look: () => this.look(), onFailure: modules.onFailure },
    )
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Encoded HaveResponse with the page that begins at this hash slot; `busy` until the first map is made. */
  answer(fromHashSlot: number): Uint8Array {
    if (this.isEmpty) return haveResponseCodec.encode({ status: 'notHeld' })
    if (!this.newest) return haveResponseCodec.encode({ status: 'busy' })
    const page = this.newest.answers.get(fromHashSlot) ?? this.before?.answers.get(fromHashSlot)
    return page ?? haveResponseCodec.encode({ status: 'refused' })
  }

  /** Makes the map anew if something has changed. */
  async look(): Promise<void> {
    const { holdings, listSlots, clock } = this.modules
    const { changes } = holdings
    const range = await holdings.readRange()
    this.isEmpty = range === undefined
    if (!range) return
    const slots = listSlots()
    // Who was told of nothing would believe that for some time.
    if (!slots) return
    const atMs = clock.monotonicMs()
    if (this.newest && isSame(this.newest, { range, slots, changes }) && atMs - this.newest.atMs < ANEW_MS) return
    const draft = await this.draw(slots, range)
    if (!draft) return
    const pages = await runInSlices(draft.makePages(this.options, range.last))
    const answers = new Map<number, Uint8Array>()
    for (const page of pages) {
      await this.turns.give()
      answers.set(page.fromHashSlot, haveResponseCodec.encode({ status: 'ok', page }))
    }
    this.before = this.newest
    this.newest = { answers, range, slots, changes, atMs }
  }

  /** @returns undefined when it was stopped meanwhile */
  private async draw(slots: readonly number[], range: ArchivedRange): Promise<HaveDraft | undefined> {
    const [first, last] = [eraOf(range.first), eraOf(range.last)]
    let draft = new HaveDraft(slots)
    let best = draft
    if (slots.length === 0) return draft
    for (let era = last; era >= first; era--) {
      if (this.loop.signal.aborted) return undefined
      await this.turns.give()
      const held = await this.modules.holdings.readEra(era)
      if (draft.take(era, held)) continue
      // Too long a hole for all of it to be told: the side is told on which more is held.
      if (draft.heldEras > best.heldEras) best = draft
      draft = new HaveDraft(slots)
      draft.take(era, held)
    }
    return draft.heldEras > best.heldEras ? draft : best
  }
}

function isSame(a: Omit<MadeMap, 'answers' | 'atMs'>, b: Omit<MadeMap, 'answers' | 'atMs'>): boolean {
  const isSameRange = a.range.first === b.range.first && a.range.last === b.range.last
  return isSameRange && a.changes === b.changes && isEqual(a.slots, b.slots)
}

function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((slot, i) => slot === b[i]))
}
