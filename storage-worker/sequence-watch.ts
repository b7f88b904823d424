/**
 * Says which sequence numbers of a table's entries may not be those that LevelDB gave.
 *
 * The values of a period are written in one batch in the order of their keys, so LevelDB numbers them one after the other.
 * A number with a flipped bit continues neither of its neighbours: it is in doubt, and so is, without any damage, that of
 * an entry that was written alone.
 */
export class SequenceWatch<Block> {
  private readonly doubtful = new Set<Block>()
  /** Of the entry before: its block, absent when there is none, its number, and whether a neighbour speaks for it. */
  private block: Block | undefined
  private sequence = 0
  private isVouched = true

  /** Entries in the order of keys. */
  take(sequence: number, block: Block): void {
    const follows = this.block !== undefined && sequence === this.sequence + 1
    if (!follows) this.doubtLast()
    this.block = block
    this.sequence = sequence
    this.isVouched = follows
  }

  doubt(block: Block): void {
    this.doubtful.add(block)
  }

  /** Blocks with an entry that is in doubt. */
  finish(): Iterable<Block> {
    this.doubtLast()
    this.block = undefined
    return this.doubtful
  }

  private doubtLast(): void {
    if (this.block !== undefined && !this.isVouched) this.doubtful.add(this.block)
  }
}
