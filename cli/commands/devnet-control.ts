import { resolve } from 'node:path'
import { ArchiveError } from '../../core/index.ts'
import { callLocalApi, findRunning } from '../../devnet/up/index.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'

/** An order for the node of the running network. @param order - of docs/DEVNET.md, Control; @param values - JSON */
export async function devnetControl(context: Context, order: string, values: string | undefined): Promise<number> {
  const { output, flags, cwd } = context
  const { running } = await findRunning(flags.data_dir === undefined ? undefined : resolve(cwd, `${flags.data_dir}`))
  const answer = await callLocalApi(running.node, `POST /control/${encodeURIComponent(order)}`, { body: parse(values) })
  output.value(answer)
  output.line(`${order}: done.`)
  return EXIT_CODES.ok.code
}

function parse(values: string | undefined): object {
  if (values === undefined) return {}
  try {
    const parsed: unknown = JSON.parse(values)
    if (typeof parsed === 'object' && parsed !== null) return parsed
  } catch {
    // Said below.
  }
  throw new ArchiveError('DEVNET_COMMAND_REFUSED', `'${values}' is not JSON such as {"thread":7}`)
}
