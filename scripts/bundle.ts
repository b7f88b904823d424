// Writes what browsers load into dist; `npm run build` runs it behind the compiler.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findPackageRoot } from '../config/index.ts'
import { bundleForBrowsers } from './browser-bundles.ts'

for (const [name, bytes] of await bundleForBrowsers()) {
  const path = join(findPackageRoot(), 'dist', name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}
