import { ArchiveError, CHUNK_SIZE_BYTES, isArchiveError } from '../core/index.ts'
import type { AnswerRoom } from './answer-room.ts'
import type { Bandwidth } from './bandwidth.ts'
import { type Frame, type FramedStream, frameBytes } from './framed-stream.ts'
import { MAX_REQUEST_MS, MAX_TAKING_MS } from './limits.ts'
import type { Refusal } from './messages/answer-status.ts'
import type { WireCodec } from './messages/wire-codec.ts'
import type { PeerLimits } from './peer-limits.ts'
import type { Offence } from './peer-scores.ts'
import { verdictOf } from './verdict.ts'
import type { Priority, WorkQueue } from './work-queue.ts'

/** How long a peer is waited for. */
export interface Patience {
  /** For a whole request: a stream on which nobody asks is ended, and so is one whose requests drip. */
  readonly idleMs: number
  /** For an answer to be taken: a reader that takes nothing, or a byte now and then, is cut off. */
  readonly writeMs: number
}

export const USUAL_PATIENCE: Patience = { idleMs: MAX_REQUEST_MS, writeMs: MAX_TAKING_MS }

/** How requests of one kind are answered. */
export interface StreamService<Q, F extends Frame = Uint8Array> {
  readonly request: WireCodec<Q>
  readonly priorityOf: (request: Q) => Priority
  /**
   * Encoded frames of the answer.
   *
   * @param onRead told of bytes that had to be read to make it: they cost the peer as if they were sent, too
   */
  readonly answer: (request: Q, peer: string, onRead?: (bytes: number) => void) => Promise<readonly F[]>
  /** The same number of frames that say why there is no answer. */
  readonly refuse: (request: Q, why: Refusal) => readonly F[]
}

export interface ServeModules {
  readonly limits: PeerLimits
  readonly queue: WorkQueue
  /** Strangers come behind those whom the registry knows. Undefined: nobody is told from strangers. */
  readonly isStranger?: (peer: string) => boolean
  /** Undefined: as fast as the line is. */
  readonly bandwidth?: Bandwidth | undefined
  readonly patience: Patience
  readonly room: AnswerRoom
  readonly onOffence: (peer: string, offence: Offence) => void
  /** What is a bug of ours, or a failure of the disk: the peer is told that we are busy. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Answers the requests of one stream in their order until the peer ends it, is silent, or goes too far. Never throws.
 *
 * While an answer is being taken the next one is made, so that disk and network work at the same time; no third one.
 */
export async function serveStream<Q>(
  service: StreamService<Q, Frame>,
  frames: FramedStream,
  peer: string,
  modules: ServeModules,
): Promise<void> {
  const { limits, bandwidth, onOffence, patience, room } = modules
  if (!limits.openStream(peer)) {
    frames.abort(new ArchiveError('PROTOCOL_PEER_LIMIT', 'too many streams'))
    return onOffence(peer, 'limit')
  }
  let taken: Promise<void> = Promise.resolve()
  const send = async (answer: readonly Frame[], priority: Priority | undefined): Promise<void> => {
    for (const frame of answer) {
      const bytes = frameBytes(frame)
      if (priority) await bandwidth?.take(priority, peer, bytes)
      else bandwidth?.spend(bytes)
      limits.onCost(peer, bytes)
      await frames.write(frame, patience.writeMs)
    }
  }
  try {
    for (;;) {
      const bytes = await frames.read(patience.idleMs)
      if (!bytes) break
      bandwidth?.spend(bytes.length)
      const request = service.request.decode(bytes)
      const admission = limits.admit(peer)
      if (admission === 'ignore') continue
      if (admission === 'cut') throw new ArchiveError('PROTOCOL_PEER_LIMIT', 'too many requests')
      const isBusy = admission === 'busy' || bandwidth?.isBehind(peer) || room.isFull(peer)
      const priority = isBusy ? undefined : rank(service.priorityOf(request), modules.isStranger?.(peer))
      const answer = priority
        ? await answerOne(service, { request, peer, priority }, modules)
        : service.refuse(request, 'busy')
      // It waits until the one before was taken, and then until it is itself.
      const release = room.hold(
        peer,
        answer.reduce((sum, frame) => sum + frameBytes(frame), 0),
      )
      const before = taken
      taken = before.then(() => send(answer, priority)).finally(release)
      // Whoever takes nothing is not read any more either.
      taken.catch((error) => frames.abort(error))
      await before
    }
    await taken
    await frames.close(patience.writeMs)
  } catch (error) {
    frames.abort(error)
    if (isArchiveError(error, 'PROTOCOL_PEER_LIMIT')) onOffence(peer, 'limit')
    else if (verdictOf(error) === 'reject') onOffence(peer, 'reject')
    else if (verdictOf(error) === undefined) modules.onFailure(error)
  } finally {
    limits.closeStream(peer)
  }
}

async function answerOne<Q>(
  service: StreamService<Q, Frame>,
  { request, peer, priority }: { readonly request: Q; readonly peer: string; readonly priority: Priority },
  { limits, queue, room, onFailure }: ServeModules,
): Promise<readonly Frame[]> {
  // How long it will be is not known: as a rule no longer than a chunk.
  const release = room.hold(peer, CHUNK_SIZE_BYTES)
  try {
    const onRead = (bytes: number): void => limits.onCost(peer, bytes)
    return await queue.add(priority, () => service.answer(request, peer, onRead), peer)
  } catch (error) {
    if (!isArchiveError(error, 'PROTOCOL_QUEUE_FULL')) {
      // What is damaged was read as well, and how much of it is not known: as a rule a chunk.
      limits.onCost(peer, CHUNK_SIZE_BYTES)
      onFailure(error)
    }
    return service.refuse(request, 'busy')
  } finally {
    release()
  }
}

function rank(priority: Priority, isStranger = false): Priority {
  return isStranger && priority !== 'backfill' ? 'read' : priority
}
