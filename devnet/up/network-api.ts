import { z } from 'zod'
import { isArchiveError } from '../../core/index.ts'
import { type LocalApi, type LocalRoute, startLocalApi } from '../local-api.ts'
import { MAX_SIDECARS, type Network } from './network.ts'

/** As `retention_periods`. */
const MAX_RETENTION_PERIODS = 1_000_000_000

const nothing = z.strictObject({})
const named = z.strictObject({ name: z.string().max(20) })
const killed = named.extend({ isToStay: z.boolean().default(false) })
const started = named.extend({ isEmpty: z.boolean().default(false) })
const parted = z.strictObject({ names: z.array(z.string().max(20)).min(1).max(MAX_SIDECARS) })
const added = z.strictObject({ retentionPeriods: z.int().min(0).max(MAX_RETENTION_PERIODS).default(0) })

/**
 * What `massa-storage devnet` asks of a running network.
 *
 * @param onDown - told when somebody wants it to end
 * @throws ArchiveError DEVNET_LISTEN_FAILED
 */
export async function startNetworkApi(network: Network, token: string, onDown: () => void): Promise<LocalApi> {
  const routes: Record<string, LocalRoute> = {
    // Says only that we run: it asks nobody, so that a node that stands still makes no network look dead.
    'GET /alive': () => {},
    'GET /network': () => network.report(),
    'POST /down': (body) => {
      nothing.parse(body)
      onDown()
    },
    'POST /add': async (body) => {
      return { name: await network.add(added.parse(body)) }
    },
    'POST /remove': (body) => network.remove(named.parse(body).name),
    'POST /kill': (body) => {
      const { name, isToStay } = killed.parse(body)
      network.signal(isToStay ? 'killForNow' : 'kill', name)
    },
    'POST /start': (body) => {
      const { name, isEmpty } = started.parse(body)
      network.startAgain(name, isEmpty)
    },
    'POST /part': (body) => network.part(parted.parse(body).names),
    'POST /join': (body) => {
      nothing.parse(body)
      network.join()
    },
    'POST /pause': (body) => network.signal('pause', named.parse(body).name),
    'POST /resume': (body) => network.signal('resume', named.parse(body).name),
  }
  try {
    return await startLocalApi({ port: network.controlPort, token }, routes)
  } catch (error) {
    // Somebody has got it since it was found to be free.
    if (!isArchiveError(error, 'DEVNET_LISTEN_FAILED') || !network.takesOtherPorts) throw error
    return startLocalApi({ port: 0, token }, routes)
  }
}
