import { join } from 'node:path'
import { configOf, type NetworkReport } from '../devnet/up/index.ts'

/**
 * What to try on a network that is up.
 *
 * @param directory - as it is to be shown
 * @param named - what a command needs to find the network
 */
export function suggestNext({ sidecars }: NetworkReport, directory: string, named: string): string[] {
  const [first, second] = sidecars
  if (!first) return [`  npx massa-storage devnet add${named}`, `  npx massa-storage devnet status${named}`]
  const config = configOf(join(directory, first.name))
  return [
    `  open ${first.apiUrl}/ in a browser: the explorer`,
    `  npx massa-storage status -c ${config}`,
    '  npx massa-cli sc call storage_registry get_node_info \\',
    `      ${first.address} \\`,
    `      -c ${config}`,
    `  npx massa-storage devnet kill ${second?.name ?? 'node'}${named}`,
  ]
}
