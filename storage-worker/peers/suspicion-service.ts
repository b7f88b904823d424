import { compareBytes, parseAddress } from '../../core/index.ts'
import {
  MAX_TOLD_SUSPICIONS,
  type StreamService,
  type SuspicionRequest,
  suspicionRequestCodec,
  suspicionResponseCodec,
} from '../../protocol-handler/index.ts'
import type { Suspicion } from '../replication/suspicions.ts'

export interface SuspicionServiceModules {
  readonly listSuspicions: () => readonly Suspicion[]
  /** A whole number from 0 to below `maxExclusive`. */
  readonly random: (maxExclusive: number) => number
}

/** What nodes did not show to this one's audits: of each one chunk, another each time, so that in time all are told of. */
export function createSuspicionService(modules: SuspicionServiceModules): StreamService<SuspicionRequest> {
  return {
    request: suspicionRequestCodec,
    priorityOf: () => 'read',
    answer: async () => {
      const suspicions = pickOneOfEach(modules).map(({ address, period, index }) => {
        return { node: parseAddress(address), period, index }
      })
      suspicions.sort((a, b) => compareBytes(a.node, b.node))
      return [suspicionResponseCodec.encode({ status: 'ok', suspicions })]
    },
    refuse: (_, status) => [suspicionResponseCodec.encode({ status })],
  }
}

function pickOneOfEach({ listSuspicions, random }: SuspicionServiceModules): Suspicion[] {
  const byNode = new Map<string, Suspicion[]>()
  for (const suspicion of listSuspicions()) {
    byNode.set(suspicion.address, [...(byNode.get(suspicion.address) ?? []), suspicion])
  }
  const nodes = [...byNode.values()]
  const picked: Suspicion[] = []
  while (picked.length < MAX_TOLD_SUSPICIONS && nodes.length > 0) {
    const [ofNode = []] = nodes.splice(random(nodes.length), 1)
    const one = ofNode[random(ofNode.length)]
    if (one) picked.push(one)
  }
  return picked
}
