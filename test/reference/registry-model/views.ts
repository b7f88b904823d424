import { toHex } from '../../../core/index.ts'
import { ArgsWriter } from '../args-writer.ts'
import { isAddress, readAddress, readNothing, readNumber, readText } from './admin.ts'
import { ArgsReader } from './args.ts'
import type { Call } from './call.ts'
import { writeConfig } from './config.ts'
import { type FieldKind, type FieldValue, NODE_FIELDS, PERIOD_FIELDS } from './layout.ts'
import { NO_METADATA, requireNode } from './nodes.ts'
import { listChallenge, listNode, writeProfile } from './records.ts'
import { demand } from './refusal.ts'
import { accrue, settle } from './rewards.ts'
import type { Node, RegistryState } from './state.ts'

/*
 * What the registry answers without changing anything.
 */

const MAX_PAGE = 50
const CONTRACT_VERSION = 1

export type View = (state: RegistryState, call: Call) => Uint8Array

export const VIEWS: Readonly<Record<string, View>> = {
  getNodeInfo: (state, call) => writeNode(state, findNode(state, call)).finish(),
  getChallenge: (state, call) => {
    const challenge = state.challenges.get(readText(call))
    demand(challenge !== undefined, 'CHALLENGE_UNKNOWN')
    const { resolved, passed, outcome } = listChallenge(challenge)
    return new ArgsWriter()
      .string(challenge.id)
      .string(challenge.nodeAddress)
      .string(toHex(challenge.chunkId))
      .u64(challenge.nonce)
      .u64(challenge.issuedPeriod)
      .u64(challenge.deadline)
      .bool(resolved)
      .bool(passed)
      .string(challenge.issuer)
      .u32(challenge.samples)
      .u8(Number(outcome))
      .finish()
  },
  getPeriodStats: (state, call) => {
    const stats = state.periods.get(readNumber(call))
    demand(stats !== undefined, 'PERIOD_UNKNOWN')
    return writeFields(PERIOD_FIELDS, stats).finish()
  },
  getConfig: (state, call) => {
    readNothing(call)
    return writeConfig(new ArgsWriter(), state.config).finish()
  },
  getTotalNodes: (state, call) => {
    readNothing(call)
    return new ArgsWriter().u64(state.nodes.length).finish()
  },
  calculatePendingRewards: (state, call) => {
    const projected = state.copy()
    const node = requireNode(projected, readAddress(call))
    accrue(projected, BigInt(call.slot.period))
    settle(projected, node)
    return new ArgsWriter().u64(node.pendingRewards + node.underAudit + node.unvested).finish()
  },
  getNodes: (state, call) => {
    const args = new ArgsReader(call.parameter)
    const offset = args.u64()
    const limit = args.u32()
    args.end()
    demand(limit >= 1 && limit <= MAX_PAGE, 'LIMIT_INVALID')
    const items = new ArgsWriter()
    for (const [i, node] of state.nodes.entries()) {
      if (BigInt(i) >= offset && BigInt(i) < offset + BigInt(limit)) items.raw(writeNode(state, node).finish())
    }
    return new ArgsWriter().u64(state.registryVersion).u64(state.nodes.length).bytes(items.finish()).finish()
  },
  getNodeMetadata: (state, call) => {
    const node = findNode(state, call)
    const metadata = state.metadata.get(node.address) ?? NO_METADATA
    const args = writeProfile(new ArgsWriter().u64(metadata.fromEra), metadata.current)
    return writeProfile(args, metadata.previous).finish()
  },
  getEra: (state, call) => {
    const era = readNumber(call)
    const anchored = state.eras.get(era)
    demand(anchored !== undefined, 'ERA_UNKNOWN')
    const { root, placementRoot, totalBytes, totalChunks, anchoredPeriod } = anchored
    const args = new ArgsWriter().u64(era).bytes(root).bytes(placementRoot)
    return args.u64(totalBytes).u64(totalChunks).u64(anchoredPeriod).finish()
  },
  getLatestEra: (state, call) => {
    readNothing(call)
    return new ArgsWriter().u64(state.latestEra).finish()
  },
  isChallenger: (state, call) => {
    const address = readAddress(call)
    demand(isAddress(address), 'ADDRESS_INVALID')
    return new ArgsWriter().bool(state.challengers.has(address)).finish()
  },
  getRewardPool: (state, call) => {
    readNothing(call)
    return new ArgsWriter().u64(state.pool).finish()
  },
  getVersion: (_state, call) => {
    readNothing(call)
    return new ArgsWriter().u32(CONTRACT_VERSION).finish()
  },
}

function findNode(state: RegistryState, call: Call): Node {
  const node = state.findNode(readAddress(call))
  demand(node !== undefined, 'NODE_UNKNOWN')
  return node
}

function writeNode(state: RegistryState, node: Node): ArgsWriter {
  return writeFields(
    NODE_FIELDS,
    listNode(
      node,
      state.nodes.findIndex(({ address }) => address === node.address),
    ),
  )
}

function writeFields(fields: readonly (readonly [string, FieldKind])[], record: object): ArgsWriter {
  const args = new ArgsWriter()
  for (const [name, kind] of fields) {
    const value = Reflect.get(record, name) as FieldValue
    if (kind === 'u64') args.u64(value as bigint)
    else if (kind === 'u32') args.u32(value as bigint)
    else if (kind === 'u8') args.u8(Number(value))
    else if (kind === 'bool') args.bool(value === true)
    else args.string(value as string)
  }
  return args
}
