import type { BackgroundCpuWork } from '../../archiver/cpu-pool.ts'
import type { SplitBody } from '../../core/index.ts'
import { computeSealsBytes, verifySeals } from '../sealed-body.ts'
import type { Fetched, PeerClient } from './peer-client.ts'

export interface TrueSealsModules {
  readonly client: Pick<PeerClient, 'fetchSeals'>
  readonly cpu: BackgroundCpuWork
  /** The peer gave forged SEALS, or those of another BODY. */
  readonly onWrong: (peer: string) => void
}

/**
 * SEALS of a BODY from one peer, each of their signatures verified: nothing else binds them.
 *
 * @param chunkId - of its chunk 0
 */
export async function fetchTrueSeals(
  peer: string,
  { chunkId, body }: { readonly chunkId: Uint8Array; readonly body: SplitBody },
  { client, cpu, onWrong }: TrueSealsModules,
): Promise<Fetched<Uint8Array>> {
  const answer = await client.fetchSeals(peer, chunkId, computeSealsBytes(body))
  if (answer.status !== 'ok') return answer
  const { status, value } = answer
  const verdict = value ? await verifySeals(value, body, cpu) : 'forged'
  if (value && verdict === 'true') return { status, value }
  if (verdict === 'unreadable') return { status: 'notHeld' }
  onWrong(peer)
  return { status: 'refused' }
}
