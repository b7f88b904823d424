import assert from 'node:assert/strict'

type Archive = import('../../explorer/ask-archive.ts').Archive

/** An archive that answers this by path, and remembers what it was asked. */
export function stubArchive(answers: Readonly<Record<string, object | Uint8Array>>): Archive & { asked: string[] } {
  const asked: string[] = []
  const answer = (path: string) => {
    asked.push(path)
    return answers[path] ?? assert.fail(`asked for ${path}`)
  }
  return {
    asked,
    ask: async (path) => ({ json: answer(path) as Record<string, unknown>, bytes: 1 }),
    askForBytes: async (path) => answer(path) as Uint8Array,
  }
}
