import { SLOT_MS } from '../../../../core/index.ts'
import {
  type DevnetChain,
  type DevnetChainOptions,
  type GrpcServer,
  type GrpcServerOptions,
  startGrpcServer,
} from '../../../../devnet/node/index.ts'
import { GrpcCaller } from '../../grpc-caller.ts'
import { indexOf, openChain } from '../chain/made-chain.ts'

/** A chain, its gRPC face and a client. */
export interface GrpcNode {
  readonly chain: DevnetChain
  readonly server: GrpcServer
  readonly caller: GrpcCaller
  close(): Promise<void>
}

/** Time is where the chain is, at the end of its slot. */
export function clockOf(chain: DevnetChain): { nowMs(): number } {
  return { nowMs: () => chain.genesisTimestampMs + (indexOf(chain) + 1) * SLOT_MS - 1 }
}

export async function openGrpcNode(
  chainOptions: Partial<DevnetChainOptions> = {},
  serverOptions: GrpcServerOptions = {},
): Promise<GrpcNode> {
  const chain = openChain(chainOptions)
  const server = await startGrpcServer({ chain, clock: clockOf(chain) }, serverOptions)
  const caller = new GrpcCaller(server.url)
  return {
    chain,
    server,
    caller,
    close: async () => {
      caller.close()
      await server.close()
      await chain.close()
    },
  }
}
