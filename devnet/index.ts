export { RpcError } from '../telemetry/grpc/rpc-error.ts'
export type { StreamRpc, UnaryRpc } from '../telemetry/grpc/rpc-names.ts'
export { BLOCK_STATUS, EXECUTION_QUERY_STATUS } from '../telemetry/grpc/status-codes.ts'
export {
  type ChainOptions,
  encodeFilledBlock,
  type MadeBlock,
  type MadeChain,
  makeChain,
  signBlock,
} from './chain-maker.ts'
export type { UnaryAnswer } from './grpc/devnet-service.ts'
export { drawNumber, type MadeKey, makeKey } from './made-key.ts'
export { type MadeOperation, OperationMaker, type OperationMix } from './operation-maker.ts'
export { computeWholePeriods, type WholePeriods } from './replay/head.ts'
export { readRecording } from './replay/recording.ts'
export { type ReplayOptions, type ReplayServer, startReplayServer } from './replay/replay-server.ts'
export { type Interceptor, ScriptedNode, type ScriptedNodeOptions } from './replay/scripted-node.ts'
export { ScriptedState } from './replay/scripted-state.ts'
export type { RecordedBlock, Recording } from './replay/timeline.ts'
