import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BlockIdText,
  computeEndorsementHash,
  computeEndorsementSignedHash,
  computeHeaderSignedHash,
  encodeEndorsementContent,
  headerFromProtobuf,
  operationFromProtobuf,
  parseBlockId,
  parseOperationId,
  RawFilledBlockCodec,
  SignedBlockHeaderCodec,
  SignedOperationCodec,
  type Slot,
} from '../../core/index.ts'
import { type ChainOptions, encodeFilledBlock, makeChain } from '../../devnet/index.ts'

/** A block as a node sends it. */
export interface BenchBlock {
  readonly slot: Slot
  readonly id: BlockIdText
  /** FilledBlock */
  readonly message: Uint8Array
}

/** Key, signed hash, signature of every signature, 32 + 32 + 64 bytes each. */
export const SIGNATURE_RECORD_BYTES = 128

const HEAD_BYTES = 10
/** What chains are made with changed: those in the cache are of no use any more. */
const CACHE_VERSION = 1

/** Blocks of a made chain in the order of slots; kept in the folder for temporary files, since signing takes long. */
export async function makeBenchBlocks(options: ChainOptions): Promise<BenchBlock[]> {
  const text = JSON.stringify({ ...options, version: CACHE_VERSION }, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  const name = createHash('sha256').update(text).digest('hex').slice(0, 16)
  const path = join(tmpdir(), `massa-storage-bench-chain-${name}.bin`)
  if (existsSync(path)) return decodeBlocks(await readFile(path))
  const blocks = [...makeChain(options).blocks.values()].map((block) => ({
    slot: block.slot,
    id: block.id,
    message: encodeFilledBlock(block),
  }))
  // Under another name first: a run that was stopped leaves no half a chain.
  await writeFile(`${path}.${process.pid}`, encodeBlocks(blocks))
  await rename(`${path}.${process.pid}`, path)
  return blocks
}

/** Per block: u32 period, u8 thread, u8 length of the id text, u32 length of the message; then the two. */
export function encodeBlocks(blocks: readonly BenchBlock[]): Buffer {
  return Buffer.concat(
    blocks.flatMap(({ slot, id, message }) => {
      const head = Buffer.alloc(HEAD_BYTES)
      head.writeUInt32BE(slot.period)
      head.writeUInt8(slot.thread, 4)
      head.writeUInt8(id.length, 5)
      head.writeUInt32BE(message.length, 6)
      return [head, Buffer.from(id), message]
    }),
  )
}

/** What `encodeBlocks` wrote, however it was cut on its way. */
export async function* readBlocks(parts: AsyncIterable<Buffer>): AsyncGenerator<BenchBlock> {
  let held: Buffer[] = []
  let heldBytes = 0
  let wantedBytes = HEAD_BYTES
  for await (const part of parts) {
    held.push(part)
    heldBytes += part.length
    if (heldBytes < wantedBytes) continue
    let rest = Buffer.concat(held)
    for (wantedBytes = blockBytes(rest); rest.length >= wantedBytes; wantedBytes = blockBytes(rest)) {
      yield decodeBlock(rest.subarray(0, wantedBytes))
      rest = rest.subarray(wantedBytes)
    }
    held = [rest]
    heldBytes = rest.length
  }
}

function decodeBlocks(bytes: Buffer): BenchBlock[] {
  const blocks: BenchBlock[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + blockBytes(bytes.subarray(at))
    blocks.push(decodeBlock(bytes.subarray(at, end)))
    at = end
  }
  return blocks
}

/** Of the block that begins here; what its head takes when that is not there yet. */
function blockBytes(bytes: Buffer): number {
  return bytes.length < HEAD_BYTES ? HEAD_BYTES : HEAD_BYTES + bytes.readUInt8(5) + bytes.readUInt32BE(6)
}

function decodeBlock(bytes: Buffer): BenchBlock {
  const idEnd = HEAD_BYTES + bytes.readUInt8(5)
  return {
    slot: { period: bytes.readUInt32BE(0), thread: bytes.readUInt8(4) },
    id: bytes.toString('latin1', HEAD_BYTES, idEnd) as BlockIdText,
    // Memory of its own, as what comes off a socket has.
    message: new Uint8Array(bytes.subarray(idEnd)),
  }
}

/** All that the archiver verifies of a block: header, endorsements, operations, in SIGNATURE_RECORD_BYTES each. */
export function listSignatures({ id, message }: BenchBlock): Uint8Array[] {
  const { header: headerBytes, operations } = RawFilledBlockCodec.decode(message)
  const { publicKey, signature, content } = headerFromProtobuf(
    SignedBlockHeaderCodec.decode(headerBytes ?? new Uint8Array()),
  )
  const records = [
    record(publicKey, computeHeaderSignedHash(publicKey, content.slot, parseBlockId(id).subarray(1)), signature),
  ]
  const endorsedBlock = content.parents[content.slot.thread] ?? new Uint8Array()
  for (const { publicKey, signature, index } of content.endorsements) {
    const endorsement = { slot: content.slot, index, endorsedBlock }
    const hash = computeEndorsementHash(publicKey, encodeEndorsementContent(endorsement))
    records.push(record(publicKey, computeEndorsementSignedHash(publicKey, endorsement, hash), signature))
  }
  for (const { operationId, operation } of operations ?? []) {
    const form = operationFromProtobuf(SignedOperationCodec.decode(operation ?? new Uint8Array()))
    records.push(record(form.publicKey, parseOperationId(operationId ?? '').subarray(1), form.signature))
  }
  return records
}

function record(publicKey: Uint8Array, hash: Uint8Array, signature: Uint8Array): Uint8Array {
  return Buffer.concat([publicKey.subarray(1), hash, signature.subarray(1)])
}
