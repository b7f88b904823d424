import { statusToJson } from '../../core/index.ts'
import { plainMethod } from '../../telemetry/json-rpc/index.ts'
import { readArchiveStatus } from '../archive-status.ts'
import type { ArchiveMethod } from './archive-context.ts'

export const STATUS_METHODS: readonly ArchiveMethod[] = [
  plainMethod('get_status', async (context) => {
    const { node, signal } = context
    // It is for who sends, too: fees and the slot of now are the node's to say.
    return node ? node.call('get_status', [], signal) : statusToJson(await readArchiveStatus(context))
  }),
]
