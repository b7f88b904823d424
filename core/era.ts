import { sha256 } from '#crypto'
import { toHex } from './bytes.ts'
import { ByteWriter } from './codec.ts'
import type { EraTotals } from './manifest.ts'

const ERA_TEXT_PREFIX = 'massa-storage/era/1:'

/** What a node says about an era when it signs for it to be anchored. */
export interface EraStatement extends Pick<EraTotals, 'era' | 'totalBytes' | 'totalChunks'> {
  readonly chainId: bigint
  /** Text of the registry's address; empty without a registry. */
  readonly contract: string
  /** 32 bytes, see `computeEraRoot` */
  readonly eraRoot: Uint8Array
  /** 32 bytes, of the placement of era + 1 */
  readonly nextPlacementRoot: Uint8Array
}

/** 32 bytes that bind everything an era signature stands for (docs/FORMAT.md, era signature). */
export function computeEraDigest(statement: EraStatement): Uint8Array {
  const writer = new ByteWriter(192).u64(statement.chainId).string(statement.contract).u64(BigInt(statement.era))
  writer.raw(statement.eraRoot).u64(statement.totalBytes).u64(statement.totalChunks).raw(statement.nextPlacementRoot)
  return sha256(writer.finish())
}

/** The text that a node signs with its Massa key, see `signText`. */
export function computeEraText(statement: EraStatement): string {
  return ERA_TEXT_PREFIX + toHex(computeEraDigest(statement))
}
