import type { RegistryChallenge } from '../../../core/index.ts'
import { ChainProver } from '../../../storage-worker/challenge/chain-prover.ts'
import { Prover } from '../../../storage-worker/challenge/prover.ts'
import { computeSlotTimeMs } from '../../../storage-worker/challenge/registry-log.ts'
import type { ProverParts } from './challenge-events.ts'
import { partsOf, runTwisted, tellDeed, twist } from './twist.ts'

const LOOK_MS = 1_000

type Due = readonly RegistryChallenge[]

twist<ChainProver, (due: Due) => Promise<void>>(ChainProver, 'prove', (prove, self) => async (due) => {
  const { options, modules, loop } = partsOf<ProverParts & { readonly loop: { readonly signal: AbortSignal } }>(self)
  const { registryLog, clock } = modules
  const lastMs = Math.max(...due.map(({ deadline }) => Number(deadline)))
  const readMs = () => computeSlotTimeMs(options.network, { period: registryLog.period ?? 0, thread: 0 })
  while (readMs() <= lastMs && !loop.signal.aborted) await clock.sleep(LOOK_MS, loop.signal)
  tellDeed(`answers ${due.length} challenges after their deadline`)
  await prove(due)
})
// Nor by libp2p.
twist<Prover, () => Promise<undefined>>(Prover, 'findTerms', () => async () => undefined)
await runTwisted()
