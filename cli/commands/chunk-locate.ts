import * as z from 'zod'
import { ArchiveError } from '../../core/errors.ts'
import { askNetwork } from '../ask-network.ts'
import { parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { COPY_DOUBTS, copyDoubt } from '../copy-doubts.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatCount } from '../output.ts'
import { shorten } from '../shorten.ts'

const locatedNode = z.object({
  address: z.string().nullable(),
  peer: z.string().nullable(),
  isOwn: z.boolean(),
  assigned: z.enum(['primary', 'replica']).nullable(),
  result: z.enum(['shown', 'notHeld', 'busy', 'refused', 'noAnswer', 'wrong', 'notConnected']),
  durationMs: z.number().nullable(),
  doubt: copyDoubt.nullable(),
})
type LocatedNode = z.infer<typeof locatedNode>

const located = z.object({
  chunkId: z.string(),
  hashSlot: z.int(),
  place: z.object({ period: z.int(), index: z.int(), bytes: z.int() }).nullable(),
  era: z.int().nullable(),
  leafIndex: z.int(),
  nodes: z.array(locatedNode),
})

const RESULTS: { readonly [R in LocatedNode['result']]: string } = {
  shown: 'shown',
  notHeld: 'not held',
  busy: 'busy',
  refused: 'refused',
  noAnswer: 'no answer',
  wrong: 'wrong',
  notConnected: 'not connected',
}

/** What stands beside address and peer in the table; of each at least so much is shown. */
const REST_COLUMNS = 38
const MIN_NAME = 12

/** Who has a chunk in truth: each node was asked for a leaf of it. */
export async function locateChunk(context: Context, idHex: string, signal: AbortSignal): Promise<number> {
  const { output } = context
  let isFound = true
  for await (const answer of askNetwork(context, { kind: 'locate-chunk', idHex }, signal)) {
    if (!('result' in answer)) continue
    if (answer.result === null) {
      const message = `no chunk of this archive begins with ${idHex}; of one that is not here give all 64 digits`
      throw new ArchiveError('CLI_NOT_FOUND', message)
    }
    const { chunkId, hashSlot, place, era, leafIndex, nodes } = parseAnswer(located, answer.result)
    output.value(answer.result)
    const where = place ? `chunk ${place.index} of period ${place.period}, ${place.bytes} bytes` : 'not in this archive'
    output.line(`chunk ${chunkId}, hash slot ${hashSlot}: ${where}`)
    const room = Math.max(MIN_NAME, ((output.columns ?? Number.POSITIVE_INFINITY) - REST_COLUMNS) / 2)
    output.table(
      [['node', 'peer', 'assigned', `leaf ${leafIndex}`, 'time'], ...nodes.map((node) => describeNode(node, room))],
      [false, false, false, false, true],
    )
    for (const { address, doubt } of nodes) {
      if (doubt) output.markedLine('yellow', `! ${address} does not count as a copy now: ${COPY_DOUBTS[doubt]}`)
    }
    if (era === null) output.remark('No placement is in force: nobody is assigned anything.')
    const holders = nodes.filter(({ assigned }) => assigned !== null)
    const shown = nodes.filter(({ result }) => result === 'shown')
    const byHolders = shown.filter(({ assigned }) => assigned !== null).length
    const ofThem = era === null ? '' : `, ${byHolders} of ${formatCount(holders.length, 'holder')} among them`
    isFound = shown.length > 0
    output.line(`shown by ${formatCount(shown.length, 'node')}${ofThem}`)
  }
  return isFound ? EXIT_CODES.ok.code : EXIT_CODES.notFound.code
}

function describeNode({ address, peer, isOwn, assigned, result, durationMs }: LocatedNode, room: number): string[] {
  const time = durationMs === null ? '' : `${durationMs} ms`
  const names = [address ?? 'says nothing yet', isOwn ? 'this node' : (peer ?? '-')]
  return [...names.map((name) => shorten(name, room)), assigned ?? '-', RESULTS[result], time]
}
