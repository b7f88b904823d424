import { z } from 'zod'
import { THREAD_COUNT } from '../../../core/index.ts'
import { UNARY_RPCS } from '../../../telemetry/grpc/rpc-names.ts'
import type { LocalRoute } from '../../local-api.ts'
import type { NodeProcess } from './node-process.ts'
import { MAX_SPEED, MIN_SPEED } from './speed-limits.ts'

const MAX_COUNT = 1_000_000
const MAX_DELAY_MS = 600_000

const count = z.int().min(1).max(MAX_COUNT).default(1)
const thread = z
  .int()
  .min(0)
  .max(THREAD_COUNT - 1)
const rate = z.number().min(0).max(1).optional()
const rpc = z.enum(UNARY_RPCS).optional()

const error = `expected a factor from ${MIN_SPEED} to ${MAX_SPEED}, or "turbo"`
const speed = z
  .union([z.number(), z.literal('turbo')], { error })
  .refine((wanted) => wanted === 'turbo' || (wanted >= MIN_SPEED && wanted <= MAX_SPEED), { error })

const speedBody = z.strictObject({ speed })
/** Of an order that says all by its name. */
const nothing = z.strictObject({})
const missBody = z.strictObject({ thread, count })
const forkBody = z.strictObject({ thread: thread.optional(), count })
const ratesBody = z.strictObject({ missRate: rate, orphanRate: rate })
const delayBody = z.strictObject({ delayMs: z.int().min(0).max(MAX_DELAY_MS), rpc, count })
const faultBody = z.strictObject({ rpc, count })
const broadcastBody = z.strictObject({ enabled: z.boolean() })

/** What may be done to a node (docs/DEVNET.md, Control). */
export function makeControlRoutes(node: NodeProcess): Readonly<Record<string, LocalRoute>> {
  return {
    'GET /control': () => node.report(),
    'POST /control/pause': (body) => {
      nothing.parse(body)
      node.pause()
    },
    'POST /control/resume': (body) => {
      nothing.parse(body)
      node.resume()
    },
    'POST /control/speed': (body) => node.setSpeed(speedBody.parse(body).speed),
    'POST /control/miss': (body) => {
      const order = missBody.parse(body)
      return node.missNext(order.thread, order.count)
    },
    'POST /control/fork': (body) => {
      const order = forkBody.parse(body)
      return node.forkNext(order.count, order.thread)
    },
    'POST /control/rates': (body) => {
      const { missRate, orphanRate } = ratesBody.parse(body)
      return node.setRates({
        ...(missRate === undefined ? {} : { missRate }),
        ...(orphanRate === undefined ? {} : { orphanRate }),
      })
    },
    'POST /control/restart': (body) => {
      nothing.parse(body)
      return node.restart()
    },
    'POST /control/drop-streams': (body) => {
      nothing.parse(body)
      node.dropStreams()
    },
    'POST /control/delay': (body) => node.orderFault({ kind: 'delay', ...delayBody.parse(body) }),
    'POST /control/hang': (body) => node.orderFault({ kind: 'hang', ...faultBody.parse(body) }),
    'POST /control/corrupt': (body) => node.orderFault({ kind: 'corrupt', ...faultBody.parse(body) }),
    'POST /control/broadcast': (body) => node.setBroadcast(broadcastBody.parse(body).enabled),
  }
}
