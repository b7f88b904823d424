import { type ArchivedPeriod, type Slot, type SpooledBlock, type StoreIdentity } from '../../core/index.ts'
export declare const TEST_IDENTITY: StoreIdentity
export interface SyntheticShape {
  readonly identity?: StoreIdentity
  readonly seed?: string
  /** Blocks, in threads 0, 1, ...; default 3. */
  readonly blocks?: number
  /** Per block; default 2. */
  readonly operations?: number
  /** Of each operation's bytecode; default 900. */
  readonly operationBytes?: number
  /** Every signature verifies; 0.1 ms each. Else they are noise. */
  readonly isSigned?: boolean
}
/** A period that parses and roots as a real one does; equal arguments give equal bytes. */
export declare function makePeriod(period: number, shape?: SyntheticShape): ArchivedPeriod
/** A block as the spool holds it. */
export declare function makeBlock(slot: Slot, shape?: SyntheticShape): SpooledBlock
/** Bytes that do not compress, the same for the same name. */
export declare function noise(name: string, lengthBytes: number): Uint8Array
