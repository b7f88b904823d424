import assert from 'node:assert/strict'
import { longDisconnect } from '../../../devnet/scenarios/long-disconnect.ts'
import type { Stage } from '../../../devnet/scenarios/stage.ts'

/** A network of one sidecar, whose node remembers so many periods; what is final grows as somebody waits for it. */
class FakeStage {
  readonly link = { order: async () => {} }
  isPaused = false
  private readonly memoryPeriods: number
  private final = 100
  private pausedAt: number | undefined
  private gaps = 0

  constructor(memoryPeriods: number) {
    this.memoryPeriods = memoryPeriods
  }

  async order(order: string, _name: string): Promise<void> {
    this.isPaused = order === 'pause'
    if (this.isPaused) this.pausedAt = this.final
    else if (this.pausedAt !== undefined && !(await this.isRemembered(this.pausedAt + 1))) this.gaps++
  }

  async report() {
    return { sidecars: [{ name: 'sidecar-1', gaps: this.gaps }] }
  }

  async node() {
    return { finalSlot: { period: this.final, thread: 0 } }
  }

  async nextPeriod(): Promise<number> {
    return this.final + 3
  }

  async until(_what: string, holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) this.final++
  }

  async untilFinal(period: number): Promise<void> {
    this.final = Math.max(this.final, period + 1)
  }

  async isRemembered(period: number): Promise<boolean> {
    return this.final - period <= this.memoryPeriods
  }

  async untilArchived(): Promise<void> {}
  async checkArchives(): Promise<void> {}
}

describe('devnet/scenarios/long-disconnect', () => {
  for (const memoryPeriods of [6, 30, 1_000]) {
    it(`comes back to a node that has forgotten, when that remembers ${memoryPeriods} periods`, async () => {
      await longDisconnect.play(new FakeStage(memoryPeriods) as unknown as Stage)
    })
  }

  it('error: does not wait for ever for a node that never forgets, nor leaves anybody paused', async () => {
    const stage = new FakeStage(Number.POSITIVE_INFINITY)
    await assert.rejects(longDisconnect.play(stage as unknown as Stage), /does not forget/)
    assert.equal(stage.isPaused, false)
  })
})
