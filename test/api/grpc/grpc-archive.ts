import protobuf from 'protobufjs'
import { type ArchiveGrpcModules, startArchiveGrpc } from '../../../api/index.ts'
import { NodeClient } from '../../../archiver/index.ts'
import { type Network, slotToProtobuf } from '../../../core/index.ts'
import { PUBLIC_API_SCHEMA } from '../../../telemetry/grpc/message-schema.ts'
import type { ServiceBounds } from '../../../telemetry/grpc/service-bounds.ts'
import { GrpcCaller } from '../../devnet/grpc-caller.ts'

const schema = protobuf.parse(PUBLIC_API_SCHEMA, { keepCase: false }).root

/** Bytes of a message of the public API. */
export function encode(type: string, message: object): Uint8Array {
  const found = schema.lookupType(type)
  return found.encode(found.fromObject(message)).finish()
}

/** Plain values: 64-bit numbers as texts, bytes as base64. */
export function decode(type: string, bytes: Uint8Array): Record<string, unknown> {
  const found = schema.lookupType(type)
  return found.toObject(found.decode(bytes), { longs: String, bytes: String })
}

/** Filters of a range of slots; without an end it has none. */
export function rangeOf(start?: readonly [number, number], end?: readonly [number, number]) {
  const slot = ([period, thread]: readonly [number, number]) => slotToProtobuf({ period, thread })
  return { slotRange: { ...(start ? { startSlot: slot(start) } : {}), ...(end ? { endSlot: slot(end) } : {}) } }
}

export interface GrpcArchive {
  readonly url: string
  readonly caller: GrpcCaller
  /** The archiver's own. */
  readonly client: NodeClient
  /** Lets streams that wait for more look again. */
  look(): void
  /** Of the archive alone. */
  stop(): Promise<void>
  close(): Promise<void>
}

/** An archive behind its gRPC, a bare client and the archiver's. Time stands. */
export async function openGrpcArchive(
  {
    history,
    network,
    nowMs = 0,
    rates,
  }: Pick<ArchiveGrpcModules, 'history' | 'rates'> & { readonly network: Network; readonly nowMs?: number },
  bounds?: ServiceBounds,
): Promise<GrpcArchive> {
  const waiting = new Set<() => void>()
  const modules: ArchiveGrpcModules = {
    history,
    identity: { network, version: 'massa-storage/test', nodeId: 'N1' },
    nowMs: () => nowMs,
    rates,
    sleep: (_durationMs, signal) =>
      new Promise((resolve) => {
        waiting.add(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      }),
  }
  const server = await startArchiveGrpc(modules, { host: '127.0.0.1', port: 0 }, bounds)
  const caller = new GrpcCaller(server.url)
  const client = new NodeClient({ url: server.url, timeoutMs: 10_000 })
  return {
    url: server.url,
    caller,
    client,
    look: () => {
      for (const wake of waiting) wake()
      waiting.clear()
    },
    stop: () => server.stop(),
    close: async () => {
      client.close()
      caller.close()
      await server.stop()
    },
  }
}

/** All messages of a stream that ends; or the first `count`, and then it is left. */
export async function readStream(
  stream: ReturnType<GrpcCaller['open']>,
  count = Number.POSITIVE_INFINITY,
): Promise<Buffer[]> {
  const messages: Buffer[] = []
  stream.on('error', () => {})
  for await (const message of stream) {
    messages.push(message)
    if (messages.length === count) stream.cancel()
  }
  return messages
}
