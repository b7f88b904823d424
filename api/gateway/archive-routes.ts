import { sendFound } from './answer.ts'
import { archiveAnswer } from './answer-schemas.ts'
import { type HistoryGateway, needHistory } from './history-port.ts'
import type { GatewayScope } from './typed-scope.ts'

/** What there is; where a reader begins who has no id. */
export function addArchiveRoutes(scope: GatewayScope, history: HistoryGateway | undefined): void {
  const description = { summary: 'First and last archived period, and the latest ones.', answer: archiveAnswer }
  scope.get('/v1/archive', { config: { description } }, async (_request, reply) => {
    return sendFound(reply, 'a period', await needHistory(history).archive())
  })
}
