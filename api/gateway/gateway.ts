import type { FastifyInstance } from 'fastify'
import { ArchiveError, type ChunkStore } from '../../core/index.ts'
import type { FinalPeriods } from '../../storage-worker/index.ts'
import { allowOrigins } from '../cross-origin.ts'
import { CallGate } from '../json-rpc/call-gate.ts'
import { boundMessages } from '../json-rpc/message-budget.ts'
import { limitRates, type RateLimit } from '../rate-limit.ts'
import { addAddressRoutes } from './address-routes.ts'
import { keepAnswers } from './answer-cache.ts'
import { tagAnswers } from './answer-tags.ts'
import { addArchiveRoutes } from './archive-routes.ts'
import { addChunkRoutes } from './chunk-routes.ts'
import { addCompletenessRoutes } from './completeness-routes.ts'
import { addExportRoutes, type ExportModules } from './export-routes.ts'
import type { HistoryGateway } from './history-port.ts'
import { addIdRoutes } from './id-routes.ts'
import { describeRoutes } from './openapi.ts'
import { describeRefusal, PROBLEM_TYPE } from './problem.ts'
import { addRawRoutes } from './raw-routes.ts'
import { costOf } from './request-cost.ts'
import { addSearchRoutes } from './search-routes.ts'
import { addSlotRoutes } from './slot-routes.ts'
import { addStreamRoutes } from './stream-routes.ts'
import { openGatewayScope } from './typed-scope.ts'

export interface GatewayModules {
  /** undefined: this sidecar keeps no index. */
  readonly history: HistoryGateway | undefined
  /** Absent: nobody follows them. */
  readonly finals?: FinalPeriods | undefined
  /** Absent: nothing raw is given. */
  readonly store?: ChunkStore | undefined
  readonly findAnchor?: ExportModules['findAnchor']
  /** Absent: anybody may ask as often as he likes. */
  readonly rates?: RateLimit | undefined
  /** Whose pages may read here; absent: none but our own. */
  readonly allowedOrigins?: readonly string[] | undefined
}

/** What has a whole period in memory, or much of one. */
const HEAVY = { running: 2, waiting: 62 }
/** Each has the chunks of a period in memory; their work is done one by one in any case. */
const PROOFS = { running: 8, waiting: 248 }
/** Of long answers that clients have not taken up yet. */
const MESSAGE_BYTES = 256 * 1024 * 1024

/**
 * History over HTTP, each answer with its proof on request (docs/API.md; docs/FORMAT.md, Proofs). Nothing here has to be
 * believed: who asks with `proof=true` verifies it. Refusals are problems of RFC 9457.
 */
export function addGatewayRoutes(server: FastifyInstance, modules: GatewayModules): void {
  const { history, finals, store, rates, allowedOrigins = [] } = modules
  const proofs = new CallGate(PROOFS, () => busy('others wait for proofs already'))
  const gate = new CallGate(HEAVY, () => busy('others wait for long answers already'))
  const noRoom = { type: PROBLEM_TYPE, text: JSON.stringify(describeRefusal(busy('other long answers are under way'))) }
  openGatewayScope(server, (scope) => {
    allowOrigins(scope, allowedOrigins)
    if (rates) limitRates(scope, rates, costOf)
    if (history) keepAnswers(scope, () => history.version())
    tagAnswers(scope)
    boundMessages(scope, MESSAGE_BYTES, noRoom)
    describeRoutes(scope)
    addArchiveRoutes(scope, history)
    addIdRoutes(scope, { history, proofs })
    addSlotRoutes(scope, { history, proofs })
    addAddressRoutes(scope, { history, proofs })
    addChunkRoutes(scope, history)
    addCompletenessRoutes(scope, { history, gate })
    addSearchRoutes(scope, history)
    addStreamRoutes(scope, finals)
    if (!store) return
    addRawRoutes(scope, { store, gate })
    addExportRoutes(scope, { ...modules, store })
  })
}

function busy(why: string): ArchiveError {
  return new ArchiveError('API_BUSY', why, { retryAfterS: 1 })
}
