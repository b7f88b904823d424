// Makes again what the contract's folder has committed, and compares: the wasm is what deploys, so it must be what its
// sources give, and the vectors must be those that the archive's own code is tested with.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'massa-storage-sc')
const GENERATED = [
  { file: 'build/storage-registry.wasm', script: 'build' },
  { file: 'assembly/__tests__/vectors.generated.ts', script: 'vectors' },
  { file: 'assembly/toys/registry-v2.wasm', script: 'toy' },
  { file: 'assembly/toys/registry-caller.wasm', script: 'caller' },
]

const scratch = mkdtempSync(join(tmpdir(), 'massa-storage-contract-'))
const kept = join(scratch, 'kept')
for (const { file, script } of GENERATED) {
  const path = join(folder, file)
  copyFileSync(path, kept)
  const { status } = spawnSync('npm', ['run', '--silent', script], { cwd: folder, stdio: 'inherit' })
  const isFresh = status === 0 && readFileSync(path).equals(readFileSync(kept))
  copyFileSync(kept, path)
  console.log(
    isFresh
      ? `massa-storage-sc/${file}: fresh`
      : `massa-storage-sc/${file} is stale: npm run ${script} --workspace massa-storage-sc, and commit it`,
  )
  if (!isFresh) process.exitCode = 1
}
rmSync(scratch, { recursive: true, force: true })
