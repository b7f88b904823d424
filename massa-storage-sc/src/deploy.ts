/*
 * Deploys build/storage-registry.wasm. The work is done by the archive's own command, which checks the settings, shows
 * the price and asks before it spends: `npm run deploy -- --params registry.toml` takes the options of
 * `massa-storage contract deploy`. It has to be built first: `npm run build` in the folder above.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../bin/massa-storage.js', import.meta.url))
// npm changes into this folder: a configuration file is looked for where the person was.
const cwd = process.env.INIT_CWD ?? process.cwd()
const args = [command, 'contract', 'deploy', ...process.argv.slice(2)]
const { status, error } = spawnSync(process.execPath, args, { cwd, stdio: 'inherit' })
if (error) throw error
process.exitCode = status ?? 1
