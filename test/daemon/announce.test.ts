import assert from 'node:assert/strict'
import { ArchiveError, type Clock } from '../../core/index.ts'
import { announce } from '../../daemon/announce.ts'
import { createLogger } from '../../telemetry/index.ts'

const URL = 'http://127.0.0.1:1'

describe('daemon/announce', () => {
  let said: string[]
  let slept: number
  const signal = new AbortController().signal
  const log = createLogger({
    level: 'warn',
    format: 'json',
    destination: { write: (text) => said.push(JSON.parse(text).msg) },
  })
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    sleep: async () => {
      slept++
    },
  }
  beforeEach(() => {
    said = []
    slept = 0
  })

  it('says once that the disk is full, and notes the address when there is room', async () => {
    let left = 3
    const noted: string[] = []
    const store = {
      announce: async (url: string) => {
        if (left-- > 0) throw new ArchiveError('STORE_DISK_FULL', 'full')
        noted.push(url)
      },
    }
    const { done } = await announce(URL, { store, clock, log }, signal)
    assert.deepEqual(said, ['address of the api not noted'])
    await done
    assert.deepEqual([noted, said.length, slept], [[URL], 1, 3])
  })

  it('waits for nothing where there is room', async () => {
    const store = { announce: async () => {} }
    await (await announce(URL, { store, clock, log }, signal)).done
    assert.deepEqual([said, slept], [[], 0])
  })

  it('ends with the daemon', async () => {
    const stopping = new AbortController()
    const store = { announce: () => Promise.reject(new ArchiveError('STORE_DISK_FULL', 'full')) }
    const { done } = await announce(
      URL,
      { store, clock: { ...clock, sleep: async () => stopping.abort() }, log },
      stopping.signal,
    )
    await done
  })

  it('error: what else keeps the note from being written ends the start', async () => {
    const store = { announce: () => Promise.reject(new Error('EIO')) }
    await assert.rejects(announce(URL, { store, clock, log }, signal), /EIO/)
  })
})
