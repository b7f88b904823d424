import { formatOperationId, parseOperationId } from '../../core/index.ts'
import type { HistoryOperation } from '../../storage-worker/index.ts'
import { checkCount, listMethod, operationId } from '../../telemetry/json-rpc/index.ts'
import { answerByIds } from './answer-by-ids.ts'
import type { ArchiveMethod, History } from './archive-context.ts'
import { archivedOperationToJson } from './archived-json.ts'

export const OPERATION_METHODS: readonly ArchiveMethod[] = [
  listMethod('get_operations', ['arg', operationId], (context, ids) => {
    checkCount(ids)
    return answerByIds(context, { method: 'get_operations', ids }, async (id) => {
      const found = await context.history.findOperation(parseOperationId(id))
      return found && archivedOperationToJson(found, await readOutcome(context.history, found))
    })
  }),
]

/** It is executed once: with the first block that has it, unless that came too late. */
async function readOutcome(
  history: History,
  { operation, inclusions }: HistoryOperation,
): Promise<boolean | undefined> {
  const operationId = formatOperationId(operation.id)
  for (const { slot } of inclusions) {
    const execution = await history.readExecution(slot)
    const outcome = execution?.outcomes.find((one) => one.operationId === operationId)?.outcome ?? 'unknown'
    if (outcome !== 'unknown') return outcome === 'success'
  }
  return undefined
}
