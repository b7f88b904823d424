import type { QueryRequest } from '../../api/index.ts'
import { ArchiveError, parseBlockId, parseOperationId } from '../../core/index.ts'
import { queryArchive } from '../archive-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatCount } from '../output.ts'
import { renderRecord } from '../render-record.ts'
import { type InspectedPeriod, renderPeriod } from './render-period.ts'

/** Shows one thing of the archive. @throws ArchiveError CLI_NOT_FOUND, CORE_BASE58_INVALID */
export async function inspect(
  context: Context,
  what: { readonly request: QueryRequest; readonly name: string },
  signal: AbortSignal,
): Promise<number> {
  checkId(what.request)
  const { output } = context
  const progress = output.progress(`Looking for ${what.name.slice(0, 18)}`)
  let most = 0
  let passedOver: PassedOver | undefined
  for await (const answer of queryArchive(context.load().config, what.request, signal)) {
    if ('progress' in answer) {
      const { period, remaining } = answer.progress as { period: number; remaining: number }
      most = Math.max(most, remaining)
      progress.update(most - remaining, most, `period ${period}`)
    }
    if ('row' in answer) passedOver = (answer.row as { passedOver: PassedOver }).passedOver
    if (!('result' in answer)) continue
    progress.end()
    if (answer.result === null) {
      const where = passedOver
        ? `not in what this archive holds whole; passed over, since not all of their chunks are here: ${describe(passedOver)}`
        : 'not in this archive'
      throw new ArchiveError('CLI_NOT_FOUND', `${what.name} is ${where}`)
    }
    output.value(answer.result)
    const { unreadablePeriods: unreadable, ...shown } = answer.result as { readonly unreadablePeriods?: number[] }
    if (what.request.kind === 'inspect-period') renderPeriod(output, answer.result as InspectedPeriod)
    else for (const line of renderRecord(shown)) output.line(line)
    if (unreadable) {
      const periods = formatCount(unreadable.length, 'newer period')
      output.warn(`${periods} cannot be read (${unreadable.join(', ')}): 'massa-storage verify --repair' may mend that`)
    }
  }
  return EXIT_CODES.ok.code
}

interface PassedOver {
  readonly periods: number
  readonly from: number
  readonly to: number
}

function describe({ periods, from, to }: PassedOver): string {
  return periods === 1 ? `period ${from}` : `${formatCount(periods, 'period')} of ${from} to ${to}`
}

/** A text that is no id at all is wrong usage, not a thing that the archive lacks. */
function checkId(request: QueryRequest): void {
  if (request.kind === 'inspect-block') parseBlockId(request.id)
  if (request.kind === 'inspect-operation') parseOperationId(request.id)
}
