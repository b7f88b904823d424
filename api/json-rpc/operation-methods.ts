import { formatOperationId, parseOperationId } from '../../core/index.ts'
import type { HistoryOperation } from '../../storage-worker/index.ts'
import { checkCount, JsonList, listMethod, operationId } from '../../telemetry/json-rpc/index.ts'
import type { ArchiveMethod, History } from './archive-context.ts'
import { archivedOperationToJson } from './archived-json.ts'

export const OPERATION_METHODS: readonly ArchiveMethod[] = [
  listMethod('get_operations', ['arg', operationId], async ({ history, signal }, ids) => {
    checkCount(ids)
    const list = new JsonList()
    for (const id of ids) {
      signal.throwIfAborted()
      const found = await history.findOperation(parseOperationId(id))
      if (found) list.push(JSON.stringify(archivedOperationToJson(found, await readOutcome(history, found))))
    }
    return list.finish()
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
