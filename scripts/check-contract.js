// Makes again what the contract's folder has committed, and compares: the wasm is what deploys, so it must be what its
// sources give, and the vectors must be those that the archive's own code is tested with. Made in a copy of the folder:
// others may read it meanwhile.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, 'massa-storage-sc')
const GENERATED = [
  { file: 'build/storage-registry.wasm', script: 'build' },
  { file: 'assembly/__tests__/vectors.generated.ts', script: 'vectors' },
  { file: 'assembly/toys/registry-v2.wasm', script: 'toy' },
  { file: 'assembly/toys/registry-caller.wasm', script: 'caller' },
]

const scratch = mkdtempSync(join(tmpdir(), 'massa-storage-contract-'))
const copy = join(scratch, 'massa-storage-sc')
cpSync(folder, copy, { recursive: true })
// What the folder finds beside it: packages, and vectors.
for (const name of ['node_modules', 'test']) symlinkSync(join(root, name), join(scratch, name))
for (const { file, script } of GENERATED) {
  rmSync(join(copy, file))
  const { status } = spawnSync('npm', ['run', '--silent', script], { cwd: copy, stdio: 'inherit' })
  const isFresh = status === 0 && readFileSync(join(copy, file)).equals(readFileSync(join(folder, file)))
  console.log(
    isFresh
      ? `massa-storage-sc/${file}: fresh`
      : `massa-storage-sc/${file} is stale: npm run ${script} --workspace massa-storage-sc, and commit it`,
  )
  if (!isFresh) process.exitCode = 1
}
rmSync(scratch, { recursive: true, force: true })
