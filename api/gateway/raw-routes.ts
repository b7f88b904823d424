import * as z from 'zod'
import { crc32 } from '#crc32'
import { nameNetwork } from '../../config/networks.ts'
import { type ChunkStore, ERA_PERIODS, formatFileName, toHex } from '../../core/index.ts'
import { makePeriodFile } from '../../storage-worker/archive-file/period-file.ts'
import { computeLocalEra } from '../../storage-worker/eras/local-era.ts'
import type { CallGate } from '../json-rpc/call-gate.ts'
import { CHANGING, isGone, periodParams, wholeNumber } from './answer.ts'
import { eraAnswer } from './answer-schemas.ts'
import { RANGE_HEADERS } from './openapi.ts'
import { sendProblem } from './problem.ts'
import { BYTES, sendBytes } from './send-bytes.ts'
import type { GatewayScope } from './typed-scope.ts'

const eraParams = z.object({ era: wholeNumber(0xffff_ffff) })

/**
 * What roots are made of, for who computes them himself.
 *
 * - `GET /period/{n}` an archive file of this period: manifest, chunks, SEALS, execution results (docs/FORMAT.md, Archive files)
 * - `GET /era/{n}` totals and the 128 period roots of an era that is whole here
 */
export function addRawRoutes(scope: GatewayScope, { store, gate }: { store: ChunkStore; gate: CallGate }): void {
  const period = {
    schema: { params: periodParams },
    config: {
      description: { summary: 'A period as an archive file (.mhs).', answer: [BYTES], headers: RANGE_HEADERS },
    },
  }
  scope.get('/period/:period', period, async (request, reply) => {
    const { period } = request.params
    if (!(await store.readManifest(period))) {
      return sendProblem(reply, 404, 'API_HISTORY_UNKNOWN', `period ${period} is not in this archive`)
    }
    const { bytes, root } = await gate.run(() => makePeriodFile(store, period), isGone(reply))
    const fileName = formatFileName(nameNetwork(store.identity.network), { first: period, last: period }, root)
    // The root does not bind signatures and execution results.
    const tag = `${toHex(root)}-${crc32(bytes).toString(16)}`
    return sendBytes(request, reply, { bytes, tag, type: BYTES, caching: CHANGING, fileName })
  })
  const era = {
    schema: { params: eraParams },
    config: {
      description: { summary: 'What the root of an era is made of.', answer: eraAnswer, headers: RANGE_HEADERS },
    },
  }
  scope.get('/era/:era', era, async (request, reply) => {
    const { era } = request.params
    const { totals, missing } = await gate.run(() => computeLocalEra(store, era), isGone(reply))
    if (!totals) {
      const why = `${missing.length} of its ${ERA_PERIODS} periods are not, ${missing[0]} first`
      return sendProblem(reply, 404, 'API_HISTORY_UNKNOWN', `era ${era} is not whole in this archive: ${why}`)
    }
    const { network } = store.identity
    const described = {
      era,
      chainId: network.chainId.toString(),
      genesisTimestampMs: network.genesisTimestampMs.toString(),
      root: toHex(totals.root),
      totalBytes: totals.totalBytes.toString(),
      totalChunks: totals.totalChunks.toString(),
      firstPeriod: era * ERA_PERIODS,
      periodRoots: totals.periodRoots.map(toHex),
    }
    const bytes = new TextEncoder().encode(JSON.stringify(described))
    const type = 'application/json; charset=utf-8'
    return sendBytes(request, reply, { bytes, tag: described.root, type, caching: CHANGING })
  })
}
