import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

/** The shipped wasm; REGISTRY_WASM names another one. */
export function readContractCode(): Uint8Array {
  const path = process.env.REGISTRY_WASM ?? resolve('massa-storage-sc/build/storage-registry.wasm')
  if (!existsSync(path)) throw new Error(`${path} is missing: build the contract first`)
  return Uint8Array.from(readFileSync(path))
}

/** What massa-web3 deploys contracts with, from files that its index does not name. */
export function loadDeployer(): {
  readonly bytecode: Uint8Array
  listEntries(contract: { data: Uint8Array; args: Uint8Array; coins: bigint }): { key: Uint8Array; value: Uint8Array }[]
} {
  const require = createRequire(import.meta.url)
  const { DEPLOYER_BYTECODE } = require('@massalabs/massa-web3/dist/cmd/generated/deployer-bytecode.js') as {
    DEPLOYER_BYTECODE: Uint8Array
  }
  const { populateDatastore } = require('@massalabs/massa-web3/dist/cmd/smartContracts/deployerUtils.js') as {
    populateDatastore(contracts: object[]): Map<Uint8Array, Uint8Array>
  }
  return {
    bytecode: Uint8Array.from(DEPLOYER_BYTECODE),
    listEntries: (contract) => [...populateDatastore([contract])].map(([key, value]) => ({ key, value })),
  }
}
