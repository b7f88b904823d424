/*
 * Prices of a massa-node, in gas, from its `base_config/gas_costs/abi_gas_costs.json` (massalabs/massa 2e31f64829,
 * MAIN.5.0). A node rounds each price of that file to the nearest ten, five downwards, when it reads it; so do these.
 */

/** Of every executed wasm operator: a constant of the node (massa-sc-runtime, `GasCosts::operator_cost`). */
export const OPERATOR_GAS = 23
/** Of every start of a function, beside what it executes. */
export const LAUNCH_GAS = round(15702)
/** What a start function may use at most, and the least that must be left to start anything. */
export const MAX_INSTANCE_GAS = round(2_100_000)
/** Added to the gas of every operation when a block is filled (massa-models, BASE_OPERATION_GAS_COST). */
export const OPERATION_BASE_GAS = 800_000
/** Added to that of an ExecuteSC, whose bytecode is compiled for it alone. */
export const TEMPORARY_COMPILATION_GAS = round(314_000_000)
export const MAX_BLOCK_GAS = 4_294_967_295

/** As written in the file, by the function that it calls `assembly_script_<name>`. */
const WRITTEN = {
  address_from_public_key: 1570,
  append_data: 1060,
  append_data_for: 1290,
  call: 15_000,
  caller_has_write_access: 775,
  create_sc: 745_000_000,
  date_now: 355,
  delete_data: 980,
  delete_data_for: 1100,
  deferred_call_cancel: 4165,
  deferred_call_exists: 6580,
  get_deferred_call_quote: 1220,
  deferred_call_register: 2650,
  function_exists: 2875,
  generate_event: 860,
  get_balance: 745,
  get_balance_for: 900,
  get_bytecode: 1100,
  get_bytecode_for: 1375,
  get_call_coins: 725,
  get_call_stack: 1560,
  get_current_period: 785,
  get_current_thread: 770,
  get_data: 1040,
  get_data_for: 1240,
  get_keys: 1000,
  get_keys_for: 1195,
  get_op_data: 50_000,
  get_op_keys: 1400,
  get_op_keys_prefix: 1400,
  get_owned_addresses: 1600,
  get_remaining_gas: 580,
  get_time: 750,
  has_data: 845,
  has_data_for: 1220,
  has_op_key: 1455,
  hash: 1055,
  hash_sha256: 990,
  keccak256_hash: 1055,
  local_call: 15_000,
  local_execution: 314_000_000,
  print: 855,
  seed: 360,
  send_message: 40_000_000,
  get_origin_operation_id: 785,
  set_bytecode: 745_000_000,
  set_bytecode_for: 745_000_000,
  set_data: 940,
  set_data_for: 1070,
  signature_verify: 1200,
  evm_signature_verify: 3310,
  evm_get_address_from_pubkey: 1120,
  evm_get_pubkey_from_signature: 1540,
  is_address_eoa: 450,
  transfer_coins: 1045,
  transfer_coins_for: 1190,
  unsafe_random: 790,
  validate_address: 890,
  chain_id: 785,
  console_log: 855,
  console_info: 855,
  console_debug: 855,
  console_warn: 855,
  console_error: 855,
  trace: 855,
} as const

export type PricedFunction = keyof typeof WRITTEN

/** What each host function costs. */
export type GasPrices = Readonly<Record<PricedFunction, bigint>>

/** Versions of the node whose prices are known. They differ in nothing else that the engine does. */
export type NodeVersion = 'MAIN.3.0' | 'MAIN.5.0'

/** Functions that were no dearer in MAIN.5.0. */
const UNCHANGED: ReadonlySet<string> = new Set<PricedFunction>([
  'call',
  'local_call',
  'local_execution',
  'create_sc',
  'set_bytecode',
  'set_bytecode_for',
])
const OLD_SEND_MESSAGE_GAS = 286

/** The file of MAIN.3.0 holds a fifth of today's price for all but these. */
function findOldPrice(name: string, gas: number): number {
  if (name === 'send_message') return OLD_SEND_MESSAGE_GAS
  return UNCHANGED.has(name) ? gas : gas / 5
}

export function getGasPrices(version: NodeVersion): GasPrices {
  const prices = Object.entries(WRITTEN).map(([name, gas]) => {
    return [name, BigInt(round(version === 'MAIN.5.0' ? gas : findOldPrice(name, gas)))] as const
  })
  return Object.fromEntries(prices) as Record<PricedFunction, bigint>
}

function round(gas: number): number {
  const unit = gas % 10
  return unit > 5 ? gas + 10 - unit : gas - unit
}
