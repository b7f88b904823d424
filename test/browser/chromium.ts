import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'

/*
 * A headless Chromium that nobody has to install: a package of npm brings it, compressed, with the libraries that a bare Linux has
 * not. That package is made for AWS Lambda: it unpacks into the folder for temporary files, the libraries only where it believes
 * to be there.
 */

const UNPACK = `import chromium from '@sparticuz/chromium'
await chromium.executablePath()`
const ARGUMENTS = [
  // In containers root has no other; the pages are ours.
  '--no-sandbox',
  '--disable-gpu',
  // No name leads anywhere, so nothing is asked outside of this machine.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]

/** The one of npm; where CHROMIUM names another in the environment, that. */
export async function startChromium(): Promise<Browser> {
  const named = process.env.CHROMIUM
  if (named) return chromium.launch({ executablePath: named, args: ARGUMENTS })
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('the Chromium of npm is for Linux on x64: name another one, CHROMIUM=/path/to/chromium')
  }
  const folder = unpackOnce()
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
    FONTCONFIG_FILE: join(folder, 'fonts.conf'),
  }
  return chromium.launch({ executablePath: join(folder, 'chromium'), args: ARGUMENTS, env })
}

/** Opens a page in which functions of tests run. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage()
  // What runs a test from its source gives functions their names by this.
  await page.addInitScript('globalThis.__name = (it) => it')
  await page.goto(url)
  return page
}

/** 190 MB, and two seconds the first time. @returns the folder, which goes with the package */
function unpackOnce(): string {
  const module = fileURLToPath(import.meta.resolve('@sparticuz/chromium'))
  const folder = join(dirname(module), 'unpacked')
  if (existsSync(folder)) return folder
  const own = `${folder}.${process.pid}`
  mkdirSync(own)
  const env = { ...process.env, TMPDIR: own, AWS_LAMBDA_JS_RUNTIME: 'nodejs22.x' }
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', UNPACK], {
    cwd: dirname(module),
    env,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`Chromium cannot be unpacked: ${stderr}`)
  // Its own names no folder that is there.
  const fonts = [join(folder, 'fonts'), '/usr/share/fonts'].map((path) => `<dir>${path}</dir>`).join('')
  writeFileSync(join(own, 'fonts.conf'), `<?xml version="1.0"?><fontconfig>${fonts}</fontconfig>`)
  try {
    renameSync(own, folder)
  } catch {
    // Another process of the tests was first.
    rmSync(own, { recursive: true, force: true })
  }
  return folder
}
