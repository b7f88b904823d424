import type { FastifyInstance } from 'fastify'
import type { FinalPeriods } from '../../storage-worker/index.ts'
import { addAddressRoutes } from './address-routes.ts'
import { keepAnswers } from './answer-cache.ts'
import { addChunkRoutes } from './chunk-routes.ts'
import { addCompletenessRoutes } from './completeness-routes.ts'
import type { HistoryGateway } from './history-port.ts'
import { addIdRoutes } from './id-routes.ts'
import { addSlotRoutes } from './slot-routes.ts'
import { addStreamRoutes } from './stream-routes.ts'
import { openGatewayScope } from './typed-scope.ts'

export interface GatewayModules {
  /** undefined: this sidecar keeps no index. */
  readonly history: HistoryGateway | undefined
  /** Absent: nobody follows them. */
  readonly finals?: FinalPeriods | undefined
}

/**
 * History over HTTP, each answer with its proof on request (docs/API.md; docs/FORMAT.md, Proofs). Nothing here has to be
 * believed: who asks with `proof=true` verifies it. Refusals are problems of RFC 9457.
 */
export function addGatewayRoutes(server: FastifyInstance, { history, finals }: GatewayModules): void {
  openGatewayScope(server, (scope) => {
    if (history) keepAnswers(scope, () => history.version())
    addIdRoutes(scope, history)
    addSlotRoutes(scope, history)
    addAddressRoutes(scope, history)
    addChunkRoutes(scope, history)
    addCompletenessRoutes(scope, history)
    addStreamRoutes(scope, finals)
  })
}
