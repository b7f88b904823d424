import { choosePorts, type PortWish } from './free-ports.ts'

/** Ports that are tried first: those of a massa-node and of a sidecar, and those behind them. */
const FIRST_PORTS = {
  grpc: 33_037,
  jsonRpc: 33_035,
  nodeControl: 33_039,
  control: 33_038,
  api: 33_040,
  metrics: 31_251,
  p2p: 31_500,
}

export interface SidecarPorts {
  readonly api: number
  readonly metrics: number
  /** Where other sidecars reach it. */
  readonly p2p: number
}

interface NodePorts {
  readonly grpc: number
  readonly jsonRpc: number
  readonly nodeControl: number
}

export interface NetworkPorts extends NodePorts {
  readonly control: number
  readonly sidecars: readonly SidecarPorts[]
}

/*
 * What is free now may be somebody else's when a process binds it, seconds later. So a process looks again before each
 * of its starts; one that is overtaken even then ends, and looks again.
 */

/**
 * For a new network, or one that goes on.
 *
 * @param peerHosts - by sidecar: where it listens for others
 * @throws ArchiveError DEVNET_PORT_BUSY
 */
export async function chooseNetworkPorts(peerHosts: readonly string[], takeOthers: boolean): Promise<NetworkPorts> {
  const wishes: PortWish[] = [
    ...wishNodePorts(FIRST_PORTS),
    { purpose: 'devnet commands', port: FIRST_PORTS.control },
    ...peerHosts.flatMap((host, i) => wishSidecarPorts(`sidecar ${i + 1}`, firstPortsOf(i), host)),
  ]
  const [grpc = 0, jsonRpc = 0, nodeControl = 0, control = 0, ...others] = await choosePorts(wishes, takeOthers)
  return { grpc, jsonRpc, nodeControl, control, sidecars: groupPorts(others) }
}

/** These where they are still free. @throws ArchiveError DEVNET_PORT_BUSY */
export async function chooseNodePorts(ports: NodePorts, takeOthers: boolean): Promise<NodePorts> {
  const [grpc = 0, jsonRpc = 0, nodeControl = 0] = await choosePorts(wishNodePorts(ports), takeOthers)
  return { grpc, jsonRpc, nodeControl }
}

/** What a sidecar had, or would like. */
export interface SidecarWish {
  readonly name: string
  readonly ports: SidecarPorts
  /** Where it listens for others. */
  readonly peerHost: string | undefined
}

/**
 * These where they are still free.
 *
 * @returns in the order of the wishes
 * @throws ArchiveError DEVNET_PORT_BUSY
 */
export async function chooseSidecarPorts(
  sidecars: readonly SidecarWish[],
  takeOthers: boolean,
): Promise<SidecarPorts[]> {
  const wishes = sidecars.flatMap(({ name, ports, peerHost }) => wishSidecarPorts(name, ports, peerHost))
  return groupPorts(await choosePorts(wishes, takeOthers))
}

/** @param place - of a sidecar, from 0 */
export function firstPortsOf(place: number): SidecarPorts {
  const { api, metrics, p2p } = FIRST_PORTS
  return { api: api + place, metrics: metrics + place, p2p: p2p + place }
}

function wishNodePorts({ grpc, jsonRpc, nodeControl }: NodePorts): PortWish[] {
  return [
    { purpose: 'gRPC of the node', port: grpc },
    { purpose: 'JSON-RPC of the node', port: jsonRpc },
    { purpose: 'control of the node', port: nodeControl },
  ]
}

function wishSidecarPorts(name: string, { api, metrics, p2p }: SidecarPorts, peerHost?: string): PortWish[] {
  return [
    { purpose: `API of ${name}`, port: api },
    { purpose: `metrics of ${name}`, port: metrics },
    { purpose: `peers of ${name}`, port: p2p, host: peerHost },
  ]
}

/** In the order of `wishSidecarPorts`. */
function groupPorts(ports: readonly number[]): SidecarPorts[] {
  const groups: SidecarPorts[] = []
  for (let i = 0; i + 2 < ports.length; i += 3) {
    const [api = 0, metrics = 0, p2p = 0] = ports.slice(i, i + 3)
    groups.push({ api, metrics, p2p })
  }
  return groups
}
