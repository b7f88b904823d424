import { choosePorts, type PortWish } from './free-ports.ts'

/** Ports that are tried first: those of a massa-node and of a sidecar, and those behind them. */
const FIRST_PORTS = {
  grpc: 33_037,
  jsonRpc: 33_035,
  nodeControl: 33_039,
  control: 33_038,
  api: 33_040,
  metrics: 31_251,
}

export interface SidecarPorts {
  readonly api: number
  readonly metrics: number
}

export interface NetworkPorts {
  readonly grpc: number
  readonly jsonRpc: number
  readonly nodeControl: number
  readonly control: number
  readonly sidecars: readonly SidecarPorts[]
}

/** @throws ArchiveError DEVNET_PORT_BUSY */
export async function chooseNetworkPorts(sidecars: number, takeOthers: boolean): Promise<NetworkPorts> {
  const wishes: PortWish[] = [
    { purpose: 'gRPC of the node', port: FIRST_PORTS.grpc },
    { purpose: 'JSON-RPC of the node', port: FIRST_PORTS.jsonRpc },
    { purpose: 'control of the node', port: FIRST_PORTS.nodeControl },
    { purpose: 'devnet commands', port: FIRST_PORTS.control },
    ...wishSidecarPorts(sidecars, 0),
  ]
  const [grpc = 0, jsonRpc = 0, nodeControl = 0, control = 0, ...others] = await choosePorts(wishes, takeOthers)
  return { grpc, jsonRpc, nodeControl, control, sidecars: pairPorts(others) }
}

/** @param first - place of the first of them, from 0; @throws ArchiveError DEVNET_PORT_BUSY */
export async function chooseSidecarPorts(count: number, takeOthers: boolean, first: number): Promise<SidecarPorts[]> {
  return pairPorts(await choosePorts(wishSidecarPorts(count, first), takeOthers))
}

function wishSidecarPorts(count: number, first: number): PortWish[] {
  return Array.from({ length: count }, (_, i) => [
    { purpose: `API of sidecar ${first + i + 1}`, port: FIRST_PORTS.api + first + i },
    { purpose: `metrics of sidecar ${first + i + 1}`, port: FIRST_PORTS.metrics + first + i },
  ]).flat()
}

function pairPorts(ports: readonly number[]): SidecarPorts[] {
  const pairs: SidecarPorts[] = []
  for (let i = 0; i + 1 < ports.length; i += 2) pairs.push({ api: ports[i] ?? 0, metrics: ports[i + 1] ?? 0 })
  return pairs
}
