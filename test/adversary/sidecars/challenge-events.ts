import type { RegistryEvent } from '../../../core/index.ts'
import {
  ChainProver,
  type ChainProverModules,
  type ChainProverOptions,
} from '../../../storage-worker/challenge/chain-prover.ts'
import type { RegistryLogEntry } from '../../../storage-worker/registry-client.ts'
import { partsOf, tellDeed, twist } from './twist.ts'

export interface ProverParts {
  readonly options: ChainProverOptions
  readonly modules: ChainProverModules
}

type ChallengeEvent = Extract<RegistryEvent, { readonly name: 'CHALLENGE_ISSUED' | 'CHALLENGE_PASSED' }>

/** Tells of each challenge of whomever that is issued or passed, once the sidecar has noted it. */
export function onChallenge(
  name: ChallengeEvent['name'],
  act: (event: ChallengeEvent, isOwn: boolean, parts: ProverParts) => void,
): void {
  twist<ChainProver, (entry: RegistryLogEntry) => void>(ChainProver, 'note', (note, self) => (entry) => {
    note(entry)
    const { event } = entry
    if (event.name !== name) return
    const parts = partsOf<ProverParts>(self)
    act(event, event.nodeAddress === parts.options.address, parts)
  })
}

/** Leaves the registry. */
export function leave({ modules }: ProverParts, because: string): void {
  modules.sender.client.call('unregisterStorageNode', {}).then(
    () => tellDeed(`leaves, ${because}`),
    (error: unknown) => console.log('cannot leave', error),
  )
}
