import type { CallResult, Metrics, NodeRpc } from '../telemetry/index.ts'

const RESULT_OF_CODE: Readonly<Record<string, CallResult>> = {
  ok: 'ok',
  unavailable: 'unreachable',
  deadline_exceeded: 'unreachable',
  cancelled: 'cancelled',
  resource_exhausted: 'too_large',
  unparsable: 'invalid',
}

/** Counts a call by how it ended. */
export function recordNodeCall(metrics: Metrics): (rpc: string, result: string) => void {
  return (rpc, result) => metrics.nodeCalls.add(1, { rpc: rpc as NodeRpc, result: RESULT_OF_CODE[result] ?? 'refused' })
}
