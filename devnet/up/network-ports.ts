import { type Clock, isArchiveError } from '../../core/index.ts'
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

/** What a network that was killed had started needs a moment to notice, and has its ports until then. */
export const ENDING_LIMIT_MS = 12_000
const LOOK_MS = 500

export interface SidecarPorts {
  readonly api: number
  readonly metrics: number
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
 * @param wishes - `limitMs`: for so long it is waited for ports that are busy
 * @throws ArchiveError DEVNET_PORT_BUSY
 */
export async function waitForNetworkPorts(
  sidecars: number,
  wishes: { readonly takeOthers: boolean; readonly limitMs: number },
  clock: Clock,
): Promise<NetworkPorts> {
  const deadlineMs = clock.monotonicMs() + wishes.limitMs
  for (;;) {
    try {
      return await chooseNetworkPorts(sidecars, wishes.takeOthers)
    } catch (error) {
      if (!isArchiveError(error, 'DEVNET_PORT_BUSY') || clock.monotonicMs() >= deadlineMs) throw error
    }
    await clock.sleep(LOOK_MS)
  }
}

async function chooseNetworkPorts(sidecars: number, takeOthers: boolean): Promise<NetworkPorts> {
  const wishes: PortWish[] = [
    ...wishNodePorts(FIRST_PORTS),
    { purpose: 'devnet commands', port: FIRST_PORTS.control },
    ...Array.from({ length: sidecars }, (_, i) => wishSidecarPorts(`sidecar ${i + 1}`, firstPortsOf(i))).flat(),
  ]
  const [grpc = 0, jsonRpc = 0, nodeControl = 0, control = 0, ...others] = await choosePorts(wishes, takeOthers)
  return { grpc, jsonRpc, nodeControl, control, sidecars: pairPorts(others) }
}

/** These where they are still free. @throws ArchiveError DEVNET_PORT_BUSY */
export async function chooseNodePorts(ports: NodePorts, takeOthers: boolean): Promise<NodePorts> {
  const [grpc = 0, jsonRpc = 0, nodeControl = 0] = await choosePorts(wishNodePorts(ports), takeOthers)
  return { grpc, jsonRpc, nodeControl }
}

/** These where they are still free. @throws ArchiveError DEVNET_PORT_BUSY */
export async function chooseSidecarPorts(
  name: string,
  ports: SidecarPorts,
  takeOthers: boolean,
): Promise<SidecarPorts> {
  const [api = 0, metrics = 0] = await choosePorts(wishSidecarPorts(name, ports), takeOthers)
  return { api, metrics }
}

/** @param place - of a sidecar, from 0 */
export function firstPortsOf(place: number): SidecarPorts {
  return { api: FIRST_PORTS.api + place, metrics: FIRST_PORTS.metrics + place }
}

function wishNodePorts({ grpc, jsonRpc, nodeControl }: NodePorts): PortWish[] {
  return [
    { purpose: 'gRPC of the node', port: grpc },
    { purpose: 'JSON-RPC of the node', port: jsonRpc },
    { purpose: 'control of the node', port: nodeControl },
  ]
}

function wishSidecarPorts(name: string, { api, metrics }: SidecarPorts): PortWish[] {
  return [
    { purpose: `API of ${name}`, port: api },
    { purpose: `metrics of ${name}`, port: metrics },
  ]
}

function pairPorts(ports: readonly number[]): SidecarPorts[] {
  const pairs: SidecarPorts[] = []
  for (let i = 0; i + 1 < ports.length; i += 2) pairs.push({ api: ports[i] ?? 0, metrics: ports[i + 1] ?? 0 })
  return pairs
}
