import { type Command, Option } from 'commander'
import { parseAddress, parseBlockId, parseEndorsementId, parseOperationId } from '../core/massa/atoms.ts'
import { add, type Run } from './add-command.ts'
import type { GetOptions, GetRequest } from './commands/get.ts'
import type { GetAddressOptions } from './commands/get-address.ts'
import type { GetChunkOptions } from './commands/get-chunk.ts'
import {
  collectGatewayUrl,
  collectRoot,
  parseChunkPrefix,
  parseGatewayUrl,
  parsePeriod,
  parseThread,
} from './parse-arguments.ts'

/** History with its proof. */
export function addGet(program: Command, run: Run): void {
  const example = 'massa-storage get slot 41 7'
  const get = add(program, 'get', 'Get a piece of history and verify it, from any archive.', example)
  const perform = (request: GetRequest, options: GetOptions, command: Command) =>
    run(async (context, signal) => (await import('./commands/get.ts')).getRecord(context, request, options, signal))(
      command,
    )
  addOne(get, 'block', 'Get a block by its id.', 'massa-storage get block B12LnGn6yQ...')
    .argument('<id>', 'id of the block')
    .action((id: string, options: GetOptions, command) => {
      parseBlockId(id)
      const question = () => ({ kind: 'block', id }) as const
      return perform({ path: `/v1/blocks/${id}`, name: `block ${id}`, question }, options, command)
    })
  addOne(get, 'operation', 'Get an operation by its id, and whether it succeeded.', 'massa-storage get operation O1...')
    .argument('<id>', 'id of the operation')
    .option('--also <url>', 'another archive to ask what became of it, repeatable', collectGatewayUrl)
    .action((id: string, options: GetOptions, command) => {
      parseOperationId(id)
      const question = () => ({ kind: 'operation', id }) as const
      return perform({ path: `/v1/operations/${id}`, name: `operation ${id}`, question }, options, command)
    })
  addOne(get, 'endorsement', 'Get an endorsement by its id.', 'massa-storage get endorsement E1...')
    .argument('<id>', 'id of the endorsement')
    .action((id: string, options: GetOptions, command) => {
      parseEndorsementId(id)
      const question = () => ({ kind: 'endorsement', id }) as const
      return perform({ path: `/v1/endorsements/${id}`, name: `endorsement ${id}`, question }, options, command)
    })
  addOne(get, 'slot', 'Get the block of a slot, or the proof that there was none.', example)
    .argument('<period>', 'period', parsePeriod)
    .argument('<thread>', 'thread, 0 to 31', parseThread)
    .action((period: number, thread: number, options: GetOptions, command) => {
      const slot = { period, thread }
      const question: GetRequest['question'] = ({ kind }) => ({
        kind: kind === 'block' ? 'block-at' : 'slot-empty',
        slot,
      })
      const name = `slot (${period}, ${thread})`
      return perform({ path: `/v1/slots/${period}/${thread}`, name, question }, options, command)
    })
  addOne(
    get,
    'address',
    'Get all that an address did in a range of periods, and the proof that nothing lacks.',
    'massa-storage get address AU12... --from-period 0',
  )
    .argument('<address>', 'address of a user or a contract')
    .option('--from-period <period>', 'first period; default: 1,023 before the last', parsePeriod)
    .option('--to-period <period>', 'last period; default: the last that is archived', parsePeriod)
    .action((address: string, options: GetAddressOptions, command) => {
      parseAddress(address)
      return run(async (context, signal) =>
        (await import('./commands/get-address.ts')).getAddress(context, address, options, signal),
      )(command)
    })
  addOne(get, 'period', 'Get what a period consists of.', 'massa-storage get period 41')
    .argument('<period>', 'period', parsePeriod)
    .action((period: number, options: GetOptions, command) => {
      const question = () => ({ kind: 'period', period }) as const
      return perform({ path: `/v1/periods/${period}`, name: `period ${period}`, question }, options, command)
    })
  addSource(
    get,
    'chunk',
    'Get the bytes of a chunk by its id.',
    'massa-storage get chunk d6076b... --fetch --out some.chunk',
  )
    .argument('<id>', 'chunk id; of the own archive also its first 6 or more hex digits', parseChunkPrefix)
    .option('--out <file>', 'where its bytes go; without it is shown what they are')
    .action((id: string, options: GetChunkOptions, command) =>
      run(async (context, signal) => (await import('./commands/get-chunk.ts')).getChunk(context, id, options, signal))(
        command,
      ),
    )
}

/** Which archive is asked. */
function addSource(get: Command, name: string, summary: string, example: string): Command {
  const fetch = new Option('--fetch', 'have the running sidecar fetch from others what it does not hold').conflicts(
    'from',
  )
  return add(get, name, summary, example)
    .option('--from <url>', 'an archive to ask, not the running sidecar', parseGatewayUrl)
    .addOption(fetch)
}

function addOne(get: Command, name: string, summary: string, example: string): Command {
  return addSource(get, name, summary, example)
    .option('--node <address>', 'gRPC address of a massa-node to ask which eras are anchored')
    .option('--registry <address>', 'another registry than the configured one')
    .option('--trust-root <era=root>', 'root of an era that you know, repeatable', collectRoot)
    .option('--no-verify', 'believe what it says')
}
