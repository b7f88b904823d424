/**
 * Says which sequence numbers of a table's entries may not be those that LevelDB gave.
 *
 * The values of a period are written in one batch in the order of their keys, so LevelDB numbers them one after the other.
 * A number with a flipped bit continues neither of its neighbours: it is in doubt, and so is, without any damage, that of
 * an entry that was written alone.
 */
export class SequenceWatch<Block> {
  private readonly doubtful = new Set<Block>()
  private last: { readonly sequence: number; readonly block: Block; readonly isVouched: boolean } | undefined

  /** Entries in the order of keys. */
  take(sequence: number, block: Block): void {
    const { last } = this
    const follows = last !== undefined && sequence === last.sequence + 1
    if (last && !last.isVouched && !follows) this.doubtful.add(last.block)
    this.last = { sequence, block, isVouched: follows }
  }

  doubt(block: Block): void {
    this.doubtful.add(block)
  }

  /** Blocks with an entry that is in doubt. */
  finish(): Iterable<Block> {
    if (this.last && !this.last.isVouched) this.doubtful.add(this.last.block)
    this.last = undefined
    return this.doubtful
  }
}
