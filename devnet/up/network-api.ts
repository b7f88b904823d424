import { z } from 'zod'
import { isArchiveError } from '../../core/index.ts'
import { type LocalApi, type LocalRoute, startLocalApi } from '../local-api.ts'
import type { Network } from './network.ts'

const nothing = z.strictObject({})
const named = z.strictObject({ name: z.string().max(20) })

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
      nothing.parse(body)
      return { name: await network.add() }
    },
    'POST /remove': (body) => network.remove(named.parse(body).name),
    'POST /kill': (body) => network.signal('kill', named.parse(body).name),
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
