import { type Config, loadConfig } from '../../config/index.ts'
import type { Network } from '../../core/index.ts'

type Flags = Readonly<Record<string, string | number | boolean>>

/** Of a sidecar that keeps everything, and that others can meet on this machine. */
export const MET_FLAGS: Flags = {
  retention_periods: 0,
  'p2p.enabled': true,
  'p2p.listen': '/ip4/127.0.0.1/tcp/0',
}

/** Configuration of a sidecar of a test: on loopback, on ports that the system chooses, with a node that is not there. */
export function daemonConfigOf(
  dataDir: string,
  { chainId, genesisTimestampMs }: Pick<Network, 'chainId' | 'genesisTimestampMs'>,
  flags: Flags = {},
): Config {
  return loadConfig({
    cwd: dataDir,
    env: {},
    flags: {
      enabled: true,
      data_dir: dataDir,
      'node.grpc_urls': '127.0.0.1:1',
      'node.chain_id': Number(chainId),
      'node.genesis_timestamp_ms': Number(genesisTimestampMs),
      'store.ballast_bytes': 1_048_576,
      'store.min_free_bytes': 1_048_576,
      'api.bind': '127.0.0.1:0',
      'metrics.enabled': false,
      ...flags,
    },
  }).config
}
