import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A file as a process of its own. */
export function startChild(file: URL, words: readonly string[]): ChildProcess {
  return fork(fileURLToPath(file), [...words])
}

/** Next message of a child. @throws Error when it ends first */
export async function hear<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController()
  const { signal } = ended
  try {
    const message = once(child, 'message', { signal }).then(([told]) => told as T)
    const exit = once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`a process of the benchmark ended with ${code}`)
    })
    exit.catch(() => undefined)
    message.catch(() => undefined)
    return await Promise.race([message, exit as Promise<never>])
  } finally {
    ended.abort()
  }
}

/** What a child answers. */
export async function ask<T>(child: ChildProcess, question: object): Promise<T> {
  const answer = hear<T>(child)
  child.send(question)
  return await answer
}

/** Children end when their parent lets go of them. */
export async function endChildren(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    }),
  )
}
