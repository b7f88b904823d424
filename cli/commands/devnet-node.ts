import { resolve } from 'node:path'
import { ArchiveError, SLOT_MS } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { makeControlRoutes, NodeProcess, readStoredGenesis, type Speed } from '../../devnet/node/index.ts'
import { CONTROL_TOKEN_ENV, makeToken, startLocalApi } from '../../devnet/up/index.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { readAccounts } from '../read-accounts.ts'

/** Five years: at speed 8 they last for eight months. */
const GENESIS_AGE_MS = 5 * 365 * 86_400_000
const DEFAULT_DIRECTORY = 'data/devnet-node'

export interface DevnetNodeOptions {
  readonly speed: Speed
  readonly grpcPort: number
  readonly jsonRpcPort: number
  readonly controlPort: number
  readonly chainId: bigint
  readonly seed: string
  /** Of a new chain, ms since 1970. */
  readonly genesis?: number
  /** JSON: address to nanoMAS. */
  readonly accounts?: string
  readonly broadcast: boolean
  readonly keepPeriods: number
  readonly endorsements: number
  readonly missRate: number
  readonly orphanRate: number
}

/** The embedded massa-node as a process of its own, until a signal. */
export async function devnetNode(context: Context, options: DevnetNodeOptions, signal: AbortSignal): Promise<number> {
  const { output, cwd, flags } = context
  const directory = resolve(cwd, `${flags.data_dir ?? DEFAULT_DIRECTORY}`)
  const { keepPeriods, endorsements, missRate, orphanRate, seed, chainId, speed } = options
  const node = await NodeProcess.start(
    {
      directory,
      chain: {
        genesisTimestampMs: (await readStoredGenesis(directory)) ?? chooseGenesis(options, systemClock.nowMs()),
        accounts: options.accounts === undefined ? [] : readAccounts(options.accounts, cwd),
        chainId,
        seed,
        missRate,
        orphanRate,
        endorsements,
        // As many as a quiet block needs in any setting: finality takes two periods and a bit of blocks.
        deltaF0: 64 * (1 + endorsements),
        forceKeepFinalPeriods: keepPeriods,
        forceKeepFinalPeriodsWithoutOps: Math.max(32, keepPeriods),
      },
      speed,
      // No sidecar believes a node that is ahead of the clock.
      isBoundToClock: true,
      ports: { grpc: options.grpcPort, jsonRpc: options.jsonRpcPort },
      enableBroadcast: options.broadcast,
    },
    systemClock,
  )
  try {
    const token = context.env[CONTROL_TOKEN_ENV] ?? makeToken()
    const control = await startLocalApi({ port: options.controlPort, token }, makeControlRoutes(node))
    try {
      const { chainId: id, genesisTimestampMs } = node.report()
      output.value({ grpcUrl: node.grpcUrl, jsonRpcUrl: node.jsonRpcUrl, controlUrl: control.url, token })
      output.line(`A devnet node answers: gRPC ${node.grpcUrl}, JSON-RPC ${node.jsonRpcUrl}.`)
      output.line(`Chain ${id}, genesis ${genesisTimestampMs}; control at ${control.url}, token ${token}.`)
      await Promise.race([node.failure, aborted(signal)])
    } finally {
      await control.close()
    }
  } finally {
    await node.stop()
  }
  return EXIT_CODES.ok.code
}

/**
 * The genesis of a new chain, ms since 1970: at speed 1 the present, so that whoever reckons periods by his own clock is
 * right; at others long ago, since chain time may run faster than the clock and must never pass it.
 *
 * @throws ArchiveError CLI_USAGE when one is given that is still to come
 */
export function chooseGenesis({ genesis, speed }: Pick<DevnetNodeOptions, 'genesis' | 'speed'>, nowMs: number): number {
  if (genesis !== undefined && genesis > nowMs) {
    throw new ArchiveError('CLI_USAGE', `--genesis ${genesis} is still to come: it is ${nowMs}`)
  }
  if (genesis !== undefined) return genesis
  return Math.floor((nowMs - (speed === 1 ? 0 : GENESIS_AGE_MS)) / SLOT_MS) * SLOT_MS
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
