export { DevnetChain, type DevnetChainOptions } from './devnet-chain.ts'
export { type JsonRpcServer, startJsonRpcServer } from './json-rpc-server.ts'
