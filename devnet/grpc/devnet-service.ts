import { Metadata, type ServerUnaryCall } from '@grpc/grpc-js'
import { ArchiveError } from '../../core/index.ts'
import { findHttp2Stream } from '../../telemetry/grpc/http2-stream.ts'
import {
  type PublicServiceHandlers,
  type PublicServiceServer,
  startPublicService,
  type TakeCall,
} from '../../telemetry/grpc/public-service.ts'
import type { UnaryRpc } from '../../telemetry/grpc/rpc-names.ts'

/** What a stalled unary answer says of its length, and how often one more byte of it comes. */
const DRIP_ANSWER_BYTES = 1024 * 1024
const DRIP_INTERVAL_MS = 20

/** `hang` never answers; `drip` announces an answer and sends it a byte at a time. */
export type UnaryAnswer = Uint8Array | 'hang' | 'drip'

export interface DevnetHandlers extends Omit<PublicServiceHandlers, 'answer'> {
  /** Throws RpcError to refuse. @param caller - address of the connection that asks */
  answer(rpc: UnaryRpc, request: Uint8Array, caller: string): UnaryAnswer | Promise<UnaryAnswer>
}

/**
 * A node's public gRPC service that can be made to fail.
 *
 * @param options - `port` 0 takes any free one
 * @throws ArchiveError DEVNET_LISTEN_FAILED
 */
export async function startDevnetService(
  handlers: DevnetHandlers,
  address: { readonly host: string; readonly port: number },
): Promise<PublicServiceServer> {
  const answer = async (...asked: Parameters<DevnetHandlers['answer']>) => toServed(await handlers.answer(...asked))
  const spoilt: PublicServiceHandlers = {
    answer,
    subscribe: (rpc, subscriber) => handlers.subscribe(rpc, subscriber),
    ...(handlers.converse ? { converse: handlers.converse.bind(handlers) } : {}),
  }
  try {
    return await startPublicService(spoilt, address)
  } catch (error) {
    const text = `cannot listen on ${address.host}:${address.port}: ${error instanceof Error ? error.message : error}`
    throw new ArchiveError('DEVNET_LISTEN_FAILED', text, { ...address }, error)
  }
}

function toServed(answer: UnaryAnswer): Uint8Array | TakeCall {
  if (answer === 'hang') return () => {}
  return answer === 'drip' ? dripAnswer : answer
}

/** grpc-js only sends whole messages, so a half-sent one is written to the HTTP/2 stream under it. */
function dripAnswer(call: ServerUnaryCall<Buffer, Buffer>): void {
  const stream = findHttp2Stream(call)
  call.sendMetadata(new Metadata())
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(DRIP_ANSWER_BYTES, 1)
  stream.write(prefix)
  const timer = setInterval(() => stream.writable && stream.write(Buffer.alloc(1)), DRIP_INTERVAL_MS)
  stream.once('close', () => clearInterval(timer))
}
