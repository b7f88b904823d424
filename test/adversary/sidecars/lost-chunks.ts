import { ChunkReader } from '../../../storage-worker/chunk-reader.ts'
import { twist } from './twist.ts'

/**
 * Has chunks read as if they were not on the disk, whoever asks for them.
 *
 * @param isLost - of this chunk id, 32 bytes
 * @param instead - what is read of a lost one; nothing by default
 */
export function loseChunks(
  isLost: (chunkId: Uint8Array) => boolean,
  instead: (chunkId: Uint8Array) => Promise<Uint8Array | undefined> = async () => undefined,
): void {
  twist<ChunkReader, ChunkReader['readChunk']>(ChunkReader, 'readChunk', (readChunk, self) => async (period, index) => {
    const chunkId = (await self.readManifest(period))?.chunks[index]?.chunkId
    if (!chunkId || !isLost(chunkId)) return await readChunk(period, index)
    return await instead(chunkId)
  })
}
