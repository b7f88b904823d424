import { isIP } from 'node:net'
import {
  address,
  bytes,
  listMethod,
  method,
  nodeId,
  plainMethod,
  refuseHere,
  type Shape,
  string,
} from '../../../../telemetry/json-rpc/index.ts'
import type { NodeMethod } from '../rpc-context.ts'

const ipAddress: Shape<string> = (json) => {
  const text = json.string('IP address')
  return isIP(text) === 0 ? json.fail('invalid IP address syntax') : text
}

const BY_ADDRESS = [
  'node_ban_by_ip',
  'node_unban_by_ip',
  'node_add_to_peers_whitelist',
  'node_remove_from_peers_whitelist',
  'node_add_to_bootstrap_whitelist',
  'node_remove_from_bootstrap_whitelist',
  'node_add_to_bootstrap_blacklist',
  'node_remove_from_bootstrap_blacklist',
]

const WITHOUT_PARAMETERS = [
  'stop_node',
  'get_staking_addresses',
  'node_peers_whitelist',
  'node_bootstrap_whitelist',
  'node_bootstrap_whitelist_allow_all',
  'node_bootstrap_blacklist',
]

/** What an operator asks his own node on its private port: the public one knows the names and refuses. */
export const PRIVATE_METHODS: readonly NodeMethod[] = [
  ...WITHOUT_PARAMETERS.map((name) => plainMethod(name, refuseHere)),
  ...BY_ADDRESS.map((name) => listMethod(name, ['arg', ipAddress], refuseHere)),
  method('node_sign_message', ['arg', bytes], refuseHere),
  listMethod('add_staking_secret_keys', ['arg', string], refuseHere),
  listMethod('remove_staking_addresses', ['arg', address], refuseHere),
  listMethod('node_ban_by_id', ['arg', nodeId], refuseHere),
  listMethod('node_unban_by_id', ['arg', nodeId], refuseHere),
]
