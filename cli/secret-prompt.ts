import { StringDecoder } from 'node:string_decoder'
import { escapeControls } from '../core/escape-controls.ts'

/** A terminal whose keys can be read one by one. */
export interface SecretTerminal {
  readonly input: NodeJS.ReadStream
  readonly output: NodeJS.WriteStream
}

/** More is no password but a file that was pasted by mistake. */
const MAX_CHARACTERS = 4_096

const ENTER = new Set(['\r', '\n'])
const INTERRUPT = '\u0003'
const END = '\u0004'
const ERASE = new Set(['\u007f', '\b'])
const ERASE_ALL = '\u0015'

/**
 * A line that is typed and not shown.
 *
 * @throws an AbortError on Ctrl-C, at the end of the input and when `signal` aborts
 */
export function askSecret(text: string, terminal: SecretTerminal, signal?: AbortSignal): Promise<string> {
  const { input, output } = terminal
  const decoder = new StringDecoder('utf8')
  let typed: string[] = []
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void, rest = ''): void => {
      input.off('data', onData)
      input.off('end', onEnd)
      signal?.removeEventListener('abort', onEnd)
      input.setRawMode(false)
      input.pause()
      // Two lines that came at once: the second is the answer to the next question.
      if (rest !== '') input.unshift(Buffer.from(rest))
      output.write('\n')
      settle()
    }
    const onEnd = (): void => finish(() => reject(new DOMException('the question was not answered', 'AbortError')))
    const onData = (bytes: Buffer): void => {
      const keys = [...decoder.write(bytes)]
      for (const [i, key] of keys.entries()) {
        if (ENTER.has(key)) {
          finish(() => resolve(typed.join('')), keys.slice(i + 1).join(''))
          return
        }
        if (key === INTERRUPT || (key === END && typed.length === 0)) {
          onEnd()
          return
        }
        if (ERASE.has(key)) typed.pop()
        else if (key === ERASE_ALL) typed = []
        else if (key >= ' ' && typed.length < MAX_CHARACTERS) typed.push(key)
      }
    }
    output.write(escapeControls(text))
    input.setRawMode(true)
    input.on('data', onData)
    input.once('end', onEnd)
    signal?.addEventListener('abort', onEnd, { once: true })
    input.resume()
    if (signal?.aborted) onEnd()
  })
}

/** undefined where nobody can answer, or where answers are for programs. */
export function openSecretTerminal(json: boolean): SecretTerminal | undefined {
  return process.stdin.isTTY === true && !json ? { input: process.stdin, output: process.stderr } : undefined
}
