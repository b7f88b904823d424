import type { RegistryEvent } from '../../../core/index.ts'
import {
  ChainProver,
  type ChainProverModules,
  type ChainProverOptions,
} from '../../../storage-worker/challenge/chain-prover.ts'
import { partsOf, tellDeed, twist } from './twist.ts'

export interface ProverParts {
  readonly options: ChainProverOptions
  readonly modules: ChainProverModules
}

type ChallengeEvent = Extract<RegistryEvent, { readonly name: 'CHALLENGE_ISSUED' | 'CHALLENGE_PASSED' }>

/** Tells once of each challenge of whomever that is issued or passed. */
export function onChallenge(
  name: ChallengeEvent['name'],
  act: (event: ChallengeEvent, isOwn: boolean, parts: ProverParts) => void,
): void {
  twist<ChainProver, ChainProver['start']>(ChainProver, 'start', (start, self) => () => {
    const parts = partsOf<ProverParts>(self)
    // Told once more when it is final.
    const told = new Set<string>()
    parts.modules.registryLog.listen(({ event }) => {
      if (event.name !== name || told.has(event.challengeId)) return
      told.add(event.challengeId)
      act(event, event.nodeAddress === parts.options.address, parts)
    })
    return start()
  })
}

/** Leaves the registry. */
export function leave({ modules }: ProverParts, because: string): void {
  modules.sender.client.call('unregisterStorageNode', {}).then(
    () => tellDeed(`leaves, ${because}`),
    (error: unknown) => console.log('cannot leave', error),
  )
}
